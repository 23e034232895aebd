"""Inline keyboards under replies, what their buttons carry, and links that open the private chat.

Buttons and links to songs are signed, as :mod:`bot.signing` explains.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from hashlib import blake2b
from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Message, MessageEntity
from telegram.helpers import create_deep_linked_url

from bot import messages
from bot.plain_text import plain, shortened, utf16_length
from bot.reply import Choice, Link, Reply, SongToken
from bot.signing import SIGNATURE_CHARS, Signer
from bot.telegram_bot.formatting import safe_url
from core.history import TOKEN_CHARS
from core.language import say

_TOKEN: Final = rf"[A-Za-z0-9_-]{{{TOKEN_CHARS}}}"
_FORM: Final = re.compile(rf"([a-z])({_TOKEN})(?:~({_TOKEN}))?(\d{{0,19}})\.([A-Za-z0-9_-]{{{SIGNATURE_CHARS}}})")


class Action(StrEnum):
    """What a button does."""

    WHY = "w"
    REFRESH = "r"
    COMPARE = "c"
    PICK = "p"
    SHOW = "s"
    OPEN = "o"


@dataclass(frozen=True, slots=True)
class ButtonData:
    """One button's meaning.

    Attributes:
        action: What it does.
        token: The song it is about.
        asker: Id of the only one who may press it; None for everybody.
        against: Token of the song to compare a picked one with.
    """

    action: Action
    token: SongToken
    asker: int | None = None
    against: SongToken | None = None


class ButtonSigner(Signer):
    """Writes and reads callback data, at most 54 of the 64 bytes that Telegram allows.

    The signature's key is made from the bot's token, so buttons mean the same after a restart and on every process
    that serves the same bot.
    """

    def __init__(self, bot_token: str) -> None:
        """Make the key."""
        super().__init__(blake2b(bot_token.encode(), digest_size=32, person=b"hitmeter-button").digest())

    def pack(self, data: ButtonData) -> str:
        """Write callback data."""
        against = "" if data.against is None else f"~{data.against}"
        body = f"{data.action}{data.token}{against}{'' if data.asker is None else data.asker}"
        return f"{body}.{self.signature(body)}"

    def unpack(self, text: str | None) -> ButtonData | None:
        """Read callback data; None if this bot never wrote it."""
        form = _FORM.fullmatch(text or "")
        if form is None:
            return None
        action, token, against, asker, signature = form.groups()
        if not self.proves(form[0].rpartition(".")[0], signature):
            return None
        return ButtonData(
            Action(action), SongToken(token), int(asker) if asker else None, SongToken(against) if against else None
        )


GREET: Final = "ask"
"""Payload that only opens the chat."""

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


LABEL_MAX: Final = 64
"""Longest label in UTF-16 units; Telegram shows less than that on a phone."""

MENU_MAX: Final = 20
"""Songs of a ranking with a button: ten rows of two are what a phone shows at once."""

_ANSWER_BUTTONS: Final = (
    (messages.BUTTON_WHY, Action.WHY),
    (messages.BUTTON_REFRESH, Action.REFRESH),
    (messages.BUTTON_COMPARE, Action.COMPARE),
)


class Keyboards:
    """Builds keyboards whose buttons this bot will know again."""

    def __init__(self, signer: ButtonSigner) -> None:
        """Take what signs the buttons."""
        self._signer = signer

    def under(self, reply: Reply, asker: int | None) -> InlineKeyboardMarkup | None:
        """Build what belongs under a reply: songs to choose from, or actions and links; None if there is nothing.

        Args:
            reply: What is said.
            asker: Who alone may choose a song; None for everybody.
        """
        if reply.ranking is not None:
            return self._menu(reply.choices)
        # A song as typed may be too long for a button, so then the picked one is answered alone.
        against = reply.against if isinstance(reply.against, SongToken) else None
        rows = [
            [self._button(choice.label, ButtonData(Action.PICK, choice.token, asker, against))]
            for choice in reply.choices
        ]
        if reply.token is not None:
            rows.insert(
                0, [self._button(say(label), ButtonData(action, reply.token)) for label, action in _ANSWER_BUTTONS]
            )
        rows.append(link_buttons(reply.links))
        return _markup(rows)

    def _menu(self, choices: Sequence[Choice]) -> InlineKeyboardMarkup:
        """Build the menu under a ranking, two songs a row, for everybody: each opens a card of its own."""
        buttons = [self._button(choice.label, ButtonData(Action.OPEN, choice.token)) for choice in choices[:MENU_MAX]]
        return InlineKeyboardMarkup([buttons[start : start + 2] for start in range(0, len(buttons), 2)])

    def under_inline(self, token: SongToken, bot_username: str, links: Sequence[Link] = ()) -> InlineKeyboardMarkup:
        """Build what belongs under a message sent by inline mode, with its links once the verdict is there."""
        card = InlineKeyboardButton(say(messages.BUTTON_CARD), url=card_link(bot_username, token, self._signer))
        first = [card] if links else [self._button(say(messages.BUTTON_SHOW), ButtonData(Action.SHOW, token)), card]
        return InlineKeyboardMarkup([first, *([row] if (row := link_buttons(links)) else [])])

    def under_guest(self, reply: Reply, asker: int | None, bot_username: str) -> InlineKeyboardMarkup | None:
        """Build what belongs under an answer where the bot is a guest: songs to choose from, or card and links.

        Such a message can be rewritten, but nothing can be sent beside it: a chosen song's verdict takes its place.
        """
        choices = [[self._button(one.label, ButtonData(Action.SHOW, one.token, asker))] for one in reply.choices]
        if reply.token is None:
            return _markup(choices)
        return _markup(
            [*map(list, self.under_inline(reply.token, bot_username, reply.links).inline_keyboard), *choices]
        )

    def _button(self, label: str, data: ButtonData) -> InlineKeyboardButton:
        text = plain(label)
        text = text if utf16_length(text) <= LABEL_MAX else shortened(text, LABEL_MAX - 1)
        return InlineKeyboardButton(text or "–", callback_data=self._signer.pack(data))


def link_buttons(links: Sequence[Link]) -> list[InlineKeyboardButton]:
    """Make buttons of the links that Telegram will take."""
    return [InlineKeyboardButton(link.label, url=url) for link in links if (url := safe_url(link.url)) is not None]


def _markup(rows: Sequence[list[InlineKeyboardButton]]) -> InlineKeyboardMarkup | None:
    filled = [row for row in rows if row]
    return InlineKeyboardMarkup(filled) if filled else None
