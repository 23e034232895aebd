"""Draws the pictures of predictions off the event loop: one thread, and processes besides while a crowd waits.

What draws is imported where it runs: matplotlib takes more than half a second to load, and nobody needs a picture
before the platforms are connected.
"""

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
from datetime import UTC, datetime
from functools import partial
from typing import Final, Self, TypeVar

from core.concurrency import SingleFlight, cpu_count
from core.domain import ArtistRanking, Cover, ModelReport, Prediction, SongName, Trend
from core.errors import RenderError
from core.language import language, speaking
from core.text import ago

log = logging.getLogger(__name__)


CARDS_KEPT: Final = 32
"""Cards kept for those who ask for the same song soon after, 0.3 MB each, with their covers 0.5 MB more."""


class CardRenderer:
    """Draws cards, comparisons and animations, off the event loop.

    Args:
        pool: Who draws; one thread by default.
        now: The time against which the age of figures is told; must know its time zone.
    """

    def __init__(self, pool: RenderPool | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._pool = pool or RenderPool(load_drawing)
        self._now = now
        self._cards: SingleFlight[bytes] = SingleFlight(CARDS_KEPT)

    async def card(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Draw the card as PNG, 1200 x 630; without a cover one is drawn.

        People who ask for the same song share one drawing, for as long as its small print says the same.

        Raises:
            RenderError: The card could not be drawn.
        """
        now = self._now()
        drawing = partial(_card, language(), prediction, cover, now)
        try:
            key = (prediction, cover, ago(prediction.source.as_of, now), language())
        except Exception as error:
            raise RenderError(f"{drawing}: {type(error).__name__}: {error}"[:500]) from error
        return await self._cards.get(key, lambda: self._draw(drawing))

    async def compare(
        self, first: Prediction, first_cover: Cover | None, second: Prediction, second_cover: Cover | None
    ) -> bytes:
        """Draw two predictions side by side as PNG, 1200 x 630, the likelier hit marked.

        Raises:
            RenderError: The card could not be drawn.
        """
        return await self._draw(partial(_comparison, language(), first, first_cover, second, second_cover, self._now()))

    async def cover(self, name: SongName, cover: Cover | None) -> bytes:
        """Give the cover alone as JPEG, 420 pixels square; without one it is drawn from the song's name.

        Raises:
            RenderError: It could not be drawn.
        """
        return await self._draw(partial(_cover, name, cover))

    async def ranking(self, ranking: ArtistRanking, cover: Cover | None) -> bytes:
        """Draw an artist's likeliest songs as PNG, 1200 x 630.

        Raises:
            RenderError: The picture could not be drawn.
        """
        return await self._draw(partial(_ranking, language(), ranking, cover, self._now()))

    async def trend(self, trend: Trend, cover: Cover | None) -> bytes:
        """Draw how a song's listeners developed as PNG, 1200 x 630.

        Raises:
            RenderError: The picture could not be drawn.
        """
        return await self._draw(partial(_trend, language(), trend, cover, self._now()))

    async def animation(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Draw the card as a GIF whose needle sweeps to its place once.

        Raises:
            RenderError: The card could not be drawn.
        """
        return await self._draw(partial(_animation, language(), prediction, cover, self._now()))

    async def calibration(self, report: ModelReport) -> bytes:
        """Draw how stated probabilities were kept as PNG, 1200 x 630; the report has at least one point.

        Raises:
            RenderError: The picture could not be drawn.
        """
        return await self._draw(partial(_calibration, language(), report))

    async def aclose(self) -> None:
        """Wait for what is being drawn and send the pool home."""
        await self._pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _draw(self, drawing: Callable[[], bytes]) -> bytes:
        try:
            return await self._pool.draw(drawing)
        except Exception as error:
            raise RenderError(f"{drawing}: {type(error).__name__}: {error}"[:500]) from error


def load_drawing() -> None:
    """Load what draws, and the fonts of the calling thread: some tenths of a second."""
    # Loaded for the first picture.
    from core.render import animation, calibration, comparison, ranking, text, trend  # noqa: F401

    text.warm_up()


# Whoever draws is another thread or process, which is told the language.
def _card(language: str, prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    from core.render.card import draw_card

    with speaking(language):
        return draw_card(prediction, cover, now)


def _comparison(
    language: str,
    first: Prediction,
    first_cover: Cover | None,
    second: Prediction,
    second_cover: Cover | None,
    now: datetime,
) -> bytes:
    from core.render.comparison import draw_comparison

    with speaking(language):
        return draw_comparison(first, first_cover, second, second_cover, now)


def _cover(name: SongName, cover: Cover | None) -> bytes:
    from core.render.cover import draw_cover

    return draw_cover(cover, name)


def _ranking(language: str, ranking: ArtistRanking, cover: Cover | None, now: datetime) -> bytes:
    from core.render.ranking import draw_ranking

    with speaking(language):
        return draw_ranking(ranking, cover, now)


def _trend(language: str, trend: Trend, cover: Cover | None, now: datetime) -> bytes:
    from core.render.trend import draw_trend

    with speaking(language):
        return draw_trend(trend, cover, now)


def _animation(language: str, prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    from core.render.animation import draw_animation

    with speaking(language):
        return draw_animation(prediction, cover, now)


def _calibration(language: str, report: ModelReport) -> bytes:
    from core.render.calibration import draw_calibration

    with speaking(language):
        return draw_calibration(report)


T = TypeVar("T")

QUEUE_THRESHOLD: Final = 3
"""So many waiting for a drawing are a crowd: the last waits for about a tenth of a second."""

HELPERS_MAX: Final = 3
"""Most helpers unless a number is given."""

QUIET_S: Final = 60.0
"""A helper leaves when there was no crowd for so long, and none is called for so long after one failed."""


class RenderPool:
    """Draws in a thread, and in up to ``helpers`` processes besides, which are started only for a crowd.

    Args:
        warm_up: What to load before the first drawing; a function of a module, as all that is drawn.
        helpers: Most processes; None for one less than there are cores, and ``HELPERS_MAX`` at most.
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
        self._most = min(HELPERS_MAX, cpu_count() - 1) if helpers is None else helpers
        self._clock = clock
        self._free: asyncio.Queue[Executor] = asyncio.Queue()
        self._free.put_nowait(self._own)
        self._helpers: set[Executor] = set()
        self._waiting = 0
        self._crowded_at_s = -QUIET_S
        self._failed_at_s = -QUIET_S
        self._spawning: asyncio.Task[None] | None = None
        self._own.submit(warm_up)

    async def draw(self, drawing: Callable[[], T]) -> T:
        """Return what ``drawing`` returns, by whoever is free first; it must pickle, and so must its result.

        Raises:
            Exception: Whatever ``drawing`` raises.
        """
        while True:
            worker = await self._next_free()
            try:
                return await asyncio.get_running_loop().run_in_executor(worker, drawing)
            except BrokenExecutor as error:
                if worker is self._own:
                    raise
                log.warning("event=helper_lost error=%s", error)
                self._failed_at_s = self._clock()
                await self._dismiss(worker)
            finally:
                await self._release(worker)

    async def aclose(self) -> None:
        """Wait for what is being drawn and end thread and processes."""
        self._most = 0
        if self._spawning is not None:
            await self._spawning
        for worker in (self._own, *self._helpers):
            await asyncio.to_thread(worker.shutdown, wait=True, cancel_futures=True)

    async def _next_free(self) -> Executor:
        self._waiting += 1
        if self._waiting >= QUEUE_THRESHOLD:
            self._crowded_at_s = self._clock()
            self._spawn_if_crowded()
        try:
            return await self._free.get()
        finally:
            self._waiting -= 1

    async def _release(self, worker: Executor) -> None:
        if worker is self._own:
            self._free.put_nowait(worker)
        elif worker in self._helpers:
            if self._clock() - self._crowded_at_s < QUIET_S:
                self._free.put_nowait(worker)
            else:
                await self._dismiss(worker)

    async def _dismiss(self, helper: Executor) -> None:
        self._helpers.discard(helper)
        await asyncio.to_thread(helper.shutdown, wait=True, cancel_futures=True)

    def _spawn_if_crowded(self) -> None:
        busy = self._spawning is not None and not self._spawning.done()
        if not busy and len(self._helpers) < self._most and self._clock() - self._failed_at_s >= QUIET_S:
            self._spawning = asyncio.get_running_loop().create_task(self._spawn(), name="spawn-helper")

    async def _spawn(self) -> None:
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
