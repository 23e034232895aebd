"""Puts replies into chats: pictures with captions or texts, sent anew or in the place of an older message."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from telegram import (
    Animation,
    Bot,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaPhoto,
    MaybeInaccessibleMessage,
    Message,
    PhotoSize,
    ReplyParameters,
)
from telegram.constants import ChatAction, ChatType
from telegram.error import BadRequest, TelegramError

from bot import messages
from bot.reply import Line, LineKind, Reply
from bot.telegram_bot.formatting import CAPTION_MAX, TEXT_MAX, fits_caption, reply_html
from bot.telegram_bot.keyboards import Keyboards
from bot.telegram_bot.transport import forbids_pictures, is_beyond_editing, is_unchanged, is_unknown_file
from core.domain import Prediction
from core.history import song_token
from core.language import language, say

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """A chat, the forum topic in it, and the message to answer; None means no topic and no quote."""

    chat_id: int
    thread_id: int | None = None
    reply_to: int | None = None

    @property
    def reply_parameters(self) -> ReplyParameters | None:
        """The message to answer; if it is gone by then, the answer is sent all the same."""
        if self.reply_to is None:
            return None
        return ReplyParameters(self.reply_to, allow_sending_without_reply=True)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message of the bot; ``pictured`` if it is a photo or an animation with a caption rather than a text."""

    chat_id: int
    message_id: int
    pictured: bool

    @classmethod
    def of(cls, message: Message) -> SentMessage:
        """Note a message as Telegram returned it."""
        return cls(message.chat_id, message.message_id, bool(message.photo or message.animation))


def reply_target(message: MaybeInaccessibleMessage, *, quote: bool | None = None) -> ReplyTarget:
    """Find where to answer a message: the same chat and topic, quoting it in groups unless told otherwise.

    Outside forum topics a thread id only names a chain of replies, which cannot be sent to.
    """
    thread_id = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
    quoted = message.chat.type != ChatType.PRIVATE if quote is None else quote
    return ReplyTarget(message.chat.id, thread_id, message.message_id if quoted else None)


KEPT_CARDS: Final = 2_000
"""Cards remembered, some 300 bytes each; those used longest ago are forgotten first."""


@dataclass(frozen=True, slots=True)
class CardKey:
    """What a card shows: a song, its figures, the model that judged them, and in which language."""

    token: str
    as_of: datetime
    stale: bool
    trained_at: datetime
    language: str

    @classmethod
    def of(cls, prediction: Prediction) -> CardKey:
        """Name the card of a prediction in the language spoken here."""
        source = prediction.source
        trained_at = prediction.assessment.trained_at
        return cls(song_token(prediction.song.name), source.as_of, source.stale, trained_at, language())


class FileIdCache:
    """Remembers the file id of each card sent, for as long as the process runs."""

    def __init__(self, kept: int = KEPT_CARDS) -> None:
        """Remember ``kept`` cards at most."""
        self._kept = kept
        self._file_ids: OrderedDict[CardKey, str] = OrderedDict()

    def __contains__(self, prediction: Prediction) -> bool:
        return CardKey.of(prediction) in self._file_ids

    def find(self, prediction: Prediction) -> str | None:
        """Find the file id of a prediction's card; None if it was not sent or is forgotten."""
        key = CardKey.of(prediction)
        if key in self._file_ids:
            self._file_ids.move_to_end(key)
        return self._file_ids.get(key)

    def note(self, prediction: Prediction | None, message: Message) -> None:
        """Keep the file id of a prediction's card out of the message that was sent with it."""
        files: list[Animation | PhotoSize] = (
            [message.animation] if message.animation is not None else list(message.photo or ())
        )
        if prediction is None or not files:
            return
        self._file_ids[CardKey.of(prediction)] = files[-1].file_id
        self._file_ids.move_to_end(CardKey.of(prediction))
        if len(self._file_ids) > self._kept:
            self._file_ids.popitem(last=False)

    def forget(self, prediction: Prediction) -> None:
        """Drop a card that Telegram no longer knows."""
        self._file_ids.pop(CardKey.of(prediction), None)


@dataclass(frozen=True, slots=True)
class Media:
    """A picture: its bytes with a file name, or the id of one that Telegram holds. A GIF is an animation."""

    source: bytes | str
    filename: str | None = None
    moving: bool = False


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """One message: Telegram's HTML, the keyboard under it and its picture."""

    html: str
    keyboard: InlineKeyboardMarkup | None = None
    media: Media | None = None

    async def send(self, bot: Bot, target: ReplyTarget) -> Message:
        """Send the message; how HTML is read and links are shown is set once, in the bot's defaults.

        Raises:
            TelegramError: It could not be sent.
        """
        chat, thread, answered = target.chat_id, target.thread_id, target.reply_parameters
        if self.media is None:
            return await bot.send_message(
                chat, self.html, message_thread_id=thread, reply_parameters=answered, reply_markup=self.keyboard
            )
        send = bot.send_animation if self.media.moving else bot.send_photo
        return await send(
            chat,
            self.media.source,
            caption=self.html,
            filename=self.media.filename,
            message_thread_id=thread,
            reply_parameters=answered,
            reply_markup=self.keyboard,
        )

    async def edit(self, bot: Bot, old: SentMessage) -> Message | None:
        """Put the message in the place of ``old``; a picture may be added to a text, but not taken away again.

        Returns:
            The message as Telegram has it now; None if Telegram does not tell.

        Raises:
            TelegramError: It could not be replaced.
        """
        if self.media is None:
            edited = await bot.edit_message_text(self.html, old.chat_id, old.message_id, reply_markup=self.keyboard)
        else:
            kind = InputMediaAnimation if self.media.moving else InputMediaPhoto
            picture = kind(self.media.source, caption=self.html, filename=self.media.filename)
            edited = await bot.edit_message_media(picture, old.chat_id, old.message_id, reply_markup=self.keyboard)
        return edited if isinstance(edited, Message) else None


GIF: Final = "image/gif"


class MessageSender:
    """Sends and replaces messages; a card that Telegram holds already is sent by its file id."""

    def __init__(self, keyboards: Keyboards, cards: FileIdCache, *, animated: bool) -> None:
        """Take what builds keyboards, what remembers cards, and whether cards move."""
        self._keyboards = keyboards
        self._file_id_cache = cards
        self._animated = animated

    async def deliver(
        self,
        bot: Bot,
        target: ReplyTarget,
        reply: Reply,
        *,
        asker: int | None = None,
        instead_of: SentMessage | None = None,
    ) -> SentMessage:
        """Send a reply, or put it in the place of an older message.

        Args:
            bot: Sends.
            target: Where an answer goes that is sent anew.
            reply: What to say.
            asker: Who alone may choose among offered songs; None for everybody.
            instead_of: The message to replace; if that cannot be, the reply is sent anew.

        Raises:
            TelegramError: It could not be sent.
        """
        try:
            return await self._put(bot, target, reply, asker, instead_of)
        except BadRequest as error:
            if is_unknown_file(error) and reply.prediction is not None:
                self._file_id_cache.forget(reply.prediction)
            elif forbids_pictures(error):
                note = Line(LineKind.TEXT, say(messages.PICTURES_FORBIDDEN))
                reply = replace(reply, card=None, lines=(*reply.lines, note))
            else:
                raise
        return await self._put(bot, target, reply, asker, instead_of)

    async def rewrite_inline(
        self, bot: Bot, inline_message_id: str, reply: Reply, keyboard: InlineKeyboardMarkup | None
    ) -> None:
        """Put a reply, as text, into a message that was sent by inline mode or as a guest.

        Raises:
            TelegramError: It could not be edited.
        """
        html = reply_html(reply, TEXT_MAX)
        try:
            await bot.edit_message_text(html, inline_message_id=inline_message_id, reply_markup=keyboard)
        except BadRequest as error:
            if not is_unchanged(error):
                raise

    async def _put(
        self, bot: Bot, target: ReplyTarget, reply: Reply, asker: int | None, instead_of: SentMessage | None
    ) -> SentMessage:
        media = await self._media(reply)
        if media is None:
            outgoing = self._as_text(reply, asker)
        elif fits_caption(reply):
            outgoing = OutgoingMessage(reply_html(reply, CAPTION_MAX), self._keyboards.under(reply, asker), media)
        else:
            await OutgoingMessage(reply_html(replace(reply, lines=()), CAPTION_MAX), media=media).send(bot, target)
            outgoing = self._as_text(reply, asker)
        if instead_of is None:
            return await self._send(bot, target, outgoing, reply)
        if instead_of.pictured and outgoing.media is None:
            # No picture becomes a text. What stands there is taken away only when the new message is there.
            sent = await self._send(bot, target, outgoing, reply)
            await _delete(bot, instead_of)
            return sent
        return await self._replace(bot, outgoing, reply, instead_of) or await self._send(bot, target, outgoing, reply)

    async def _replace(self, bot: Bot, outgoing: OutgoingMessage, reply: Reply, old: SentMessage) -> SentMessage | None:
        """Replace a message in place; None if the reply has to be sent anew."""
        try:
            message = await outgoing.edit(bot, old)
        except BadRequest as error:
            if is_unchanged(error):
                return old
            if is_beyond_editing(error):
                return None
            raise
        if message is None:
            return replace(old, pictured=outgoing.media is not None)
        self._file_id_cache.note(reply.prediction, message)
        return SentMessage.of(message)

    async def _send(self, bot: Bot, target: ReplyTarget, outgoing: OutgoingMessage, reply: Reply) -> SentMessage:
        message = await outgoing.send(bot, target)
        self._file_id_cache.note(reply.prediction, message)
        return SentMessage.of(message)

    def _as_text(self, reply: Reply, asker: int | None) -> OutgoingMessage:
        return OutgoingMessage(reply_html(reply, TEXT_MAX), self._keyboards.under(reply, asker))

    async def _media(self, reply: Reply) -> Media | None:
        """Find the card among those that Telegram holds, or draw it."""
        if reply.card is None:
            return None
        held = None if reply.prediction is None else self._file_id_cache.find(reply.prediction)
        if held is not None:
            return Media(held, moving=self._animated)
        picture = await reply.card(animated=self._animated)
        return None if picture is None else Media(picture.data, picture.filename, moving=picture.media_type == GIF)


async def _delete(bot: Bot, old: SentMessage) -> None:
    try:
        await bot.delete_message(old.chat_id, old.message_id)
    except TelegramError as error:
        log.info("event=telegram_not_deleted error=%s", error)


REPEAT_S: Final = 4.0
"""Telegram shows an action for 5 s (https://core.telegram.org/bots/api#sendchataction)."""


ACTIONS_MAX: Final = 16
"""Actions sent at once: in a crowd, or where Telegram is slow, answers need the connections more."""

_sending: Final[set[asyncio.Task[None]]] = set()
"""Those who send one just now."""


@asynccontextmanager
async def chat_action(bot: Bot, target: ReplyTarget, *, repeat_s: float = REPEAT_S) -> AsyncIterator[None]:
    """Show "sending a photo" while the block runs; whatever goes wrong with that does not touch the answer."""

    async def show() -> None:
        while True:
            if len(_sending) < ACTIONS_MAX:
                await send()
            await asyncio.sleep(repeat_s)

    async def send() -> None:
        _sending.add(showing)
        try:
            await bot.send_chat_action(
                target.chat_id,
                ChatAction.UPLOAD_PHOTO,
                message_thread_id=target.thread_id,
                read_timeout=REPEAT_S,
                pool_timeout=REPEAT_S,
            )
        except TelegramError as error:
            log.debug("event=telegram_action_failed error=%s", error)
        finally:
            _sending.discard(showing)

    showing = asyncio.create_task(show())
    try:
        yield
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
