"""The pictures of predictions, drawn off the event loop.

What draws is imported where it runs: matplotlib takes more than half a second to load, and nobody needs a picture
before the platforms are connected.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, Self

from core.age import ago
from core.domain import Cover, Prediction
from core.errors import RenderError
from core.render.crew import Crew
from core.shared_work import SharedWork

CARDS_KEPT: Final = 32
"""Cards kept for those who ask for the same song soon after, 0.3 MB each, with their covers 0.5 MB more."""


class CardRenderer:
    """Draws cards, comparisons and animations, off the event loop.

    Args:
        crew: Who draws; one thread by default.
        now: The time against which the age of figures is told; must know its time zone.
    """

    def __init__(self, crew: Crew | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._crew = crew or Crew(load_drawing)
        self._now = now
        self._cards: SharedWork[bytes] = SharedWork(CARDS_KEPT)

    async def card(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Draw the card as PNG, 1200 x 630; without a cover one is drawn.

        People who ask for the same song share one drawing, for as long as its small print says the same.

        Raises:
            RenderError: The card could not be drawn.
        """
        now = self._now()
        drawing = partial(_card, prediction, cover, now)
        try:
            key = (prediction, cover, ago(prediction.source.as_of, now))
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
        return await self._draw(partial(_comparison, first, first_cover, second, second_cover, self._now()))

    async def animation(self, prediction: Prediction, cover: Cover | None) -> bytes:
        """Draw the card as a GIF whose needle sweeps to its place once.

        Raises:
            RenderError: The card could not be drawn.
        """
        return await self._draw(partial(_animation, prediction, cover, self._now()))

    async def aclose(self) -> None:
        """Wait for what is being drawn and send the crew home."""
        await self._crew.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _draw(self, drawing: Callable[[], bytes]) -> bytes:
        try:
            return await self._crew.draw(drawing)
        except Exception as error:
            raise RenderError(f"{drawing}: {type(error).__name__}: {error}"[:500]) from error


def load_drawing() -> None:
    """Load what draws, and the fonts of the calling thread: some tenths of a second."""
    from core.render import animation, compare, text  # noqa: F401 - loaded for the first picture

    text.warm_up()


def _card(prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    from core.render.single import draw_card

    return draw_card(prediction, cover, now)


def _comparison(
    first: Prediction, first_cover: Cover | None, second: Prediction, second_cover: Cover | None, now: datetime
) -> bytes:
    from core.render.compare import draw_comparison

    return draw_comparison(first, first_cover, second, second_cover, now)


def _animation(prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    from core.render.animation import draw_animation

    return draw_animation(prediction, cover, now)
