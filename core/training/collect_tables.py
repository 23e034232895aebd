"""The tables that say what to collect, and the labelled songs of a collection with the releases looked up for them.

Labels and releases live in tables of their own in the collection's file, beside the answers of Last.fm.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from core.domain import Release, SongName
from core.lookup.lastfm_parse import parse_text
from core.lookup.normalise import first_artist, names_nobody
from core.tables import TableRow, read_table
from core.text import parse_release_date

DATED_COLUMNS: Final = (
    "track", "artist", "album", "album_type", "release_date", "popularity", "label_date", "duration_ms", "explicit",
    "genres", "isrc", "track_id", "source",
)  # fmt: skip

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS label (
    song INTEGER NOT NULL REFERENCES song, source TEXT NOT NULL, popularity REAL NOT NULL, label_date TEXT NOT NULL,
    PRIMARY KEY (song, source));
CREATE TABLE IF NOT EXISTS release_answer (
    song INTEGER NOT NULL REFERENCES song, round INTEGER NOT NULL REFERENCES round, collected TEXT NOT NULL,
    found INTEGER NOT NULL, album TEXT, released TEXT, duration_ms INTEGER, explicit INTEGER,
    PRIMARY KEY (song, round));
"""


@dataclass(frozen=True, slots=True)
class Label:
    """How popular a song was, 0 to 100, and when: "2025-08" or "2025-08-31"; None if that is not told."""

    artist: str
    title: str
    popularity: float
    label_date: str | None = None


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """A labelled song whose release is still to be looked up."""

    id: int
    name: SongName


class LabelStore:
    """Labels and releases in the file of a collection.

    Args:
        db: The file; its songs are planned already.
        round_: The round that answers belong to.
        snapshot: Whether songs that no service knew are asked for anew. A known day is not: it does not change.
    """

    def __init__(self, db: sqlite3.Connection, round_: int, *, snapshot: bool) -> None:
        self._db = db
        self._round = round_
        self._snapshot = snapshot
        db.executescript(_SCHEMA)

    def add(self, labels: Iterable[Label], source: str, month: str) -> None:
        """Keep one label a song and source: of several in one table the latest, then the most popular.

        ``month`` dates those without a date of their own. Such a label that is already there with the same popularity
        keeps its month: a collection that goes on after the turn of a month tells nothing new.
        """
        kept: dict[int, tuple[str, float]] = {}
        for label in labels:
            row = self._db.execute(
                "SELECT id, label.popularity, label.label_date FROM song "
                "LEFT JOIN label ON label.song = song.id AND label.source = ? WHERE song.key = ?",
                (source, key_of_song(label.artist, label.title)),
            ).fetchone()
            if row is None:
                continue
            song, popularity, dated = row
            day = label.label_date or (dated if popularity == label.popularity else month)
            kept[song] = max(kept.get(song, ("", 0.0)), (day, label.popularity))
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO label (song, source, popularity, label_date) VALUES (?, ?, ?, ?)",
                ((song, source, popularity, day) for song, (day, popularity) in kept.items()),
            )

    def jobs(self) -> list[ReleaseJob]:
        """List the labelled songs still to be looked up."""
        past = "AND (round = :round OR released IS NOT NULL)" if self._snapshot else ""
        rows = self._db.execute(
            "SELECT id, title, artist FROM song WHERE NOT names_nobody(artist) "  # noqa: S608 - no outside text in it
            "AND id IN (SELECT song FROM label) AND NOT EXISTS "
            f"(SELECT 1 FROM release_answer WHERE song = song.id {past}) ORDER BY id",
            {"round": self._round} if self._snapshot else {},
        )
        return [ReleaseJob(id_, SongName(title, artist)) for id_, title, artist in rows]

    def keep(self, job: ReleaseJob, release: Release | None, collected: str) -> None:
        """Commit the release of a song; None is kept as "not found"."""
        told = release or Release()
        released = told.released.isoformat() if told.released else None
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO release_answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job.id, self._round, collected, release is not None, told.album, released, told.duration_ms,
                    told.explicit,
                ),
            )  # fmt: skip

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Give the labels with what is known of the songs, in the order of :data:`DATED_COLUMNS`.

        Album, day and explicitness are of the look-up alone; Last.fm tells only a length that it lacks.
        """
        rows = self._db.execute(
            """
            SELECT title, artist, coalesce(found.album, ''), coalesce(found.released, ''), popularity, label_date,
                coalesce(found.duration_ms, (
                    SELECT duration_ms FROM song_answer WHERE song = song.id AND duration_ms > 0
                    ORDER BY round DESC LIMIT 1), ''),
                found.explicit, label.source
            FROM label JOIN song ON song.id = label.song
            LEFT JOIN release_answer found ON found.song = song.id AND found.round = (
                SELECT round FROM release_answer WHERE song = song.id AND found
                ORDER BY released IS NULL, round DESC LIMIT 1)
            WHERE NOT names_nobody(artist) ORDER BY label.source, song.id
            """
        )
        for title, artist, album, released, popularity, label_date, duration_ms, explicit, source in rows:
            mark = "" if explicit is None else str(bool(explicit))
            yield (
                title, artist, album, "", released, f"{popularity:g}", label_date, duration_ms, mark, "", "", "", source
            )  # fmt: skip


def key_of(name: str) -> str:
    """Fold a name; equal keys are asked for once."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def key_of_song(artist: str, title: str) -> str:
    """Do as :func:`key_of` for a song."""
    return f"{key_of(artist)}\n{key_of(title)}"


TITLE_COLUMNS: Final = ("track", "track_name", "title", "song")
ARTIST_COLUMNS: Final = ("artist", "artists", "artist_name", "name")
POPULARITY_COLUMN: Final = "popularity"
LABEL_DATE_COLUMN: Final = "label_date"

_POPULARITY: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]*)?")
_LABEL_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?")


@dataclass(frozen=True, slots=True)
class SongTable:
    """What a table of songs says.

    Attributes:
        songs: Artist and title of each row that has both.
        labels: Their popularity where the table tells it.
        left_out: Rows without artist or title, and those by "[unknown]".
    """

    songs: tuple[tuple[str, str], ...]
    labels: tuple[Label, ...]
    left_out: int


def read_songs(path: Path, *, today: date | None = None) -> SongTable:
    """Read a table of songs, plain or .gz; ``today`` is by default that of UTC.

    Raises:
        DataError: It cannot be read, lacks artist or title, or tells a popularity or its date that cannot be.
    """
    latest = (today or datetime.now(UTC).date()) + timedelta(days=1)  # the table's maker may live east of Greenwich
    songs, labels, left_out = [], [], 0
    for row, (artist, title) in _rows(path, (ARTIST_COLUMNS, TITLE_COLUMNS)):
        popularity = _popularity(row)
        label_date = None if popularity is None else _label_date(row, latest)
        if not artist or not title or names_nobody(artist):
            left_out += 1
            continue
        songs.append((artist, title))
        if popularity is not None:
            labels.append(Label(artist, title, popularity, label_date))
    return SongTable(tuple(songs), tuple(labels), left_out)


def read_artists(path: Path) -> tuple[str, ...]:
    """Read a table of artists, plain or .gz, without those that are none.

    Raises:
        DataError: It cannot be read or has no column of artists.
    """
    return tuple(name for _, (name,) in _rows(path, (ARTIST_COLUMNS,)) if name and not names_nobody(name))


def _popularity(row: TableRow) -> float | None:
    text = (row.cells.get(POPULARITY_COLUMN) or "").strip()
    if not text:
        return None
    if _POPULARITY.fullmatch(text) is None or float(text) > 100:
        raise row.fault(POPULARITY_COLUMN, f"{text[:40]!r} is not a number from 0 to 100")
    return float(text)


def _label_date(row: TableRow, latest: date) -> str | None:
    text = (row.cells.get(LABEL_DATE_COLUMN) or "").strip()
    if not text:
        return None
    day = parse_release_date(text, today=latest) if _LABEL_DATE.fullmatch(text) else None
    if day is None or day > latest:
        what = "is no month like 2022-10 or day like 2022-10-31 up to today"
        raise row.fault(LABEL_DATE_COLUMN, f"{text[:40]!r} {what}")
    return text


def _rows(path: Path, wanted: Sequence[Sequence[str]]) -> Iterator[tuple[TableRow, list[str]]]:
    """Read each row and one value for each group of column names, the first artist of a list."""
    for row in read_table(path, *wanted):
        columns = [next(name for name in names if name in row.cells) for names in wanted]
        cells = [(column, row.cells[column] or "") for column in columns]
        yield row, [parse_text(first_artist(cell) if column == "artists" else cell) for column, cell in cells]
