"""Inline keyboards under replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot import messages
from bot.plain_text import plain, shortened, utf16_length
from bot.reply import Link, Reply, SongToken
from bot.telegram_app.callback_data import Action, ButtonData, ButtonSigner
from bot.telegram_app.deep_links import card_link
from bot.telegram_app.markup import safe_url

LABEL_MAX: Final = 64
"""Longest label in UTF-16 units; Telegram shows less than that on a phone."""

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
        # A song as typed may be too long for a button, so then the picked one is answered alone.
        against = reply.against if isinstance(reply.against, SongToken) else None
        rows = [
            [self._button(choice.label, ButtonData(Action.PICK, choice.token, asker, against))]
            for choice in reply.choices
        ]
        if reply.token is not None:
            rows.insert(0, [self._button(label, ButtonData(action, reply.token)) for label, action in _ANSWER_BUTTONS])
        rows.append(link_buttons(reply.links))
        return _markup(rows)

    def under_inline(self, token: SongToken, bot_username: str, links: Sequence[Link] = ()) -> InlineKeyboardMarkup:
        """Build what belongs under a message sent by inline mode, with its links once the verdict is there."""
        card = InlineKeyboardButton(messages.BUTTON_CARD, url=card_link(bot_username, token, self._signer))
        first = [card] if links else [self._button(messages.BUTTON_SHOW, ButtonData(Action.SHOW, token)), card]
        return InlineKeyboardMarkup([first, *([row] if (row := link_buttons(links)) else [])])

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
