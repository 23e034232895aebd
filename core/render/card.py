"""The pictures of predictions, drawn off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Final, Self

from core.domain import Cover, Prediction
from core.errors import RenderError
from core.render.animation import draw_animation
from core.render.compare import draw_comparison
from core.render.footer import source_words
from core.render.single import draw_card
from core.render.text import warm_up
from core.shared_work import SharedWork

CARDS_KEPT: Final = 32
"""Cards kept for those who ask for the same song soon after, 0.3 MB each, with their covers 0.5 MB more."""


class CardRenderer:
    """Draws cards, comparisons and animations in an executor of its own.

    Args:
        executor: Where to draw; one thread by default. A process pool works too: everything handed over pickles.
        now: The time against which the age of figures is told; must know its time zone.
    """

    def __init__(
        self, executor: Executor | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._executor = executor or ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._now = now
        self._cards: SharedWork[bytes] = SharedWork(CARDS_KEPT)
        self._executor.submit(warm_up)

    async def card(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Draw the card as PNG, 1200 x 630; without a cover one is drawn.

        People who ask for the same song share one drawing, for as long as its small print says the same.

        Raises:
            RenderError: The card could not be drawn.
        """
        now = self._now()
        drawing = partial(draw_card, prediction, cover, now)
        try:
            key = (prediction, cover, source_words(prediction.source, now))
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
        return await self._draw(partial(draw_comparison, first, first_cover, second, second_cover, self._now()))

    async def animation(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Draw the card as a GIF whose needle sweeps to its place once.

        Raises:
            RenderError: The card could not be drawn.
        """
        return await self._draw(partial(draw_animation, prediction, cover, self._now()))

    async def aclose(self) -> None:
        """Wait for what is being drawn and free the executor."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _draw(self, drawing: Callable[[], bytes]) -> bytes:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, drawing)
        except Exception as error:
            raise RenderError(f"{drawing}: {type(error).__name__}: {error}"[:500]) from error
