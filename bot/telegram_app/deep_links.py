"""Links that open the private chat with the bot and say what is wanted there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from telegram import Message, MessageEntity
from telegram.helpers import create_deep_linked_url

from core.history import TOKEN_CHARS

GREET: Final = "ask"
"""Payload that only opens the chat."""

_TOKEN: Final = rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}"
_COMPARE: Final = re.compile(rf"https://t\.me/[A-Za-z0-9_]+\?start=c_({_TOKEN})")


class StartKind(Enum):
    """What an opened link wants."""

    GREETING = "greeting"
    CARD = "card"
    QUESTION = "question"


@dataclass(frozen=True, slots=True)
class Start:
    """An opened link: ``value`` is a song's token for a card and the typed words for a question."""

    kind: StartKind
    value: str = ""


def card_link(bot_username: str, token: str) -> str:
    """Link to the full card of a song."""
    return create_deep_linked_url(bot_username, f"p_{token}")


def compare_link(bot_username: str, token: str) -> str:
    """Link that marks a message as asking for the song to compare with; see :func:`compared_token`."""
    return create_deep_linked_url(bot_username, f"c_{token}")


def read_start(payload: str) -> Start:
    """Read what follows /start: nothing, a song's token, or words joined by underscores as other sites may link.

    ``https://t.me/BOT?start=Hello_-_Adele`` asks for "Hello - Adele".
    """
    if not payload or payload == GREET:
        return Start(StartKind.GREETING)
    if card := re.fullmatch(r"[pc]_(" + _TOKEN + ")", payload):
        return Start(StartKind.CARD, card[1])
    return Start(StartKind.QUESTION, payload.replace("_", " "))


def compared_token(message: Message) -> str | None:
    """Find the song that a message of this bot asks to compare with another; None if it asks for nothing.

    The token travels in the message itself, so that an answer is understood after a restart too.
    """
    for entity in message.entities:
        if entity.type == MessageEntity.TEXT_LINK and (link := _COMPARE.fullmatch(entity.url or "")):
            return link[1]
    return None
