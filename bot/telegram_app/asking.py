"""Answers messages: commands everywhere, plain words in private chats, mentions and replies in groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any

from telegram import Message, Update
from telegram.constants import ChatType
from telegram.ext import BaseHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot import messages
from bot.messages import Command, Surface, commands_on
from bot.replies import limited_reply
from bot.reply import Line, LineKind, Reply, ResultCode, SongToken, text_reply
from bot.service import SongService
from bot.telegram_app.asked import AskedBook
from bot.telegram_app.callback_data import ButtonSigner
from bot.telegram_app.deep_links import StartKind, read_start
from bot.telegram_app.delivery import Delivery
from bot.telegram_app.places import place_beside
from bot.telegram_app.questions import asker_id, command_arguments, command_question, free_question, is_from_a_person
from bot.telegram_app.working import working
from bot.throttle import Throttle

Context = ContextTypes.DEFAULT_TYPE


class Asking:
    """Handles messages.

    An edited question changes its answer in place, as long as the question is remembered; an edit of anything else is
    let pass, so that nothing appears in a chat long after the talk went on.
    """

    def __init__(
        self,
        service: SongService,
        delivery: Delivery,
        throttle: Throttle,
        *,
        signer: ButtonSigner,
        admin_ids: Collection[int],
    ) -> None:
        """Take what answers, delivers, limits and reads links, and who is an administrator."""
        self._service = service
        self._delivery = delivery
        self._throttle = throttle
        self._signer = signer
        self._admin_ids = frozenset(admin_ids)
        self._book = AskedBook()

    def handlers(self) -> list[BaseHandler[Any, Context, Any]]:
        """List the handlers, the first that matches takes a message."""
        talk = filters.UpdateType.MESSAGES & ~filters.COMMAND & ~filters.StatusUpdate.ALL
        unknown = filters.UpdateType.MESSAGE & filters.COMMAND & filters.ChatType.PRIVATE
        return [
            *(CommandHandler(one.name, self._handler(one)) for one in commands_on(Surface.TELEGRAM)),
            CommandHandler("start", self.start),
            MessageHandler(unknown, self.help),
            MessageHandler(talk, self.talk),
        ]

    def _handler(self, command: Command) -> Callable[[Update, Context], Coroutine[Any, Any, None]]:
        """Make what handles a command: a question, or one that asks about no song."""

        async def ask(update: Update, context: Context) -> None:
            if (message := update.effective_message) is None:
                return
            text = command_question(message)
            # An edit is one only if it asks something else: another command may ask for the same song.
            asked = text if command.name == "predict" else f"{command.name} {text}"
            await self._answer(update, context, asked, lambda: self._service.run_command(command, text))

        async def inform(update: Update, context: Context) -> None:
            is_admin = update.effective_user is not None and update.effective_user.id in self._admin_ids
            await self._say(update, context, lambda: self._service.run_command(command, is_admin=is_admin))

        if command.name == "help":
            return self.help
        return ask if command.arguments else inform

    async def talk(self, update: Update, context: Context) -> None:
        """Words without a command."""
        message = update.effective_message
        question = None if message is None else free_question(message, context.bot.bot)
        if question is None:
            return
        token, text = question.compare_with, question.text
        if token is None:
            await self._predict(update, context, text)
        else:
            await self._answer(update, context, text, lambda: self._service.compare(token, text))

    async def start(self, update: Update, context: Context) -> None:
        """/start, also with what a deep link wants."""
        if (message := update.effective_message) is None:
            return
        start = read_start(command_arguments(message), self._signer)
        if start.kind is StartKind.GREETING:
            await self.help(update, context)
        elif start.kind is StartKind.UNKNOWN:
            await self._say(update, context, self._unknown_link)
        elif start.kind is StartKind.QUESTION:
            await self._predict(update, context, start.value)
        else:
            token = SongToken(start.value)
            await self._answer(update, context, start.value, lambda: self._service.predict(token))

    async def help(self, update: Update, context: Context) -> None:
        """/help."""

        async def build() -> Reply:
            reply = await self._service.run_command(messages.COMMANDS["help"])
            if not context.bot.bot.supports_inline_queries:
                return reply
            hint = Line(LineKind.TEXT, messages.INLINE_HELP.format(bot=context.bot.username))
            return replace(reply, lines=(*reply.lines, hint))

        await self._say(update, context, build)

    async def _unknown_link(self) -> Reply:
        return self._service.note("start", text_reply(ResultCode.REFUSED, messages.BUTTON_UNKNOWN, private=True))

    async def _predict(self, update: Update, context: Context, text: str) -> None:
        await self._answer(update, context, text, lambda: self._service.predict(text))

    async def _answer(self, update: Update, context: Context, text: str, ask: Callable[[], Awaitable[Reply]]) -> None:
        """Answer a question, or change the answer to an edited one."""
        message = update.effective_message
        if message is None or not is_from_a_person(message):
            return
        edited = update.edited_message is not None
        asked = self._book.find(message) if edited else self._book.open(message)
        if asked is None:
            return
        async with asked.turn:
            if asked.text == text and (edited or asked.answer is not None):
                return
            asked.text = text
            place = place_beside(message)
            if not await self._admitted(message, context):
                return
            async with working(context.bot, place):
                asked.answer = await self._delivery.deliver(
                    context.bot,
                    place,
                    await ask(),
                    asker=asker_id(message),
                    instead_of=asked.answer,
                )

    async def _say(self, update: Update, context: Context, build: Callable[[], Awaitable[Reply]]) -> None:
        """Answer a command that names no song."""
        message = update.message
        if message is None or update.effective_user is None or not is_from_a_person(message):
            return
        if not await self._admitted(message, context):
            return
        await self._delivery.deliver(context.bot, place_beside(message), await build())

    async def _admitted(self, message: Message, context: Context) -> bool:
        """Count a question and tell once if it is one too many."""
        alone = message.chat.type == ChatType.PRIVATE
        asker = message.sender_chat or message.from_user
        ruling = await self._throttle.admit(asker.id if asker else None, None if alone else message.chat.id)
        if ruling.tell:
            limited = self._service.note("limit", limited_reply(ruling))
            await self._delivery.deliver(context.bot, place_beside(message), limited)
        return ruling.allowed
