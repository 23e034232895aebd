"""Shows people that their answer is being worked on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from telegram import Bot
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bot.telegram_app.places import Place

log = logging.getLogger(__name__)

REPEAT_S: Final = 4.0
"""Telegram shows an action for 5 s (https://core.telegram.org/bots/api#sendchataction)."""


@asynccontextmanager
async def working(bot: Bot, place: Place, *, repeat_s: float = REPEAT_S) -> AsyncIterator[None]:
    """Show "sending a photo" while the block runs; whatever goes wrong with that does not touch the answer."""

    async def show() -> None:
        while True:
            try:
                await bot.send_chat_action(place.chat_id, ChatAction.UPLOAD_PHOTO, message_thread_id=place.thread_id)
            except TelegramError as error:
                log.debug("event=telegram_action_failed error=%s", error)
            await asyncio.sleep(repeat_s)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
