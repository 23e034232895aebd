"""The catalogue's file format, shared by its builder and its reader.

Songs are numbered by falling popularity, so that every index lists the best known first without sorting. Both full-text
indexes hold the same folded text and no copy of it. Names in other scripts are indexed in Latin letters as well;
``spelling`` keeps how.
"""

from __future__ import annotations

from typing import Final

from core.domain import SongName
from core.lookup.normalise import first_artist, fold, title_key

FORMAT_VERSION: Final = "2"
"""Raised when the tables or the normalisation behind the keys change; readers take no other."""

LIST_SEPARATOR: Final = ";"
"""Between the artists of a song and between its genres."""

AUDIO_SHARES: Final = (
    "danceability",
    "energy",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
)
AUDIO_COLUMNS: Final = (*AUDIO_SHARES, "loudness", "tempo", "key", "mode", "time_signature")
"""In the data set's names; the column ``pitch_class`` holds ``key``."""

SCHEMA: Final = f"""
PRAGMA page_size = 8192;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE song (
  number INTEGER PRIMARY KEY,
  song_key TEXT NOT NULL UNIQUE,
  title_key TEXT NOT NULL,
  title TEXT NOT NULL,
  artist TEXT NOT NULL,
  credits TEXT NOT NULL,
  popularity INTEGER NOT NULL,
  album TEXT,
  genres TEXT NOT NULL,
  duration_ms INTEGER,
  explicit INTEGER,
  full_title TEXT NOT NULL,
  rerelease INTEGER NOT NULL,
  {", ".join(f"audio_{name} REAL" for name in AUDIO_COLUMNS)}
);
CREATE INDEX song_title ON song (title_key);
CREATE TABLE spelling (
  title_key TEXT, number INTEGER, title TEXT NOT NULL, artist TEXT NOT NULL, PRIMARY KEY (title_key, number, artist)
) WITHOUT ROWID;
CREATE INDEX spelling_number ON spelling (number);
CREATE TABLE track (id BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE gram (gram TEXT PRIMARY KEY, songs INTEGER NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE song_gram USING fts5 (text, content = '', tokenize = 'trigram', detail = none, columnsize = 0);
CREATE VIRTUAL TABLE song_word USING fts5 (
  text, content = '', columnsize = 0, prefix = '1 2 3',
  tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M* S* P* Co'"
);
"""
"""``gram`` counts the songs of each trigram, so that a search can pick the telling ones; ``track`` leads from Spotify's
ids, packed by :func:`packed_track_id`, to songs.

``full_title`` is the title with its decoration, empty if there is none; ``rerelease`` is 1 if only compilations hold
the song.
"""

_ID_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_VALUES: Final = {digit: value for value, digit in enumerate(_ID_DIGITS)}
_ID_CHARS: Final = 22
_ID_BYTES: Final = 16


def packed_track_id(track_id: str) -> bytes | None:
    """Pack a Spotify id, 22 digits to the base of 62, into its 16 bytes; None if it is none."""
    if len(track_id) != _ID_CHARS or not all(digit in _ID_VALUES for digit in track_id):
        return None
    number = 0
    for digit in track_id:
        number = number * len(_ID_DIGITS) + _ID_VALUES[digit]
    return number.to_bytes(_ID_BYTES, "big") if number >> (8 * _ID_BYTES) == 0 else None


def song_text(title: str, artists: tuple[str, ...], spellings: tuple[SongName, ...] = ()) -> str:
    """Join the folded names for the indexes; each is framed by spaces, so that short ones have trigrams too.

    Of the spellings in other letters only what differs is added.
    """
    names = [title_key(title), *(fold(first_artist(artist)) for artist in artists)]
    for spelt in spellings:
        names += (title_key(spelt.title), fold(first_artist(spelt.artist)))
    return f" {'  '.join(dict.fromkeys(names) if spellings else names)} "


def grams(text: str) -> set[str]:
    """List the trigrams of a folded text, none across the border between title and artists."""
    return {gram for i in range(len(text) - 2) if "  " not in (gram := text[i : i + 3])}
