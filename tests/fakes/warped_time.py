"""An event loop whose clock leaps to the next timer whenever nothing else is left to do.

Code runs with its real limits and pauses, over real loopback sockets, in a fraction of their time::

    run_warped(main())

Time passes by leaping: whatever is computed, here or in threads, takes next to none of it, so that a limit of seconds
holds or not by what is waited for and never by how busy the machine is. What is on its way over loopback is there by
the time its sender returns. It is of no use with servers in other processes, which the loop cannot know to be at work.
A test, or a module's ``pytestmark``, marked ``warped_time`` runs on it with its fixtures.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

GRACE_S = 0.002
"""Real seconds for which sockets may still speak up before the clock leaps."""

TURN_S = 0.000_01
"""What a turn of the loop takes by its clock: were it nothing, who waits for a rounding error would wait for ever."""

ORIGIN_S = 1000.0
"""What the loop's clock tells at first."""

START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


class _Selector(selectors.DefaultSelector):
    """Waits for sockets in real time, and for timers by moving the loop's clock."""

    loop: WarpedLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.loop.now_s += TURN_S
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.busy_threads or timeout is None:
            return super().select(timeout=None if timeout is None else GRACE_S)
        ready = super().select(min(timeout, GRACE_S))
        if not ready and not self.loop.busy_threads:
            self.loop.now_s += timeout
        return ready


class WarpedLoop(asyncio.SelectorEventLoop):
    """See the module; ``now_s`` is what its clock tells."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now_s = ORIGIN_S
        self.busy_threads = 0
        super().__init__(selector)

    def time(self) -> float:
        """Tell the seconds that were leapt over."""
        return self.now_s

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Run in a thread, and let the clock leap over nothing until it is done."""
        self.busy_threads += 1
        try:
            future = super().run_in_executor(executor, func, *args)
        except BaseException:
            self.busy_threads -= 1
            raise
        future.add_done_callback(self._done)
        return future

    async def shutdown_default_executor(self, *timeout: Any) -> None:
        """End the threads, and let the clock leap over nothing until they have: since Python 3.12 that is timed."""
        self.busy_threads += 1
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self.busy_threads -= 1

    def _done(self, _: object) -> None:
        self.busy_threads -= 1


def run_warped(main: Coroutine[Any, Any, T]) -> T:
    """Run ``main`` in a loop of its own with a leaping clock."""
    with asyncio.Runner(loop_factory=WarpedLoop) as runner:
        return runner.run(main)


class WallClock:
    """The time of day by the loop's clock; ``jump`` moves it, back too."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._started_s = asyncio.get_running_loop().time()

    def __call__(self) -> datetime:
        """Tell the time."""
        return START + self._offset + timedelta(seconds=asyncio.get_running_loop().time() - self._started_s)

    def jump(self, by: timedelta) -> None:
        """Set the clock forward or back."""
        self._offset += by
