"""Counts that several processes share, for limits that hold over all of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final

from core.lookup.store import Store

SHARED_SCHEMES: Final = frozenset({"redis", "rediss"})


class SharedCounts:
    """Counts in Redis how often somebody asked in the current stretch of time, for all processes together.

    The stretches are aligned to the clock, so that every process knows when one ends. While Redis fails, nothing is
    counted and nobody is refused: each process then keeps its own limits.
    """

    def __init__(self, url: str, *, wall_clock: Callable[[], float] = time.time) -> None:
        """Connect lazily to ``url``, redis:// or rediss://.

        Args:
            url: The cache's address.
            wall_clock: Tells seconds since 1970, the same for all processes.
        """
        self._url = url
        self._wall_clock = wall_clock
        self._store: Store | None = None

    @classmethod
    def if_shared(cls, url: str) -> SharedCounts | None:
        """Make the counts, unless ``url`` is of a cache that is one process's own."""
        return cls(url) if url.partition(":")[0] in SHARED_SCHEMES else None

    async def excess_s(self, who: str, count: int, window_s: float) -> float | None:
        """Count one; seconds until the stretch ends if it was more than ``count``, else None.

        ``who`` is stored hashed, and only until the stretch is over.
        """
        if self._store is None:
            self._store = Store(self._url)
        stretch, passed_s = divmod(self._wall_clock(), window_s)
        hashed = hashlib.blake2b(who.encode(), digest_size=12).hexdigest()
        counted = await self._store.count(f"limit:{hashed}:{stretch:.0f}", window_s)
        return None if counted is None or counted <= count else window_s - passed_s

    async def aclose(self) -> None:
        """Close the connection; the next count opens another."""
        store, self._store = self._store, None
        if store is not None:
            await store.aclose()
