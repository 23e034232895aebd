"""Builds the song catalogue from the Spotify Tracks Dataset: one SQLite file, one row per song.

Names in other letters are kept in Latin ones too, as :mod:`core.lookup.readings` writes them.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from core.errors import DataError
from core.lookup.catalogue import (
    AUDIO_FIELDS,
    FORMAT_VERSION,
    SCHEMA,
    grams,
    packed_track_id,
    song_text,
)
from core.lookup.dataset import CatalogueEntry, album_key, compilations, draw, read_dataset
from core.lookup.normalise import artist_key, song_key, title_key
from core.lookup.readings import Readings
from core.tables import CREDIT_SEPARATOR

_INSERT: Final = f"INSERT INTO song VALUES ({', '.join('?' * (13 + len(AUDIO_FIELDS)))})"  # noqa: S608 - placeholders


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What was read and written."""

    rows_read: int
    rows_unnamed: int
    songs: int
    size_bytes: int


class Step(StrEnum):
    """What a build is doing."""

    FETCHING = "Fetching data"
    READING = "Reading rows"
    WRITING = "Writing songs"


Progress = Callable[[Step, int, int | None], None]
"""Is told the step, how much of it is done (bytes, rows or songs), and how much there is if known."""

PROGRESS_EVERY: Final = 500
"""Rows or songs between two reports of progress."""


def _no_progress(step: Step, done: int, total: int | None) -> None:
    """Show nothing."""


def build_catalogue(
    csv_path: Path, out: Path, *, source: str, rows_least: int = 1, progress: Progress = _no_progress
) -> BuildReport:
    """Read a copy of the data set, plain or .gz, and write the catalogue in one stroke.

    Every song is one row: the greatest popularity and the genres of all its rows, and the facts of one release, chosen
    as the model learnt it: one that is no compilation if there is any, else by :func:`core.lookup.dataset.draw`.
    ``out`` is replaced only when the new file is complete.

    Args:
        csv_path: The data set.
        out: The catalogue to write.
        source: Where the data set is from, kept in the catalogue.
        rows_least: Rows below which the file counts as cut off.
        progress: Told of rows as they are read.

    Raises:
        DataError: The file cannot be read, has too few rows, lacks a column or holds a value that cannot be; file, row
            and column named.
    """
    entries: dict[str, list[CatalogueEntry]] = {}
    rows = unnamed = 0
    for entry in read_dataset(csv_path):
        rows += 1
        if rows % PROGRESS_EVERY == 0:
            progress(Step.READING, rows, None)
        if not entry.song.title or not entry.song.artist:
            unnamed += 1
            continue
        entries.setdefault(song_key(entry.song.title, entry.song.artist), []).append(entry)
    progress(Step.READING, rows, rows)
    if rows < rows_least:
        raise DataError(f"{csv_path.name} is cut off: it has {rows:,} rows instead of {rows_least:,}")
    if not entries:
        raise DataError(f"{csv_path.name} holds no songs")
    every = (entry.song for of_song in entries.values() for entry in of_song)
    shared = compilations((song.album or "", artist_key(song.artist)) for song in every)
    songs = [_merged(of_song, shared) for of_song in entries.values()]
    write_catalogue(songs, out, source=source, rows_read=rows, progress=progress)
    return BuildReport(rows, unnamed, len(entries), out.stat().st_size)


def _merged(entries: list[CatalogueEntry], shared: frozenset[str]) -> CatalogueEntry:
    """Join the rows of one song; an album that is among the ``shared`` ones is not the song's and left out."""

    def turn(entry: CatalogueEntry) -> tuple[bool, str]:
        album = entry.song.album or ""
        return album_key(album) in shared, draw(entry.full_title or entry.song.title, album)

    kept = min(entries, key=turn)
    rerelease, _ = turn(kept)
    genres = tuple(dict.fromkeys(genre for entry in entries for genre in entry.song.genres))
    return CatalogueEntry(
        song=replace(kept.song, genres=genres, album=None if rerelease else kept.song.album),
        popularity=max(entry.popularity for entry in entries),
        full_title=kept.full_title,
        rerelease=rerelease,
        track_ids=tuple(dict.fromkeys(track_id for entry in entries for track_id in entry.track_ids)),
    )


def write_catalogue(
    entries: Iterable[CatalogueEntry], out: Path, *, source: str, rows_read: int, progress: Progress = _no_progress
) -> None:
    """Write entries with distinct song keys as a catalogue; ``out`` is replaced only when all is written."""
    ranked = sorted(entries, key=lambda entry: -entry.popularity)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    os.close(handle)
    staged = Path(name)
    try:
        with closing(sqlite3.connect(staged)) as db:
            _fill(db, ranked, progress)
            facts = {
                "format": FORMAT_VERSION,
                "source": source,
                "rows_read": str(rows_read),
                "songs": str(len(ranked)),
                "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            db.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
            db.commit()
        with staged.open("rb") as written:
            os.fsync(written.fileno())
        staged.chmod(0o644)
        staged.replace(out)
    finally:
        staged.unlink(missing_ok=True)


def _fill(db: sqlite3.Connection, ranked: list[CatalogueEntry], progress: Progress) -> None:
    db.executescript(SCHEMA)
    # The staged file is worthless until it is complete, so a journal protects nothing.
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    counts: Counter[str] = Counter()
    readings = Readings.load()
    for number, entry in enumerate(ranked, start=1):
        spellings = readings.spellings(entry.song.name)
        text = song_text(entry.song.title, entry.song.credits, spellings)
        counts.update(grams(text))
        db.execute(_INSERT, _values(number, entry))
        db.executemany(
            "INSERT OR IGNORE INTO spelling VALUES (?, ?, ?, ?)",
            [(title_key(spelt.title), number, spelt.title, spelt.artist) for spelt in spellings],
        )
        # A track listed under two songs keeps the better known one, which comes first.
        ids = [(packed, number) for packed in map(packed_track_id, entry.track_ids) if packed is not None]
        db.executemany("INSERT OR IGNORE INTO track VALUES (?, ?)", ids)
        db.execute("INSERT INTO song_gram (rowid, text) VALUES (?, ?)", (number, text))
        db.execute("INSERT INTO song_word (rowid, text) VALUES (?, ?)", (number, text))
        if number % PROGRESS_EVERY == 0:
            progress(Step.WRITING, number, len(ranked))
    db.executemany("INSERT INTO gram VALUES (?, ?)", sorted(counts.items()))
    db.execute("INSERT INTO song_gram (song_gram) VALUES ('optimize')")
    db.execute("INSERT INTO song_word (song_word) VALUES ('optimize')")
    progress(Step.WRITING, len(ranked), len(ranked))


def _values(number: int, entry: CatalogueEntry) -> tuple[object, ...]:
    song = entry.song
    audio = (None,) * len(AUDIO_FIELDS)
    if song.audio is not None:
        audio = tuple(getattr(song.audio, name) for name in AUDIO_FIELDS)
    return (
        number,
        song_key(song.title, song.artist),
        title_key(song.title),
        song.title,
        song.artist,
        CREDIT_SEPARATOR.join(song.credits),
        entry.popularity,
        song.album,
        CREDIT_SEPARATOR.join(song.genres),
        song.duration_ms,
        song.explicit,
        entry.full_title,
        entry.rerelease,
        *audio,
    )
