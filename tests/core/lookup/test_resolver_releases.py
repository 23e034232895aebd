"""What an answer takes of a song's release, and how little it waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.concurrency import deadline
from core.domain import Found, Origin, Reading, Song, SongName, SongQuery, Source
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import write_catalogue
from core.lookup.dataset import CatalogueEntry
from core.lookup.lastfm import LastFm
from core.lookup.recorded import RecordedFigures, RecordedSong
from core.lookup.release import ReleaseLookup
from core.lookup.resolver import RELEASE_WAIT_S, SongResolver
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong
from tests.fakes.release_server import SERVICES, Record, ReleaseFault, ReleaseServer
from tests.fakes.warped_time import WallClock, run_warped

LIGHTS = FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, album="Now 105", duration_ms=201_000)
SINGLE = Record(
    title="Blinding Lights", artist="The Weeknd", album="After Hours", released="2019-11-29", explicit=True,
    cover="https://is1-ssl.mzstatic.com/image/100x100bb.jpg", duration_ms=200_046,
)  # fmt: skip
LARGE = "https://is1-ssl.mzstatic.com/image/600x600bb.jpg"
ASKED = SongQuery("blinding lights - the weeknd", (Reading("blinding lights", "the weeknd"),))


class Running:
    """A resolver over loopback services, and the seconds that its questions took."""

    def __init__(self, resolver: SongResolver, lastfm: FakeLastFm, shops: ReleaseServer) -> None:
        self.resolver, self.lastfm, self.shops = resolver, lastfm, shops
        self.took_s = 0.0

    async def song(self, query: SongQuery = ASKED) -> Song:
        started = asyncio.get_running_loop().time()
        found = await self.resolver.resolve(query)
        self.took_s = asyncio.get_running_loop().time() - started
        assert isinstance(found, Found)
        return found.song


@asynccontextmanager
async def running(catalogue: Catalogue | None = None, **options: Any) -> AsyncIterator[Running]:
    async with FakeLastFm([LIGHTS], **options) as lastfm, ReleaseServer() as shops:
        source = LastFm.connect(API_KEY, lastfm.url)
        releases = ReleaseLookup.connect(**shops.urls, now=WallClock(), clock=asyncio.get_running_loop().time)
        try:
            yield Running(SongResolver(source=source, catalogue=catalogue, live=True, releases=releases), lastfm, shops)
        finally:
            await source.aclose()
            await releases.aclose()
            if catalogue is not None:
                catalogue.close()


def facts(tmp_path: Path) -> Catalogue:
    song = Song(
        title="Blinding Lights", artist="The Weeknd", credits=("The Weeknd",), genres=("pop",), album="Blinding Lights",
        duration_ms=200_040, explicit=False,
    )  # fmt: skip
    path = tmp_path / "catalogue.sqlite"
    write_catalogue([CatalogueEntry(song=song, popularity=91)], path, source="test", rows_read=1)
    return Catalogue.open(path)


def test_the_release_fills_in_what_lastfm_does_not_know() -> None:
    async def main() -> None:
        async with running() as run:
            run.shops.knows(SINGLE)
            song = await run.song()
            assert (song.album, song.released, song.explicit) == ("After Hours", date(2019, 11, 29), True)
            assert song.duration_ms == 200_046
            assert song.listeners == 2_275_434
            assert song.cover_url is not None
            assert "mzstatic" not in song.cover_url, "Last.fm's cover goes first"

    run_warped(main())


def test_the_releases_cover_stands_in_for_lastfms() -> None:
    async def main() -> None:
        async with running() as run:
            run.shops.knows(SINGLE)
            run.lastfm.put(FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, album="", tags=("pop",)))
            assert (await run.song()).cover_url == LARGE

    run_warped(main())


def test_lastfms_album_and_length_come_last(tmp_path: Path) -> None:
    async def main() -> None:
        async with running() as run:
            song = await run.song()
            assert (song.album, song.released, song.duration_ms) == (None, None, 201_000)
        async with running(facts(tmp_path)) as run:
            song = await run.song()
            assert (song.album, song.duration_ms, song.explicit) == ("Blinding Lights", 200_040, False)
            run.shops.knows(SINGLE)
        async with running(facts(tmp_path)) as run:
            run.shops.knows(SINGLE)
            song = await run.song()
            assert (song.album, song.duration_ms, song.explicit) == ("After Hours", 200_046, False)

    run_warped(main())


def test_it_is_looked_up_beside_lastfms_calls() -> None:
    async def main() -> None:
        async with running(latency_s=0.6) as run:
            run.shops.knows(SINGLE)
            run.shops.itunes.latency_s = 0.6
            song = await run.song()
            assert song.released == date(2019, 11, 29)
            assert run.took_s < 0.6 + 0.3
            assert len(run.shops.itunes.requests) == 1

    run_warped(main())


def test_an_answer_waits_a_little_and_the_next_one_has_it() -> None:
    async def main() -> None:
        async with running(latency_s=0.3) as run:
            run.shops.knows(SINGLE)
            run.shops.itunes.latency_s = run.shops.deezer.latency_s = 0.9
            song = await run.song()
            assert (song.released, song.album, song.duration_ms) == (None, None, 201_000)
            assert run.took_s == pytest.approx(0.3 + RELEASE_WAIT_S, abs=0.15)
            await asyncio.sleep(2)
            assert (await run.song()).released == date(2019, 11, 29)
            assert run.took_s < 0.2
            assert len(run.shops.itunes.requests) == 1

    run_warped(main())


def test_a_question_without_time_left_does_not_wait() -> None:
    async def main() -> None:
        async with running(latency_s=0.3) as run:
            run.shops.knows(SINGLE)
            run.shops.itunes.break_next(ReleaseFault.HANG)
            with deadline(0.4):
                song = await run.song()
            assert song.released is None
            assert run.took_s < 0.5

    run_warped(main())


def test_the_song_that_was_found_is_looked_up_if_it_is_another() -> None:
    async def main() -> None:
        async with running(corrections={"weeknd": "The Weeknd", "weekend": "The Weeknd"}) as run:
            run.shops.knows(SINGLE)
            song = await run.song(SongQuery("x", (Reading("blinding lights", "weekend"),)))
            assert song.name == SongName("Blinding Lights", "The Weeknd")
            assert song.released == date(2019, 11, 29)
            assert [query["term"] for _, query in run.shops.itunes.requests] == [
                "weekend blinding lights",
                "The Weeknd Blinding Lights",
            ]

    run_warped(main())


def test_the_catalogues_spelling_is_looked_up_from_the_beginning(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(facts(tmp_path), latency_s=0.5) as run:
            run.shops.knows(SINGLE)
            run.shops.itunes.latency_s = 0.5
            readings = (Reading("blindng lihgts", "the weekend"), Reading("the weekend", "blindng lihgts"))
            song = await run.song(SongQuery("x", readings))
            assert song.released == date(2019, 11, 29)
            assert run.took_s < 0.5 + 0.3
            assert [query["term"] for _, query in run.shops.itunes.requests] == ["The Weeknd Blinding Lights"]

    run_warped(main())


def test_a_title_alone_is_looked_up_when_the_song_is_known() -> None:
    async def main() -> None:
        async with running() as run:
            run.shops.knows(SINGLE)
            song = await run.song(SongQuery("blinding lights", (Reading("blinding lights"),)))
            assert song.released == date(2019, 11, 29)
            assert len(run.shops.itunes.requests) == 1

    run_warped(main())


def test_a_song_that_was_picked_has_its_release_too() -> None:
    async def main() -> None:
        async with running(latency_s=0.5) as run:
            run.shops.knows(SINGLE)
            run.shops.itunes.latency_s = 0.5
            found = await run.resolver.fetch(SongName("Blinding Lights", "The Weeknd"))
            assert found is not None
            assert found.song.released == date(2019, 11, 29)

    run_warped(main())


@pytest.mark.parametrize("fault", ReleaseFault)
def test_no_fault_costs_an_answer_or_more_than_the_wait(fault: ReleaseFault) -> None:
    async def main() -> None:
        async with running() as run:
            run.shops.knows(SINGLE)
            for name in SERVICES:
                run.shops.service(name).break_next(fault)
            song = await run.song()
            assert (song.listeners, song.released, song.album) == (2_275_434, None, None)
            assert run.took_s <= RELEASE_WAIT_S + 0.2

    run_warped(main())


def test_recorded_figures_have_releases_too() -> None:
    async def main() -> None:
        song = Song(title="Blinding Lights", artist="The Weeknd", listeners=2_000_000, album="A recorded album")
        recorded = RecordedFigures(
            [RecordedSong(Found(song, Source(Origin.RECORDED, datetime(2025, 5, 1, tzinfo=UTC))))]
        )
        async with ReleaseServer() as shops:
            releases = ReleaseLookup.connect(**shops.urls)
            run = SongResolver(source=recorded, catalogue=None, live=False, releases=releases)
            before = await run.resolve(ASKED)
            shops.knows(SINGLE)
            await releases.aclose()
            releases = ReleaseLookup.connect(**shops.urls)
            run = SongResolver(source=recorded, catalogue=None, live=False, releases=releases)
            after = await run.resolve(ASKED)
            await releases.aclose()
        assert isinstance(before, Found)
        assert isinstance(after, Found)
        assert (before.song.album, before.song.released) == ("A recorded album", None)
        assert (after.song.album, after.song.released) == ("After Hours", date(2019, 11, 29))

    run_warped(main())
