"""Answers messages: commands everywhere, plain words in private chats, mentions and replies in groups."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final

from telegram import Message, MessageEntity, Update, User
from telegram.constants import ChatType
from telegram.ext import BaseHandler, CommandHandler, ContextTypes, MessageHandler, filters

from bot import messages
from bot.messages import Command, Surface, commands_on
from bot.rate_limits import RateLimiter
from bot.replies import limited_reply
from bot.reply import Line, LineKind, Reply, ResultCode, SongToken, text_reply
from bot.service import SongService
from bot.telegram_bot.keyboards import ButtonSigner, StartKind, compared_token, read_start
from bot.telegram_bot.sender import MessageSender, SentMessage, chat_action, reply_target
from core.language import say


@dataclass(frozen=True, slots=True)
class Question:
    """A song asked for; ``compare_with`` is the token of a song to compare it with."""

    text: str
    compare_with: SongToken | None = None


def is_from_a_person(message: Message) -> bool:
    """Tell people's own messages from those of bots, of linked channels and of inline mode.

    Who writes in the name of a group or of a channel appears as a bot, but with the chat that is spoken for.
    """
    if message.is_automatic_forward or message.via_bot is not None or message.from_user is None:
        return False
    return message.sender_chat is not None or not message.from_user.is_bot


def asker_id(message: Message) -> int | None:
    """Find who alone may choose among offered songs; None for who writes in a chat's name but presses in their own."""
    return message.from_user.id if message.from_user is not None and message.sender_chat is None else None


def free_question(message: Message, bot: User) -> Question | None:
    """Read a message that is no command; None if it is not meant for the bot.

    In a private chat everything is; in a group only a reply to the bot and a message that mentions it.
    """
    said = _said(message)
    answered = message.reply_to_message
    to_bot = answered is not None and answered.from_user is not None and answered.from_user.id == bot.id
    if answered is not None and to_bot and (token := compared_token(answered)) is not None:
        return Question(said, compare_with=token)
    mention = _mention(message, bot)
    if mention is not None:
        rest = _song_of_audio(message) or _without(_written(message), mention).strip()
        return Question(rest or (_said(answered) if answered is not None and not to_bot else ""))
    return Question(said) if to_bot or message.chat.type == ChatType.PRIVATE else None


def command_arguments(message: Message) -> str:
    """Read what follows a command."""
    said = message.text or ""
    if message.entities and message.entities[0].type == MessageEntity.BOT_COMMAND:
        said = _without(said, message.entities[0])
    return said.strip()


def command_question(message: Message) -> str:
    """Read what a command asks; a bare one asks for the song named in the message that it replies to."""
    answered = message.reply_to_message
    by_person = answered is not None and answered.from_user is not None and not answered.from_user.is_bot
    return command_arguments(message) or (_said(answered) if answered is not None and by_person else "")


def _said(message: Message) -> str:
    """The song that a sent audio file names, or the words of a message."""
    return _song_of_audio(message) or _written(message)


def _song_of_audio(message: Message) -> str:
    if message.audio is None or not message.audio.title:
        return ""
    return f"{message.audio.title} - {message.audio.performer}" if message.audio.performer else message.audio.title


def _written(message: Message) -> str:
    return message.text or message.caption or ""


def _mention(message: Message, bot: User) -> MessageEntity | None:
    """Find where a text, or the caption of a picture or file, mentions the bot."""
    named = f"@{bot.username}".casefold()
    parse = message.parse_entities if message.text else message.parse_caption_entities
    for entity, text in parse([MessageEntity.MENTION, MessageEntity.TEXT_MENTION]).items():
        if text.casefold() == named or (entity.user is not None and entity.user.id == bot.id):
            return entity
    return None


def _without(text: str, entity: MessageEntity) -> str:
    """Take an entity out of a text; Telegram counts in UTF-16 units."""
    units = text.encode("utf-16-le")
    start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
    return (units[:start] + units[end:]).decode("utf-16-le", errors="replace")


KEPT_QUESTIONS: Final = 1_000
"""Questions remembered; edits of older ones are let pass."""


@dataclass(slots=True)
class AnsweredMessage:
    """A question and its answer.

    Attributes:
        text: The question as last answered.
        answer: The message that answers it, once sent.
        turn: Held while it is being answered, so that an edit waits for the answer it changes.
    """

    text: str = ""
    answer: SentMessage | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class AnsweredMessages:
    """Remembers the last questions by chat and message, for as long as the process runs."""

    def __init__(self, kept: int = KEPT_QUESTIONS) -> None:
        """Remember ``kept`` questions at most."""
        self._kept = kept
        self._asked: OrderedDict[tuple[int, int], AnsweredMessage] = OrderedDict()

    def open(self, message: Message) -> AnsweredMessage:
        """Start a question, or find it again when its update comes twice."""
        asked = self._asked.setdefault((message.chat_id, message.message_id), AnsweredMessage())
        if len(self._asked) > self._kept:
            self._asked.popitem(last=False)
        return asked

    def find(self, message: Message) -> AnsweredMessage | None:
        """Find the question of an edited message; None if it was none or is forgotten."""
        return self._asked.get((message.chat_id, message.message_id))


Context = ContextTypes.DEFAULT_TYPE


class MessageHandlers:
    """Handles messages.

    An edited question changes its answer in place, as long as the question is remembered; an edit of anything else is
    let pass, so that nothing appears in a chat long after the talk went on.
    """

    def __init__(
        self,
        service: SongService,
        sender: MessageSender,
        rate_limiter: RateLimiter,
        *,
        signer: ButtonSigner,
        admin_ids: Collection[int],
    ) -> None:
        """Take what answers, delivers, limits and reads links, and who is an administrator."""
        self._service = service
        self._sender = sender
        self._rate_limiter = rate_limiter
        self._signer = signer
        self._admin_ids = frozenset(admin_ids)
        self._answered = AnsweredMessages()

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
            text = "" if update.effective_message is None else command_arguments(update.effective_message)
            await self._say(update, context, lambda: self._service.run_command(command, text, is_admin=is_admin))

        if command.name == "help":
            return self.help
        return ask if command.about_song else inform

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
            hint = Line(LineKind.TEXT, say(messages.INLINE_HELP, bot=context.bot.username))
            return replace(reply, lines=(*reply.lines, hint))

        await self._say(update, context, build)

    async def _unknown_link(self) -> Reply:
        return self._service.note("start", text_reply(ResultCode.REFUSED, say(messages.BUTTON_UNKNOWN), private=True))

    async def _predict(self, update: Update, context: Context, text: str) -> None:
        await self._answer(update, context, text, lambda: self._service.predict(text))

    async def _answer(self, update: Update, context: Context, text: str, ask: Callable[[], Awaitable[Reply]]) -> None:
        """Answer a question, or change the answer to an edited one."""
        message = update.effective_message
        if message is None or not is_from_a_person(message):
            return
        edited = update.edited_message is not None
        asked = self._answered.find(message) if edited else self._answered.open(message)
        if asked is None:
            return
        async with asked.turn:
            if asked.text == text and (edited or asked.answer is not None):
                return
            target = reply_target(message)
            if not await self._admitted(message, context):
                return
            asked.text = text
            async with chat_action(context.bot, target):
                asked.answer = await self._sender.deliver(
                    context.bot,
                    target,
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
        await self._sender.deliver(context.bot, reply_target(message), await build())

    async def _admitted(self, message: Message, context: Context) -> bool:
        """Count a question and tell once if it is one too many."""
        alone = message.chat.type == ChatType.PRIVATE
        asker = message.sender_chat or message.from_user
        decision = await self._rate_limiter.admit(asker.id if asker else None, None if alone else message.chat.id)
        if decision.should_notify:
            limited = self._service.note("limit", limited_reply(decision))
            await self._sender.deliver(context.bot, reply_target(message), limited)
        return decision.allowed
