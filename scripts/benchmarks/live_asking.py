"""Asks the real predictor over loopback services whose tables are real, and notes what it answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from aiolimiter import AsyncLimiter

from core.assembly import build_predictor
from core.domain import Ambiguous, NotFound, Prediction
from core.errors import HitmeterError
from core.predictor import Predictor
from core.settings import Settings
from scripts.benchmarks.chain import settings_of
from scripts.benchmarks.far_lastfm import FarLastFm
from scripts.benchmarks.live_shop import FarShop
from tests.fakes.lastfm_server import FakeArtist, FakeSong

ASKED_AT_ONCE = 4
"""Questions under way together: enough to keep one core busy while another waits for a service."""

API_KEY = "x" * 32


@dataclass(frozen=True, slots=True)
class Reply:
    """What one question brought.

    Attributes:
        question: As typed.
        outcome: "answered", "ambiguous", "not found" or "failed".
        title: Of the song answered with, as are its artist and figures; "" and None if there is none.
        artist_listeners: None also where the artist's figures came too late.
        released: Its day of release, YYYY-MM-DD, where a look-up tells.
        error: Class of what went wrong.
    """

    question: str
    outcome: str
    title: str = ""
    artist: str = ""
    listeners: int | None = None
    playcount: int | None = None
    artist_listeners: int | None = None
    probability: float | None = None
    verdict: str = ""
    released: str = ""
    error: str = ""


@dataclass(slots=True)
class World:
    """The predictor and the services it asks; ``outcomes`` counts requests to Last.fm by how they ended."""

    predictor: Predictor
    shop: FarShop
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """Requests sent to Last.fm so far."""
        return self.outcomes.total()


@contextlib.asynccontextmanager
async def running_world(
    songs: Sequence[FakeSong], artists: Sequence[FakeArtist], releases: Path, data_dir: Path
) -> AsyncIterator[World]:
    """Run the services and the predictor, whose catalogue lies in ``data_dir``; no request waits for a rate."""
    outcomes: Counter[str] = Counter()

    def on_request(method: str, outcome: str, seconds: float) -> None:
        outcomes[outcome] += 1

    with FarShop(releases) as shop, FarLastFm(songs, artists) as lastfm, _without_rates():
        predictor = build_predictor(live_settings(lastfm.url, shop.url, data_dir), on_request=on_request).predictor
        try:
            yield World(predictor, shop, outcomes)
        finally:
            await predictor.aclose()


def live_settings(lastfm_url: str, shop_url: str, data_dir: Path) -> Settings:
    """Point the bot at the services; covers are drawn."""
    addresses = {
        "itunes_search_url": f"{shop_url}itunes/search",
        "deezer_search_url": f"{shop_url}deezer/search",
        "musicbrainz_url": f"{shop_url}musicbrainz/",
    }
    return settings_of(lastfm_url, data_dir, lastfm_api_key=API_KEY, **addresses)


async def ask_all(
    predictor: Predictor, questions: Sequence[str], told: Callable[[int], None] = lambda done: None
) -> tuple[tuple[Reply, ...], float]:
    """Ask, some at once; return the replies in order and the seconds it took."""
    replies: dict[int, Reply] = {}
    waiting = iter(enumerate(questions))
    started = time.perf_counter()

    async def work() -> None:
        for place, question in waiting:
            replies[place] = await ask(predictor, question)
            told(len(replies))

    await asyncio.gather(*(work() for _ in range(ASKED_AT_ONCE)))
    return tuple(replies[place] for place in range(len(questions))), time.perf_counter() - started


async def ask(predictor: Predictor, question: str) -> Reply:
    """Ask one question."""
    try:
        answer = await predictor.predict(question)
    except HitmeterError as error:
        return Reply(question, "failed", error=type(error).__name__)
    match answer:
        case Prediction(song=song, assessment=assessment):
            return Reply(
                question,
                "answered",
                song.title,
                song.artist,
                song.listeners,
                song.playcount,
                song.artist_listeners,
                assessment.probability,
                str(assessment.verdict),
                str(song.released or ""),
            )
        case Ambiguous():
            return Reply(question, "ambiguous")
        case NotFound():
            return Reply(question, "not found")


@contextlib.contextmanager
def _without_rates() -> Iterator[None]:
    """Let every request go at once: the services are ours."""

    async def acquire(self: AsyncLimiter, amount: float = 1) -> None:
        """Wait for nothing."""

    with mock.patch.object(AsyncLimiter, "acquire", acquire):
        yield
