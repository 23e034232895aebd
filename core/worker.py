"""A thread for work that takes a core or a disk, before which a crowd waits in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

HANDED_OVER: Final = 2
"""Pieces of work handed to the thread at a time: one that is done and one to follow without a pause.

Handing over takes the event loop a tenth of a millisecond, which two hundred questions at once would take in one turn.
"""


class Worker:
    """Does one piece of work after the other, in the order in which they were asked for."""

    def __init__(self, name: str) -> None:
        """Start the thread, called ``name``, with the first piece of work."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._turns = asyncio.Semaphore(HANDED_OVER)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``work`` returns; whoever gives up before its turn takes none.

        Raises:
            Exception: Whatever ``work`` raises.
        """
        async with self._turns:
            return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **kwargs))

    def close(self) -> None:
        """Wait for what is being done and end the thread."""
        self._thread.shutdown(wait=True)
