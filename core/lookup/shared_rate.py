"""A request rate that several processes keep together, counted in the store they share."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Final

from core.lookup.store import Store

SLOT_S: Final = 10.0
PER_SLOT: Final = 48
"""Requests of all processes in one slot. Any five minutes touch 31 slots, so they hold at most 1,488 requests, and
Last.fm's terms allow 1,500."""


class SharedRate:
    """Counts requests in slots of time; where the store is not shared or fails, each process keeps its own rate.

    Args:
        store: The store that the processes share.
        name: What the rate is of.
        per_slot: Most requests in one slot.
        slot_s: Length of a slot in seconds.
        clock: Seconds since 1970; the processes' clocks should agree to a second or so.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        per_slot: int = PER_SLOT,
        slot_s: float = SLOT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._name = name
        self._per_slot = per_slot
        self._slot_s = slot_s
        self._clock = clock

    async def acquire(self) -> None:
        """Wait until there is room in a slot, and take it."""
        while True:
            slot = int(self._clock() // self._slot_s)
            taken = await self._store.count(f"hitmeter:1:rate:{self._name}:{slot}", 2 * self._slot_s)
            if taken is None or taken <= self._per_slot:
                return
            spread_s = random.uniform(0.0, self._slot_s / 20)  # noqa: S311 - not all at the first instant of the slot
            await asyncio.sleep((slot + 1) * self._slot_s - self._clock() + spread_s)
