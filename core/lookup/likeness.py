"""How alike a question and a song are in their wording, from 0 to 100.

All strings here are folded by :mod:`core.lookup.normalise`. ``partial_ratio`` is not used: it calls "one" and "someone
like you" the same. Weights were chosen on 1,000 misspelt questions over the Spotify Tracks Dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from core.domain import Reading, SongQuery
from core.lookup.normalise import artist_key, base_title, short_title, title_key

TITLE_SHARE: Final = 0.58
"""Weight of the title against the artist when both are asked for."""

WEAK: Final = 60.0
"""Below this likeness a title or an artist counts as another one, and drags the whole down."""

WEAK_DRAG: Final = 0.35
"""Points lost for each point below :data:`WEAK`."""

FOUND: Final = 75.0
"""Below this best partial likeness a title or an artist is not among the words asked for."""

BOTH_FOUND: Final = 70.0
"""Least likeness of title and of artist in a song that is answered though its wording fits badly."""

WORD_ORDER_COST: Final = 0.98
"""Same words in another order."""

MISSING_WORDS_FLOOR: Final = 60.0
"""Likeness of a text that keeps almost none of the words of another, but adds none."""

EXTRA_WORDS_FLOOR: Final = 0.0
"""The same for a question with words that a title does not have: they name something else."""

EXTRA_NAMES_FLOOR: Final = 60.0
"""The same for an artist asked for together with others, "Queen & David Bowie" for "Queen"."""

SHORT_TITLE_COST: Final = 0.95
"""Asked for without what stands in brackets."""

COMPLETION_LIKENESS: Final = 72.0
"""Least likeness of a half-typed, misspelt name to the beginning of a song's."""

GUEST_COST: Final = 0.97
"""Asked for by a guest instead of the first artist."""


@dataclass(frozen=True, slots=True)
class FoldedName:
    """A song's name ready to compare.

    Attributes:
        key: Its title.
        base: The title without version.
        short: The title without anything in brackets, as people say "Snow" for "Snow (Hey Oh)".
        artists: Artists in order, never empty.
        wholes: Title and artists as one text, with the first artist and with all.
    """

    key: str
    base: str
    short: str
    artists: tuple[str, ...]
    wholes: tuple[str, ...]

    @classmethod
    def of(cls, title: str, artist: str, others: tuple[str, ...] = ()) -> FoldedName:
        """Fold a name; ``others`` are further artists and may repeat the first."""
        return _folded_name(title, artist, others)


@lru_cache(1 << 12)
def _folded_name(title: str, artist: str, others: tuple[str, ...]) -> FoldedName:
    artists = tuple(dict.fromkeys(artist_key(name) for name in (artist, *others)))
    key = title_key(title)
    wholes = tuple(dict.fromkeys((f"{key} {artists[0]}", f"{key} {' '.join(artists)}")))
    return FoldedName(key, base_title(title), short_title(title), artists, wholes)


@dataclass(frozen=True, slots=True)
class FoldedReading:
    """One reading of a question ready to compare; ``artist`` is None when only a title was given."""

    key: str
    base: str
    artist: str | None


def folded_readings(query: SongQuery) -> tuple[FoldedReading, ...]:
    """Fold the readings of a question, likeliest first, without repeats or empty ones."""
    return tuple(dict.fromkeys(reading for reading in map(_folded_reading, query.readings) if reading.key))


def _folded_reading(reading: Reading) -> FoldedReading:
    artist = artist_key(reading.artist) if reading.artist is not None else None
    return FoldedReading(title_key(reading.title), base_title(reading.title), artist or None)


def likeness(readings: Sequence[FoldedReading], name: FoldedName) -> tuple[float, float]:
    """Compare a song with every reading; return the best and the mean likeness, each 0 to 100."""
    alike = [_of_reading(reading, name) for reading in readings]
    return (max(alike), sum(alike) / len(alike)) if alike else (0.0, 0.0)


def both_found(readings: Sequence[FoldedReading], name: FoldedName) -> bool:
    """Tell whether a reading has the song's title and its artist, or as mere words both, each with a typo at most."""
    for reading in readings:
        if reading.artist is None:
            asked = reading.key
            if max(text_likeness(asked, text) for text in (name.key, name.base, name.short, *name.wholes)) > FOUND:
                return True
            continue
        title = max(text_likeness(reading.key, text) for text in (name.key, name.base, name.short))
        artist = max(text_likeness(reading.artist, artist, EXTRA_NAMES_FLOOR) for artist in name.artists)
        if min(title, artist) >= BOTH_FOUND:
            return True
    return False


def _of_reading(reading: FoldedReading, name: FoldedName) -> float:
    title = text_likeness(reading.key, name.key)
    if name.base != name.key or reading.base != reading.key:
        title = max(title, text_likeness(reading.base, name.base), text_likeness(reading.key, name.base))
    if name.short != name.base:
        title = max(title, SHORT_TITLE_COST * text_likeness(reading.key, name.short))
    if reading.artist is None:
        return max(title, _of_words(reading.key, name))
    artist = max(
        text_likeness(reading.artist, artist, EXTRA_NAMES_FLOOR) * (GUEST_COST if place else 1.0)
        for place, artist in enumerate(name.artists)
    )
    if len(name.artists) > 1:
        artist = max(artist, text_likeness(reading.artist, " ".join(name.artists)))
    drag = WEAK_DRAG * max(0.0, WEAK - min(title, artist))
    return max(0.0, TITLE_SHARE * title + (1 - TITLE_SHARE) * artist - drag)


def _of_words(asked: str, name: FoldedName) -> float:
    """Compare words of which nobody said what is title and what artist; both must be found among them."""
    whole = max(text_likeness(asked, whole) for whole in name.wholes)
    if name.short != name.key:
        shorter = f"{name.short} {name.artists[0]}"
        whole = max(whole, SHORT_TITLE_COST * text_likeness(asked, shorter))
    if whole <= FOUND:
        return whole
    # One word is enough to tell of an artist, "blinding lights lucas", but not of a title.
    artist = max(max(fuzz.partial_ratio(one, asked), fuzz.partial_token_set_ratio(one, asked)) for one in name.artists)
    title = max(fuzz.partial_ratio(title, asked) for title in (name.base, name.short))
    found = min(title, artist)
    return max(0.0, whole - WEAK_DRAG * max(0.0, FOUND - found))


@lru_cache(1 << 12)
def text_likeness(asked: str, known: str, extra_floor: float = EXTRA_WORDS_FLOOR) -> float:
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
        subset = fuzz.token_set_ratio(asked, known) / 100
        if 100 * subset**2 > best:
            length, known_length = _distinct_chars(asked), _distinct_chars(known)
            kept = min(length, known_length) / max(length, known_length, 1)
            floor = MISSING_WORDS_FLOOR if length <= known_length else extra_floor
            best = max(best, WORD_ORDER_COST * subset**2 * (floor + (100 - floor) * kept))
    return float(best)


def _distinct_chars(text: str) -> int:
    """Count the characters of the distinct words, as ``token_set_ratio`` sees them."""
    return len("".join(set(text.split())))


def beginning_likeness(typed: str, name: FoldedName) -> float:
    """Compare a half-typed name with the beginnings of "title artist" and "artist title", 0 to 100."""
    wholes = (name.wholes[0], f"{name.artists[0]} {name.key}")
    lengths = (len(typed) + extra for extra in (-1, 0, 1))
    return max(float(fuzz.ratio(typed, whole[:length])) for length in lengths for whole in wholes)
