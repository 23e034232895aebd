"""Who draws: one thread, and helpers in processes of their own while a crowd waits."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Final, TypeVar

from joblib import cpu_count

T = TypeVar("T")

log = logging.getLogger(__name__)

LINE: Final = 3
"""So many waiting for a drawing are a crowd: the last waits for about a tenth of a second."""

HELPERS_MOST: Final = 3
"""Most helpers unless a number is given."""

QUIET_S: Final = 60.0
"""A helper leaves when there was no crowd for so long, and none is called for so long after one failed."""


class Crew:
    """Draws in a thread, and in up to ``helpers`` processes besides, which are started only for a crowd.

    Args:
        warm_up: What to load before the first drawing; a function of a module, as all that is drawn.
        helpers: Most processes; None for one less than there are cores, and ``HELPERS_MOST`` at most.
        own: The thread; tests pass another executor.
        clock: Tells seconds, for when a crowd was last seen.
    """

    def __init__(
        self,
        warm_up: Callable[[], None],
        *,
        helpers: int | None = 0,
        own: Executor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own or ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._warm_up = warm_up
        self._most = min(HELPERS_MOST, cpu_count() - 1) if helpers is None else helpers
        self._clock = clock
        self._free: asyncio.Queue[Executor] = asyncio.Queue()
        self._free.put_nowait(self._own)
        self._helpers: set[Executor] = set()
        self._waiting = 0
        self._crowded_at_s = -QUIET_S
        self._failed_at_s = -QUIET_S
        self._hiring: asyncio.Task[None] | None = None
        self._own.submit(warm_up)

    async def draw(self, drawing: Callable[[], T]) -> T:
        """Return what ``drawing`` returns, by whoever is free first; it must pickle, and so must its result.

        Raises:
            Exception: Whatever ``drawing`` raises.
        """
        while True:
            artist = await self._next_free()
            try:
                return await asyncio.get_running_loop().run_in_executor(artist, drawing)
            except BrokenExecutor as error:
                if artist is self._own:
                    raise
                log.warning("event=helper_lost error=%s", error)
                self._failed_at_s = self._clock()
                await self._dismiss(artist)
            finally:
                await self._release(artist)

    async def aclose(self) -> None:
        """Wait for what is being drawn and end thread and processes."""
        self._most = 0
        if self._hiring is not None:
            await self._hiring
        for artist in (self._own, *self._helpers):
            await asyncio.to_thread(artist.shutdown, wait=True, cancel_futures=True)

    async def _next_free(self) -> Executor:
        self._waiting += 1
        if self._waiting >= LINE:
            self._crowded_at_s = self._clock()
            self._call_for_help()
        try:
            return await self._free.get()
        finally:
            self._waiting -= 1

    async def _release(self, artist: Executor) -> None:
        if artist is self._own:
            self._free.put_nowait(artist)
        elif artist in self._helpers:
            if self._clock() - self._crowded_at_s < QUIET_S:
                self._free.put_nowait(artist)
            else:
                await self._dismiss(artist)

    async def _dismiss(self, helper: Executor) -> None:
        self._helpers.discard(helper)
        await asyncio.to_thread(helper.shutdown, wait=True, cancel_futures=True)

    def _call_for_help(self) -> None:
        busy = self._hiring is not None and not self._hiring.done()
        if not busy and len(self._helpers) < self._most and self._clock() - self._failed_at_s >= QUIET_S:
            self._hiring = asyncio.get_running_loop().create_task(self._hire(), name="hire")

    async def _hire(self) -> None:
        """Start a helper, which takes a second, and let it draw once it has loaded what that takes."""
        helper = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin)
        try:
            await asyncio.to_thread(lambda: helper.submit(self._warm_up).result())
        except (BrokenExecutor, OSError) as error:
            log.warning("event=helper_not_started error=%s", error)
            self._failed_at_s = self._clock()
            await asyncio.to_thread(helper.shutdown, wait=True, cancel_futures=True)
        else:
            self._helpers.add(helper)
            self._free.put_nowait(helper)


def _begin() -> None:
    """Leave the keyboard's interrupt to the process that called for help, and end when that one does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_caller, daemon=True).start()


def _end_with_the_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)
