"""Keeps every chat platform serving, and the event loop's turns short while threads work beside it."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

log = logging.getLogger(__name__)


SWITCH_S: Final = 0.001
"""After so long a thread gives way to one that waits.

Python's own 5 ms let the event loop stand for 5 ms behind every busy thread; a switch costs some microseconds.
"""


def tune_runtime() -> None:
    """Let threads take turns quickly, and let collections of garbage begin, which pass over what is loaded by now.

    A full collection walks every object; those of the imported libraries alone take tenths of a second.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()
    gc.enable()


FIRST_PAUSE_S: Final = 5.0
"""Pause after a first failure; it doubles with each further one."""

MAX_PAUSE_S: Final = 300.0
"""No pause is longer."""

STEADY_S: Final = 600.0
"""A platform that served this long is taken to be well: its next failure counts as a first one."""


OnServing = Callable[[bool], None]
"""Told whether a platform is served."""


def ignore_serving(serving: bool) -> None:
    """Let nobody know; for adapters that run by themselves."""


class Platform(Protocol):
    """A chat platform's adapter."""

    name: str

    async def run(self, stop: asyncio.Event, on_serving: OnServing) -> None:
        """Connect and serve until ``stop`` is set, then finish what is in flight and close everything.

        ``on_serving`` is told when questions can come in, and when the platform can no longer be reached.

        Raises:
            Exception: The platform cannot be served just now; the text is one clear line without secrets.
        """
        ...

    async def tell_administrators(self, sentence: str) -> None:
        """Send a sentence to those whom the settings name, as far as they can be reached just now; never raises."""
        ...


async def supervise(
    platforms: Sequence[Platform],
    stop: asyncio.Event,
    *,
    pause: Callable[[float], Awaitable[object]] | None = None,
    on_state: Callable[[str, bool], None] = lambda platform, up: None,
) -> None:
    """Run all platforms side by side until ``stop`` is set.

    Args:
        platforms: The adapters to run.
        stop: Set to end them all.
        pause: Waits for some seconds or until ``stop``; tests pass one that does not wait.
        on_state: Told of each platform when it is served and when it is not, for health checks.
    """

    async def wait(seconds: float) -> None:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return

    await asyncio.gather(*(_keep_running(platform, stop, pause or wait, on_state) for platform in platforms))


async def _keep_running(
    platform: Platform,
    stop: asyncio.Event,
    pause: Callable[[float], Awaitable[object]],
    on_state: Callable[[str, bool], None],
) -> None:
    now = asyncio.get_running_loop().time
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        started = now()
        on_state(platform.name, False)  # until it says otherwise
        try:
            await platform.run(stop, partial(on_state, platform.name))
        except Exception as error:
            on_state(platform.name, False)
            if now() - started >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            log.error("event=platform_failed platform=%s retry_in_s=%.0f error=%s", platform.name, pause_s, error)
            log.debug("event=platform_traceback platform=%s", platform.name, exc_info=True)
            await pause(pause_s)
            pause_s = min(pause_s * 2, MAX_PAUSE_S)
        else:
            on_state(platform.name, False)
            if not stop.is_set():
                log.warning("event=platform_ended platform=%s", platform.name)
                await pause(pause_s)
