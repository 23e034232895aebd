"""Links that open the private chat with the bot and say what is wanted there.

A song's token can be worked out from its name. Links to songs are therefore signed: nobody can make one up and learn
from the answer whether the song was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from telegram import Message, MessageEntity
from telegram.helpers import create_deep_linked_url

from bot.reply import SongToken
from bot.telegram_app.callback_data import SIGNATURE_CHARS, ButtonSigner
from core.history import TOKEN_CHARS

GREET: Final = "ask"
"""Payload that only opens the chat."""

_TOKEN: Final = rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}"
_SIGNATURE: Final = rf"[A-Za-z0-9_-]{{{SIGNATURE_CHARS}}}"
_SONG: Final = re.compile(rf"[pc]_({_TOKEN})({_SIGNATURE})?")
_COMPARE: Final = re.compile(rf"https://t\.me/[A-Za-z0-9_]+\?start=c_({_TOKEN}){_SIGNATURE}")


class StartKind(Enum):
    """What an opened link wants; ``UNKNOWN`` is a link to a song that this bot did not make."""

    GREETING = "greeting"
    CARD = "card"
    QUESTION = "question"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Start:
    """An opened link: ``value`` is a song's token for a card and the typed words for a question."""

    kind: StartKind
    value: str = ""


def card_link(bot_username: str, token: SongToken, signer: ButtonSigner) -> str:
    """Link to the full card of a song."""
    return create_deep_linked_url(bot_username, f"p_{token}{signer.signature(_signed(token))}")


def compare_link(bot_username: str, token: SongToken, signer: ButtonSigner) -> str:
    """Link that marks a message as asking for the song to compare with; see :func:`compared_token`."""
    return create_deep_linked_url(bot_username, f"c_{token}{signer.signature(_signed(token))}")


def read_start(payload: str, signer: ButtonSigner) -> Start:
    """Read what follows /start: nothing, a song's token, or words joined by underscores as other sites may link.

    ``https://t.me/BOT?start=Hello_-_Adele`` asks for "Hello - Adele".
    """
    if not payload or payload == GREET:
        return Start(StartKind.GREETING)
    if song := _SONG.fullmatch(payload):
        ours = signer.proves(_signed(SongToken(song[1])), song[2] or "")
        return Start(StartKind.CARD, song[1]) if ours else Start(StartKind.UNKNOWN)
    return Start(StartKind.QUESTION, payload.replace("_", " "))


def compared_token(message: Message) -> SongToken | None:
    """Find the song that a message of this bot asks to compare with another; None if it asks for nothing.

    The token travels in the message itself, so that an answer is understood after a restart too.
    """
    for entity in message.entities:
        if entity.type == MessageEntity.TEXT_LINK and (link := _COMPARE.fullmatch(entity.url or "")):
            return SongToken(link[1])
    return None


def _signed(token: SongToken) -> str:
    return f"start:{token}"
