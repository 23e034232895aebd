"""Pictures that Telegram already holds, so that an unchanged card is neither drawn nor uploaded again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from telegram import Animation, Message, PhotoSize

from core.domain import Prediction
from core.history import song_token

KEPT_CARDS: Final = 2_000
"""Cards remembered, some 300 bytes each; those used longest ago are forgotten first."""


@dataclass(frozen=True, slots=True)
class CardKey:
    """What a card shows: a song, its figures and the model that judged them. A card of other figures is another."""

    token: str
    as_of: datetime
    stale: bool
    trained_at: datetime

    @classmethod
    def of(cls, prediction: Prediction) -> CardKey:
        """Name the card of a prediction."""
        source = prediction.source
        trained_at = prediction.assessment.trained_at
        return cls(song_token(prediction.song.name), source.as_of, source.stale, trained_at)


class SentCards:
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
