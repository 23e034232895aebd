"""Answers presses of the buttons under replies."""

from __future__ import annotations

import logging
from html import escape
from typing import Any, Final, assert_never

from telegram import CallbackQuery, ForceReply, MaybeInaccessibleMessage, Message, Update
from telegram.constants import CallbackQueryLimit, ChatType
from telegram.error import TelegramError
from telegram.ext import BaseHandler, CallbackQueryHandler

from bot import messages
from bot.plain_text import plain
from bot.rate_limits import RateLimiter
from bot.replies import limited_reply
from bot.reply import SETTLES_PICK, LineKind, Reply, ResultCode, SongToken, text_reply
from bot.service import SongService
from bot.telegram_bot.formatting import reply_plain
from bot.telegram_bot.handlers import Context
from bot.telegram_bot.inline import InlineMode
from bot.telegram_bot.keyboards import Action, ButtonData, ButtonSigner, compare_link
from bot.telegram_bot.sender import MessageSender, SentMessage, chat_action, reply_target
from bot.telegram_bot.transport import is_expected_error, is_network_error
from core.language import say

log = logging.getLogger(__name__)


ACKNOWLEDGED_LAST: Final = frozenset({Action.REFRESH, Action.SHOW, Action.PICK})
"""What changes the message it is pressed under: its press is acknowledged when that is done, or why it is not."""

POPUP_MAX: Final = int(CallbackQueryLimit.ANSWER_CALLBACK_QUERY_TEXT_LENGTH)


class Buttons:
    """Handles presses. Whatever was not signed by this bot, or is another person's choice, is refused in a pop-up."""

    def __init__(
        self,
        service: SongService,
        sender: MessageSender,
        rate_limiter: RateLimiter,
        *,
        signer: ButtonSigner,
        inline: InlineMode,
    ) -> None:
        """Take what answers, delivers, limits, reads buttons and rewrites inline messages."""
        self._service = service
        self._sender = sender
        self._rate_limiter = rate_limiter
        self._signer = signer
        self._inline = inline

    def handlers(self) -> list[BaseHandler[Any, Context, Any]]:
        """List the handlers."""
        return [CallbackQueryHandler(self.press)]

    async def press(self, update: Update, context: Context) -> None:
        """Find out what a button wants and whether this person may."""
        query = update.callback_query
        if query is None:
            return
        data = self._signer.unpack(query.data)
        if data is None:
            await self._refuse(query, say(messages.BUTTON_UNKNOWN))
        elif data.asker is not None and data.asker != query.from_user.id:
            await self._refuse(query, say(messages.NOT_YOUR_CHOICE))
        elif await self._admitted(query):
            try:
                await self._do(query, data, context)
            except TelegramError as error:
                if is_network_error(error):
                    await self._tell_undelivered(query, data.action, context)
                raise

    async def _tell_undelivered(self, query: CallbackQuery, action: Action, context: Context) -> None:
        """Say that an answer was lost on the way: in a pop-up, or in the chat once the press is acknowledged."""
        lost = self._service.note("button", text_reply(ResultCode.FAULT, say(messages.NOT_DELIVERED), private=True))
        try:
            if action in ACKNOWLEDGED_LAST:
                await self._decline(query, lost, context)
            elif query.message is not None:
                await self._sender.deliver(context.bot, reply_target(query.message, quote=True), lost)
        except TelegramError as error:
            log.warning("event=telegram_undelivered reason=%s error=%s", type(error).__name__, error)

    async def _do(self, query: CallbackQuery, data: ButtonData, context: Context) -> None:
        if data.action is Action.SHOW:
            await self._show(query, data.token, context)
            return
        message = query.message
        if message is None:
            await self._refuse(query, say(messages.BUTTON_UNKNOWN))
            return
        match data.action:
            case Action.WHY:
                await self._acknowledge(query)
                reply = await self._service.why(data.token)
                await self._sender.deliver(context.bot, reply_target(message, quote=True), reply)
            case Action.REFRESH:
                await self._refresh(query, message, data.token, context)
            case Action.COMPARE:
                await self._ask_for_second(query, message, data.token, context)
            case Action.PICK:
                await self._pick(query, message, data, context)
            case Action.OPEN:
                await self._open(query, message, data.token, context)
            case _:
                assert_never(data.action)

    async def _show(self, query: CallbackQuery, token: SongToken, context: Context) -> None:
        """Put the verdict into an inline message, or a guest's, which stays as it is if there is none."""
        reply = await self._service.predict(token)
        if reply.code not in SETTLES_PICK:
            await self._decline(query, reply, context)
            return
        if query.inline_message_id is not None:
            await self._inline.rewrite(context.bot, query.inline_message_id, token, reply)
        await self._acknowledge(query)

    async def _refresh(
        self, query: CallbackQuery, message: MaybeInaccessibleMessage, token: SongToken, context: Context
    ) -> None:
        """Put new figures and their card in the place of the old ones; the old ones stay if there are no new ones."""
        async with chat_action(context.bot, reply_target(message)):
            reply = await self._service.predict(token, fresh=True)
            if reply.code is not ResultCode.PREDICTED:
                await self._decline(query, reply, context)
                return
            await self._sender.deliver(context.bot, reply_target(message), reply, instead_of=_sent(message))
        source = "".join(line.text for line in reply.lines if line.kind is LineKind.SOURCE)
        await self._acknowledge(query, source)

    async def _pick(
        self, query: CallbackQuery, message: MaybeInaccessibleMessage, data: ButtonData, context: Context
    ) -> None:
        """Put the chosen song's answer, or its comparison, in the place of the choice, which stays if there is none."""
        async with chat_action(context.bot, reply_target(message)):
            if data.against is None:
                reply = await self._service.predict(data.token)
            else:
                reply = await self._service.compare(data.against, data.token)
            if reply.code not in SETTLES_PICK:
                await self._decline(query, reply, context)
                return
            await self._sender.deliver(
                context.bot, reply_target(message), reply, asker=query.from_user.id, instead_of=_sent(message)
            )
        await self._acknowledge(query)

    async def _open(
        self, query: CallbackQuery, message: MaybeInaccessibleMessage, token: SongToken, context: Context
    ) -> None:
        """Answer for a song of a list in a message of its own; the list stays."""
        await self._acknowledge(query)
        target = reply_target(message, quote=True)
        async with chat_action(context.bot, target):
            reply = await self._service.predict(token)
            await self._sender.deliver(context.bot, target, reply, asker=query.from_user.id)

    async def _ask_for_second(
        self, query: CallbackQuery, message: MaybeInaccessibleMessage, token: SongToken, context: Context
    ) -> None:
        """Ask for the other song; the first one's token travels in the link behind its name."""
        await self._acknowledge(query)
        name = await self._service.song_name(token)
        if isinstance(name, Reply):
            await self._sender.deliver(context.bot, reply_target(message), name)
            return
        link = compare_link(context.bot.username, token, self._signer)
        html = escape(say(messages.COMPARE_WITH), quote=False).format(
            name=f'<a href="{escape(link)}">{escape(plain(str(name)), quote=False)}</a>'
        )
        if message.chat.type != ChatType.PRIVATE:
            html = f"{query.from_user.mention_html()} {html}"
        target = reply_target(message, quote=True)
        await context.bot.send_message(
            target.chat_id,
            html,
            message_thread_id=target.thread_id,
            reply_parameters=target.reply_parameters,
            reply_markup=ForceReply(selective=True, input_field_placeholder=say(messages.COMPARE_PLACEHOLDER)),
        )

    async def _admitted(self, query: CallbackQuery) -> bool:
        chat = None if query.message is None else query.message.chat
        alone = chat is None or chat.type == ChatType.PRIVATE
        decision = await self._rate_limiter.admit(query.from_user.id, None if alone or chat is None else chat.id)
        if not decision.allowed:
            limited = limited_reply(decision)
            if decision.should_notify:
                self._service.note("limit", limited)
            # A press is answered to the presser alone, so saying it each time disturbs nobody.
            await self._acknowledge(query, limited.text, alert=decision.should_notify)
        return decision.allowed

    async def _refuse(self, query: CallbackQuery, sentence: str) -> None:
        self._service.note("button", text_reply(ResultCode.REFUSED, sentence, private=True))
        await self._acknowledge(query, sentence, alert=True)

    async def _decline(self, query: CallbackQuery, reply: Reply, context: Context) -> None:
        """Say in a pop-up why nothing changes, or in the chat if Telegram has given up on the press meanwhile."""
        if not await self._acknowledge(query, reply_plain(reply, POPUP_MAX), alert=True) and query.message is not None:
            await self._sender.deliver(context.bot, reply_target(query.message, quote=True), reply)

    async def _acknowledge(self, query: CallbackQuery, text: str | None = None, *, alert: bool = False) -> bool:
        """Stop the button's clock; returns whether Telegram still waited for that."""
        try:
            return await query.answer(text, show_alert=alert)
        except TelegramError as error:
            if not is_expected_error(error):
                raise
            log.debug("event=telegram_press_expired error=%s", error)
            return False


def _sent(message: MaybeInaccessibleMessage) -> SentMessage:
    """The message under which a button was pressed; one that Telegram no longer shows may still be edited."""
    if isinstance(message, Message):
        return SentMessage.of(message)
    return SentMessage(message.chat.id, message.message_id, pictured=False)
