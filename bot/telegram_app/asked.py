"""Which answer belongs to which question, so that an edited question changes its answer."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from telegram import Message

from bot.telegram_app.places import Sent

KEPT_QUESTIONS: Final = 1_000
"""Questions remembered; edits of older ones are let pass."""


@dataclass(slots=True)
class Asked:
    """A question and its answer.

    Attributes:
        text: The question as last answered.
        answer: The message that answers it, once sent.
        turn: Held while it is being answered, so that an edit waits for the answer it changes.
    """

    text: str = ""
    answer: Sent | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class AskedBook:
    """Remembers the last questions by chat and message, for as long as the process runs."""

    def __init__(self, kept: int = KEPT_QUESTIONS) -> None:
        """Remember ``kept`` questions at most."""
        self._kept = kept
        self._asked: OrderedDict[tuple[int, int], Asked] = OrderedDict()

    def open(self, message: Message) -> Asked:
        """Start a question, or find it again when its update comes twice."""
        asked = self._asked.setdefault((message.chat_id, message.message_id), Asked())
        if len(self._asked) > self._kept:
            self._asked.popitem(last=False)
        return asked

    def find(self, message: Message) -> Asked | None:
        """Find the question of an edited message; None if it was none or is forgotten."""
        return self._asked.get((message.chat_id, message.message_id))
