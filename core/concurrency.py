"""Work that many ask for: done once for all, one piece after the other, and within one limit of time.

:class:`SingleFlight` does once what several want at the same moment, :class:`SerialExecutor` takes work off the event
loop, and :func:`deadline` limits everything that is asked on behalf of one question.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, ParamSpec, TypeVar

T = TypeVar("T")
V = TypeVar("V")
P = ParamSpec("P")

MAX_HANDED_OVER: Final = 2
"""Pieces of work handed to the thread at a time: one that is done and one to follow without a pause.

Handing over takes the event loop a tenth of a millisecond, which two hundred questions at once would take in one turn.
"""


class SingleFlight(Generic[V]):
    """Work that gives the same result to everybody, by key: done once for all who want it; all from one event loop.

    Who gives up waiting leaves the others theirs. A failure is told to all who wait for it and is not kept.
    """

    def __init__(
        self,
        kept: int = 0,
        *,
        lasting_s: Callable[[V], float] = lambda result: math.inf,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the ``kept`` results used last.

        Args:
            kept: How many; by default none is kept once it is there.
            lasting_s: For how many seconds a result is kept.
            clock: Tells seconds, never going back.
        """
        self._kept = kept
        self._lasting_s = lasting_s
        self._clock = clock
        self._results: OrderedDict[Hashable, tuple[V, float]] = OrderedDict()
        self._in_flight: dict[Hashable, asyncio.Task[V]] = {}

    async def get(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Return the result for ``key``: kept, in the making, or made by ``work`` now.

        Raises:
            Exception: Whatever ``work`` raises.
        """
        if key in self._results:
            result, ends_at = self._results[key]
            if self._clock() < ends_at:
                self._results.move_to_end(key)
                return result
            del self._results[key]
        task = self._in_flight.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(work())
            self._in_flight[key] = task
            task.add_done_callback(lambda done: self._land(key, done))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Cancel what is in flight."""
        in_flight = list(self._in_flight.values())
        for task in in_flight:
            task.cancel()
        await asyncio.gather(*in_flight, return_exceptions=True)

    def _land(self, key: Hashable, task: asyncio.Task[V]) -> None:
        del self._in_flight[key]
        # Asking for the exception marks it as seen: nobody may be waiting any more.
        if task.cancelled() or task.exception() is not None or not self._kept:
            return
        self._results[key] = task.result(), self._clock() + self._lasting_s(task.result())
        if len(self._results) > self._kept:
            self._results.popitem(last=False)


class SerialExecutor:
    """A thread that does one piece of work after the other, in the order asked for; a crowd waits in the event loop."""

    def __init__(self, name: str) -> None:
        """Start the thread, called ``name``, with the first piece of work."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._turns = asyncio.Semaphore(MAX_HANDED_OVER)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns; who gives up before its turn takes none.

        Raises:
            Exception: Whatever ``work`` raises.
        """
        async with self._turns:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **kwargs))

    def close(self) -> None:
        """Wait for what is being done and end the thread."""
        self._thread.shutdown(wait=True)


_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give what happens in the block ``seconds`` from now; a block inside another cannot lengthen it.

    A question may take several calls in turn: a song by name, a search, the song that the search found. Each has a
    limit of its own, but people read their answer or a sentence within one limit for all. What is started inside the
    block asks :func:`deadline_at` and so never goes beyond it, in tasks of its own neither.
    """
    token = _deadline.set(deadline_at(seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def deadline_at(seconds: float) -> float:
    """Return when to give up what may take ``seconds``, by the clock of the running event loop."""
    own = asyncio.get_running_loop().time() + seconds
    shared = _deadline.get()
    return own if shared is None else min(own, shared)


CGROUP: Final = Path("/sys/fs/cgroup")
"""Where Linux tells a container's limits."""


def cpu_count(cgroup: Path = CGROUP) -> int:
    """Return the cores that the process may run on, and no more than its container's quota pays for; 1 at least.

    Args:
        cgroup: Folder of the limits, of either version of Linux's control groups.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _quota(cgroup)
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def _quota(cgroup: Path) -> float | None:
    """Return the cores' worth of time that the container gets; None where there is no limit."""
    try:
        if (unified := cgroup / "cpu.max").exists():
            used_us, period_us = unified.read_text(encoding="ascii").split()
        else:
            used_us, period_us = (
                (cgroup / "cpu" / name).read_text(encoding="ascii").strip()
                for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            )
        quota = int(used_us) / int(period_us)
    except (OSError, ValueError, ZeroDivisionError):  # "max", or not told
        return None
    return quota if quota > 0 else None  # version 1 writes -1 for no limit
