"""Inline mode: songs from memory while somebody types ``@bot song`` anywhere, and the verdict once one is chosen.

Guest mode: the verdict on a song that somebody names to the bot in a chat it is no member of.

A chosen song is sent at once as a short text with a button, so that the list never waits for the network. With inline
feedback on (BotFather, /setinlinefeedback, 100 %) Telegram tells of the choice and the text becomes the verdict by
itself; with feedback off, or after a lost update, the button under the text does the same. What is asked of a guest is
answered in the same way: with a short text at once, which becomes the verdict.
"""

from __future__ import annotations

import asyncio
import logging
from html import escape
from typing import Any, Final

from telegram import (
    Bot,
    InlineQueryResultArticle,
    InlineQueryResultsButton,
    InputTextMessageContent,
    Update,
)
from telegram.error import TelegramError
from telegram.ext import BaseHandler, ChosenInlineResultHandler, InlineQueryHandler, MessageHandler, filters

from bot import messages
from bot.plain_text import plain, shortened, utf16_length
from bot.rate_limits import RateLimiter
from bot.replies import limited_reply
from bot.reply import Reply, SongToken, token_of
from bot.service import SongService
from bot.telegram_bot.handlers import Context, asker_id, free_question, is_from_a_person
from bot.telegram_bot.keyboards import GREET, Keyboards
from bot.telegram_bot.sender import MessageSender
from bot.telegram_bot.transport import is_expected_error
from core.domain import SongName
from core.language import say

log = logging.getLogger(__name__)


RESULTS_MAX: Final = 20
"""Songs listed; Telegram takes 50, a phone shows five."""

CACHE_S: Final = 300
"""How long Telegram may show a person the same list; it changes with the catalogue only."""

PATIENCE_S: Final = 0.25
"""Longest wait for the list, which people see within 300 ms."""

NAME_MAX: Final = 256
"""Longest title or artist in UTF-16 units; Telegram shows far less."""


class InlineMode:
    """Handles inline queries and the choices made among their results."""

    def __init__(
        self, service: SongService, sender: MessageSender, rate_limiter: RateLimiter, keyboards: Keyboards
    ) -> None:
        """Take what answers, delivers, limits and builds keyboards."""
        self._service = service
        self._sender = sender
        self._rate_limiter = rate_limiter
        self._keyboards = keyboards

    def handlers(self) -> list[BaseHandler[Any, Context, Any]]:
        """List the handlers."""
        return [
            InlineQueryHandler(self.list_songs),
            ChosenInlineResultHandler(self.chosen),
            MessageHandler(filters.UpdateType.GUEST_MESSAGE, self.guest),
        ]

    async def list_songs(self, update: Update, context: Context) -> None:
        """List songs for what is typed so far, of the catalogue alone.

        Telegram does not say in which chat somebody types: nothing that was asked anywhere may be in the list.
        """
        query = update.inline_query
        if query is None:
            return
        try:
            async with asyncio.timeout(PATIENCE_S):
                names = await self._service.complete(query.query, RESULTS_MAX)
            cache_s = CACHE_S
        except TimeoutError:
            names, cache_s = (), 0
        songs = {token_of(name): name for name in names}
        results = [self._article(token, name, context.bot.username) for token, name in songs.items()]
        try:
            await query.answer(
                results,
                cache_time=cache_s,
                # The songs are the same for everybody, but the words around them are in one person's language.
                is_personal=True,
                button=InlineQueryResultsButton(say(messages.INLINE_ELSEWHERE), start_parameter=GREET),
            )
        except TelegramError as error:
            if not is_expected_error(error):
                raise
            log.debug("event=telegram_list_expired error=%s", error)
        # After the list is out: the buttons of what is chosen must find their song, also after a restart.
        await self._service.offer(songs.values())

    async def chosen(self, update: Update, context: Context) -> None:
        """Turn a chosen song's text into its verdict."""
        chosen = update.chosen_inline_result
        if chosen is None or chosen.inline_message_id is None:
            return
        if (await self._rate_limiter.admit(chosen.from_user.id)).allowed:
            token = SongToken(chosen.result_id)
            await self.rewrite(context.bot, chosen.inline_message_id, token, await self._service.predict(token))

    async def guest(self, update: Update, context: Context) -> None:
        """Answer a person who names a song, or replies to one's name, with a mention of the bot where it is a guest."""
        message = update.guest_message
        if message is None or message.guest_query_id is None or not is_from_a_person(message):
            return
        question = free_question(message, context.bot.bot)
        asker = message.from_user
        decision = await self._rate_limiter.admit(None if asker is None else asker.id)
        if not decision.allowed:
            if decision.should_notify:
                limited = self._service.note("limit", limited_reply(decision))
                await message.answer_guest_query(_text_article(escape(limited.text, quote=False)))
            return
        sent = await message.answer_guest_query(_text_article(say(messages.GUEST_WAITING)))
        reply = await self._service.predict("" if question is None else question.text)
        keyboard = self._keyboards.under_guest(reply, asker_id(message), context.bot.username)
        await self._sender.rewrite_inline(context.bot, sent.inline_message_id, reply, keyboard)

    async def rewrite(self, bot: Bot, inline_message_id: str, token: SongToken, reply: Reply) -> None:
        """Put the verdict on a song, or why there is none, into an inline message.

        Raises:
            TelegramError: The message could not be edited.
        """
        keyboard = self._keyboards.under_inline(token, bot.username, reply.links)
        await self._sender.rewrite_inline(bot, inline_message_id, reply, keyboard)

    def _article(self, token: SongToken, name: SongName, bot_username: str) -> InlineQueryResultArticle:
        shown, waiting = escape(_clipped(str(name)), quote=False), escape(say(messages.INLINE_WAITING), quote=False)
        return InlineQueryResultArticle(
            str(token),
            _clipped(name.title) or "–",
            InputTextMessageContent(f"<b>{shown}</b>\n{waiting}"),
            reply_markup=self._keyboards.under_inline(token, bot_username),
            description=_clipped(name.artist),
        )


def _text_article(html: str) -> InlineQueryResultArticle:
    """Make the only result of a guest's answer, of which people see the text alone."""
    return InlineQueryResultArticle("answer", say(messages.HELP_TITLE), InputTextMessageContent(html))


def _clipped(text: str) -> str:
    clean = plain(text)
    return clean if utf16_length(clean) <= NAME_MAX else shortened(clean, NAME_MAX - 1)
