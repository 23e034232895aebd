"""What a message asks of the bot, and whether it is meant for the bot at all."""

from __future__ import annotations

from dataclasses import dataclass

from telegram import Message, MessageEntity, User
from telegram.constants import ChatType

from bot.reply import SongToken
from bot.telegram_app.deep_links import compared_token


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
        rest = _without(said, mention).strip()
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
    """The words of a message, or the song that a sent audio file names."""
    if message.audio is not None and message.audio.title:
        return f"{message.audio.title} - {message.audio.performer}" if message.audio.performer else message.audio.title
    return message.text or message.caption or ""


def _mention(message: Message, bot: User) -> MessageEntity | None:
    named = f"@{bot.username}".casefold()
    entities = message.parse_entities([MessageEntity.MENTION, MessageEntity.TEXT_MENTION]) if message.text else {}
    for entity, text in entities.items():
        if text.casefold() == named or (entity.user is not None and entity.user.id == bot.id):
            return entity
    return None


def _without(text: str, entity: MessageEntity) -> str:
    """Take an entity out of a text; Telegram counts in UTF-16 units."""
    units = text.encode("utf-16-le")
    start, end = 2 * entity.offset, 2 * (entity.offset + entity.length)
    return (units[:start] + units[end:]).decode("utf-16-le", errors="replace")
