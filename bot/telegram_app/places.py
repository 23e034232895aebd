"""Where an answer goes, and where one went."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import MaybeInaccessibleMessage, Message, ReplyParameters
from telegram.constants import ChatType


@dataclass(frozen=True, slots=True)
class Place:
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
class Sent:
    """A message of the bot; ``pictured`` if it is a photo or an animation with a caption rather than a text."""

    chat_id: int
    message_id: int
    pictured: bool

    @classmethod
    def of(cls, message: Message) -> Sent:
        """Note a message as Telegram returned it."""
        return cls(message.chat_id, message.message_id, bool(message.photo or message.animation))


def place_beside(message: MaybeInaccessibleMessage, *, quote: bool | None = None) -> Place:
    """Find where to answer a message: the same chat and topic, quoting it in groups unless told otherwise.

    Outside forum topics a thread id only names a chain of replies, which cannot be sent to.
    """
    thread_id = message.message_thread_id if isinstance(message, Message) and message.is_topic_message else None
    quoted = message.chat.type != ChatType.PRIVATE if quote is None else quote
    return Place(message.chat.id, thread_id, message.message_id if quoted else None)
