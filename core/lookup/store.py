"""One backend of the cache, in memory, on disk or in Redis: bounded, never unpickling, never raising."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
import uuid
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import diskcache
from cashews import Cache
from cashews.exceptions import CacheError
from redis.exceptions import RedisError

from core.errors import SettingsError
from core.lookup import plain_disk
from core.settings import cache_url_fault

log = logging.getLogger(__name__)

STORED_MAX_BYTES: Final = 100_000_000
"""Last.fm's terms (4.3.4) let at most 100 MB of its data be kept."""

VALUE_MAX_BYTES: Final = 8_192
"""Longest value kept; a search of 30 songs has about 3,000 bytes."""

MEMORY_ENTRIES: Final = STORED_MAX_BYTES // VALUE_MAX_BYTES

PATIENCE_S: Final = 1.0
"""Longest wait for a store; an answer is worth more than its being kept."""

LOCK_POLL_S: Final = 0.05

_FAULTS: Final = (
    CacheError,
    RedisError,
    sqlite3.Error,
    diskcache.Timeout,
    OSError,
    TimeoutError,
    ValueError,
    TypeError,
)
"""What the backends raise on a lost server, a full or read-only disk, a damaged file or an unusable URL."""


class Store:
    """One cache backend that never raises: while it fails it is left out, and tried again after ``retry_s``.

    Raises:
        SettingsError: :func:`core.settings.cache_url_fault` finds a fault in ``url``.
    """

    def __init__(self, url: str, *, retry_s: float = 5.0) -> None:
        if (fault := cache_url_fault(url)) is not None:
            raise SettingsError(f"CACHE_URL {fault}", user_message=f"CACHE_URL {fault}.")
        self._scheme = url.partition(":")[0]
        self._executor: ThreadPoolExecutor | None = None
        options: dict[str, Any] = {"pickle_type": "null", "check_repr": False}
        if self._scheme == "mem":
            # Sweeping expired entries every second would walk the whole cache inside the event loop.
            options |= {"size": MEMORY_ENTRIES, "check_interval": 0}
        elif self._scheme == "disk":
            url = url.replace("disk:", f"{plain_disk.SCHEME}:", 1)
            self._executor = ThreadPoolExecutor(1, "cache")
            options |= {"executor": self._executor, "timeout": PATIENCE_S}
            options |= {"size_limit": STORED_MAX_BYTES, "disk_min_file_size": 2 * VALUE_MAX_BYTES}
        else:
            options |= {"suppress": False, "socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S}
        self._url = url
        self._retry_s = retry_s
        self._setting_up = asyncio.Lock()
        self._options = options
        self._cache: Cache | None = None
        self._failing = False
        self._left_out_until = 0.0

    async def get(self, key: str) -> bytes | None:
        """Fetch a value; None if there is none or the store fails."""
        value = await self._attempt(lambda cache: cache.get(key))
        return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, expire_s: float) -> None:
        """Keep a value, if the store can, for ``expire_s``."""
        await self._attempt(lambda cache: cache.set(key, value, expire=expire_s))

    @property
    def is_shared(self) -> bool:
        """Whether several processes use the store at one time."""
        return self._scheme in {"redis", "rediss"}

    async def count(self, key: str, expire_s: float) -> int | None:
        """Count one up, from nothing or since ``expire_s`` ago; None where nothing is shared or the store fails."""
        if not self.is_shared:
            return None
        counted = await self._attempt(lambda cache: cache.incr(key, 1, expire=expire_s))
        return counted if isinstance(counted, int) else None

    @contextlib.asynccontextmanager
    async def alone(self, key: str, *, at_most_s: float) -> AsyncIterator[bool]:
        """Keep other processes from doing the same for the length of the block; tell whether there was a wait.

        A failing store, or one that holds us up for longer than ``at_most_s``, keeps nobody from going on.
        """
        if not self.is_shared:
            yield False
            return
        lock, token = f"{key}:lock", uuid.uuid4().hex
        give_up_at = time.monotonic() + at_most_s
        waited = False
        while await self._attempt(lambda cache: cache.set_lock(lock, token, expire=at_most_s)) is False:
            waited = True
            if time.monotonic() >= give_up_at:
                break
            await asyncio.sleep(LOCK_POLL_S)
        try:
            yield waited
        finally:
            await self._attempt(lambda cache: cache.unlock(lock, token))

    async def aclose(self) -> None:
        """Free connections and files."""
        if self._cache is not None:
            with contextlib.suppress(*_FAULTS), warnings.catch_warnings():
                # cashews closes Redis by a name that redis has deprecated.
                warnings.simplefilter("ignore", DeprecationWarning)
                await self._cache.close()
        if self._executor is not None:
            self._executor.shutdown(wait=False)

    async def _attempt(self, operation: Callable[[Cache], Awaitable[object]]) -> object:
        if time.monotonic() < self._left_out_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE_S):
                result = await operation(self._cache or await self._open())
        except _FAULTS as error:
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

    async def _open(self) -> Cache:
        async with self._setting_up:
            if self._cache is None:
                cache = Cache()
                set_up = partial(cache.setup, self._url, **self._options)
                await asyncio.get_running_loop().run_in_executor(self._executor, set_up)
                self._cache = cache
            return self._cache
