"""Facts that a song's title, album and credits tell by themselves, as numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from core.lookup.normalise import fold, title_key
from core.model.title_words import ACCENT_LETTERS, ALBUM_WORDS, ARTIST_WORDS, COMMON_WORDS, TITLE_WORDS

NAN: Final = math.nan


SCRIPTS: Final[tuple[str, ...]] = ("LATIN", "CYRILLIC", "CJK", "KANA", "HANGUL", "ARABIC", "INDIC", "OTHER")
"""Scripts told apart, in the order of their codes in ``title_script``; Han characters alone are "CJK"."""

_SCRIPT_OF_PREFIX: Final = {
    "LATIN": "LATIN", "CYRILLIC": "CYRILLIC", "CJK": "CJK", "HIRAGANA": "KANA", "KATAKANA": "KANA",
    "KATAKANA-HIRAGANA": "KANA", "HANGUL": "HANGUL", "ARABIC": "ARABIC", "DEVANAGARI": "INDIC", "TAMIL": "INDIC",
    "TELUGU": "INDIC", "GURMUKHI": "INDIC", "BENGALI": "INDIC", "GUJARATI": "INDIC", "MALAYALAM": "INDIC",
    "KANNADA": "INDIC",
}  # fmt: skip


@lru_cache(maxsize=8192)
def _script_of(char: str) -> str:
    prefix = unicodedata.name(char, "OTHER").split(" ", 1)[0]
    return _SCRIPT_OF_PREFIX.get(prefix, "OTHER")


def script_code(text: str) -> float:
    """Return the index in ``SCRIPTS`` of the rarest script among the letters of ``text``; NaN if it has no letter.

    Kana outranks Han and both outrank Latin, since one kana makes a title Japanese whatever else it holds.
    """
    found = {_script_of(char) for char in text if char.isalpha()}
    if not found:
        return NAN
    for script in ("KANA", "HANGUL", "CJK", "ARABIC", "INDIC", "CYRILLIC", "OTHER"):
        if script in found:
            return float(SCRIPTS.index(script))
    return 0.0


def _flags(patterns: dict[str, re.Pattern[str]], text: str) -> list[float]:
    return [float(bool(pattern.search(text))) for pattern in patterns.values()]


def _labels(keys: Iterable[str]) -> dict[str, str]:
    return {key: key.replace("_", " ") for key in keys}


TITLE_FACTS: Final[dict[str, str]] = _labels((
    "title_chars", "title_words", "title_bracket", "title_dash", "title_digit", "title_colon", "title_quote",
    "title_upper", "title_script", *TITLE_WORDS, *ACCENT_LETTERS, *COMMON_WORDS,
))  # fmt: skip
"""Keys and labels of :func:`title_facts`, in its order."""

ARTIST_NAME_FACTS: Final[dict[str, str]] = _labels((
    "artist_chars", "artist_words", "artist_upper", "artist_lower", "artist_script", *ARTIST_WORDS,
))  # fmt: skip
"""Keys and labels of :func:`artist_name_facts`, in its order."""

ALBUM_FACTS: Final[dict[str, str]] = _labels((
    "album_chars", "album_words", "album_is_title", "album_in_title", "album_is_artist", *ALBUM_WORDS,
))  # fmt: skip
"""Keys and labels of :func:`album_facts`, in its order."""

CREDIT_FACTS: Final[dict[str, str]] = _labels(("n_credits", "guests_not_in_title"))
"""Keys and labels of :func:`credit_facts`, in its order."""


def title_facts(title: str) -> list[float]:
    """Return the facts of a title: lengths, case, signs, script, version words and language."""
    lower = title.lower()
    letters = [char for char in title if char.isalpha()]
    return [
        float(len(title)),
        float(len(title.split())),
        float("(" in title or "[" in title),
        float(" - " in title),
        float(any(char.isdigit() for char in title)),
        float(":" in title or ";" in title),
        float('"' in title or "“" in title),
        sum(char.isupper() for char in letters) / len(letters) if letters else NAN,
        script_code(title),
        *_flags(TITLE_WORDS, title),
        *(float(any(char in lower for char in signs)) for signs in ACCENT_LETTERS.values()),
        *_flags(COMMON_WORDS, title),
    ]


def artist_name_facts(artist: str) -> list[float]:
    """Return the facts of an artist's name: length, case, script, telling words."""
    return [
        float(len(artist)),
        float(len(artist.split())),
        float(artist.isupper()),
        float(artist.islower()),
        script_code(artist),
        *_flags(ARTIST_WORDS, artist),
    ]


def album_facts(album: str | None, title: str, artist: str) -> list[float]:
    """Return the facts of an album's name, all NaN if it is unknown."""
    if not album:
        return [NAN] * len(ALBUM_FACTS)
    album_folded, title_folded = fold(album), title_key(title)
    return [
        float(len(album)),
        float(len(album.split())),
        float(title_key(album) == title_folded),
        float(title_folded in album_folded),
        float(album_folded == fold(artist)),
        *_flags(ALBUM_WORDS, album),
    ]


def credit_facts(credits_: Sequence[str], title: str) -> list[float]:
    """Return the number of credited artists and of guests the title leaves out; NaN if the credits are unknown."""
    if not credits_:
        return [NAN, NAN]
    titled = fold(title)
    return [float(len(credits_)), float(sum(fold(name) not in titled for name in credits_[1:]))]
