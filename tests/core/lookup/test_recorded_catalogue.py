"""Questions answered without Last.fm: over recorded figures and a real catalogue, and when Last.fm is down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.concurrency import SerialExecutor
from core.domain import Ambiguous, Found, NotFound, Origin, RecordedPopularity, Song, SongName, Source
from core.errors import UpstreamError
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.lookup.lastfm import LastFm
from core.lookup.lastfm_client import RetryPolicy
from core.lookup.recorded import CatalogueSource, RecordedFigures, RecordedSong
from core.lookup.resolver import SongResolver
from core.query import parse_query
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong, Fault
from tests.fakes.spotify_rows import SONGS, row, write_csv

QUICK = RetryPolicy(wait_initial_s=0.01, wait_max_s=0.02, jitter_s=0.0)
MAY_2025 = datetime(2025, 5, 1, tzinfo=UTC)


def recorded(title: str, artist: str) -> RecordedSong:
    song = Song(title=title, artist=artist, listeners=900_000, playcount=9_000_000)
    return RecordedSong(Found(song, Source(Origin.RECORDED, MAY_2025)))


RECORDED = RecordedFigures([recorded("Blinding Lights", "The Weeknd"), recorded("New Song", "Newcomer")])


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    path = write_csv(tmp_path / "d.csv", (*SONGS, row("Bébé (feat. X) - 2011 Remaster", "Some Choir;X", 33, "choir")))
    build_catalogue(path, tmp_path / "catalogue.sqlite", source="test")
    with closing(Catalogue.open(tmp_path / "catalogue.sqlite")) as opened:
        yield opened


def without_key(catalogue: Catalogue | None) -> SongResolver:
    worker = SerialExecutor("lookup")
    source = CatalogueSource(RECORDED, catalogue, worker)
    return SongResolver(source=source, catalogue=catalogue, live=False, worker=worker)


async def found(resolver: SongResolver, text: str) -> Found:
    answer = await resolver.resolve(parse_query(text))
    assert isinstance(answer, Found), answer
    return answer


@pytest.mark.parametrize(
    "text",
    ["The Hills - The Weeknd", "the weeknd: the hills", "teh hils by the weekend", "the hills weeknd", "the hills"],
)
async def test_a_song_of_the_catalogue_is_answered_however_it_is_asked(catalogue: Catalogue, text: str) -> None:
    answer = await found(without_key(catalogue), text)
    assert answer.song.name == SongName("The Hills", "The Weeknd")
    assert (answer.source.origin, answer.source.as_of.year, answer.source.stale) == (Origin.CATALOGUE, 2022, False)
    assert answer.popularity == RecordedPopularity(88, 2022)
    assert (answer.song.genres, answer.song.explicit, answer.song.listeners) == (("pop",), True, None)
    assert answer.song.audio is not None


async def test_recorded_figures_win_and_have_the_popularity_too(catalogue: Catalogue) -> None:
    answer = await found(without_key(catalogue), "blinding lights - weeknd")
    assert (answer.source, answer.song.listeners) == (Source(Origin.RECORDED, MAY_2025), 900_000)
    assert answer.song.genres == ("pop", "dance")
    assert answer.popularity == RecordedPopularity(91, 2022)
    newer = await found(without_key(catalogue), "new song newcomer")
    assert (newer.source.origin, newer.popularity) == (Origin.RECORDED, None)


async def test_the_title_is_the_one_that_the_model_learnt(catalogue: Catalogue) -> None:
    answer = await found(without_key(catalogue), "bebe - some choir")
    assert (answer.song.title, answer.song.credits) == ("Bébé (feat. X) - 2011 Remaster", ("Some Choir", "X"))


async def test_namesakes_are_offered_and_a_choice_is_answered(catalogue: Catalogue) -> None:
    resolver = without_key(catalogue)
    offered = await resolver.resolve(parse_query("hello"))
    assert isinstance(offered, Ambiguous)
    assert [one.name.artist for one in offered.candidates[:2]] == ["Adele", "Lionel Richie"]
    chosen = await resolver.fetch(SongName("Hello", "Lionel Richie"))
    assert chosen is not None
    assert chosen.popularity == RecordedPopularity(68, 2022)


async def test_nothing_like_it_says_that_a_key_is_missing(catalogue: Catalogue) -> None:
    for known in (catalogue, None):
        missing = await without_key(known).resolve(parse_query("qwxzy plugh - zork"))
        assert isinstance(missing, NotFound)
        assert missing.key_missing
    assert await without_key(None).fetch(SongName("The Hills", "The Weeknd")) is None


HILLS = FakeSong("The Hills", "The Weeknd", 1_500_000, 20_000_000)


@asynccontextmanager
async def with_key(catalogue: Catalogue) -> AsyncIterator[tuple[SongResolver, FakeLastFm]]:
    async with FakeLastFm((HILLS,)) as fake:
        worker = SerialExecutor("lookup")
        source = LastFm.connect(API_KEY, fake.url, retries=QUICK, budget_s=1.0)
        fallback = CatalogueSource(RECORDED, catalogue, worker)
        try:
            yield SongResolver(source=source, fallback=fallback, catalogue=catalogue, live=True, worker=worker), fake
        finally:
            await source.aclose()


async def test_when_lastfm_is_down_the_catalogue_answers_and_says_so(catalogue: Catalogue) -> None:
    async with with_key(catalogue) as (resolver, fake):
        fake.break_next(Fault.status(500))
        for text in ("The Hills - The Weeknd", "teh hils by the weekend", "the hills"):
            answer = await found(resolver, text)
            assert (answer.source.origin, answer.source.stale) == (Origin.CATALOGUE, True)
            assert answer.popularity == RecordedPopularity(88, 2022)
        old = await found(resolver, "Blinding Lights - The Weeknd")
        assert (old.source.origin, old.source.stale, old.song.listeners) == (Origin.RECORDED, True, 900_000)
        assert isinstance(await resolver.resolve(parse_query("hello")), Ambiguous)
        chosen = await resolver.fetch(SongName("Hello", "Adele"))
        assert chosen is not None
        assert (chosen.source.origin, chosen.source.stale) == (Origin.CATALOGUE, True)


async def test_what_the_catalogue_lacks_too_is_the_outage_and_not_unknown(catalogue: Catalogue) -> None:
    async with with_key(catalogue) as (resolver, fake):
        fake.break_next(Fault.status(500))
        with pytest.raises(UpstreamError):
            await resolver.resolve(parse_query("qwxzy plugh - zork"))
        with pytest.raises(UpstreamError):
            await resolver.fetch(SongName("Qwxzy Plugh", "Zork"))


async def test_a_refused_key_is_answered_from_the_catalogue_too(catalogue: Catalogue) -> None:
    async with with_key(catalogue) as (resolver, fake):
        fake.break_next(Fault.status(403))
        assert (await found(resolver, "The Hills - The Weeknd")).source.origin is Origin.CATALOGUE


async def test_live_and_kept_figures_come_first_and_have_the_popularity(catalogue: Catalogue) -> None:
    async with with_key(catalogue) as (resolver, fake):
        live = await found(resolver, "The Hills - The Weeknd")
        assert (live.source.origin, live.song.listeners) == (Origin.LASTFM, 1_500_000)
        assert live.popularity == RecordedPopularity(88, 2022)
        fake.break_next(Fault.status(500))
        kept = await resolver.fetch(SongName("The Hills", "The Weeknd"), fresh=True)
        assert kept is not None
        assert (kept.source.origin, kept.source.stale, kept.song.listeners) == (Origin.LASTFM, True, 1_500_000)
