"""Where cached answers are kept: memory, a file of SQLite, or Redis; bounded, never unpickling, never raising.

In Redis, which several processes share, what they do within a time is counted as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import math
import random
import sqlite3
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, Protocol, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from core.concurrency import SerialExecutor
from core.errors import SettingsError
from core.settings import cache_url_fault

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

STORED_MAX_BYTES: Final = 40_000_000
"""Last.fm's terms (4.3.4) let at most 100 MB of its data be kept; 60 MB are for what core/figure_log.py keeps."""

VALUE_MAX_BYTES: Final = 8_192
"""Longest value kept; a search of 30 songs has about 3,000 bytes."""

MEMORY_ENTRIES: Final = 12_000
"""Values kept in memory, each a kilobyte or less as a rule and some hundred bytes more for its key and place."""

PATIENCE_S: Final = 1.0
"""Longest wait for a store; an answer is worth more than its being kept."""

LOCK_POLL_S: Final = 0.05

SLOT_S: Final = 10.0
PER_SLOT: Final = 48
"""Requests of all processes in one slot. Any five minutes touch 31 slots, so they hold at most 1,488 requests, and
Last.fm's terms allow 1,500."""

SHARED_SCHEMES: Final = frozenset({"redis", "rediss"})
"""Schemes of stores that several processes use at one time."""

FILE_NAME: Final = "answers.sqlite"

LAYOUT: Final = 1
"""Layout of the file, kept in it; a file of another one is begun anew."""

FILE_MAX_BYTES: Final = STORED_MAX_BYTES * 9 // 10
"""Size of the file at which the oldest values go; the rest is for its journal."""

SWEPT_ROWS: Final = 64
"""Expired values, and the oldest of a full file, that one write takes away at most."""

_SCHEMA: Final = f"""
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL);
    CREATE INDEX IF NOT EXISTS answers_by_age ON answers (expires_at);
    PRAGMA user_version = {LAYOUT};
"""

_DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

_UNLOCK: Final = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"
"""Frees a lock for the holder of its token only: it may have run out and be another's by now."""


class _Backend(Protocol):
    """What keeps the values; ``faults`` are raised on a lost server, a full or read-only disk or an unusable URL."""

    faults: tuple[type[Exception], ...]

    async def get(self, key: str) -> object: ...

    async def set(self, key: str, value: bytes, expire_s: float) -> object: ...

    async def aclose(self) -> None: ...


class _Memory:
    """The values used last."""

    faults: tuple[type[Exception], ...] = ()

    def __init__(self) -> None:
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._bytes = 0

    async def get(self, key: str) -> bytes | None:
        value, expires_at = self._values.get(key, (None, 0.0))
        if value is None:
            return None
        if time.monotonic() >= expires_at:
            self._drop(key)
            return None
        self._values.move_to_end(key)
        return value

    async def set(self, key: str, value: bytes, expire_s: float) -> None:
        if key in self._values:
            self._drop(key)
        self._values[key] = value, time.monotonic() + expire_s
        self._bytes += len(value)
        while len(self._values) > MEMORY_ENTRIES or self._bytes > STORED_MAX_BYTES:
            self._drop(next(iter(self._values)))

    async def aclose(self) -> None:
        self._values.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        value, _ = self._values.pop(key)
        self._bytes -= len(value)


class _WrongLayout(Exception):
    """The file is a database, but not of this version."""


class _Disk:
    """One SQLite file, used by a thread of its own; every value is on the disk's way when ``set`` returns."""

    faults: tuple[type[Exception], ...] = (sqlite3.Error, OSError)

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._worker = SerialExecutor("cache")
        self._db: sqlite3.Connection | None = None

    async def get(self, key: str) -> object:
        return await self._worker.run(self._do, _read_row, key, time.time())

    async def set(self, key: str, value: bytes, expire_s: float) -> None:
        await self._worker.run(self._do, _write_row, key, value, time.time(), expire_s)

    async def aclose(self) -> None:
        await self._worker.run(self._disconnect)
        self._worker.close()

    def _do(self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do ``work`` with the file; one that is damaged or of another layout gives way to a new one."""
        try:
            return work(self._connect(), *args, **kwargs)
        except (sqlite3.Error, _WrongLayout) as error:
            # Whatever the fault is, the next attempt opens the file anew.
            self._disconnect()
            if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGE:
                raise
            log.warning("event=cache_begun_anew file=%s error=%s", self._path, error)
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        return work(self._connect(), *args, **kwargs)

    def _connect(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            db = opened.enter_context(contextlib.closing(sqlite3.connect(self._path, timeout=PATIENCE_S)))
            ((layout,),) = db.execute("PRAGMA user_version")
            ((tables,),) = db.execute("SELECT count(*) FROM sqlite_master")
            if tables and layout != LAYOUT:
                raise _WrongLayout(f"layout {layout}")
            db.executescript(_SCHEMA)
            opened.pop_all()
        self._db = db
        return db

    def _disconnect(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            db.close()


def _read_row(db: sqlite3.Connection, key: str, now: float) -> object:
    row = db.execute("SELECT value FROM answers WHERE key = ? AND expires_at > ?", (key, now)).fetchone()
    return None if row is None else row[0]


def _write_row(db: sqlite3.Connection, key: str, value: bytes, now: float, expire_s: float) -> None:
    oldest = (
        "DELETE FROM answers WHERE key IN (SELECT key FROM answers WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"
    )
    with db:
        db.execute(oldest, (now, SWEPT_ROWS))
        ((used,),) = db.execute(
            "SELECT (page_count - freelist_count) * page_size"
            " FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        )
        if used > FILE_MAX_BYTES:
            db.execute(oldest, (float("inf"), SWEPT_ROWS))
        db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, value, now + expire_s))


def redis_parts(url: str) -> tuple[str, str]:
    """Part an address into the client's own and what every key begins with: "mine:" of redis://HOST:PORT/DB?prefix=mine.

    Keys of the bot begin with its name anyhow; two bots on one server take a prefix each, lest they count each other's
    questions.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    prefix = "".join(f"{given}:" for given in query.pop("prefix", []))
    return parts._replace(query=urlencode(query, doseq=True)).geturl(), prefix


class _Redis:
    """A server that several processes share; connections are made when needed."""

    def __init__(self, url: str) -> None:
        # Only who shares a Redis pays for its client.
        from redis.asyncio import Redis
        from redis.exceptions import RedisError

        self.faults: tuple[type[Exception], ...] = (RedisError, OSError, ValueError, TypeError)
        self._url, self._prefix = redis_parts(url)
        self._make = Redis.from_url
        self._made: Redis | None = None

    @property
    def client(self) -> Redis:
        """The client, made at the first use."""
        if self._made is None:
            self._made = self._make(self._url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S)
        return self._made

    async def get(self, key: str) -> object:
        return await self.client.get(self._prefix + key)

    async def set(self, key: str, value: bytes, expire_s: float) -> None:
        await self.client.set(self._prefix + key, value, px=_ms(expire_s))

    async def count(self, key: str, expire_s: float, by: int) -> int:
        async with self.client.pipeline(transaction=True) as pipe:
            pipe.set(self._prefix + key, 0, px=_ms(expire_s), nx=True)
            pipe.incrby(self._prefix + key, by)
            _, counted = await pipe.execute()
        return int(counted)

    async def lock(self, key: str, token: str, expire_s: float) -> bool:
        return bool(await self.client.set(self._prefix + key, token, px=_ms(expire_s), nx=True))

    async def unlock(self, key: str, token: str) -> None:
        await self.client.eval(_UNLOCK, 1, self._prefix + key, token)

    async def aclose(self) -> None:
        made, self._made = self._made, None
        if made is not None:
            await made.aclose()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


class Store:
    """One place for values that never raises: while it fails it is left out, and tried again after ``retry_s``.

    Raises:
        SettingsError: :func:`core.settings.cache_url_fault` finds a fault in ``url``.
    """

    def __init__(self, url: str, *, retry_s: float = 5.0) -> None:
        if (fault := cache_url_fault(url)) is not None:
            raise SettingsError(f"CACHE_URL {fault}", user_message=f"CACHE_URL {fault}.")
        self._scheme = url.partition(":")[0]
        self._redis = _Redis(url) if self.is_shared else None
        self._backend: _Backend
        if self._redis is not None:
            self._backend = self._redis
        elif self._scheme == "disk":
            self._backend = _Disk(Path(parse_qs(urlsplit(url).query)["directory"][0]))
        else:
            self._backend = _Memory()
        self._retry_s = retry_s
        self._failing = False
        self._left_out_until = 0.0

    async def get(self, key: str) -> bytes | None:
        """Fetch a value; None if there is none or the store fails."""
        value = await self._attempt(self._backend.get, key)
        return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, expire_s: float) -> None:
        """Keep a value, if the store can, for ``expire_s``."""
        await self._attempt(self._backend.set, key, value, expire_s)

    @property
    def is_shared(self) -> bool:
        """Whether several processes use the store at one time."""
        return self._scheme in SHARED_SCHEMES

    async def count(self, key: str, expire_s: float, by: int = 1) -> int | None:
        """Count up, from nothing or since ``expire_s`` ago; None where nothing is shared or the store fails."""
        return None if self._redis is None else await self._attempt(self._redis.count, key, expire_s, by)

    async def with_redis(self, work: Callable[[Redis], Awaitable[T]]) -> T | None:
        """Do ``work`` with the client of the shared server; None where nothing is shared or the server fails."""
        shared = self._redis
        return None if shared is None else await self._attempt(lambda: work(shared.client))

    @contextlib.asynccontextmanager
    async def alone(self, key: str, *, at_most_s: float, patience_s: float = math.inf) -> AsyncIterator[bool]:
        """Keep other processes from doing the same for the length of the block; tell whether there was a wait.

        A failing store, or one that holds us up for longer than ``at_most_s`` or ``patience_s``, keeps nobody from
        going on; ``at_most_s`` is also for how long we hold others up.
        """
        if self._redis is None:
            yield False
            return
        lock, token = f"{key}:lock", uuid.uuid4().hex
        give_up_at = time.monotonic() + min(at_most_s, patience_s)
        waited = False
        while await self._attempt(self._redis.lock, lock, token, at_most_s) is False:
            waited = True
            if time.monotonic() >= give_up_at:
                break
            await asyncio.sleep(LOCK_POLL_S)
        try:
            yield waited
        finally:
            await self._attempt(self._redis.unlock, lock, token)

    async def aclose(self) -> None:
        """Free connections and files."""
        with contextlib.suppress(*self._backend.faults):
            await self._backend.aclose()

    async def _attempt(self, operation: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T | None:
        if not self._backend.faults:  # memory neither fails nor waits
            return await operation(*args, **kwargs)
        if time.monotonic() < self._left_out_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                result = await operation(*args, **kwargs)
        except self._backend.faults as error:
            self._left_out_until = time.monotonic() + self._retry_s
            if not self._failing:
                log.warning(
                    "event=cache_failing setting=CACHE_URL store=%s error=%s", self._scheme, type(error).__name__
                )
            self._failing = True
            return None
        if self._failing:
            log.info("event=cache_recovered store=%s", self._scheme)
            self._failing = False
        return result


class WindowCounter:
    """Counts in Redis how often something was done in the current window of time, for all processes together.

    The windows are aligned to the clock, so that every process knows when one ends; the processes' clocks should agree
    to a second or so. While Redis fails, nothing is counted and nobody is refused.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        """Count in ``store``.

        Args:
            store: What the processes share.
            clock: Tells seconds since 1970, the same for all processes.
        """
        self._store = store
        self._clock = clock

    @classmethod
    def if_shared(cls, url: str) -> WindowCounter | None:
        """Make a counter with a store of its own, unless ``url`` is of a cache that is one process's own."""
        return cls(Store(url)) if url.partition(":")[0] in SHARED_SCHEMES else None

    async def excess_s(self, what: str, limit: int, window_s: float) -> float | None:
        """Count one of ``what``; seconds until the window ends if it was more than ``limit``, else None.

        ``what`` is stored hashed, and no longer than two windows.
        """
        key, passed_s = self._window(what, window_s)
        counted = await self._store.count(key, 2 * window_s)
        return None if counted is None or counted <= limit else window_s - passed_s

    async def take_back(self, what: str, window_s: float) -> None:
        """Take one of ``what`` back that was counted in this window but not done in the end."""
        key, _ = self._window(what, window_s)
        await self._store.count(key, 2 * window_s, by=-1)

    def _window(self, what: str, window_s: float) -> tuple[str, float]:
        """Name the current window's count, and say how many of its seconds have passed."""
        window, passed_s = divmod(self._clock(), window_s)
        hashed = hashlib.blake2b(what.encode(), digest_size=12).hexdigest()
        return f"hitmeter:1:count:{hashed}:{window:.0f}", passed_s

    async def aclose(self) -> None:
        """Close the connection of the store; the next count opens another."""
        await self._store.aclose()


class SharedRate:
    """A request rate that several processes keep together; while the store fails each process keeps its own.

    Args:
        counter: Counts for all processes.
        name: What the rate is of.
        per_slot: Most requests in one slot.
        slot_s: Length of a slot in seconds.
    """

    def __init__(self, counter: WindowCounter, name: str, *, per_slot: int = PER_SLOT, slot_s: float = SLOT_S) -> None:
        self._counter = counter
        self._name = name
        self._per_slot = per_slot
        self._slot_s = slot_s

    async def acquire(self) -> None:
        """Wait until there is room in a slot, and take it."""
        while (wait_s := await self._counter.excess_s(f"rate:{self._name}", self._per_slot, self._slot_s)) is not None:
            spread_s = random.uniform(0.0, self._slot_s / 20)  # noqa: S311 - not all at the first instant of the slot
            await asyncio.sleep(wait_s + spread_s)
