"""How alike a question and a song are in their wording, from 0 to 100.

All strings here are folded by :mod:`core.lookup.normalise`. ``partial_ratio`` is not used: it calls "one" and "someone
like you" the same. Weights were chosen on 1,000 misspelt questions over the Spotify Tracks Dataset.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from core.domain import Reading, SongQuery
from core.lookup.normalise import artist_key, base_title, title_key

TITLE_SHARE: Final = 0.58
"""Weight of the title against the artist when both are asked for."""

WEAK: Final = 60.0
"""Below this likeness a title or an artist counts as another one, and drags the whole down."""

WEAK_DRAG: Final = 0.35
"""Points lost for each point below :data:`WEAK`."""

WORD_ORDER_COST: Final = 0.98
"""Same words in another order."""

MISSING_WORDS_FLOOR: Final = 60.0
"""Likeness of a text that keeps almost none of the words of another, but adds none."""

GUEST_COST: Final = 0.97
"""Asked for by a guest instead of the first artist."""


@dataclass(frozen=True, slots=True)
class FoldedName:
    """A song's name ready to compare: title with and without version, artists in order, both as one text."""

    key: str
    base: str
    artists: tuple[str, ...]
    whole: str

    @classmethod
    def of(cls, title: str, artist: str, others: tuple[str, ...] = ()) -> FoldedName:
        """Fold a name; ``others`` are further artists and may repeat the first."""
        return _folded_name(title, artist, others)


@lru_cache(1 << 14)
def _folded_name(title: str, artist: str, others: tuple[str, ...]) -> FoldedName:
    artists = tuple(dict.fromkeys(artist_key(name) for name in (artist, *others)))
    key = title_key(title)
    return FoldedName(key, base_title(title), artists, f"{key} {' '.join(artists)}")


@dataclass(frozen=True, slots=True)
class FoldedReading:
    """One reading of a question ready to compare; ``artist`` is None when only a title was given."""

    key: str
    base: str
    artist: str | None

    @property
    def whole(self) -> str:
        """Title and artist as one text."""
        return self.key if self.artist is None else f"{self.key} {self.artist}"


def folded_readings(query: SongQuery) -> tuple[FoldedReading, ...]:
    """Fold the readings of a question, likeliest first, without repeats or empty ones."""
    return tuple(dict.fromkeys(reading for reading in map(_folded_reading, query.readings) if reading.key))


def _folded_reading(reading: Reading) -> FoldedReading:
    artist = artist_key(reading.artist) if reading.artist is not None else None
    return FoldedReading(title_key(reading.title), base_title(reading.title), artist or None)


def likeness(readings: Iterable[FoldedReading], name: FoldedName) -> float:
    """Compare a song with every reading and return the best likeness, 0 to 100."""
    return max((_of_reading(reading, name) for reading in readings), default=0.0)


def _of_reading(reading: FoldedReading, name: FoldedName) -> float:
    title = text_likeness(reading.key, name.key)
    if name.base != name.key or reading.base != reading.key:
        title = max(title, text_likeness(reading.base, name.base), text_likeness(reading.key, name.base))
    if reading.artist is None:
        return max(title, text_likeness(reading.key, name.whole))
    artist = max(
        text_likeness(reading.artist, artist) * (GUEST_COST if place else 1.0)
        for place, artist in enumerate(name.artists)
    )
    if len(name.artists) > 1:
        artist = max(artist, text_likeness(reading.artist, " ".join(name.artists)))
    drag = WEAK_DRAG * max(0.0, WEAK - min(title, artist))
    return max(0.0, TITLE_SHARE * title + (1 - TITLE_SHARE) * artist - drag)


@lru_cache(1 << 15)
def text_likeness(asked: str, known: str) -> float:
    """Compare two folded texts, forgiving typos, word order, joined words and left-out words, 0 to 100."""
    if asked == known:
        return 100.0
    best = fuzz.ratio(asked, known)
    if " " in asked or " " in known:
        best = max(
            best,
            WORD_ORDER_COST * fuzz.token_sort_ratio(asked, known),
            WORD_ORDER_COST * fuzz.ratio(asked.replace(" ", ""), known.replace(" ", "")),
        )
        shorter, longer = sorted((len(asked), len(known)))
        kept = shorter / longer if longer else 0.0
        subset = fuzz.token_set_ratio(asked, known) / 100
        best = max(best, subset**2 * (MISSING_WORDS_FLOOR + (100 - MISSING_WORDS_FLOOR) * kept))
    return float(best)
