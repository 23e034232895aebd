"""The answer to one question as a JSON document, with a schema for programs that read it.

The models below are the schema: ``docs/answer.schema.json`` is written from them by ``python -m bot schema``. A field
never changes its meaning, name or type within a version; new fields may join, so that readers pass over what they do
not know.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.replies import song_links
from bot.reply import Reply
from core.domain import ArtistRanking, Prediction, SongName, Source, Trend
from core.predictor import Comparison
from core.words import figure, reason_with_figure

SCHEMA_VERSION: Final = 1
"""Raised when a field goes, or changes its name, type or meaning."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)


class NameDocument(_Document):
    """A song by its names."""

    title: str
    artist: str


class CandidateDocument(NameDocument):
    """A song that may be meant."""

    listeners: int | None = Field(description="People who played the song, on Last.fm; null if not told.")


class SongDocument(NameDocument):
    """The song as resolved; null or empty means unknown."""

    credits: list[str] = Field(description="All credited artists in order, where the catalogue knows them.")
    album: str | None
    released: date | None = Field(description="Day of the first release; 1 July where only the year is known.")
    duration_ms: int | None
    explicit: bool | None
    tags: list[str] = Field(description="Last.fm tags, the strongest first.")
    genres: list[str] = Field(description="Genres of the catalogue.")


class FigureDocument(_Document):
    """One figure behind the answer."""

    key: str = Field(description='Its name in the feature table, "listeners".')
    label: str
    value: float
    unit: str = Field(description='Unit of the value, "listeners", "ms", "dB"; "" for shares.')
    display: str = Field(description="Value and unit as people read them.")
    percentile: float | None = Field(description="Share of training songs below it, 0 to 100.")


class ReasonDocument(_Document):
    """One push on the answer."""

    key: str
    label: str
    push: float = Field(description="In log odds, positive towards popular.")


class BandsDocument(_Document):
    """Least probabilities for the verdicts "Medium" and "Popular"."""

    medium: float
    popular: float


class RecordDocument(_Document):
    """How answers of this verdict fared on songs that the model had not seen."""

    share_popular: float = Field(ge=0, le=1)
    n_songs: int


class SourceDocument(_Document):
    """Where the figures are from."""

    origin: str = Field(description='"lastfm", "recorded" or "catalogue"; others may join.')
    as_of: datetime = Field(description="When the figures were taken.")
    stale: bool = Field(description="Whether something newer was asked for without result.")


class LinkDocument(_Document):
    """A page about the song."""

    label: str
    url: str


class PredictionDocument(_Document):
    """The answer for one song."""

    song: SongDocument
    verdict: Literal["Popular", "Medium", "Not popular"]
    probability: float = Field(ge=0, le=1, description="Calibrated probability that the song is popular.")
    confidence_pct: float = Field(ge=0, le=100, description="The same in percent, as shown.")
    base_rate: float = Field(ge=0, le=1, description="Share of popular songs among all.")
    bands: BandsDocument
    record: RecordDocument | None
    known: list[str] = Field(description="Groups of figures that were known.")
    figures: list[FigureDocument]
    reasons: list[ReasonDocument] = Field(description="The strongest first.")
    growth: GrowthDocument | None = Field(description="Since earlier answers; the model never sees it.")
    source: SourceDocument
    model_trained_at: datetime
    links: list[LinkDocument]


class ComparisonDocument(_Document):
    """The answers for two songs."""

    first: PredictionDocument
    second: PredictionDocument
    winner: Literal["first", "second"] | None = Field(
        description="The likelier hit; null when shown confidences equal."
    )


class GrowthDocument(_Document):
    """What became of a song's listeners since an earlier day."""

    days: int
    listeners: float = Field(description="Share by which they grew, 0.12 for 12 %.")
    faster_than: float | None = Field(description="Share of songs that grew more slowly, 0 to 1; null if not known.")


class DatedDocument(_Document):
    """A song's figures on a day."""

    day: date
    listeners: int
    plays: int


class RankedDocument(NameDocument):
    """One song of a ranking."""

    verdict: Literal["Popular", "Medium", "Not popular"]
    probability: float = Field(ge=0, le=1, description="Calibrated probability that the song is popular.")
    listeners: int | None = Field(description="People who played the song, on Last.fm; null if not known.")
    playcount: int | None = Field(description="Plays of the song, on Last.fm; null if not known.")


class RankingDocument(_Document):
    """An artist's songs by predicted popularity."""

    artist: str
    songs: list[RankedDocument] = Field(description="The likeliest first.")
    surprise: int | None = Field(
        description="Index of the song whose chance agrees least with its listeners; null if none stands out."
    )
    source: SourceDocument
    model_trained_at: datetime


class TrendDocument(_Document):
    """How a song developed."""

    prediction: PredictionDocument
    figures: list[DatedDocument] = Field(description="The oldest first.")
    probability_then: float | None = Field(
        description="What the model says of the oldest figures; null while they span too few days."
    )


class AnswerDocument(_Document):
    """What `python -m bot ask --json` prints."""

    model_config = ConfigDict(title="Answer of Hitmeter")

    schema_version: Literal[1]
    code: str = Field(
        description='What became of the question: "predicted", "compared", "ranked", "trend", "ambiguous", '
        '"not_found", "bad_question", "upstream_fault", "informed", "fault" and others.'
    )
    text: str = Field(description="The answer in plain English words, a sentence or more a line.")
    prediction: PredictionDocument | None = Field(description='With the code "predicted".')
    comparison: ComparisonDocument | None = Field(description='With the code "compared".')
    ranking: RankingDocument | None = Field(description='With the code "ranked".')
    trend: TrendDocument | None = Field(description='With the code "trend".')
    candidates: list[CandidateDocument] = Field(description='With the code "ambiguous": songs that may be meant.')
    suggestions: list[NameDocument] = Field(description='With the code "not_found": songs that are distantly like it.')
    card: str | None = Field(description="Path of the picture that was saved.")


def answer_document(reply: Reply, card: Path | None) -> AnswerDocument:
    """Make the document of a reply whose picture was saved at ``card``."""
    return AnswerDocument(
        schema_version=SCHEMA_VERSION,
        code=reply.code.value,
        text="\n".join([*([reply.title] if reply.title else []), reply.text]),
        prediction=None if reply.prediction is None else _prediction(reply.prediction),
        comparison=None if reply.compared is None else _comparison(*reply.compared),
        ranking=None if reply.ranking is None else _ranking(reply.ranking),
        trend=None if reply.trend is None else _trend(reply.trend),
        candidates=[
            CandidateDocument(title=found.name.title, artist=found.name.artist, listeners=found.listeners)
            for found in reply.candidates
        ],
        suggestions=[_name(name) for name in reply.suggestions],
        card=None if card is None else str(card),
    )


def as_json(document: AnswerDocument) -> str:
    """Write a document as one JSON object in ASCII, which every terminal, pipe and file takes."""
    return json.dumps(document.model_dump(mode="json"), indent=2)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    return AnswerDocument.model_json_schema(mode="serialization") | {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    }


def _name(name: SongName) -> NameDocument:
    return NameDocument(title=name.title, artist=name.artist)


def _comparison(first: Prediction, second: Prediction) -> ComparisonDocument:
    ahead = Comparison(first, second).winner
    winner: Literal["first", "second"] | None = None if ahead is None else "first" if ahead is first else "second"
    return ComparisonDocument(first=_prediction(first), second=_prediction(second), winner=winner)


def _ranking(ranking: ArtistRanking) -> RankingDocument:
    return RankingDocument(
        artist=ranking.artist,
        songs=[
            RankedDocument(
                title=one.song.title,
                artist=one.song.artist,
                verdict=one.verdict.value,
                probability=one.probability,
                listeners=one.song.listeners,
                playcount=one.song.playcount,
            )
            for one in ranking.songs
        ],
        surprise=None if ranking.surprise is None else ranking.songs.index(ranking.surprise.ranked),
        source=_source(ranking.source),
        model_trained_at=ranking.trained_at,
    )


def _trend(trend: Trend) -> TrendDocument:
    return TrendDocument(
        prediction=_prediction(trend.prediction),
        figures=[DatedDocument(day=one.day, listeners=one.listeners, plays=one.plays) for one in trend.figures],
        probability_then=trend.probability_then,
    )


def _source(source: Source) -> SourceDocument:
    return SourceDocument(origin=source.origin.name.lower(), as_of=source.as_of, stale=source.stale)


def _prediction(prediction: Prediction) -> PredictionDocument:
    song, assessment = prediction.song, prediction.assessment
    record = assessment.record
    return PredictionDocument(
        song=SongDocument(
            title=song.title,
            artist=song.artist,
            credits=list(song.credits),
            album=song.album,
            released=song.released,
            duration_ms=song.duration_ms,
            explicit=song.explicit,
            tags=list(song.tags),
            genres=list(song.genres),
        ),
        verdict=assessment.verdict.value,
        probability=assessment.probability,
        confidence_pct=prediction.confidence_pct,
        base_rate=assessment.base_rate,
        bands=BandsDocument(medium=assessment.bands.medium, popular=assessment.bands.popular),
        record=None if record is None else RecordDocument(share_popular=record.share_popular, n_songs=record.n_songs),
        known=[block.value for block in assessment.view],
        figures=[
            FigureDocument(
                key=feature.key,
                label=feature.label,
                value=feature.value,
                unit=feature.unit,
                display=figure(feature),
                percentile=feature.percentile,
            )
            for feature in assessment.features
        ],
        reasons=[
            ReasonDocument(key=reason.key, label=reason_with_figure(reason), push=reason.push)
            for reason in assessment.reasons
        ],
        growth=None
        if prediction.growth is None
        else GrowthDocument(
            days=prediction.growth.days,
            listeners=prediction.growth.listeners,
            faster_than=prediction.growth.faster_than,
        ),
        source=_source(prediction.source),
        model_trained_at=assessment.trained_at,
        links=[LinkDocument(label=link.label, url=link.url) for link in song_links(song)],
    )
