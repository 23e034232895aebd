"""Answers for one song: probability, verdict, figures with percentiles, reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np

from core.domain import (
    Assessment,
    AudioFeatures,
    BandRecord,
    Block,
    CalibrationPoint,
    FeatureValue,
    ModelReport,
    ReportRow,
    Song,
    Verdict,
    VerdictBands,
)
from core.errors import ModelError, ModelRejected
from core.language import mark
from core.model.artifact import load
from core.model.ensemble import FloatArray, ServedModel, sigmoid, track_figures
from core.model.explain import assess_with_reasons
from core.model.features import (
    COLUMN,
    FEATURES,
    VIEWS,
    Dates,
    Feature,
    FloatMatrix,
    Group,
    Pattern,
    base_matrix,
    base_row,
    fold_of,
    known_blocks,
    pattern_of,
)
from core.model.genres import known_tags
from core.text import DAYS_PER_YEAR

ROWS: Final[tuple[tuple[str, str, str], ...]] = (
    ("live", "live", mark("A live question")),
    ("live", "plays_alone", mark("Ranking by plays")),
    ("artist_figures", "live", mark("Without figures of the song")),
    ("artist_figures", "artist_listeners_alone", mark("Ranking by the artist's listeners")),
    ("songs_clean", "full", mark("All songs, everything known")),
    ("songs_clean", "baseline_forest", mark("Predecessor's forest, audio alone")),
    ("songs_clean", "baseline_majority", mark('"Not popular" to everything')),
)
"""Protocol and view of the rows that people are shown, and what they are called."""

LIMITS: Final[tuple[str, ...]] = (
    mark(
        "A live question is a song with Last.fm figures, from charts, playlists and discographies of 2019 to 2025; "
        "most are popular."
    ),
    mark("Last.fm's figures are mostly of 2025: for the labels before that they look ahead."),
    mark("Last.fm is little used in some countries; songs loved there look smaller than they are."),
)
"""What the model cannot know, for the chat and the model card."""

_METRICS: Final = ("roc_auc", "average_precision", "f1", "accuracy", "brier", "ece")


def model_report(
    metrics: Mapping[str, Any], trained_at: datetime, bands: tuple[BandRecord, ...], verdict_bands: VerdictBands
) -> ModelReport:
    """Build the report; views that were not measured are left out."""
    protocols = metrics["protocols"]
    asked = protocols["live"]["views"]
    return ModelReport(
        trained_at=trained_at,
        n_songs=int(asked["live"]["n"]),
        base_rate=float(asked["live"]["base_rate"]),
        ranked_right=asked["live"].get("roc_auc"),
        ranked_right_by_plays=asked.get("plays_alone", {}).get("roc_auc"),
        rows=tuple(
            ReportRow(name=name, **{metric: protocols[protocol]["views"][view].get(metric) for metric in _METRICS})
            for protocol, view, name in ROWS
            if view in protocols[protocol]["views"]
        ),
        bands=bands,
        verdict_bands=verdict_bands,
        calibration=tuple(CalibrationPoint(**point) for point in protocols["live"].get("calibration", ())),
        limits=LIMITS,
    )


SHARED_BY_MANY: Final = 0.1
"""A figure that more than this share of songs have has no rank: 0 % instrumental is neither much nor little."""

_BLOCK_OF = {Group(block.value): block for block in Block}


class HitModel:
    """The trained model, ready to answer; safe to use from several threads."""

    def __init__(self, model: ServedModel, trained_at: datetime) -> None:
        """Take a verified model; most callers want :meth:`load`."""
        self._model = model
        self.trained_at = trained_at
        self._known_tags = frozenset(model.vocabulary)
        self._catalogue_records = _catalogue_records(model.metrics)

    @classmethod
    def load(cls, models_dir: Path) -> Self:
        """Load and verify the model of a folder.

        Raises:
            ModelMissing: There is none.
            ModelRejected: It is damaged, tampered with or made by other rules.
        """
        loaded = load(models_dir)
        return cls(loaded.model, loaded.trained_at)

    @property
    def base_rate(self) -> float:
        """Share of popular songs among all training songs, 0 to 1."""
        return self._model.base_rate

    @property
    def bands(self) -> VerdictBands:
        """Least probabilities of the verdicts."""
        return self._model.bands

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The content of ``metrics.json``."""
        return cast("Mapping[str, Any]", self._model.metrics)

    def assess(self, song: Song, *, as_of: date | None = None) -> Assessment:
        """Answer for one song, in a few milliseconds of one core; call it off the event loop.

        Args:
            song: What is known.
            as_of: The day for which the song's age is counted; today in UTC if not given.
        """
        as_of = as_of or datetime.now(UTC).date()
        song = replace(song, tags=known_tags(song.tags, self._known_tags))
        row = base_row(song, as_of)
        blocks = known_blocks(song)
        figures = track_figures([song], as_of) if Block.TRACK in blocks else None
        fold, pattern = self._model.folds[fold_of(song.artist)], pattern_of(blocks)
        log_odds, reasons = assess_with_reasons(self._model, fold, song, row, pattern, figures)
        probability = float(sigmoid(np.array([log_odds]))[0])
        verdict = self._model.bands.verdict(probability)
        records = self._model.records
        if figures is None:
            records = self._catalogue_records if pattern == VIEWS["catalogue"] else self._model.records_without_figures
        record: BandRecord | None = next((r for r in records if r.verdict is verdict), None)
        return Assessment(
            probability=probability,
            verdict=verdict,
            features=tuple(self._features(song, row)),
            reasons=reasons,
            view=blocks,
            bands=self._model.bands,
            base_rate=self._model.base_rate,
            trained_at=self.trained_at,
            record=record,
            tags=song.tags,
        )

    def probabilities(self, songs: Sequence[Song], as_of: Dates | None = None) -> FloatArray:
        """Return the probability of each song, shape (n_songs,), without reasons; the quick way for many songs.

        Args:
            songs: What is known of each.
            as_of: The day for which ages are counted, one for all or one for each; today in UTC if not given.
        """
        if not songs:
            return np.empty(0)
        as_of = as_of or datetime.now(UTC).date()
        songs = [replace(song, tags=known_tags(song.tags, self._known_tags)) for song in songs]
        rows, figures = base_matrix(songs, as_of), track_figures(songs, as_of)
        alike: dict[tuple[int, bool, Pattern], list[int]] = {}
        for place, song in enumerate(songs):
            blocks = known_blocks(song)
            alike.setdefault((fold_of(song.artist), Block.TRACK in blocks, pattern_of(blocks)), []).append(place)
        log_odds = np.empty(len(songs))
        for (fold, weigh, pattern), places in alike.items():
            which = np.zeros(len(songs), dtype=bool)
            which[places] = True
            own = figures.of(which) if weigh else None
            log_odds[which] = self._model.folds[fold].log_odds(rows[which], pattern, own)
        return sigmoid(log_odds)

    def with_usual(self, song: Song, key: str, *, as_of: date) -> Song | None:
        """Return the song with a usual figure in place of the one that a reason of this key names.

        None if the key stands for what no figure of a song is by itself.
        """
        typical = self._model.typical
        listeners, plays = self._model.typical_track
        usual_age = timedelta(days=float(typical[COLUMN["age_years"]]) * DAYS_PER_YEAR)
        of_track = {"listeners": round(listeners), "playcount": round(plays)}
        changed: dict[str, dict[str, Any]] = {
            "listeners": of_track,
            "playcount": of_track,
            "artist_listeners": {
                name: round(float(typical[COLUMN[name]])) for name in ("artist_listeners", "artist_playcount")
            },
            Block.TAGS: {"tags": ()},
            Block.GENRES: {"genres": ()},
            "age_years": {"released": as_of - usual_age},
            "duration_ms": {"duration_ms": round(float(typical[COLUMN["duration_ms"]]))},
            "explicit": {"explicit": bool(typical[COLUMN["explicit"]])},
            "album": {"album": None},
            "credits": {"credits": ()},
        }
        return replace(song, **changed[key]) if key in changed else None

    def report(self) -> ModelReport:
        """Return how good the model is on artists it never saw."""
        return model_report(self.metrics, self.trained_at, self._model.records, self._model.bands)

    def _features(self, song: Song, row: FloatMatrix) -> list[FeatureValue]:
        return [
            FeatureValue(
                key=feature.key,
                label=feature.label,
                value=value,
                unit=feature.unit,
                percentile=self._percentile(feature, value),
                block=_BLOCK_OF.get(feature.group),
            )
            for feature in FEATURES
            if feature.shown and not math.isnan(value := self._value(feature, song, row))
        ]

    @staticmethod
    def _value(feature: Feature, song: Song, row: FloatMatrix) -> float:
        return feature.value(song) if feature.value is not None else float(row[COLUMN[feature.key]])

    def _percentile(self, feature: Feature, value: float) -> float | None:
        known = self._model.percentiles.get(feature.key)
        if known is None:
            return None
        # Shares are shown without decimals, so that all that round to the same one look the same.
        grain = 0.005 if feature.unit == "" else 0.0
        below = np.searchsorted(known, value - grain, side="left") / len(known)
        not_above = np.searchsorted(known, value + grain, side="right") / len(known)
        if not_above - below > SHARED_BY_MANY:
            return None
        return float(np.searchsorted(known, value, side="left") / len(known) * 100)


def _catalogue_records(metrics: Mapping[str, Any]) -> tuple[BandRecord, ...]:
    """Read how each verdict fared on the catalogue's songs when nothing but the catalogue was known of them."""
    verdicts = metrics["protocols"]["songs_clean"]["views"]["catalogue"]["verdicts"]
    return tuple(BandRecord(Verdict(name), float(v["share_popular"]), int(v["n"])) for name, v in verdicts.items())


_AUDIO: Final = AudioFeatures(
    danceability=0.6,
    energy=0.6,
    loudness=-7.0,
    speechiness=0.05,
    acousticness=0.2,
    instrumentalness=0.0,
    liveness=0.1,
    valence=0.5,
    tempo=120.0,
)

PROBES: Final = (
    Song(title="Probe", artist="Nobody"),
    Song(title="Probe", artist="Nobody", artist_listeners=10_000, artist_playcount=90_000, tags=("pop",)),
    Song(
        title="Probe",
        artist="Nobody",
        listeners=5_000,
        playcount=20_000,
        artist_listeners=10_000,
        artist_playcount=90_000,
        tags=("pop",),
        genres=("pop",),
        duration_ms=200_000,
        explicit=False,
        audio=_AUDIO,
    ),
)
"""Songs of which nothing, something and everything is known."""


def load_checked(models_dir: Path) -> HitModel:
    """Load the model of a folder and prove that it answers.

    Raises:
        ModelMissing: There is none.
        ModelRejected: It is damaged, tampered with, made by other rules, or cannot answer.
    """
    try:
        model = HitModel.load(models_dir)
        probabilities = [model.assess(song).probability for song in PROBES]
        model.report()
    except ModelError:
        raise
    except Exception as error:
        raise ModelRejected(f"The model in {models_dir} cannot answer: {type(error).__name__}: {error}") from error
    if not all(0.0 <= probability <= 1.0 for probability in probabilities):
        raise ModelRejected(f"The model in {models_dir} answers {probabilities}, which are no probabilities.")
    return model
