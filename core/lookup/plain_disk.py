"""The disk behind the cache: SQLite from one thread, plain bytes in it, never a pickle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import diskcache
from cashews import register_backend
from cashews.backends.diskcache import DiskCache

SCHEME: Final = "plaindisk"
"""Scheme under which the cache library knows this backend."""


class PlainDisk(diskcache.Disk):  # type: ignore[misc]
    """Keeps values inside the database and refuses to unpickle what somebody may have put there."""

    def fetch(self, mode: int, filename: str | None, value: object, read: bool) -> object:
        """Return stored bytes or text; None for anything that is a pickle or in a file of its own."""
        if mode != diskcache.core.MODE_RAW:
            return None
        return super().fetch(mode, filename, value, read)

    def get(self, key: object, raw: bool) -> object:
        """Return a stored key; "" for one that is a pickle."""
        return super().get(key, raw) if raw else ""


class PlainDiskCache(DiskCache):
    """The cache library's disk backend over :class:`PlainDisk`, in a thread of its own.

    SQLite connections belong to their thread, so one thread means one connection, which can be closed.
    """

    def __init__(self, *args: Any, executor: ThreadPoolExecutor, **kwargs: Any) -> None:
        self._executor = executor
        super().__init__(*args, disk=PlainDisk, shards=1, **kwargs)

    async def _run_in_executor(self, call: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call, *args)

    async def close(self) -> None:
        """Close the connection, from its thread."""
        await self._run_in_executor(self._cache.close)
        await super().close()  # type: ignore[no-untyped-call]


register_backend(SCHEME, PlainDiskCache)
