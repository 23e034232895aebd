"""The values that pass between the parts, all frozen.

text -> SongQuery -> Song -> Assessment -> Prediction -> card and reply. Nothing here knows where figures come from or
where answers go.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What the confidence amounts to, by the bounds stored with the model."""

    POPULAR = "Popular"
    MEDIUM = "Medium"
    NOT_POPULAR = "Not popular"


POPULAR_FROM: Final = 60
"""Least Spotify popularity, 0 to 100, that counts as popular; the predecessor's threshold."""


class Block(StrEnum):
    """A group of figures that is known or unknown as a whole."""

    TRACK = "track"
    ARTIST = "artist"
    TAGS = "tags"
    GENRES = "genres"
    AUDIO = "audio"
    AGE = "age"


class Origin(StrEnum):
    """Where the figures of an answer come from; the catalogue has none of listeners."""

    LASTFM = "Last.fm"
    RECORDED = "recorded figures"
    CATALOGUE = "song catalogue"


@dataclass(frozen=True, slots=True)
class SongName:
    """A song as people name it: title and first artist."""

    title: str
    artist: str

    def __str__(self) -> str:
        return f"{self.title} — {self.artist}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a question; ``artist`` is None when only a title was given."""

    title: str
    artist: str | None = None


@dataclass(frozen=True, slots=True)
class SongQuery:
    """A parsed question.

    Attributes:
        text: What names the song, without the question around it.
        readings: Ways to read that, the likeliest first, never empty.
        literal: The text as it was typed, where something was taken away from it; the very song of that name wins.
        artist_unknown: Whether one certain song is meant of which only the title is known, as links may tell: another
            song of that title is as likely, however much better known.
    """

    text: str
    readings: tuple[Reading, ...]
    literal: SongQuery | None = None
    artist_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A song that may be meant.

    Attributes:
        name: Title and artist as the source writes them.
        score: Likeness to the question, 0 to 100.
        listeners: Last.fm listeners of the song, if the source tells.
        popularity: Spotify popularity 0 to 100 recorded in the catalogue, if known there.
        credits: All credited artists in order, if the source tells; people ask by the second one too.
        spellings: The name in Latin letters, as the catalogue has it, if it is written in others.
    """

    name: SongName
    score: float
    listeners: int | None = None
    popularity: int | None = None
    credits: tuple[str, ...] = ()
    spellings: tuple[SongName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFeatures:
    """Spotify's audio features of a track, in the units of its API.

    Loudness is in dB, tempo in beats per minute (0 means unknown), ``key`` is a pitch class 0 to 11, ``mode`` 1 for
    major; the others are shares from 0 to 1.
    """

    danceability: float
    energy: float
    loudness: float
    speechiness: float
    acousticness: float
    instrumentalness: float
    liveness: float
    valence: float
    tempo: float
    key: int | None = None
    mode: int | None = None
    time_signature: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Song:
    """Everything known about one song; None or empty means unknown, never zero.

    Attributes:
        title: Title as the source resolved it.
        artist: First artist.
        credits: All credited artists in order, when the catalogue knows them.
        listeners: People who played the song, on Last.fm.
        playcount: Plays of the song, on Last.fm.
        artist_listeners: People who played the artist, on Last.fm.
        artist_playcount: Plays of the artist, on Last.fm.
        tags: Last.fm tags, the strongest first.
        genres: Genres of the Spotify Tracks Dataset, from the catalogue.
        album: Album or single as a shop or the catalogue names it. Last.fm's never stands here: for many hits it is
            a compilation.
        released: Day of the first release of this recording; 1 July where only the year is known.
        duration_ms: Length in milliseconds.
        cover_url: https address of the album's cover.
        url: Page of the song.
        artist_url: Page of the artist.
    """

    title: str
    artist: str
    credits: tuple[str, ...] = ()
    album: str | None = None
    released: date | None = None
    listeners: int | None = None
    playcount: int | None = None
    artist_listeners: int | None = None
    artist_playcount: int | None = None
    tags: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    duration_ms: int | None = None
    explicit: bool | None = None
    audio: AudioFeatures | None = None
    cover_url: str | None = None
    url: str | None = None
    artist_url: str | None = None

    @property
    def name(self) -> SongName:
        """Title and artist alone."""
        return SongName(self.title, self.artist)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The first release of a recording, as shops and MusicBrainz know it; None or empty means unknown.

    ``released`` is its earliest day, ``cover_url`` the address of the album's cover, ``links`` are pages of the song.
    """

    album: str | None = None
    released: date | None = None
    cover_url: str | None = None
    explicit: bool | None = None
    duration_ms: int | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where and when the figures were taken.

    Attributes:
        origin: Who told them.
        as_of: When the oldest of them was taken, which may be one of the artist's.
        stale: Whether something newer was asked for without result.
        track_as_of: When the song's own figures were taken, if not then.
    """

    origin: Origin
    as_of: datetime
    stale: bool = False
    track_as_of: datetime | None = None

    @property
    def track_day(self) -> date:
        """The day whose figures the song's own are."""
        return (self.track_as_of or self.as_of).date()


@dataclass(frozen=True, slots=True)
class RecordedPopularity:
    """What Spotify's popularity of a song was once: a fact to show beside an answer, which the model never sees.

    Attributes:
        value: The greatest among the song's releases, 0 to 100.
        year: When it was recorded.
        rerelease: Whether only compilations with the song were recorded, whose popularity says little of it.
    """

    value: int
    year: int
    rerelease: bool = False

    def contradicts(self, verdict: Verdict) -> bool:
        """Return whether the song was popular then and is said not to be, or the other way round."""
        if self.value >= POPULAR_FROM:
            return verdict is Verdict.NOT_POPULAR
        return verdict is Verdict.POPULAR and not self.rerelease


@dataclass(frozen=True, slots=True)
class Found:
    """A song with its figures and where they come from.

    Attributes:
        song: The song.
        source: Where its figures come from.
        popularity: Its recorded popularity, if that is known.
        others: Songs that may be meant instead, if that is in doubt.
    """

    song: Song
    source: Source
    popularity: RecordedPopularity | None = None
    others: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureValue:
    """One figure behind an answer.

    Attributes:
        key: Its name in the feature table.
        label: Its name for people, "Listeners", to be said in their language.
        value: The number itself, in ``unit``.
        unit: "listeners", "ms", "dB", "" for shares.
        percentile: Share of training songs below it, 0 to 100; None where ranking means nothing.
        block: The group of figures it belongs to; None for facts of title and album.
    """

    key: str
    label: str
    value: float
    unit: str
    percentile: float | None = None
    block: Block | None = None


MAIN_FEATURES: Final = ("listeners", "playcount", "artist_listeners")
"""Keys of the figures that are shown where there is room for three."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One push on the confidence; people of different languages share it, so that it holds no words of its own.

    Attributes:
        key: The feature or block replaced by its typical value to measure the push.
        label: What is said of it, in English and to be said in the reader's language: "many listeners",
            "tags: {names}", "released {ago}".
        push: In log odds, positive towards popular.
        value: The figure that the label speaks of; None if it speaks of none.
        unit: Unit of the value, as in the feature table, or "year".
        names: Tags or genres that the label names.
    """

    key: str
    label: str
    push: float
    value: float | None = None
    unit: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerdictBands:
    """Least probabilities for Medium and for Popular."""

    medium: float = 0.40
    popular: float = 0.70

    def verdict(self, probability: float) -> Verdict:
        """Name the band in which ``probability`` (0 to 1) lies."""
        if probability >= self.popular:
            return Verdict.POPULAR
        return Verdict.MEDIUM if probability >= self.medium else Verdict.NOT_POPULAR

    def spans(self) -> tuple[tuple[float, float, Verdict], ...]:
        """List the bands from the least probability to the greatest as start, end and verdict."""
        return (
            (0.0, self.medium, Verdict.NOT_POPULAR),
            (self.medium, self.popular, Verdict.MEDIUM),
            (self.popular, 1.0, Verdict.POPULAR),
        )


@dataclass(frozen=True, slots=True)
class BandRecord:
    """How a verdict fared on songs the model had not seen.

    ``share_popular`` of the ``n_songs`` given this verdict turned out popular (0 to 1).
    """

    verdict: Verdict
    share_popular: float
    n_songs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the model says of a song.

    Attributes:
        probability: Calibrated probability that the song is popular, 0 to 1.
        view: The blocks of figures that were known.
        tags: The song's tags that the model knows by name, the strongest first; others are not worth showing.
        reasons: Strongest pushes, up to three up and three down, the strongest first.
        base_rate: Share of popular songs among all training songs, 0 to 1.
        record: How answers of this verdict fared, if measured.
        trained_at: When the model was trained.
    """

    probability: float
    verdict: Verdict
    features: tuple[FeatureValue, ...]
    reasons: tuple[Reason, ...]
    view: tuple[Block, ...]
    bands: VerdictBands
    base_rate: float
    trained_at: datetime
    record: BandRecord | None = None
    tags: tuple[str, ...] = ()

    @property
    def main_features(self) -> tuple[FeatureValue, ...]:
        """The figures that say most: listeners and plays of the song and listeners of the artist, else ranked ones."""
        known = {feature.key: feature for feature in self.features}
        chosen = [known[key] for key in MAIN_FEATURES if key in known]
        ranked = [feature for feature in self.features if feature.percentile is not None]
        return tuple(chosen or ranked[: len(MAIN_FEATURES)])


@dataclass(frozen=True, slots=True)
class DatedFigures:
    """A song's listeners and plays on Last.fm, as they were on a day."""

    day: date
    listeners: int
    plays: int


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of a song's listeners since an earlier day.

    Attributes:
        days: Days between the two figures.
        listeners: Share by which the listeners grew, 0.12 for 12 %.
        faster_than: Share of the songs whose growth is known that grew more slowly, 0 to 1; None while they are few.
    """

    days: int
    listeners: float
    faster_than: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """An answer: the song as resolved, the model's assessment, where the figures are from, and a fact beside it.

    ``others`` are songs that may be meant instead, the likeliest first; empty if the question is clear. ``growth`` is
    what became of its listeners since earlier answers, if that is known; the model never sees it.
    """

    song: Song
    assessment: Assessment
    source: Source
    popularity: RecordedPopularity | None = None
    others: tuple[Candidate, ...] = ()
    growth: Growth | None = None

    @property
    def about(self) -> tuple[str, ...]:
        """Album, year and the first genre or tag, as far as they are known; no album of the song's own name."""
        song = self.song
        album = song.album if song.album and song.album.casefold() != song.title.casefold() else None
        year = str(song.released.year) if song.released else None
        kind = next(iter(song.genres or self.assessment.tags), None)
        return tuple(part for part in (album, year, kind) if part)

    @property
    def confidence_pct(self) -> float:
        """The probability in percent, rounded to the one decimal that is shown."""
        return round(self.assessment.probability * 100, 1)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several songs may be meant; the likeliest first, at most five."""

    query: SongQuery
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No song is near enough.

    Attributes:
        query: What was searched.
        suggestions: Distant likenesses worth offering.
        key_missing: True when only recorded figures could be searched, for want of a Last.fm key.
    """

    query: SongQuery
    suggestions: tuple[SongName, ...] = ()
    key_missing: bool = False


Answer = Prediction | Ambiguous | NotFound


@dataclass(frozen=True, slots=True)
class Trend:
    """How a song's figures developed.

    Attributes:
        prediction: The answer of today.
        figures: Dated figures, the oldest first, with those of the answer if they are live.
        probability_then: What the model says of the song with the oldest figures, on their day; the artist's figures
            and tags are today's, since older ones are not kept. None while the figures span too few days.
    """

    prediction: Prediction
    figures: tuple[DatedFigures, ...]
    probability_then: float | None = None


@dataclass(frozen=True, slots=True)
class ArtistSongs:
    """An artist's most heard songs with their figures, each once, as a source knows them; never empty."""

    artist: str
    songs: tuple[Song, ...]
    source: Source


@dataclass(frozen=True, slots=True)
class RankedSong:
    """One song of a ranking with its calibrated probability, 0 to 1."""

    song: Song
    probability: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Surprise:
    """The song of a ranking whose chance agrees least with its listeners; places count from 1."""

    ranked: RankedSong
    place_by_listeners: int
    place_by_chance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistRanking:
    """An artist's songs by predicted popularity, the likeliest first; never empty.

    ``surprise`` is None if no song's chance is far from what its listeners let expect.
    """

    artist: str
    songs: tuple[RankedSong, ...]
    source: Source
    bands: VerdictBands
    base_rate: float
    trained_at: datetime
    surprise: Surprise | None = None


@dataclass(frozen=True, slots=True)
class ArtistNotFound:
    """No artist is near enough.

    Attributes:
        asked: The name as typed.
        suggestions: Names distantly like it.
        key_missing: True when only recorded songs could be searched, for want of a Last.fm key.
    """

    asked: str
    suggestions: tuple[str, ...] = ()
    key_missing: bool = False


@dataclass(frozen=True, slots=True)
class Cover:
    """Cover art ready to draw: ``rgb`` holds side_px * side_px * 3 bytes, row by row."""

    rgb: bytes = field(repr=False)
    side_px: int


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of the honest table; metrics are shares from 0 to 1, None where undefined."""

    name: str
    roc_auc: float | None
    average_precision: float | None
    f1: float | None
    accuracy: float | None
    brier: float | None
    ece: float | None


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """Songs that were given about the same probability: its mean, and the share that were popular, 0 to 1 each."""

    said: float
    popular: float
    n_songs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReport:
    """How good the loaded model is, measured on artists it never saw.

    ``calibration`` goes from the least probability to the greatest and is empty where it was not measured.
    ``ranked_right`` is how often, of a popular song and another, the popular one gets the higher probability (0 to 1);
    ``ranked_right_by_plays`` how often it has more plays.
    """

    trained_at: datetime
    n_songs: int
    base_rate: float
    rows: tuple[ReportRow, ...]
    bands: tuple[BandRecord, ...]
    verdict_bands: VerdictBands
    calibration: tuple[CalibrationPoint, ...]
    limits: tuple[str, ...]
    ranked_right: float | None = None
    ranked_right_by_plays: float | None = None
