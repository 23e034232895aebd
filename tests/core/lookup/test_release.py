"""The look-up over loopback services with production's limits; the clock leaps over the waiting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.domain import Release, SongName
from core.lookup.release import ReleaseLookup
from core.lookup.service import SOURCE_S, BreakerState
from core.settings import Settings
from core.version import VERSION
from tests.fakes.release_server import DEEZER, ITUNES, MUSICBRAINZ, Record, ReleaseFault, ReleaseServer
from tests.fakes.warped_time import WallClock, run_warped

HELLO = SongName("Hello", "Adele")
FIRST = Record(title="Hello", artist="Adele", album="25", released="2015-10-23", cover="https://x.test/25.jpg")
LATER = Record(title="Hello", artist="Adele", album="25 (Deluxe)", released="2016-02-01", explicit=True)
KARAOKE = Record(title="Hello (Karaoke Version)", artist="Adele", album="Karaoke", released="2011-01-01")
TRIBUTE = Record(title="Hello", artist="Adele Tribute Band", album="Tribute", released="2011-01-01")
LIVE = Record(title="Hello (Live)", artist="Adele", album="Live", released="2011-01-01")
OTHER = Record(title="Skyfall", artist="Adele", album="Skyfall", released="2012-10-05")
LONG_S = 60.0


@asynccontextmanager
async def looking_up(server: ReleaseServer, **options: Any) -> AsyncIterator[ReleaseLookup]:
    defaults = {"now": WallClock(), "clock": asyncio.get_running_loop().time}
    lookup = ReleaseLookup.connect(**(server.urls | defaults | options))
    try:
        yield lookup
    finally:
        await lookup.aclose()


def found(lookup: ReleaseLookup, name: SongName = HELLO) -> asyncio.Task[Release | None]:
    return asyncio.create_task(lookup.within(name, LONG_S))


def test_shops_are_asked_side_by_side_and_the_earliest_day_counts() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.itunes.put(LATER)
            server.deezer.put(KARAOKE, FIRST)
            server.itunes.latency_s = server.deezer.latency_s = 0.3
            started = asyncio.get_running_loop().time()
            release = await found(lookup)
            assert asyncio.get_running_loop().time() - started < 0.3 * 3
            assert release == Release(
                album="25",
                released=date(2015, 10, 23),
                cover_url="https://x.test/25.jpg",
                explicit=True,
                duration_ms=200_000,
                links=("https://www.deezer.com/track/2", "https://music.apple.com/us/album/x/1?i=1"),
            )
            assert [path for path, _ in server.deezer.requests] == ["/deezer/search", "/deezer/track/2"]
            assert server.musicbrainz.requests == []

    run_warped(main())


def test_deezer_is_asked_for_the_days_of_a_few_albums_compilations_last() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server, itunes_url=None, musicbrainz_url=None) as lookup:
            hits = Record(title="Hello", artist="Adele", album="Greatest Hits", released="2009-01-01")
            records = [hits, LATER, FIRST, *(Record(title="Hello", artist="Adele", album=f"A{n}") for n in range(9))]
            server.deezer.put(*records)
            release = await found(lookup)
            assert [path for path, _ in server.deezer.requests[1:]] == [f"/deezer/track/{n}" for n in (2, 3, 4)]
            assert release is not None
            assert (release.released, release.album) == (date(2015, 10, 23), "25")

    run_warped(main())


@pytest.mark.parametrize("first", [KARAOKE, TRIBUTE, LIVE, OTHER], ids=["karaoke", "tribute", "live", "wrong song"])
def test_what_is_not_the_song_comes_first_and_is_passed_over(first: Record) -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.knows(first, FIRST)
            release = await found(lookup)
            assert release is not None
            assert (release.album, release.released) == ("25", date(2015, 10, 23))
            server.knows(first)
            assert await found(lookup, SongName("Hello", "Adele Adkins")) is None

    run_warped(main())


def test_musicbrainz_joins_when_no_shop_knows_the_day() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.itunes.put(Record(title="Hello", artist="Adele", album="25", released="", cover="https://x.test/c"))
            server.musicbrainz.put(Record(title="Hello", artist="Adele", album="Hello", released="2015"))
            release = await found(lookup)
            assert release is not None
            assert (release.released, release.album) == (date(2015, 7, 1), "Hello")
            assert release.cover_url == "https://x.test/c"
            (path, query) = server.musicbrainz.requests[0]
            assert path == "/musicbrainz/ws/2/recording"
            assert query["query"] == 'recording:"Hello" AND artist:"Adele" AND status:official'

    run_warped(main())


def test_musicbrainz_joins_silent_shops_before_they_have_failed() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server, hedge_s=0.5) as lookup:
            server.itunes.break_next(ReleaseFault.HANG)
            server.deezer.break_next(ReleaseFault.HANG)
            server.musicbrainz.put(FIRST)
            looking = found(lookup)
            await asyncio.sleep(0.4)
            assert server.musicbrainz.requests == []
            await asyncio.sleep(0.2)
            assert len(server.musicbrainz.requests) == 1
            release = await looking
            assert release is not None
            assert release.released == date(2015, 10, 23)

    run_warped(main())


def test_musicbrainz_is_told_who_asks() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server, contact="admin@example.org") as lookup:
            await found(lookup)
            assert server.musicbrainz.headers[0]["User-Agent"] == f"Hitmeter/{VERSION} ( admin@example.org )"
        async with ReleaseServer() as server, looking_up(server) as lookup:
            await found(lookup)
            assert server.musicbrainz.headers[0]["User-Agent"] == f"Hitmeter/{VERSION} ( song popularity bot )"

    run_warped(main())


def test_found_counts_for_a_month_and_not_found_for_a_day() -> None:
    async def main() -> None:
        clock = WallClock()
        async with ReleaseServer() as server, looking_up(server, now=clock) as lookup:
            server.knows(FIRST)
            unknown = SongName("Nothing", "Nobody")

            async def asked_again(name: SongName) -> bool:
                before = len(server.itunes.requests)
                await found(lookup, name)
                return len(server.itunes.requests) > before

            assert await asked_again(HELLO)
            assert await asked_again(unknown)
            clock.jump(timedelta(hours=23))
            assert not await asked_again(unknown)
            assert not await asked_again(SongName("HELLO (feat. Nobody)", "adele")), "one key for all spellings"
            clock.jump(timedelta(hours=2))
            assert await asked_again(unknown)
            clock.jump(timedelta(days=28))
            assert not await asked_again(HELLO)
            clock.jump(timedelta(days=2))
            assert await asked_again(HELLO)

    run_warped(main())


def test_an_old_release_is_given_while_nobody_answers() -> None:
    async def main() -> None:
        clock = WallClock()
        async with ReleaseServer() as server, looking_up(server, now=clock) as lookup:
            server.knows(FIRST)
            fresh = await found(lookup)
            assert fresh is not None
            clock.jump(timedelta(days=31))
            for service in (ITUNES, DEEZER, MUSICBRAINZ):
                server.service(service).break_next(ReleaseFault.ERROR_500)
            assert await found(lookup) == fresh
            clock.jump(timedelta(days=60))
            assert await found(lookup) is None

    run_warped(main())


def test_what_was_found_while_a_shop_was_silent_counts_for_a_day() -> None:
    async def main() -> None:
        clock = WallClock()
        async with ReleaseServer() as server, looking_up(server, now=clock) as lookup:
            server.itunes.put(LATER)
            server.deezer.put(FIRST)
            server.deezer.break_next(ReleaseFault.HANG, times=1)
            first = await found(lookup)
            assert first is not None
            assert first.released == date(2016, 2, 1)
            clock.jump(timedelta(hours=25))
            second = await found(lookup)
            assert second is not None
            assert second.released == date(2015, 10, 23)

    run_warped(main())


def test_a_day_that_deezer_failed_to_tell_is_asked_for_again() -> None:
    async def main() -> None:
        clock = WallClock()
        only_deezer = {"itunes_url": None, "musicbrainz_url": None}
        async with ReleaseServer() as server, looking_up(server, now=clock, **only_deezer) as lookup:
            server.deezer.put(FIRST)
            server.deezer.break_next(ReleaseFault.ERROR_500, times=1, at="/track/")
            first = await found(lookup)
            assert first is not None
            assert (first.album, first.released) == ("25", None)
            clock.jump(timedelta(hours=25))
            second = await found(lookup)
            assert second is not None
            assert second.released == date(2015, 10, 23)

    run_warped(main())


def test_not_found_while_a_service_failed_is_not_believed() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.itunes.break_next(ReleaseFault.HANG, times=1)
            assert await found(lookup) is None
            server.itunes.put(FIRST)
            assert await found(lookup) is not None

    run_warped(main())


def test_releases_outlive_the_process_on_disk(tmp_path: Path) -> None:
    async def main() -> None:
        kept = {"cache_url": f"disk://?directory={tmp_path / 'cache'}", "now": WallClock()}
        async with ReleaseServer() as server:
            server.knows(FIRST)
            async with looking_up(server, **kept) as lookup:
                first = await found(lookup)
            before = len(server.itunes.requests)
            async with looking_up(server, **kept) as lookup:
                assert await found(lookup) == first
            assert len(server.itunes.requests) == before == 1
            assert first is not None

    run_warped(main())


def test_many_who_ask_at_once_share_one_look_up() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.knows(FIRST)
            releases = await asyncio.gather(*(found(lookup) for _ in range(20)))
            assert len(set(releases)) == 1
            assert releases[0] is not None
            assert len(server.itunes.requests) == 1

    run_warped(main())


def test_who_waits_no_longer_leaves_the_look_up_going_on() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.knows(FIRST)
            server.itunes.latency_s = server.deezer.latency_s = 0.6
            loop = asyncio.get_running_loop()
            started = loop.time()
            assert await lookup.within(HELLO, 0.4) is None
            assert loop.time() - started == pytest.approx(0.4, abs=0.1)
            await asyncio.sleep(2)
            started = loop.time()
            assert await lookup.within(HELLO, 0.4) is not None
            assert loop.time() - started < 0.2
            assert len(server.itunes.requests) == 1

    run_warped(main())


FAULTS = [fault for fault in ReleaseFault if fault is not ReleaseFault.OTHER_SHAPE]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("broken", [ITUNES, DEEZER])
def test_with_one_shop_broken_the_other_tells(broken: str, fault: ReleaseFault) -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            server.knows(FIRST)
            server.service(broken).break_next(fault)
            loop = asyncio.get_running_loop()
            started = loop.time()
            release = await found(lookup)
            assert release is not None
            assert (release.album, release.released) == ("25", date(2015, 10, 23))
            assert loop.time() - started <= SOURCE_S + 0.2
            assert server.hits["private"] == 0

    run_warped(main())


@pytest.mark.parametrize("fault", ReleaseFault)
def test_with_all_broken_there_is_no_release_and_no_error(fault: ReleaseFault, caplog: Any) -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            for name in (ITUNES, DEEZER, MUSICBRAINZ):
                server.knows(FIRST)
                server.service(name).break_next(fault)
            loop = asyncio.get_running_loop()
            started = loop.time()
            assert await found(lookup) is None
            assert loop.time() - started <= 2 * SOURCE_S
            assert server.hits["private"] == 0

    with caplog.at_level(logging.INFO, logger="core.lookup"):
        run_warped(main())
    assert [record.levelname for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (ITUNES, ReleaseFault.LIMITED_403),
        (DEEZER, ReleaseFault.QUOTA_200),
        (MUSICBRAINZ, ReleaseFault.LIMITED_503),
    ],
)
def test_a_service_that_limits_us_is_left_alone_for_a_while(name: str, fault: ReleaseFault) -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            service = server.service(name)
            service.break_next(fault)
            for n in range(4):
                await found(lookup, SongName(f"Song {n}", "Adele"))
                await asyncio.sleep(2)
            assert len(service.requests) == 1
            service.mend()
            await asyncio.sleep(31)
            await found(lookup)
            assert len(service.requests) == 2

    run_warped(main())


def test_a_service_that_fails_again_and_again_is_left_alone_ever_longer() -> None:
    async def main() -> None:
        async with ReleaseServer() as server:
            only = {"deezer_url": None, "musicbrainz_url": None}
            async with looking_up(server, **only) as lookup:
                server.itunes.break_next(ReleaseFault.ERROR_500)
                for n in range(12):
                    await found(lookup, SongName(f"Song {n}", "Adele"))
                    await asyncio.sleep(4.1)
                breaker = lookup._shops[0].breaker
                assert 4 <= len(server.itunes.requests) <= 6
                server.itunes.mend()
                server.itunes.put(FIRST)
                await asyncio.sleep(600)
                assert await found(lookup) is not None
                assert breaker.state is BreakerState.CLOSED

    run_warped(main())


async def asked_at(server: ReleaseServer, name: str, every_s: float, times: int) -> list[float]:
    """Look up new songs at one service alone; tell the seconds at which it was asked."""
    loop = asyncio.get_running_loop()
    service, at = server.service(name), []
    others: dict[str, Any] = {f"{other}_url": None for other in (ITUNES, DEEZER, MUSICBRAINZ) if other != name}
    async with looking_up(server, **others) as lookup:
        for n in range(times):
            before = len(service.requests)
            lookup.begin(SongName(f"Song {n}", "Nobody"))
            await asyncio.sleep(every_s)
            at.extend([loop.time()] * (len(service.requests) - before))
    return at


@pytest.mark.parametrize(
    ("name", "every_s", "window_s", "most", "least_in_all"),
    [(ITUNES, 0.5, 60.0, 20, 30), (DEEZER, 0.05, 5.0, 40, 60), (MUSICBRAINZ, 0.25, 5.0, 6, 50)],
)
def test_no_service_is_asked_more_often_than_it_allows(
    name: str, every_s: float, window_s: float, most: int, least_in_all: int
) -> None:
    async def main() -> None:
        async with ReleaseServer() as server:
            at = await asked_at(server, name, every_s, times=240)
        assert max(sum(start <= one < start + window_s for one in at) for start in at) <= most
        assert len(at) >= least_in_all

    run_warped(main())


def test_without_room_a_service_is_left_out_and_not_blamed() -> None:
    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server, musicbrainz_url=None) as lookup:
            server.knows(*(Record(title=f"Song {n}", artist="Adele") for n in range(12)))
            loop = asyncio.get_running_loop()
            for n in range(12):
                started = loop.time()
                assert await found(lookup, SongName(f"Song {n}", "Adele")) is not None
                assert loop.time() - started < 1.0
            assert len(server.itunes.requests) < 12
            assert len(server.deezer.requests) == 24
            assert lookup._shops[0].breaker.state is BreakerState.CLOSED

    run_warped(main())


def test_switched_off_services_are_not_asked() -> None:
    async def main() -> None:
        async with ReleaseServer() as server:
            server.knows(FIRST)
            off = {"itunes_search_url": "off", "deezer_search_url": "OFF", "musicbrainz_url": "off"}
            for service, url in zip((ITUNES, DEEZER, MUSICBRAINZ), server.urls.values(), strict=True):
                one = {f"{service}_search_url" if service != MUSICBRAINZ else "musicbrainz_url": url}
                lookup = ReleaseLookup.from_settings(Settings(_env_file=None, **(off | one)))  # type: ignore[call-arg]
                assert await found(lookup) is not None
                await lookup.aclose()
                assert [s for s in (ITUNES, DEEZER, MUSICBRAINZ) if server.service(s).requests] == [service]
                server.service(service).requests.clear()
            lookup = ReleaseLookup.from_settings(Settings(_env_file=None, **off))  # type: ignore[call-arg]
            assert await found(lookup) is None
            await lookup.aclose()

    run_warped(main())


def test_what_an_address_asks_for_is_asked_for_too() -> None:
    async def main() -> None:
        async with ReleaseServer() as server:
            urls = {name: f"{url}?country=DE" for name, url in server.urls.items()}
            async with looking_up(server, **urls) as lookup:
                server.deezer.put(Record(title="Hello", artist="Adele", released=""))
                await found(lookup)
            for service, asked in ((server.itunes, "term"), (server.deezer, "q")):
                query = service.requests[0][1]
                assert query["country"] == "DE"
                assert asked in query
            assert [path for path, _ in server.deezer.requests] == ["/deezer/search", "/deezer/track/1"]
            assert server.musicbrainz.requests[0][0] == "/musicbrainz/ws/2/recording"

    run_warped(main())


def test_closing_ends_what_goes_on() -> None:
    async def main() -> None:
        async with ReleaseServer() as server:
            async with looking_up(server) as lookup:
                server.itunes.break_next(ReleaseFault.HANG)
                begun = lookup.begin(HELLO)
                await asyncio.sleep(0.1)
            assert begun.cancelled()
            names = {task.get_name() for task in asyncio.all_tasks()}
            assert not any(name.startswith(("release", "fetch")) for name in names)

    run_warped(main())


def test_a_bug_in_the_look_up_is_logged_and_costs_nothing(monkeypatch: Any, caplog: Any) -> None:
    def broken(*_: object) -> None:
        raise KeyError("trackName")

    monkeypatch.setattr("core.lookup.release.release_of", broken)

    async def main() -> None:
        async with ReleaseServer() as server, looking_up(server) as lookup:
            assert await found(lookup) is None

    run_warped(main())
    assert "event=release_broken error=KeyError" in caplog.text
