"""What a collection has asked and been answered, in one SQLite file, and its export as training tables.

Every answer is committed before the next question of the same worker, so a kill at any moment loses at most what was
on the wire. The CSV files are written whole and put in place at once; they can always be made again from the store.

Files of older versions go on working: tables are added, never changed.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final, Self

from core.domain import SongName
from core.lookup.lastfm_parse import ArtistInfo, TrackInfo
from core.lookup.normalise import names_nobody
from core.tables import TAG_SEPARATOR
from core.training.collect_tables import DATED_COLUMNS, Label, LabelStore, key_of, key_of_song

TRACK_COLUMNS: Final = (
    "artist", "track", "listeners", "playcount", "duration_ms", "tags", "album", "source", "collected",
)  # fmt: skip
"""``album`` is Last.fm's, kept as a record of what it says: often a compilation, which the model never reads."""
ARTIST_COLUMNS: Final = (
    "artist", "lastfm_listeners", "lastfm_playcount", "similar_1", "similar_2", "similar_3", "collected",
)  # fmt: skip
TAG_COLUMNS: Final = ("artist", "source", "rank", "tag", "weight")
TAG_SOURCE: Final = "lastfm_collected"
TABLES: Final = {
    "tracks": "lastfm_tracks_collected.csv",
    "artists": "lastfm_artists_collected.csv",
    "tags": "lastfm_artist_tags_collected.csv",
    "dated": "dated_popularity_collected.csv",
}
"""The file of each table."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS round (id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, finished INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS song (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, artist TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS artist (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS page (
    chart TEXT NOT NULL, number INTEGER NOT NULL, round INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (chart, number, round));
CREATE TABLE IF NOT EXISTS song_answer (
    song INTEGER NOT NULL REFERENCES song, round INTEGER NOT NULL REFERENCES round, collected TEXT NOT NULL,
    found INTEGER NOT NULL, listeners INTEGER, playcount INTEGER, duration_ms INTEGER, tags TEXT, album TEXT,
    PRIMARY KEY (song, round));
CREATE TABLE IF NOT EXISTS artist_answer (
    artist INTEGER NOT NULL REFERENCES artist, round INTEGER NOT NULL REFERENCES round, collected TEXT NOT NULL,
    found INTEGER NOT NULL, listeners INTEGER, playcount INTEGER, similar TEXT,
    PRIMARY KEY (artist, round));
CREATE TABLE IF NOT EXISTS artist_tag (
    artist INTEGER NOT NULL REFERENCES artist, round INTEGER NOT NULL REFERENCES round, rank INTEGER NOT NULL,
    tag TEXT NOT NULL, PRIMARY KEY (artist, round, rank));
"""


@dataclass(frozen=True, slots=True)
class SongJob:
    """A song still to be asked for."""

    id: int
    artist: str
    title: str


@dataclass(frozen=True, slots=True)
class ArtistJob:
    """An artist still to be asked for."""

    id: int
    name: str


Job = SongJob | ArtistJob


class CollectStore:
    """The state of a collection in one file; a context manager.

    Without a snapshot, what was ever answered is not asked again. A snapshot asks everything once more, in a round of
    its own, which a later start goes on with until it is finished.

    Args:
        path: The SQLite file, made if absent.
        snapshot: Whether to ask anew what older rounds have answered.
    """

    def __init__(self, path: Path, *, snapshot: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.create_function("names_nobody", 1, names_nobody, deterministic=True)
        self._db.executescript(_SCHEMA)
        self._snapshot = snapshot
        self._round = self._open_round()
        self.labels = LabelStore(self._db, self._round, snapshot=snapshot)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._db.close()

    def add_songs(self, songs: Iterable[tuple[str, str]], source: str, *, artists: bool = True) -> None:
        """Plan songs, given as artist and title, and with ``artists`` their artists; known ones stay as they are."""
        with self._db:
            self._plan_songs(songs, source, artists=artists)

    def add_labels(self, labels: Iterable[Label], source: str, month: str) -> None:
        """Keep the popularity of planned songs; see :meth:`LabelStore.add`."""
        self.labels.add(labels, source, month)

    def add_artists(self, names: Iterable[str]) -> None:
        """Plan artists."""
        with self._db:
            for name in names:
                self._plan_artist(name)

    def add_page(self, chart: str, number: int, songs: Iterable[tuple[str, str]], *, last: bool, artists: bool) -> None:
        """Plan the songs of one page of a chart and remember, in the same breath, that it was asked."""
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?)", (chart, number, self._round, last))
            self._plan_songs(songs, chart, artists=artists)

    def next_page(self, chart: str) -> int | None:
        """Return which page of a chart to ask for next; None after its last one."""
        row = self._db.execute(
            "SELECT max(number), max(last) FROM page WHERE chart = ? AND round = ?", (chart, self._round)
        ).fetchone()
        if row[1]:
            return None
        return (row[0] or 0) + 1

    def jobs(self) -> list[Job]:
        """List what is still to be asked, in the order it was planned, artists before songs."""
        past = "AND round = :round" if self._snapshot else ""
        parameters = {"round": self._round} if self._snapshot else {}
        artists = self._db.execute(
            "SELECT id, name FROM artist WHERE NOT names_nobody(name) AND NOT EXISTS "  # noqa: S608 - no outside text in it
            f"(SELECT 1 FROM artist_answer WHERE artist = artist.id {past}) ORDER BY id",
            parameters,
        )
        songs = self._db.execute(
            "SELECT id, artist, title FROM song WHERE NOT names_nobody(artist) AND NOT EXISTS "  # noqa: S608 - no outside text in it
            f"(SELECT 1 FROM song_answer WHERE song = song.id {past}) ORDER BY id",
            parameters,
        )
        return [*(ArtistJob(*row) for row in artists), *(SongJob(*row) for row in songs)]

    def keep_song(self, job: SongJob, info: TrackInfo | None, collected: str) -> None:
        """Commit a song's answer; None, or one without both counts, is kept as "not found"."""
        found = info is not None and info.listeners is not None and info.playcount is not None
        figures = (
            (info.listeners, info.playcount, info.duration_ms, TAG_SEPARATOR.join(_tags(info.tags)), info.album)
            if info is not None and found
            else (None,) * 5
        )
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO song_answer VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (job.id, self._round, collected, found, *figures),
            )

    def keep_artist(self, job: ArtistJob, info: ArtistInfo | None, collected: str) -> None:
        """Commit an artist's answer; None, or one without both counts, is kept as "not found"."""
        found = info is not None and info.listeners is not None and info.playcount is not None
        similar = (name for name in (info.similar if info is not None else ()) if not names_nobody(name))
        figures = (
            (info.listeners, info.playcount, "\n".join([*similar][:3])) if info is not None and found else (None,) * 3
        )
        tags = info.tags if info is not None and found else ()
        with self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO artist_answer VALUES (?, ?, ?, ?, ?, ?, ?)",
                (job.id, self._round, collected, found, *figures),
            )
            self._db.execute("DELETE FROM artist_tag WHERE artist = ? AND round = ?", (job.id, self._round))
            self._db.executemany(
                "INSERT INTO artist_tag VALUES (?, ?, ?, ?)",
                ((job.id, self._round, rank, tag) for rank, tag in enumerate(tags, start=1)),
            )

    def dated_figures(self) -> Iterator[tuple[SongName, date, int, int]]:
        """Yield each song found with its day, listeners and plays, of every round."""
        found = self._db.execute(
            "SELECT title, artist, collected, listeners, playcount FROM song_answer JOIN song ON song.id = song "
            "WHERE found AND NOT names_nobody(artist) ORDER BY round, song"
        )
        for title, artist, collected, listeners, playcount in found:
            yield SongName(title, artist), date.fromisoformat(collected), listeners, playcount

    def finish(self) -> None:
        """Close the round: a later snapshot is a new one."""
        with self._db:
            self._db.execute("UPDATE round SET finished = 1 WHERE id = ?", (self._round,))

    def export(self, folder: Path) -> dict[str, int]:
        """Write everything found as :data:`TABLES` with the columns of the training data; give their rows.

        A table without rows is not there afterwards: training takes none that is empty. Tags are those of an artist's
        latest answer that has any.
        """
        songs = self._db.execute(
            "SELECT artist, title, listeners, playcount, coalesce(duration_ms, 0), tags, coalesce(album, ''), source, "
            "collected FROM song_answer JOIN song ON song.id = song WHERE found AND NOT names_nobody(artist) "
            "ORDER BY round, song"
        )
        names = self._db.execute(
            "SELECT name, listeners, playcount, similar, collected FROM artist_answer "
            "JOIN artist ON artist.id = artist WHERE found AND NOT names_nobody(name) ORDER BY round, artist"
        )
        tags = self._db.execute(
            "SELECT name, ?, rank, tag, '' FROM artist_tag JOIN artist ON artist.id = artist WHERE NOT "
            "names_nobody(name) AND round = (SELECT max(round) FROM artist_tag latest WHERE latest.artist = artist.id) "
            "ORDER BY artist.id, rank",
            (TAG_SOURCE,),
        )
        return {
            "tracks": _write(folder / TABLES["tracks"], TRACK_COLUMNS, songs),
            "artists": _write(folder / TABLES["artists"], ARTIST_COLUMNS, map(_with_similar, names)),
            "tags": _write(folder / TABLES["tags"], TAG_COLUMNS, tags),
            "dated": _write(folder / TABLES["dated"], DATED_COLUMNS, self.labels.rows()),
        }

    def _plan_songs(self, songs: Iterable[tuple[str, str]], source: str, *, artists: bool) -> None:
        for artist, title in songs:
            if names_nobody(artist):
                continue
            self._db.execute(
                "INSERT OR IGNORE INTO song (key, artist, title, source) VALUES (?, ?, ?, ?)",
                (key_of_song(artist, title), artist, title, source),
            )
            if artists:
                self._plan_artist(artist)

    def _plan_artist(self, name: str) -> None:
        if not names_nobody(name):
            self._db.execute("INSERT OR IGNORE INTO artist (key, name) VALUES (?, ?)", (key_of(name), name))

    def _open_round(self) -> int:
        with self._db:
            row = self._db.execute(
                "SELECT id FROM round WHERE snapshot = ? AND (NOT snapshot OR NOT finished) ORDER BY id DESC LIMIT 1",
                (self._snapshot,),
            ).fetchone()
            if row is not None:
                return int(row[0])
            cursor = self._db.execute("INSERT INTO round (snapshot, finished) VALUES (?, 0)", (self._snapshot,))
            return int(cursor.lastrowid or 0)


def _tags(tags: Iterable[str]) -> Iterator[str]:
    return (tag.replace(TAG_SEPARATOR, "/") for tag in tags)


def _with_similar(row: tuple[str, int, int, str, str]) -> tuple[object, ...]:
    name, listeners, playcount, similar, collected = row
    return (name, listeners, playcount, *[*similar.split("\n"), "", ""][:3], collected)


def _write(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> int:
    """Write a CSV beside ``path`` and put it in its place, or clear the place if there are no rows; give their number.

    A table of an earlier run goes only when the new one is known to be empty.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    written = 0
    try:
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for row in rows:
                writer.writerow(row)
                written += 1
            file.flush()
            os.fsync(file.fileno())
        if written:
            beside.replace(path)
        else:
            path.unlink(missing_ok=True)
    finally:
        beside.unlink(missing_ok=True)
    return written
