"""Dated figures of songs: what every live answer said of listeners and plays, at most once a song and day.

One SQLite file beside the history, or Redis where several processes share one. A song is a number made from its key,
so neither names nor anything of who asked is kept. The table is bounded: when it is full, the song whose figures reach
back furthest loses some of its oldest ones.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import pairwise
from math import log1p
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from core.concurrency import SerialExecutor, SingleFlight
from core.domain import DatedFigures, Growth, Origin, Song, SongName, Source
from core.lookup.normalise import song_key
from core.lookup.store import Store, redis_parts

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE_NAME: Final = "figures.sqlite"

DAYS_MIN: Final = 3
"""Least days between two figures that are compared: Last.fm counts in lumps, and kept answers are six hours old."""

RECENT_DAYS: Final = 30
"""Growth is told since the oldest figures of the last so many days; since the latest older ones if there are none."""

SONGS_MIN: Final = 100
"""Songs whose growth must be known before one is called faster than others."""

SONGS_SAMPLED: Final = 2_000
"""Songs that are compared with. Songs are numbered by a hash, so the first ones are as good as any."""

SAMPLE_DAYS: Final = 90
"""Their latest figures are no older."""

SAMPLE_LASTS_S: Final = 3600.0

FLUSH_S: Final = 5.0
"""Figures are written so long after the first answer that brought some, all in one go: never in an answer's way."""

PENDING_MAX: Final = 10_000
"""Figures that wait to be written; more than that many answers in the time means a disk that hangs."""

READ_PATIENCE_S: Final = 0.05
"""Longest that an answer waits for the figures of earlier days."""

EARLIER_KEPT: Final = 1_000
"""Songs whose figures of earlier days stay in memory, for those who ask for the same song soon after."""

EARLIER_LASTS_S: Final = 600.0

FILE_MAX_BYTES: Final = 60_000_000
FILE_ROW_BYTES: Final = 75
"""Most bytes of the file, its index and its journal for each row; measured: 57 with 500,000 rows of 60,000 songs, 67
without the journal where every figure is as great as can be and the table was thinned."""

MEMORY_ROWS_MAX: Final = 20_000
"""Rows kept in memory, where there is no disk."""

REDIS_ROW_BYTES: Final = 300
"""Most bytes of Redis for each row: a song with a single one takes a key, a hash and a
place in the order, 270 bytes; with five rows it is 60."""

CHUNK_ROWS: Final = 500
"""Rows of a collection written at a time: Redis takes them well within the second it is given."""

THINNING_DAYS: Final = (7, 30, 90)
"""A full table first keeps one of the old figures a week, then one a month, then one a quarter."""


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row: the song's number, the day as counted by :meth:`datetime.date.toordinal`, listeners and plays."""

    song: int
    day: int
    listeners: int
    plays: int


Rows = Sequence[FigureRow]
"""Rows of one song, the oldest first."""


def song_number(name: SongName) -> int:
    """Number a song by its key, 64 bits with a sign as SQLite's integers are; the same on every machine."""
    digest = blake2b(song_key(name.title, name.artist).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def row_of(name: SongName, day: date, listeners: int, plays: int) -> FigureRow:
    """Make the row of a song's figures."""
    return FigureRow(song_number(name), day.toordinal(), listeners, plays)


def earlier_of(rows: Rows, day: int) -> FigureRow | None:
    """Choose the row that figures of ``day`` are compared with; None if none is old enough."""
    older = [row for row in rows if row.day <= day - DAYS_MIN and row.listeners > 0]
    recent = [row for row in older if row.day >= day - RECENT_DAYS]
    return recent[0] if recent else older[-1] if older else None


def growth_rate(earlier: FigureRow, day: int, listeners: int) -> float:
    """Return the growth of the listeners a day, as a logarithm, so that growths over unlike times compare."""
    return log1p(listeners / earlier.listeners - 1) / (day - earlier.day) if listeners > 0 else float("-inf")


def thinned_out(days: Sequence[int]) -> tuple[int, ...]:
    """Choose which days of the song with the oldest figures go when the table is full; at least one.

    A day goes if the days kept before and after it are near each other; first and last stay. Where nothing is dense any
    more the oldest goes.
    """
    for gap in THINNING_DAYS:
        kept, gone = days[0], []
        for day, following in pairwise(days[1:]):
            if following - kept <= gap:
                gone.append(day)
            else:
                kept = day
        if gone:
            return tuple(gone)
    return tuple(days[:1])


class FigureTable(Protocol):
    """Where the rows are. Nothing raises but what a damaged or missing disk does; see :class:`FigureLog`."""

    async def append(self, rows: Rows) -> None:
        """Keep rows; of a song's day the first one stays."""
        ...

    async def read(self, song: int) -> list[FigureRow]:
        """Return a song's rows, the oldest first."""
        ...

    async def sample(self, since: int, limit: int) -> list[list[FigureRow]]:
        """Return the rows of up to ``limit`` songs with figures of ``since`` or later and ``DAYS_MIN`` apart."""
        ...

    async def aclose(self) -> None:
        """Free what is open."""
        ...


_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS figures (song INTEGER, day INTEGER, listeners INTEGER NOT NULL, plays INTEGER NOT NULL,"
    " PRIMARY KEY (song, day)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS figures_by_day ON figures (day)",
)


class FileTable:
    """One SQLite file, used by a thread of its own; None keeps the rows in memory.

    Raises:
        sqlite3.Error: The file cannot be opened or is damaged.
        OSError: Its folder cannot be made.
    """

    def __init__(self, path: Path | None, *, rows_max: int = FILE_MAX_BYTES // FILE_ROW_BYTES) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.touch(mode=0o600)  # SQLite gives its further files the same mode
        self._rows_max = rows_max if path is not None else min(rows_max, MEMORY_ROWS_MAX)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            for statement in _SCHEMA:
                self._db.execute(statement)
            (self._rows,) = self._db.execute("SELECT count(*) FROM figures").fetchone()
        except sqlite3.Error:
            self._db.close()
            raise
        self._worker = SerialExecutor("figures")

    def close(self) -> None:
        """Close the file before anything was asked of it; later :meth:`aclose` does so."""
        self._worker.close()
        self._db.close()

    async def append(self, rows: Rows) -> None:
        """Keep rows in one transaction."""
        await self._worker.run(self._append, rows)

    async def read(self, song: int) -> list[FigureRow]:
        """Return a song's rows."""
        return await self._worker.run(self._read, "song = ?", song)

    async def sample(self, since: int, limit: int) -> list[list[FigureRow]]:
        """Return the rows of the first songs by number."""
        return await self._worker.run(self._sample, since, limit)

    async def aclose(self) -> None:
        """Close the file."""
        await self._worker.run(self._db.close)
        self._worker.close()

    def _append(self, rows: Rows) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            before = self._db.total_changes
            values = [(row.song, row.day, row.listeners, row.plays) for row in rows]
            self._db.executemany("INSERT OR IGNORE INTO figures VALUES (?, ?, ?, ?)", values)
            count = self._rows + self._db.total_changes - before
            while count > self._rows_max:
                count -= self._thin()
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # a full disk may have ended it already
                self._db.execute("ROLLBACK")
            raise
        self._rows = count

    def _thin(self) -> int:
        (song,) = self._db.execute("SELECT song FROM figures ORDER BY day LIMIT 1").fetchone()
        days = [day for (day,) in self._db.execute("SELECT day FROM figures WHERE song = ? ORDER BY day", (song,))]
        gone = thinned_out(days)
        self._db.executemany("DELETE FROM figures WHERE song = ? AND day = ?", [(song, day) for day in gone])
        return len(gone)

    def _read(self, condition: str, *values: int) -> list[FigureRow]:
        rows = self._db.execute(
            f"SELECT song, day, listeners, plays FROM figures WHERE {condition} ORDER BY song, day",  # noqa: S608
            values,
        )
        return [FigureRow(*row) for row in rows]

    def _sample(self, since: int, limit: int) -> list[list[FigureRow]]:
        # Another process may have written as well.
        (self._rows,) = self._db.execute("SELECT count(*) FROM figures").fetchone()
        chosen = (
            "song IN (SELECT song FROM figures GROUP BY song HAVING max(day) >= ? AND max(day) - min(day) >= ? LIMIT ?)"
        )
        songs: dict[int, list[FigureRow]] = {}
        for row in self._read(chosen, since, DAYS_MIN, limit):
            songs.setdefault(row.song, []).append(row)
        return list(songs.values())


_NAME: Final = "hitmeter:1:figures"
"""What every key begins with, behind the bot's own prefix."""


class RedisTable:
    """A hash of days for each song in a Redis that processes share; while it fails there are no rows."""

    def __init__(self, url: str, *, rows_max: int = FILE_MAX_BYTES // REDIS_ROW_BYTES) -> None:
        self._store = Store(url)
        self._prefix = redis_parts(url)[1] + _NAME
        self._count = f"{self._prefix}:rows"
        self._by_age = f"{self._prefix}:oldest"  # the songs by their oldest day
        self._rows_max = rows_max

    async def append(self, rows: Rows) -> None:
        """Keep rows in one round trip, and another one for each song that loses some."""

        async def write(redis: Redis) -> None:
            async with redis.pipeline(transaction=False) as pipe:
                for row in rows:
                    pipe.hsetnx(self._key(row.song), str(row.day), f"{row.listeners} {row.plays}")
                    pipe.zadd(self._by_age, {str(row.song): row.day}, lt=True)
                kept = await pipe.execute()
            count = int(await redis.incrby(self._count, sum(map(int, kept[::2]))))
            while count > self._rows_max and (gone := await self._thin(redis)):
                count = int(await redis.decrby(self._count, gone))

        await self._store.with_redis(write)

    async def read(self, song: int) -> list[FigureRow]:
        """Return a song's rows; values that are none are passed over."""
        found = await self._store.with_redis(lambda redis: _fetched(redis.hgetall(self._key(song))))
        return _parsed(song, found or {})

    async def sample(self, since: int, limit: int) -> list[list[FigureRow]]:
        """Return the rows of songs drawn by Redis."""

        async def draw(redis: Redis) -> list[list[FigureRow]]:
            songs = [int(song) for song in await _fetched(redis.zrandmember(self._by_age, limit)) or ()]
            async with redis.pipeline(transaction=False) as pipe:
                for song in songs:
                    pipe.hgetall(self._key(song))
                return [_parsed(song, found) for song, found in zip(songs, await pipe.execute(), strict=True)]

        drawn = await self._store.with_redis(draw) or []
        return [rows for rows in drawn if rows and rows[-1].day >= since and rows[-1].day - rows[0].day >= DAYS_MIN]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._store.aclose()

    def _key(self, song: int | str) -> str:
        return f"{self._prefix}:{song}"

    async def _thin(self, redis: Redis) -> int:
        """Take away some rows of the song with the oldest; returns how many, 0 if there is none."""
        oldest = await _fetched(redis.zrange(self._by_age, 0, 0))
        if not oldest:
            return 0
        key = self._key(oldest[0].decode())
        days = sorted(int(day) for day in await _fetched(redis.hkeys(key)))
        gone = thinned_out(days) if days else ()
        left = [day for day in days if day not in gone]
        removed = int(await _fetched(redis.hdel(key, *map(str, gone)))) if gone else 0
        if left:
            await redis.zadd(self._by_age, {oldest[0]: left[0]})
        else:
            await redis.zrem(self._by_age, oldest[0])
        return max(removed, 1)


async def _fetched(command: Any) -> Any:
    """Await a command of the client, which declares the types of its blocking twin as well."""
    return await command


def _parsed(song: int, found: dict[bytes, bytes]) -> list[FigureRow]:
    rows = []
    for day, figures in found.items():
        with suppress(ValueError):
            listeners, plays = figures.split()
            rows.append(FigureRow(song, int(day), int(listeners), int(plays)))
    return sorted(rows, key=lambda row: row.day)


class FigureLog:
    """Notes the figures of live answers and tells how songs grew since; a fault of the disk costs nothing but this.

    Args:
        table: Where the rows are.
        clock: Tells seconds, never going back.
        flush_s: Seconds from an answer to its being written.
    """

    def __init__(
        self, table: FigureTable, *, clock: Callable[[], float] = time.monotonic, flush_s: float = FLUSH_S
    ) -> None:
        self._table = table
        self._clock = clock
        self._flush_s = flush_s
        self._pending: dict[tuple[int, int], FigureRow] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        self._rates: list[float] = []
        self._rates_until = float("-inf")
        self._failing: set[str] = set()
        self._earlier: SingleFlight[FigureRow | None] = SingleFlight(
            EARLIER_KEPT, lasting_s=lambda row: EARLIER_LASTS_S, clock=clock
        )

    def note(self, song: Song, source: Source) -> None:
        """Note the figures of an answer, to be written later; those that are not live are let pass."""
        if self._closed or source.origin is not Origin.LASTFM or song.listeners is None or song.playcount is None:
            return
        row = row_of(song.name, source.track_day, song.listeners, song.playcount)
        if len(self._pending) < PENDING_MAX:
            self._pending.setdefault((row.song, row.day), row)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush_later(), name="figures")

    async def history(self, song: Song, source: Source) -> tuple[DatedFigures, ...]:
        """List a song's dated figures, the oldest first, with those of a live answer."""
        rows = {row.day: row for row in await self._read(song_number(song.name))}
        if source.origin is Origin.LASTFM and song.listeners is not None and song.playcount is not None:
            row = row_of(song.name, source.track_day, song.listeners, song.playcount)
            rows = {day: older for day, older in rows.items() if day < row.day} | {row.day: row}
        ordered = (rows[day] for day in sorted(rows))
        return tuple(DatedFigures(date.fromordinal(row.day), row.listeners, row.plays) for row in ordered)

    async def growth(self, song: Song, source: Source) -> Growth | None:
        """Say how a live answer's listeners grew since earlier ones; None if none is old enough, or not at hand."""
        if source.origin is not Origin.LASTFM or song.listeners is None:
            return None
        day = source.track_day.toordinal()
        number = song_number(song.name)
        try:
            async with asyncio.timeout(READ_PATIENCE_S):
                earlier = await self._earlier.get((number, day), lambda: self._read_earlier(number, day))
        except TimeoutError:
            return None
        if earlier is None:
            return None
        faster_than = None
        if len(self._rates) >= SONGS_MIN:
            faster_than = bisect_left(self._rates, growth_rate(earlier, day, song.listeners)) / len(self._rates)
        return Growth(day - earlier.day, song.listeners / earlier.listeners - 1, faster_than)

    async def append(self, rows: Iterable[FigureRow]) -> None:
        """Keep rows at once, as a collection brings them."""
        listed = list(rows)
        for start in range(0, len(listed), CHUNK_ROWS):
            await self._guarded("append", self._table.append(listed[start : start + CHUNK_ROWS]))

    async def flush(self) -> None:
        """Write what waits, and once in a while look how fast songs grow."""
        taken, self._pending = self._pending, {}
        waiting = list(taken.values())
        if not waiting:
            return
        try:
            await self._guarded("append", self._table.append(waiting))
        except asyncio.CancelledError:
            # It may or may not be written: a second time changes nothing.
            self._pending = taken | self._pending
            raise
        if self._clock() < self._rates_until:
            return
        self._rates_until = self._clock() + SAMPLE_LASTS_S
        since = max(row.day for row in waiting) - SAMPLE_DAYS
        sampled = await self._guarded("sample", self._table.sample(since, SONGS_SAMPLED)) or []
        self._rates = sorted(
            growth_rate(earlier, rows[-1].day, rows[-1].listeners)
            for rows in sampled
            if (earlier := earlier_of(rows, rows[-1].day)) is not None
        )

    async def aclose(self) -> None:
        """Write what waits and free what is open; what a late answer notes afterwards is let pass."""
        self._closed = True
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self._earlier.aclose()
        await self.append(self._pending.values())
        await self._table.aclose()

    async def _flush_later(self) -> None:
        while self._pending:
            await asyncio.sleep(self._flush_s)
            await self.flush()

    async def _read_earlier(self, number: int, day: int) -> FigureRow | None:
        return earlier_of(await self._read(number), day)

    async def _read(self, number: int) -> list[FigureRow]:
        return await self._guarded("read", self._table.read(number)) or []

    async def _guarded(self, what: str, work: Awaitable[T]) -> T | None:
        """Return what ``work`` gives; None, and a line in the log the first time, while the disk does not do it."""
        try:
            result = await work
        except (sqlite3.DatabaseError, OSError) as error:
            if isinstance(error, sqlite3.ProgrammingError):
                raise
            if what not in self._failing:
                log.warning("event=figures_failing work=%s error=%s", what, error)
            self._failing.add(what)
            return None
        self._failing.discard(what)
        return result
