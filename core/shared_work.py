"""Costly work that gives the same result to everybody: done once for all who want it, and the last results kept."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class SharedWork(Generic[V]):
    """Results by key; all from one event loop.

    Whoever gives up waiting leaves the others theirs. A failure is told to all who wait for it and is not kept.
    """

    def __init__(self, kept: int) -> None:
        """Keep the ``kept`` results used last."""
        self._kept = kept
        self._results: OrderedDict[Hashable, V] = OrderedDict()
        self._in_flight: dict[Hashable, asyncio.Task[V]] = {}

    async def get(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return the result for ``key``: kept, in the making, or made by ``work`` now.

        Raises:
            Exception: Whatever ``work`` raises.
        """
        if key in self._results:
            self._results.move_to_end(key)
            return self._results[key]
        task = self._in_flight.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(work())
            self._in_flight[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    def _land(self, key: Hashable, task: asyncio.Task[V]) -> None:
        del self._in_flight[key]
        # Asking for the exception marks it as seen: nobody may be waiting any more.
        if task.cancelled() or task.exception() is not None:
            return
        self._results[key] = task.result()
        if len(self._results) > self._kept:
            self._results.popitem(last=False)
