"""A predictor with a few made-up songs: real values of core.domain, a real history, real pictures, no model."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from PIL import Image

from core.domain import (
    Ambiguous,
    Answer,
    ArtistNotFound,
    ArtistRanking,
    Assessment,
    BandRecord,
    Block,
    CalibrationPoint,
    Candidate,
    DatedFigures,
    FeatureValue,
    Growth,
    ModelReport,
    NotFound,
    Origin,
    Prediction,
    RankedSong,
    Reason,
    ReportRow,
    Song,
    SongName,
    Source,
    Surprise,
    Trend,
    Verdict,
    VerdictBands,
)
from core.errors import EmptyQuery
from core.history import History
from core.phrases import Pair
from core.predictor import Comparison
from core.query import parse_artist, parse_pair, parse_query

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)

SONGS = {
    "Blinding Lights": ("The Weeknd", 0.923, 2_275_434),
    "Hello": ("Adele", 0.712, 1_804_210),
    "Obscure Demo": ("Nobody Known", 0.081, 312),
    "Halfway There": ("Some Band", 0.551, 48_120),
}
"""Title: artist, probability, listeners."""

OTHERS = (Candidate(SongName("Halfway There", "Some Band"), 70.0, listeners=1_000),)
"""What "perhaps" may mean instead of what it is answered with."""


def prediction(title: str, *, artist: str | None = None, as_of: datetime = NOW) -> Prediction:
    """Make the answer for one of the songs, or for ``title`` by ``artist`` with the figures of the first."""
    known_artist, probability, listeners = SONGS.get(title, SONGS["Blinding Lights"])
    bands = VerdictBands()
    song = Song(
        title=title,
        artist=artist or known_artist,
        listeners=listeners,
        tags=("synthpop", "pop"),
        url="https://www.last.fm/music/somebody/_/something",
    )
    features = (
        FeatureValue("listeners", "Listeners", listeners, "listeners", 99.2, Block.TRACK),
        FeatureValue("plays", "Plays", listeners * 16, "plays", 99.0, Block.TRACK),
        FeatureValue("artist_listeners", "Artist's listeners", 4_512_003, "listeners", 98.7, Block.ARTIST),
        FeatureValue("duration", "Length", 200_000, "ms", 41.0, None),
    )
    verdict = bands.verdict(probability)
    assessment = Assessment(
        probability=probability,
        verdict=verdict,
        features=features,
        reasons=(Reason("listeners", "listeners", 1.9), Reason("duration", "long for a hit", -0.3)),
        view=(Block.TRACK, Block.ARTIST, Block.TAGS),
        bands=bands,
        base_rate=0.121,
        trained_at=NOW,
        record=BandRecord(verdict, 0.82, 1_240),
        tags=song.tags,
    )
    return Prediction(song=song, assessment=assessment, source=Source(Origin.LASTFM, as_of))


def ranking(artist: str, songs: int = 30) -> ArtistRanking:
    """Make the ranking of an artist with made-up songs, the third of them a surprise."""
    bands = VerdictBands()
    ranked = tuple(
        RankedSong(
            Song(title=f"Song {number}", artist=artist, listeners=1_000_000 - 1_000 * number),
            probability,
            bands.verdict(probability),
        )
        for number in range(1, songs + 1)
        for probability in [round(0.95 - 0.02 * number, 3)]
    )
    return ArtistRanking(
        artist=artist,
        songs=ranked,
        source=Source(Origin.LASTFM, NOW),
        bands=bands,
        base_rate=0.121,
        trained_at=NOW,
        surprise=Surprise(ranked[2], 20, 3) if songs > 2 else None,
    )


class FakePredictor:
    """Stands in for :class:`core.predictor.Predictor` where only an adapter is tested.

    ``asked`` lists the questions, ``drawn`` the pictures: "still", "moving", "compared", "ranking"
    or "trend"; ``faults`` holds exceptions to raise, one a question; while ``gate`` is cleared, questions wait.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fresh: list[bool] = []
        self.drawn: list[str] = []
        self.faults: list[Exception] = []
        self.reloads = 0
        self.reload_fault: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.history = History(None)
        self.calibration: bytes | None = None
        self.closed = False

    async def predict(self, text: str, *, fresh: bool = False) -> Answer:
        """Know the songs by title, call "twins" ambiguous, doubt "perhaps", and call all else unknown."""
        self.asked.append(text)
        self.fresh.append(fresh)
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        if not text.strip():
            raise EmptyQuery
        query = parse_query(text)
        folded = text.casefold()
        if folded.startswith("twins"):
            names = [SongName(title, artist) for title, (artist, _, _) in SONGS.items()]
            if "long" in folded:
                names[0] = SongName("A title that goes on " * 4 + "and on", names[0].artist)
            return Ambiguous(query, tuple(Candidate(name, 80.0, listeners=1_000) for name in names))
        if folded.startswith("perhaps"):
            return self._answered(replace(prediction("Hello"), others=OTHERS))
        for title in SONGS:
            if title.casefold() in folded:
                return self._answered(prediction(title))
        return NotFound(query, (SongName("Hello", "Adele"),))

    async def artist(self, name: str) -> ArtistRanking | ArtistNotFound:
        """Know every artist but "Nobody"; "Few" has two songs."""
        self.asked.append(f"artist {name}")
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        asked = parse_artist(name)
        if asked == "Nobody":
            return ArtistNotFound(asked, ("Nobody Known",))
        return ranking(asked, 2 if asked == "Few" else 30)

    async def trend(self, prediction: Prediction, _: tuple[DatedFigures, ...] | None = None) -> Trend:
        """Know three weeks of "Blinding Lights", a day of "Hello" and nothing else."""
        title, today = prediction.song.title, prediction.source.as_of.date()
        now = DatedFigures(today, 2_275_434, 37_246_021)
        if title == "Hello":
            return Trend(prediction, (now,))
        if title != "Blinding Lights":
            return Trend(prediction, ())
        then = DatedFigures(today - timedelta(days=21), 2_000_000, 30_000_000)
        growth = Growth(21, 2_275_434 / 2_000_000 - 1, 0.93)
        return Trend(replace(prediction, growth=growth), (then, now), 0.55)

    async def trend_card(self, _: Trend) -> bytes:
        """Draw a plain PNG of the card's size."""
        self.drawn.append("trend")
        return picture("PNG")

    async def ranking_card(self, _: ArtistRanking) -> bytes:
        """Draw a plain PNG of the card's size."""
        self.drawn.append("ranking")
        return picture("PNG")

    async def pair(self, text: str) -> Pair | None:
        """Read comparisons as the real one does without a catalogue."""
        read = parse_pair(text)
        return None if read is None else read[0]

    async def predict_song(self, name: SongName, *, fresh: bool = False) -> Answer:
        """Answer for any song that was offered."""
        self.asked.append(f"{name.title} - {name.artist}")
        self.fresh.append(fresh)
        await self.gate.wait()
        if self.faults:
            raise self.faults.pop(0)
        return self._answered(prediction(name.title, artist=name.artist))

    async def card(self, _: Prediction) -> bytes:
        """Draw a plain PNG of the card's size."""
        self.drawn.append("still")
        return picture("PNG")

    async def cover(self, _: Prediction) -> bytes:
        """Draw a plain JPEG."""
        self.drawn.append("cover")
        return picture("JPEG")

    async def animation(self, _: Prediction) -> bytes:
        """Draw a plain GIF of the card's size."""
        self.drawn.append("moving")
        return picture("GIF")

    async def comparison_card(self, _: Comparison) -> bytes:
        """Draw a plain PNG of the card's size."""
        self.drawn.append("compared")
        return picture("PNG")

    async def complete(self, prefix: str, limit: int) -> tuple[SongName, ...]:
        """List the songs whose title holds ``prefix``."""
        named = [SongName(title, artist) for title, (artist, _, _) in SONGS.items()]
        return tuple(name for name in named if prefix.casefold() in name.title.casefold())[:limit]

    async def offer(self, names: Iterable[SongName]) -> None:
        """Remember offered songs."""
        for name in names:
            self.history.remember(name)

    async def recall(self, token: str) -> SongName | None:
        """Find a remembered song."""
        return self.history.recall(token)

    def report(self) -> ModelReport:
        """Report made-up figures."""
        return ModelReport(
            trained_at=NOW,
            n_songs=18_000,
            base_rate=0.121,
            rows=(ReportRow("this model", 0.91, 0.62, 0.55, 0.93, 0.06, 0.01),),
            bands=(BandRecord(Verdict.POPULAR, 0.82, 1_240),),
            verdict_bands=VerdictBands(),
            calibration=(CalibrationPoint(0.1, 0.12, 240), CalibrationPoint(0.7, 0.71, 900)),
            limits=("It cannot hear the song.",),
        )

    async def calibration_picture(self) -> bytes | None:
        """Give the picture set by the test, if any."""
        return self.calibration

    async def reload_model(self) -> ModelReport:
        """Count the reloads, or fail as told."""
        if self.reload_fault is not None:
            raise self.reload_fault
        self.reloads += 1
        return self.report()

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True
        self.history.close()

    def _answered(self, answer: Prediction) -> Prediction:
        self.history.remember(answer.song.name)
        return answer


def picture(kind: str) -> bytes:
    """Draw a plain picture, 1200 x 630."""
    out = io.BytesIO()
    Image.new("RGB", (1200, 630), "#101418").save(out, kind)
    return out.getvalue()
