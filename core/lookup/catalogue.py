"""The song catalogue: typo-tolerant search, completion and facts from one read-only SQLite file, and its format.

Songs are numbered by falling popularity, so that every index lists the best known first without sorting. Both full-text
indexes hold the same folded text and no copy of it. Names in other scripts are indexed in Latin letters as well;
``spelling`` keeps how.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from math import log
from pathlib import Path
from typing import Any, Final, Self

from core.domain import AudioFeatures, Candidate, Song, SongName, SongQuery
from core.errors import CatalogueError, CatalogueOutdated
from core.lookup.dataset import CatalogueEntry
from core.lookup.matching import (
    COMPLETION_SIMILARITY,
    ArtistMatch,
    FoldedName,
    beginning_similarity,
    folded_readings,
    match_artists,
    rank,
)
from core.lookup.normalise import artist_key, first_artist, normalize, song_key, title_key
from core.tables import CREDIT_SEPARATOR

FORMAT_VERSION: Final = "2"
"""Raised when the tables or the normalisation behind the keys change; readers take no other."""

AUDIO_FIELDS: Final = tuple(field.name for field in fields(AudioFeatures))

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
  {", ".join(f"audio_{name} REAL" for name in AUDIO_FIELDS)}
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
    names = [title_key(title), *(normalize(first_artist(artist)) for artist in artists)]
    for spelt in spellings:
        names += (title_key(spelt.title), normalize(first_artist(spelt.artist)))
    return f" {'  '.join(dict.fromkeys(names) if spellings else names)} "


def grams(text: str) -> set[str]:
    """List the trigrams of a folded text, none across the border between title and artists."""
    return {gram for i in range(len(text) - 2) if "  " not in (gram := text[i : i + 3])}


SHORTLIST: Final = 32
"""Songs with the weightiest shared trigrams, compared in full; 60 find 2 more in 1,000 but take half as long again."""

NAMESAKES: Final = 40
"""Songs of exactly the title asked for that are compared in full, the best known ones."""

POSTINGS_LEAST: Final = 3_000
POSTINGS_MOST: Final = 24_000
POSTINGS_SHARE: Final = 1 / 12
"""Trigram entries read for a search: this share of the songs, within the two bounds; time is proportional to it.

The rarest trigrams come first, so a misspelling costs nothing and "the" is never read. Among 80,000 songs this finds
998 of 1,000 misspelt questions; among 1,000,000 made-up ones 944, in less than twice the time.
"""

SHORT_QUESTION_GRAMS: Final = 9
"""Up to so many trigrams a typo leaves too few: the best known songs with a word that begins alike are added."""

SHORT_BEGINNING: Final = 3
"""Characters in which such words agree."""

GRAMS_LEAST: Final = 3
"""Trigrams read in any case."""

GRAMS_MOST: Final = 80
"""Trigrams read at most; a long classical title has 150, and half of them tell it from all others."""

WORDS_MOST: Final = 12
"""Words of a half-typed name that are looked at."""

ARTIST_POOL: Final = 2_000
"""Songs with an artist's name in title or credits that are looked through for the artist's own, the best known ones."""

COMPLETION_POOL: Final = 4
"""Times the songs asked for that are looked through to put those first which begin as typed."""


_FACTS: Final = ("title", "artist", "credits", "album", "genres", "duration_ms", "explicit")
_COLUMNS: Final = ", ".join(("popularity", "full_title", "rerelease", *_FACTS, *map("audio_{}".format, AUDIO_FIELDS)))
_SELECT: Final = f"SELECT {_COLUMNS} FROM song"  # noqa: S608 - our own names


class Catalogue:
    """A catalogue opened for reading.

    All methods may be called from any thread, also at once: one connection, one call at a time. They block for
    milliseconds, so an event loop calls them in a worker thread.
    """

    def __init__(self, db: sqlite3.Connection, songs: int) -> None:
        """Take a connection to a checked catalogue; use :meth:`open`."""
        self._db = db
        self._songs = songs
        self._lock = threading.Lock()
        share = round(songs * POSTINGS_SHARE)
        self._postings_max = min(max(share, POSTINGS_LEAST), POSTINGS_MOST)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a catalogue.

        Raises:
            CatalogueError: There is none, or it is damaged.
            CatalogueOutdated: It is of another format.
        """
        if not path.is_file():
            raise CatalogueError(f"no catalogue at {path.name}")
        # Immutable, because a new catalogue replaces the file and never changes it.
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        try:
            db = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise CatalogueError(f"{path.name} cannot be opened: {error}") from error
        try:
            songs = _checked(db, path.name)
        except CatalogueError:
            db.close()
            raise
        return cls(db, songs)

    @classmethod
    def open_if_present(cls, path: Path) -> Self | None:
        """Open a catalogue; None if it was never built.

        Raises:
            CatalogueError: There is one, but it is damaged.
            CatalogueOutdated: It is of another format.
        """
        return cls.open(path) if path.exists() else None

    def __len__(self) -> int:
        return self._songs

    def search(self, query: SongQuery, limit: int = 25) -> tuple[Candidate, ...]:
        """List the songs most like a question, the likeliest first, forgiving typos, order and left-out words.

        Raises:
            CatalogueError: The file turned out to be damaged.
        """
        readings = folded_readings(query)
        titles = dict.fromkeys(key for reading in readings for key in (reading.key, reading.base) if key)
        if not titles:
            return ()
        asked: set[str] = set()
        for reading in readings:
            asked |= grams(f" {reading.key}  {reading.artist or ''} ")
        numbers: dict[int, None] = {}
        for title in titles:
            for table in ("song", "spelling"):
                rows = self._rows(
                    f"SELECT number FROM {table} WHERE title_key = ? ORDER BY number LIMIT ?",  # noqa: S608
                    (title, NAMESAKES),
                )
                numbers.update(dict.fromkeys(row[0] for row in rows))
        numbers.update(dict.fromkeys(self._sharing(asked, SHORTLIST)))
        if len(asked) <= SHORT_QUESTION_GRAMS:
            begun = " OR ".join(f"{_quoted(title.split()[0][:SHORT_BEGINNING])}*" for title in titles)
            rows = self._rows("SELECT rowid FROM song_word WHERE song_word MATCH ? LIMIT ?", (begun, SHORTLIST))
            numbers.update(dict.fromkeys(row[0] for row in rows))
        return tuple(rank(query, self._candidates(list(numbers)))[:limit])

    def complete(self, prefix: str, limit: int = 25) -> tuple[SongName, ...]:
        """List songs for a half-typed name, the best known first; misspelt ones follow when few fit as typed.

        An empty name fits all songs.

        Raises:
            CatalogueError: The file turned out to be damaged.
        """
        if limit < 1:
            return ()
        if not prefix.strip():
            rows = self._rows("SELECT title, artist FROM song ORDER BY number LIMIT ?", (limit,))
            return tuple(SongName(title, artist) for title, artist in rows)
        typed = normalize(prefix)
        if not typed:
            return ()
        *words, last = (_quoted(word) for word in typed.split()[:WORDS_MOST])
        rows = self._rows(
            "SELECT title, artist FROM song WHERE number IN"
            " (SELECT rowid FROM song_word WHERE song_word MATCH ? LIMIT ?) ORDER BY number",
            (" AND ".join([*words, f"{last}*"]), COMPLETION_POOL * limit),
        )
        names = [SongName(title, artist) for title, artist in rows]
        names.sort(key=lambda name: not _begins(name, typed))
        if len(names) < limit:
            names += self._misspelt(typed)
        return tuple(dict.fromkeys(names))[:limit]

    def find(self, name: SongName) -> CatalogueEntry | None:
        """Look up the facts of a song by its key, also by a guest's name instead of the first artist's.

        Raises:
            CatalogueError: The file turned out to be damaged.
        """
        rows = self._rows(f"{_SELECT} WHERE song_key = ?", (song_key(name.title, name.artist),))
        if rows:
            return _entry(rows[0])
        wanted = artist_key(name.artist)
        for row in self._rows(f"{_SELECT} WHERE title_key = ? LIMIT ?", (title_key(name.title), NAMESAKES)):
            entry = _entry(row)
            if wanted in map(artist_key, entry.song.credits):
                return entry
        return None

    def artists(self, asked: str) -> tuple[ArtistMatch, ...]:
        """List the artists most like a name, the likeliest first, forgiving typos.

        Raises:
            CatalogueError: The file turned out to be damaged.
        """
        name = normalize(first_artist(asked))
        rows = self._rows("SELECT rowid FROM song_word WHERE song_word MATCH ? LIMIT ?", (_quoted(name), NAMESAKES))
        numbers = dict.fromkeys([*(row[0] for row in rows), *self._sharing(grams(f" {name} "), SHORTLIST)])
        return match_artists(asked, self._candidates(list(numbers)))

    def songs_by(self, artist: str, limit: int) -> tuple[CatalogueEntry, ...]:
        """List an artist's songs, the best known first; of those by several only where the artist stands first.

        Raises:
            CatalogueError: The file turned out to be damaged.
        """
        key = artist_key(artist)
        rows = self._rows(
            "SELECT number, artist FROM song WHERE number IN"
            " (SELECT rowid FROM song_word WHERE song_word MATCH ? LIMIT ?) ORDER BY number",
            (_quoted(normalize(first_artist(artist))), ARTIST_POOL),
        )
        numbers = [number for number, name in rows if artist_key(name) == key][:limit]
        entries = self._rows(f"{_SELECT} WHERE number IN ({_marks(numbers)}) ORDER BY number", tuple(numbers))
        return tuple(map(_entry, entries))

    def track(self, track_id: str) -> SongName | None:
        """Name the song of a Spotify track id; None if the catalogue has no such track.

        Raises:
            CatalogueError: The file turned out to be damaged.
        """
        packed = packed_track_id(track_id)
        if packed is None:
            return None
        rows = self._rows("SELECT title, artist FROM song JOIN track USING (number) WHERE id = ?", (packed,))
        return SongName(*rows[0]) if rows else None

    def close(self) -> None:
        """Free the file; the catalogue cannot be used afterwards."""
        with self._lock:
            self._db.close()

    def _misspelt(self, typed: str) -> list[SongName]:
        alike: list[tuple[float, int, SongName]] = []
        for place, candidate in enumerate(self._candidates(self._sharing(grams(f" {typed}"), SHORTLIST))):
            name = candidate.name
            similarity = beginning_similarity(typed, FoldedName.of(name.title, name.artist, candidate.credits))
            if similarity >= COMPLETION_SIMILARITY:
                alike.append((-similarity, place, name))
        return [name for _, _, name in sorted(alike, key=lambda entry: entry[:2])]

    def _sharing(self, asked: set[str], limit: int) -> list[int]:
        """Number the songs that share the weightiest trigrams: each counts by how few songs have it."""
        if not asked:
            return []
        counted = self._rows(f"SELECT songs, gram FROM gram WHERE gram IN ({_marks(asked)})", tuple(asked))  # noqa: S608
        chosen: list[tuple[str, float]] = []
        read = 0
        for songs, gram in sorted(counted)[:GRAMS_MOST]:
            read += songs
            if read > self._postings_max and len(chosen) >= GRAMS_LEAST:
                break
            chosen.append((_quoted(gram), log(1 + self._songs / songs)))
        if not chosen:
            return []
        postings = " UNION ALL ".join(
            "SELECT rowid AS number, ? AS weight FROM song_gram WHERE song_gram MATCH ?" for _ in chosen
        )
        rows = self._rows(
            f"SELECT number FROM ({postings}) GROUP BY number ORDER BY sum(weight) DESC, number LIMIT ?",  # noqa: S608
            (*(value for gram, weight in chosen for value in (weight, gram)), limit),
        )
        return [row[0] for row in rows]

    def _candidates(self, numbers: Sequence[int]) -> list[Candidate]:
        rows = self._rows(
            "SELECT number, title, artist, credits, popularity FROM song"  # noqa: S608
            f" WHERE number IN ({_marks(numbers)}) ORDER BY number",
            tuple(numbers),
        )
        spelt: defaultdict[int, list[SongName]] = defaultdict(list)
        for number, title, artist in self._rows(
            f"SELECT number, title, artist FROM spelling WHERE number IN ({_marks(numbers)})",  # noqa: S608
            tuple(numbers),
        ):
            spelt[number].append(SongName(title, artist))
        return [
            Candidate(
                SongName(title, artist),
                0.0,
                popularity=popularity,
                credits=_list(artists),
                spellings=tuple(spelt.get(number, ())),
            )
            for number, title, artist, artists, popularity in rows
        ]

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise CatalogueError(f"the catalogue cannot be read: {error}") from error


def with_facts(song: Song, facts: Song) -> Song:
    """Fill what is unknown of ``song`` from what the catalogue says of it; what is known stays."""
    return replace(
        song,
        credits=song.credits or facts.credits,
        genres=song.genres or facts.genres,
        audio=song.audio or facts.audio,
        explicit=facts.explicit if song.explicit is None else song.explicit,
        album=song.album or facts.album,
        released=song.released or facts.released,
        duration_ms=song.duration_ms or facts.duration_ms,
    )


def _checked(db: sqlite3.Connection, name: str) -> int:
    """Return the number of songs of a sound catalogue."""
    try:
        meta = dict(db.execute("SELECT name, value FROM meta").fetchall())
        if meta.get("format") != FORMAT_VERSION:
            raise CatalogueOutdated(f"{name} has format {meta.get('format')}, this version reads {FORMAT_VERSION}")
        (last,) = db.execute("SELECT max(number) FROM song").fetchone()
        for index in ("song_gram", "song_word"):
            db.execute(f"SELECT rowid FROM {index} WHERE {index} MATCH 'abc' LIMIT 1").fetchall()  # noqa: S608
        for table in ("gram", "spelling", "track"):
            db.execute(f"SELECT * FROM {table} LIMIT 1").fetchall()  # noqa: S608
    except sqlite3.DatabaseError as error:
        raise CatalogueError(f"{name} is damaged: {error}") from error
    songs = meta.get("songs", "")
    if not songs.isdecimal() or last != int(songs):
        raise CatalogueError(f"{name} is cut off: it names {songs or 'no'} songs and holds {last}")
    return int(songs)


def _entry(row: Sequence[Any]) -> CatalogueEntry:
    popularity, full_title, rerelease, *facts = row
    return CatalogueEntry(_song(facts), popularity, full_title, bool(rerelease))


def _song(row: Sequence[Any]) -> Song:
    title, artist, artists, album, genres, duration_ms, explicit, *audio = row
    features = dict(zip(AUDIO_FIELDS, audio, strict=True))
    for whole in ("key", "mode", "time_signature"):
        features[whole] = None if features[whole] is None else int(features[whole])
    return Song(
        title=title,
        artist=artist,
        credits=_list(artists),
        album=album,
        genres=_list(genres),
        duration_ms=duration_ms,
        explicit=None if explicit is None else bool(explicit),
        audio=None if features["danceability"] is None else AudioFeatures(**features),
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(CREDIT_SEPARATOR)) if text else ()


def _quoted(word: str) -> str:
    """Write a word as an FTS5 string, in which nothing is an operator."""
    return '"' + word.replace('"', '""') + '"'


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)


def _begins(name: SongName, typed: str) -> bool:
    title, artist = title_key(name.title), artist_key(name.artist)
    return any(text.startswith(typed.removeprefix("the ")) for text in (title.removeprefix("the "), artist))
