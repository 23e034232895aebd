"""The whole chain below the adapters, built of the real parts over a loopback Last.fm, with clocks a test can drive."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from bot.monitoring import Metrics
from bot.reply import Picture, Reply
from bot.service import SongService
from core.domain import Cover, Prediction
from core.figure_log import FigureLog, FileTable
from core.history import History
from core.lookup.artist import ArtistLookup
from core.lookup.catalogue import Catalogue
from core.lookup.cover import Artwork
from core.lookup.lastfm import LastFm
from core.lookup.link_follower import LinkFollower
from core.lookup.release import ReleaseLookup
from core.lookup.resolver import SongResolver
from core.lookup.safe_fetch import HostPolicy
from core.lookup.service import Breaker
from core.model.hit_model import HitModel
from core.predictor import Predictor
from core.render.renderer import CardRenderer
from core.settings import ROOT
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeSong
from tests.fakes.predictor import picture
from tests.fakes.warped_time import WallClock

SONGS = (
    FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, album="After Hours", tags=("synthpop", "pop")),
    FakeSong("Cellar Door Song", "Basement Five Trio", 300, 700, tags=("folk",)),
    FakeSong("Hello", "Adele", 1_900_000, 17_000_000, tags=("soul",)),
    FakeSong("Hello", "Lionel Richie", 1_100_000, 6_000_000, tags=("80s",)),
)
ARTISTS = (
    FakeArtist("The Weeknd", 4_512_003, 780_000_000),
    FakeArtist("Basement Five Trio", 350, 900),
    FakeArtist("Adele", 4_000_000, 300_000_000),
)
HIT = "Blinding Lights - The Weeknd"
OTHER = "Cellar Door Song - Basement Five Trio"

LOOPBACK_ART = HostPolicy(
    hosts=frozenset({"127.0.0.1", "localhost"}),
    schemes=frozenset({"http"}),
    ports=None,
    private_hosts=frozenset({"127.0.0.1"}),
)
"""Lets covers come from 127.0.0.1; "localhost" stands for a listed name that leads to a private address."""


class PlainRenderer(CardRenderer):
    """Draws one plain picture, and notes which covers it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.covers: list[Cover | None] = []
        self._png = picture("PNG")

    async def card(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Note the cover."""
        self.covers.append(cover)
        return self._png


@lru_cache(maxsize=1)
def committed_model() -> HitModel:
    """Load the committed model once for all tests."""
    return HitModel.load(ROOT / "models")


@dataclass
class Chain:
    """A running chain.

    Attributes:
        service: Where questions go in.
        predictor: Behind it.
        clock: The time of day.
        breaker: Guards the loopback Last.fm.
        metrics: What was counted, as on Last.fm's side so of the replies.
        outcomes: Outcomes of requests to Last.fm.
        renderer: Draws.
        figures: Notes what was answered, in memory.
    """

    service: SongService
    predictor: Predictor
    clock: Callable[[], datetime]
    breaker: Breaker
    metrics: Metrics
    outcomes: Counter[str]
    renderer: CardRenderer
    figures: FigureLog
    took_s: list[float] = field(default_factory=list)
    pictures: list[Picture | None] = field(default_factory=list, repr=False)

    async def ask(self, text: str, *, fresh: bool = False) -> Reply:
        """Ask and have the card drawn, and note the seconds by the loop's clock."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        reply = await self.service.predict(text, fresh=fresh)
        self.pictures.append(None if reply.card is None else await reply.card())
        self.took_s.append(loop.time() - started)
        return reply


@asynccontextmanager
async def running_chain(
    lastfm_url: str,
    *,
    clock: Callable[[], datetime] | None = None,
    cache_url: str = "mem://",
    history: Path | None = None,
    catalogue: Path | None = None,
    releases: ReleaseLookup | None = None,
    artwork: Artwork | None = None,
    renderer: CardRenderer | None = None,
    api_key: str = API_KEY,
) -> AsyncIterator[Chain]:
    """Build everything with production's limits, retries and breaker; only the clocks are the loop's.

    Without ``releases`` none are looked up and covers are drawn.
    """
    clock = clock or WallClock()
    breaker = Breaker(clock=asyncio.get_running_loop().time)
    metrics = Metrics()
    outcomes: Counter[str] = Counter()

    def on_request(method: str, outcome: str, seconds: float) -> None:
        outcomes[outcome] += 1
        metrics.on_request(method, outcome, seconds)

    source = LastFm.connect(
        api_key,
        lastfm_url,
        cache_url=cache_url,
        breaker=breaker,
        clock=clock,
        on_request=on_request,
        on_lookup=metrics.on_lookup,
    )
    drawing = renderer or PlainRenderer()
    opened = Catalogue.open(catalogue) if catalogue else None
    figures = FigureLog(FileTable(None))
    resolver = SongResolver(source=source, catalogue=opened, live=True, releases=releases)
    predictor = Predictor(
        resolver=resolver,
        artists=ArtistLookup(
            source=source,
            artists=(lambda name: ()) if opened is None else opened.artists,
            catalogue=opened,
            live=True,
            worker=resolver.worker,
        ),
        model=committed_model(),
        artwork=artwork or Artwork(releases, policy=LOOPBACK_ART, downloads=releases is not None),
        renderer=drawing,
        history=History(history),
        figures=figures,
        complete=lambda prefix, limit: (),
        links=LinkFollower(opened),
        models_dir=ROOT / "models",
    )
    service = SongService(predictor, clock=clock, on_reply=metrics.reply_counter("test"), stats=metrics.stats)
    try:
        yield Chain(service, predictor, clock, breaker, metrics, outcomes, drawing, figures)
    finally:
        await predictor.aclose()
