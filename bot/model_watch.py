"""Takes a newly stored model into use by itself, between questions, and tells the administrators."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from bot import messages
from core.errors import ModelError
from core.language import ENGLISH, speaking
from core.text import day

if TYPE_CHECKING:
    from core.predictor import Predictor

log = logging.getLogger(__name__)

WATCH_S: Final = 30.0
"""Pause between two looks at the manifest."""


async def watch_model(
    predictor: Predictor, tell: Callable[[str], Awaitable[None]], *, pause_s: float = WATCH_S
) -> None:
    """Look for a new model until cancelled; one that is refused leaves the old one in use and is told once.

    Args:
        predictor: Checks the stored model and swaps it.
        tell: Tells the administrators a sentence.
        pause_s: Pause between two looks.
    """
    while True:
        await asyncio.sleep(pause_s)
        try:
            report = await predictor.take_new_model()
        except ModelError as error:
            log.error("event=model_refused error=%s", error)
            await tell(messages.RELOAD_FAILED.format(reason=error))
        except Exception:
            log.exception("event=model_watch_failed")
        else:
            if report is not None:
                log.info("event=model_taken trained_at=%s", report.trained_at.isoformat())
                with speaking(ENGLISH):  # as all that is for administrators
                    date = day(report.trained_at)
                await tell(messages.RELOADED.format(date=date))


@asynccontextmanager
async def watching_model(predictor: Predictor, tell: Callable[[str], Awaitable[None]]) -> AsyncIterator[None]:
    """Look for a new model while the block runs; see :func:`watch_model`."""
    watching = asyncio.create_task(watch_model(predictor, tell))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
