"""The rows of a table of songs to score, as text: each one a song and a day, or the reason why not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from core.domain import AudioFeatures, Song
from core.tables import AUDIO_COLUMNS, CREDIT_SEPARATOR, FALSE_WORDS, SPOTIFY_NUMBERS, TAG_SEPARATOR, TRUE_WORDS
from core.text import parse_release_date

NEEDED: Final = {
    "track": "title of the song",
    "artist": f"its artists, joined by {CREDIT_SEPARATOR!r}",
}
"""Columns that a table must have, with their meanings."""

_COUNTS: Final = {
    "listeners": "people who played the song, on Last.fm",
    "playcount": "its plays, on Last.fm",
    "artist_listeners": "people who played the artist, on Last.fm",
    "artist_playcount": "the artist's plays, on Last.fm",
    "duration_ms": "length in milliseconds",
}

OPTIONAL: Final = {
    **_COUNTS,
    "tags": f"Last.fm tags, joined by {TAG_SEPARATOR!r}",
    "genres": f"genres of the Spotify Tracks Dataset, joined by {TAG_SEPARATOR!r}",
    "album": "album or single",
    "explicit": "true or false",
    "released": "day of the first release",
    "as_of": "day for which to predict",
    **dict.fromkeys(AUDIO_COLUMNS, "Spotify audio feature; a row has all nine or none"),
}
"""Columns that are used if a table has them, with their meanings; blanks mean unknown."""

NAME_MAX_CHARS: Final = 1000
DATE_MAX_CHARS: Final = len("1975-10-31")
COUNT_MAX: Final = 1e12

Row = dict[str, Any]
"""A row by column; the csv module files cells beyond the header under None, whatever the type says."""

OVERFLOW: Final[Any] = None
"""Where the csv module files cells beyond the header."""


class RowError(ValueError):
    """A row that cannot be scored; the text says why."""


def song_from_row(row: Mapping[str, Any]) -> Song:
    """Build a song from a row of text.

    Raises:
        RowError: The row has another number of cells than the header, no name, or a value that cannot be right.
    """
    if OVERFLOW in row or None in row.values():
        raise RowError("the row has another number of cells than the header")
    title, artists = str(row["track"]).strip(), str(row["artist"]).strip()
    if not title or not artists:
        raise RowError(f"{'artist' if title else 'track'} is blank")
    if len(title) > NAME_MAX_CHARS or len(artists) > NAME_MAX_CHARS:
        raise RowError(f"a name has more than {NAME_MAX_CHARS} characters")
    credits_ = tuple(name.strip() for name in artists.split(CREDIT_SEPARATOR) if name.strip())
    counts = {name: _number(row, name, 0, COUNT_MAX) for name in _COUNTS}
    return Song(
        title=title,
        artist=credits_[0] if credits_ else artists,
        credits=credits_ if len(credits_) > 1 else (),
        album=str(row.get("album", "")).strip() or None,
        released=day_of(row, "released"),
        listeners=_whole(counts["listeners"]),
        playcount=_whole(counts["playcount"]),
        artist_listeners=_whole(counts["artist_listeners"]),
        artist_playcount=_whole(counts["artist_playcount"]),
        duration_ms=_whole(counts["duration_ms"]) or None,
        tags=_listed(row, "tags"),
        genres=_listed(row, "genres"),
        explicit=_explicit(row),
        audio=_audio(row),
    )


def _listed(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(row.get(name, "")).split(TAG_SEPARATOR) if part.strip())


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _number(row: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    text = str(row.get(name, "")).strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise RowError(f"{name} is {text[:40]!r}, not a number from {low:g} to {high:g}")
    return value


def day_of(row: Mapping[str, Any], name: str) -> date | None:
    """Read the date in a column: a day, a month (its first day) or a year (its 1 July); None if it is blank or absent.

    Raises:
        RowError: It is none of these, or a day that cannot be.
    """
    text = str(row.get(name, "")).strip()
    if not text:
        return None
    day = parse_release_date(text) if len(text) <= DATE_MAX_CHARS else None
    if day is None:
        raise RowError(f"{name} is {text[:40]!r}, not a date like 1975-10-31, 1975-10 or 1975")
    return day


def _explicit(row: Mapping[str, Any]) -> bool | None:
    word = str(row.get("explicit", "")).strip().lower()
    if word and word not in TRUE_WORDS | FALSE_WORDS:
        raise RowError(f"explicit is {word[:40]!r}, neither true nor false")
    return word in TRUE_WORDS if word else None


def _audio(row: Mapping[str, Any]) -> AudioFeatures | None:
    values = {name: _number(row, name, *SPOTIFY_NUMBERS[name]) for name in AUDIO_COLUMNS}
    known: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if known and len(known) < len(AUDIO_COLUMNS):
        raise RowError(f"audio features are given in part: {', '.join(set(AUDIO_COLUMNS) - set(known))} blank")
    return AudioFeatures(**known) if known else None
