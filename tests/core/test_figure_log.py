"""Dated figures: what is kept of an answer, for how long, and how growth is told, in a file and in a real Redis."""

from __future__ import annotations

import asyncio
import math
import random
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import DatedFigures, Growth, Origin, Song, SongName, Source
from core.figure_log import (
    DAYS_MIN,
    EARLIER_LASTS_S,
    FILE_MAX_BYTES,
    FILE_ROW_BYTES,
    RECENT_DAYS,
    SAMPLE_LASTS_S,
    SONGS_MIN,
    FigureLog,
    FigureRow,
    FigureTable,
    FileTable,
    RedisTable,
    earlier_of,
    growth_rate,
    row_of,
    song_number,
    thinned_out,
)
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer

TODAY = date(2026, 11, 22)
NAME = SongName("Blinding Lights", "The Weeknd")
DAY = TODAY.toordinal()


def song(listeners: int | None = 1_120, plays: int | None = 9_000, name: SongName = NAME) -> Song:
    return Song(title=name.title, artist=name.artist, listeners=listeners, playcount=plays)


def source(days_ago: int = 0, origin: Origin = Origin.LASTFM) -> Source:
    return Source(origin, datetime(2026, 11, 22, 20, 0, tzinfo=UTC) - timedelta(days=days_ago))


def rows(*days_and_listeners: tuple[int, int], number: int = 1) -> list[FigureRow]:
    return [FigureRow(number, DAY - ago, listeners, 10 * listeners) for ago, listeners in days_and_listeners]


@pytest.fixture(params=["file", "redis"])
async def table(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FigureTable]:
    """A table of ten rows at most."""
    if request.param == "file":
        async with aclosing(FileTable(tmp_path / "figures.sqlite", rows_max=10)) as made:
            yield made
        return
    if PROGRAM is None:
        pytest.skip(MISSING)
    with RedisServer() as server:
        async with aclosing(RedisTable(server.url, rows_max=10)) as made:
            yield made


async def test_a_song_has_one_row_a_day_and_the_first_stays(table: FigureTable) -> None:
    await table.append(rows((5, 100), (2, 200)))
    await table.append(rows((5, 999), (0, 300)))
    assert await table.read(1) == rows((5, 100), (2, 200), (0, 300))
    assert await table.read(2) == []


async def test_a_full_table_thins_the_song_with_the_oldest_figures_and_stays_within_its_bound(
    table: FigureTable,
) -> None:
    old, new = [(ago, 1000 - ago) for ago in range(29, 21, -1)], [(ago, 500) for ago in range(7, 0, -1)]
    await table.append(rows(*old, number=1))
    await table.append(rows(*new, number=2))
    first, second = await table.read(1), await table.read(2)
    assert len(first) + len(second) <= 10
    assert second == rows(*new, number=2), "the newer song is whole"
    assert [first[0], first[-1]] == [rows(*old)[0], rows(*old)[-1]], "how far the figures reach is kept"


async def test_songs_of_a_single_row_go_by_age(table: FigureTable) -> None:
    for number in range(1, 16):
        await table.append(rows((100 - number, 500), number=number))
    left = [number for number in range(1, 16) if await table.read(number)]
    assert left == list(range(6, 16))


async def test_a_sample_holds_songs_with_figures_some_days_apart(table: FigureTable) -> None:
    await table.append(rows((10, 100), (0, 110), number=1))
    await table.append(rows((2, 100), (0, 110), number=2))
    await table.append(rows((9, 100), (5, 110), number=-3))
    await table.append(rows((99, 100), (95, 110), number=4))
    sampled = await table.sample(DAY - 30, 100)
    assert sorted(one[0].song for one in sampled) == [-3, 1]
    assert rows((10, 100), (0, 110), number=1) in sampled


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=200, unique=True))
def test_thinning_takes_at_least_one_day_and_never_the_last_of_many(days: list[int]) -> None:
    days.sort()
    gone = thinned_out(days)
    assert gone
    assert set(gone) <= set(days)
    assert len(set(gone)) == len(gone)
    if len(days) > 1:
        assert days[-1] not in gone


def test_thinning_leaves_one_a_week_then_a_month_then_a_quarter_then_takes_the_oldest() -> None:
    days = list(range(1, 366))
    gaps = []
    while len(days) > 4:
        days = [day for day in days if day not in thinned_out(days)]
        gaps.append(max(b - a for a, b in pairwise(days)))
    assert gaps[:3] == [7, 28, 84]
    assert 365 in days


def test_what_is_kept_names_no_song_and_is_the_same_for_every_spelling() -> None:
    row = row_of(NAME, TODAY, 5, 7)
    assert row == FigureRow(song_number(NAME), DAY, 5, 7)
    assert -(2**63) <= row.song < 2**63
    assert song_number(SongName("BLINDING LIGHTS (feat. X)", "weeknd")) == row.song
    assert song_number(SongName("Blinding Lights - Remix", "The Weeknd")) != row.song


def test_the_file_is_closed_to_others_and_holds_numbers_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with aclosing(FigureLog(FileTable(tmp_path / "figures.sqlite"))) as log:
            log.note(song(), source())

    asyncio.run(main())
    assert stat.S_IMODE((tmp_path / "figures.sqlite").stat().st_mode) == 0o600
    with sqlite3.connect(tmp_path / "figures.sqlite") as db:
        assert db.execute("SELECT * FROM figures").fetchall() == [(song_number(NAME), DAY, 1_120, 9_000)]
    db.close()
    assert b"Blinding" not in (tmp_path / "figures.sqlite").read_bytes()


async def test_the_bound_of_bytes_holds(tmp_path: Path) -> None:
    random_songs = random.Random(7)
    path = tmp_path / "figures.sqlite"
    async with aclosing(FileTable(path, rows_max=20_000)) as table:
        songs = [random_songs.getrandbits(64) - 2**63 for _ in range(4_000)]
        for day in range(30):
            drawn = random_songs.sample(songs, 1_000)
            await table.append([FigureRow(one, DAY + day, 3_000_000_000, 50_000_000_000) for one in drawn])
    assert path.stat().st_size < 20_000 * FILE_ROW_BYTES
    assert FILE_MAX_BYTES <= 60_000_000


# growth


def test_figures_are_compared_with_the_oldest_of_the_last_month_else_with_the_latest_older_ones() -> None:
    assert earlier_of(rows((400, 1), (29, 2), (10, 3), (1, 4)), DAY) == rows((29, 2))[0]
    assert earlier_of(rows((400, 1), (60, 2), (1, 4)), DAY) == rows((60, 2))[0]
    assert earlier_of(rows((DAYS_MIN - 1, 1)), DAY) is None
    assert earlier_of(rows((DAYS_MIN, 1)), DAY) == rows((DAYS_MIN, 1))[0]
    assert earlier_of(rows((RECENT_DAYS, 0)), DAY) is None, "nothing grows from no listeners"


def test_growths_over_unlike_times_compare() -> None:
    slow, quick = rows((20, 100), (10, 100))
    assert math.isclose(growth_rate(slow, DAY, 121), growth_rate(quick, DAY, 110), rel_tol=1e-9)
    assert growth_rate(slow, DAY, 0) < growth_rate(slow, DAY, 90) < 0 < growth_rate(slow, DAY, 101)


async def test_the_next_answer_tells_the_growth_since(table: FigureTable) -> None:
    log = FigureLog(table)
    log.note(song(1_000), source(21))
    await log.flush()
    log.note(song(1_100), source(2))
    await log.flush()
    assert await log.growth(song(), source()) == Growth(21, pytest.approx(0.12))
    assert await log.growth(song(name=SongName("Hello", "Adele")), source()) is None
    assert await log.growth(song(None), source()) is None


@pytest.mark.parametrize("origin", [Origin.RECORDED, Origin.CATALOGUE])
async def test_only_live_figures_are_noted_and_compared(origin: Origin) -> None:
    now_s = 0.0
    async with aclosing(FigureLog(FileTable(None), clock=lambda: now_s)) as log:
        log.note(song(1_000), source(21, origin))
        log.note(song(None), source(21))
        log.note(song(1_000, None), source(21))
        await log.flush()
        assert await log.growth(song(), source()) is None
        log.note(song(1_000), source(21))
        await log.flush()
        now_s = EARLIER_LASTS_S
        assert await log.growth(song(), source(origin=origin)) is None
        assert await log.growth(song(), source()) is not None


async def test_a_song_is_called_faster_than_others_once_enough_are_known() -> None:
    now_s = 0.0
    async with aclosing(FigureLog(FileTable(None), clock=lambda: now_s)) as log:
        for known, share in ((SONGS_MIN - 1, None), (SONGS_MIN, 0.9)):
            number = range(100, 100 + known)
            await log.append(FigureRow(n, DAY - 10, 1_000, 5_000) for n in number)
            # Nine in ten grew by 1 %, the others doubled.
            await log.append(FigureRow(n, DAY - 5, 2_000 if n % 10 == 0 else 1_010, 5_000) for n in number)
            now_s += SAMPLE_LASTS_S
            log.note(song(1_000), source(10))
            await log.flush()
            growth = await log.growth(song(1_100), source())
            assert growth is not None
            assert growth.faster_than == share


async def test_those_who_ask_for_the_same_song_on_a_day_share_one_look() -> None:
    reads = []

    class Counting(FileTable):
        async def read(self, number: int) -> list[FigureRow]:
            reads.append(number)
            return await super().read(number)

    now_s = 0.0
    async with aclosing(FigureLog(Counting(None), clock=lambda: now_s)) as log:
        for _ in range(3):
            await asyncio.gather(*(log.growth(song(), source()) for _ in range(5)))
        assert len(reads) == 1
        await log.growth(song(), source(-1))
        now_s = EARLIER_LASTS_S
        await log.growth(song(), source())
    assert len(reads) == 3


async def test_how_fast_songs_grow_is_looked_at_once_an_hour() -> None:
    now_s = 0.0
    looks = []

    class Counting(FileTable):
        async def sample(self, since: int, limit: int) -> list[list[FigureRow]]:
            looks.append(since)
            return await super().sample(since, limit)

    async with aclosing(FigureLog(Counting(None), clock=lambda: now_s)) as log:
        for now_s in (0.0, SAMPLE_LASTS_S - 1, SAMPLE_LASTS_S, SAMPLE_LASTS_S + 1):  # noqa: B007 - read by the clock
            log.note(song(), source())
            await log.flush()
    assert len(looks) == 2


async def test_the_history_holds_the_answer_itself_and_what_was_before() -> None:
    async with aclosing(FigureLog(FileTable(None))) as log:
        number = song_number(NAME)
        await log.append([FigureRow(number, DAY - 5, 100, 500), FigureRow(number, DAY, 1, 1)])
        assert await log.history(song(), source()) == (
            DatedFigures(TODAY - timedelta(days=5), 100, 500),
            DatedFigures(TODAY, 1_120, 9_000),
        )
        recorded = await log.history(song(), source(origin=Origin.RECORDED))
        assert [one.listeners for one in recorded] == [100, 1]


# never in the way


async def test_answers_are_written_later_all_in_one_go() -> None:
    writes = []
    written = asyncio.Event()

    class Counting(FileTable):
        async def append(self, given: list[FigureRow]) -> None:
            await super().append(given)
            writes.append(len(given))
            written.set()

    async with aclosing(FigureLog(Counting(None), flush_s=0.01)) as log:
        for n in range(20):
            log.note(song(name=SongName(f"Song {n}", "A")), source())
            log.note(song(name=SongName(f"Song {n}", "A")), source())
        assert writes == []
        await asyncio.wait_for(written.wait(), 60)
        log.note(song(), source())
    assert writes == [20, 1], "what still waits is written at the end"


async def test_figures_are_of_the_day_on_which_the_song_s_own_were_taken() -> None:
    """The artist's may be older, kept or stand in for a failure."""
    async with aclosing(FigureLog(FileTable(None))) as log:
        now = source().as_of
        asked = replace(source(days_ago=6), stale=True, track_as_of=now)
        log.note(song(1_300), asked)
        await log.flush()
        later = replace(source(), as_of=now + timedelta(days=1))
        assert await log.growth(song(1_300), later) is None, "one day lies between"
        assert [one.day for one in await log.history(song(1_300), asked)] == [TODAY]


async def test_what_is_being_written_at_the_end_is_not_lost() -> None:
    begun, kept = asyncio.Event(), list[int]()

    class Busy(FileTable):
        async def append(self, given: list[FigureRow]) -> None:
            if not begun.is_set():
                begun.set()
                await asyncio.Event().wait()  # for its turn, until that is given up
            kept.append(len(given))

    async with aclosing(FigureLog(Busy(None), flush_s=0.0)) as log:
        log.note(song(), source())
        await begun.wait()
    assert kept == [1]


async def test_a_late_answer_notes_nothing_in_a_log_that_is_closed() -> None:
    log = FigureLog(FileTable(None), flush_s=0.0)
    await log.aclose()
    log.note(song(), source())
    assert "figures" not in {task.get_name() for task in asyncio.all_tasks()}


class Broken(FileTable):
    """A table whose disk fails, or hangs."""

    hangs = False

    async def append(self, given: list[FigureRow]) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async def read(self, number: int) -> list[FigureRow]:
        if self.hangs:
            await asyncio.Event().wait()
        raise OSError("gone")


async def test_a_failing_disk_costs_nothing_but_the_growth_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    async with aclosing(FigureLog(Broken(None))) as log:
        for _ in range(3):
            log.note(song(), source())
            await log.flush()
        assert await log.growth(song(), source()) is None
        assert [one.day for one in await log.history(song(), source())] == [TODAY]
    assert [record.message for record in caplog.records] == [
        "event=figures_failing work=append error=database or disk is full",
        "event=figures_failing work=read error=gone",
    ]


@pytest.mark.warped_time
async def test_an_answer_does_not_wait_for_a_disk_that_hangs() -> None:
    table = Broken(None)
    table.hangs = True
    async with aclosing(FigureLog(table)) as log:
        async with asyncio.timeout(1):
            assert await log.growth(song(), source()) is None


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "figures.sqlite").write_bytes(b"no database" * 1_000)
    with pytest.raises(sqlite3.DatabaseError):
        FileTable(tmp_path / "figures.sqlite")


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_without_its_redis_nothing_is_known_and_nothing_is_raised() -> None:
    with RedisServer() as server:
        log = FigureLog(RedisTable(server.url))
        log.note(song(1_000), source(21))
        await log.flush()
        server.kill()
        log.note(song(), source())
        await log.flush()
        assert await log.growth(song(), source()) is None
        await log.aclose()


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_two_bots_on_one_redis_keep_their_figures_apart() -> None:
    with RedisServer() as server:
        async with aclosing(RedisTable(server.url)) as one, aclosing(RedisTable(f"{server.url}?prefix=b")) as other:
            await one.append(rows((5, 100)))
            assert await other.read(1) == []
            await other.append(rows((3, 200)))
            assert [await table.read(1) for table in (one, other)] == [rows((5, 100)), rows((3, 200))]


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_what_others_write_into_redis_is_passed_over() -> None:
    from redis.asyncio import Redis

    with RedisServer() as server:
        async with aclosing(RedisTable(server.url)) as table, aclosing(Redis.from_url(server.url)) as redis:
            await table.append(rows((5, 100), (0, 200)))
            await redis.hset("hitmeter:1:figures:1", mapping={"x": "1 2", str(DAY - 1): "a b", str(DAY - 2): "7"})
            assert await table.read(1) == rows((5, 100), (0, 200))
