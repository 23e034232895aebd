"""Puts replies into chats: pictures with captions or texts, sent anew or in the place of an older message."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from telegram import Bot, InlineKeyboardMarkup
from telegram.error import BadRequest, TelegramError

from bot import messages
from bot.reply import Line, LineKind, Reply
from bot.telegram_app.dressed import Dressed, Media
from bot.telegram_app.faults import forbids_pictures, is_beyond_editing, is_unchanged, is_unknown_file
from bot.telegram_app.keyboards import Keyboards
from bot.telegram_app.markup import CAPTION_MAX, TEXT_MAX, fits_caption, reply_html
from bot.telegram_app.places import Place, Sent
from bot.telegram_app.sent_cards import SentCards

log = logging.getLogger(__name__)

GIF: Final = "image/gif"


class Delivery:
    """Sends and replaces messages; a card that Telegram holds already is sent by its file id."""

    def __init__(self, keyboards: Keyboards, cards: SentCards, *, animated: bool) -> None:
        """Take what builds keyboards, what remembers cards, and whether cards move."""
        self._keyboards = keyboards
        self._cards = cards
        self._animated = animated

    async def deliver(
        self,
        bot: Bot,
        place: Place,
        reply: Reply,
        *,
        asker: int | None = None,
        instead_of: Sent | None = None,
    ) -> Sent:
        """Send a reply, or put it in the place of an older message.

        Args:
            bot: Sends.
            place: Where an answer goes that is sent anew.
            reply: What to say.
            asker: Who alone may choose among offered songs; None for everybody.
            instead_of: The message to replace; if that cannot be, the reply is sent anew.

        Raises:
            TelegramError: It could not be sent.
        """
        try:
            return await self._put(bot, place, reply, asker, instead_of)
        except BadRequest as error:
            if is_unknown_file(error) and reply.prediction is not None:
                self._cards.forget(reply.prediction)
            elif forbids_pictures(error):
                note = Line(LineKind.TEXT, messages.PICTURES_FORBIDDEN)
                text_only = replace(reply, card=None, lines=(*reply.lines, note))
                return Sent.of(await self._as_text(text_only, asker).send(bot, place))
            else:
                raise
        return await self._put(bot, place, reply, asker, instead_of)

    async def rewrite_inline(
        self, bot: Bot, inline_message_id: str, reply: Reply, keyboard: InlineKeyboardMarkup
    ) -> None:
        """Put a reply, as text, into a message that was sent by inline mode.

        Raises:
            TelegramError: It could not be edited.
        """
        html = reply_html(reply, TEXT_MAX)
        try:
            await bot.edit_message_text(html, inline_message_id=inline_message_id, reply_markup=keyboard)
        except BadRequest as error:
            if not is_unchanged(error):
                raise

    async def _put(self, bot: Bot, place: Place, reply: Reply, asker: int | None, instead_of: Sent | None) -> Sent:
        media = await self._media(reply)
        if media is None:
            dressed = self._as_text(reply, asker)
        elif fits_caption(reply):
            dressed = Dressed(reply_html(reply, CAPTION_MAX), self._keyboards.under(reply, asker), media)
        else:
            await Dressed(reply_html(replace(reply, lines=()), CAPTION_MAX), media=media).send(bot, place)
            dressed = self._as_text(reply, asker)
        replaced = None if instead_of is None else await self._replace(bot, dressed, reply, instead_of)
        return replaced or await self._send(bot, place, dressed, reply)

    async def _replace(self, bot: Bot, dressed: Dressed, reply: Reply, old: Sent) -> Sent | None:
        """Replace a message in place; None if the reply has to be sent anew."""
        if old.pictured and dressed.media is None:
            try:
                await bot.delete_message(old.chat_id, old.message_id)
            except TelegramError as error:
                log.info("event=telegram_not_deleted error=%s", error)
            return None
        try:
            message = await dressed.edit(bot, old)
        except BadRequest as error:
            if is_unchanged(error):
                return old
            if is_beyond_editing(error):
                return None
            raise
        if message is None:
            return replace(old, pictured=dressed.media is not None)
        self._cards.note(reply.prediction, message)
        return Sent.of(message)

    async def _send(self, bot: Bot, place: Place, dressed: Dressed, reply: Reply) -> Sent:
        message = await dressed.send(bot, place)
        self._cards.note(reply.prediction, message)
        return Sent.of(message)

    def _as_text(self, reply: Reply, asker: int | None) -> Dressed:
        return Dressed(reply_html(reply, TEXT_MAX), self._keyboards.under(reply, asker))

    async def _media(self, reply: Reply) -> Media | None:
        """Find the card among those that Telegram holds, or draw it."""
        if reply.card is None:
            return None
        held = None if reply.prediction is None else self._cards.find(reply.prediction)
        if held is not None:
            return Media(held, moving=self._animated)
        picture = await reply.card(animated=self._animated)
        return None if picture is None else Media(picture.data, picture.filename, moving=picture.media_type == GIF)
