"""Reads the Spotify Tracks Dataset, row by row, refuses what cannot be, and tells which row stands for a song."""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Final

from core.domain import AudioFeatures, Song
from core.errors import DataError
from core.lookup.catalog_schema import AUDIO_COLUMNS, AUDIO_SHARES, LIST_SEPARATOR
from core.lookup.normalise import plain_title, visible

COLUMNS: Final = (
    *("artists", "album_name", "track_name", "popularity", "duration_ms", "explicit", "track_genre"),
    *AUDIO_COLUMNS,
)
"""Columns the file must have; of the others only the one below is read, where there is one."""

TRACK_ID: Final = "track_id"

RECORDED_ON: Final = date(2022, 10, 15)
"""When the data set's popularity was taken, about."""

COMPILATION_ARTISTS: Final = 3
"""First artists that share an album's name from which its rows are taken for re-releases.

Common names ("Greatest Hits") are caught too: their rows are lost, not mislabelled. In the Spotify Tracks Dataset it
finds 283 of the 286 songs with Last.fm figures that have 100,000 listeners' artists and a popularity of 5 or less.
"""

FIRST_ROW: Final = 2
"""Number of the first row below the heading, as spreadsheets count."""

_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One song with its recorded Spotify popularity.

    Attributes:
        song: Its facts; the title is the plain one.
        popularity: 0 to 100.
        full_title: The title as the data set writes it, if that says more than the plain one; else empty.
        rerelease: Whether the song stands on compilations alone, whose popularity is not the song's.
        track_ids: Ids of its tracks at Spotify.
    """

    song: Song
    popularity: int
    full_title: str = ""
    rerelease: bool = False
    track_ids: tuple[str, ...] = ()


def compilations(albums: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Name the albums, by their key, that are compilations: several first artists share them.

    Args:
        albums: Album name, "" where unknown, and key of the first artist, of each row of one table.
    """
    artists: defaultdict[str, set[str]] = defaultdict(set)
    for album, artist in albums:
        artists[album_key(album)].add(artist)
    return frozenset(album for album, names in artists.items() if album and len(names) >= COMPILATION_ARTISTS)


def album_key(album: str) -> str:
    """Make spellings of an album's name equal that differ in case and outer white space."""
    return album.casefold().strip()


def draw(title: str, album: str) -> str:
    """Give a row its place among the rows of one song: an order that knows nothing of popularity or of the file."""
    return hashlib.blake2b(f"{title}\n{album}".encode(), digest_size=8).hexdigest()


def read_dataset(csv_path: Path) -> Iterator[CatalogueEntry]:
    """Yield the rows of the data set, plain or .gz; unnamed rows have empty names.

    Names are taken as written: artists called "NA", "None" and "Null" are artists.

    Raises:
        DataError: The file cannot be read, lacks a column or holds a value that cannot be; file, row and column named.
    """
    try:
        with _open_text(csv_path) as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise DataError(f"{csv_path.name} lacks the column {', '.join(missing)}")
            for number, row in enumerate(reader, start=FIRST_ROW):
                yield _entry(_Row(csv_path.name, number, row))
    except FileNotFoundError:
        raise DataError(f"there is no {csv_path}") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{csv_path.name} cannot be read to its end: {error}") from error


def _open_text(path: Path) -> IO[str]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("r", encoding="utf-8-sig", newline="")


@dataclass(frozen=True, slots=True)
class _Row:
    file: str
    number: int
    cells: Mapping[str, str | None]

    def text(self, column: str) -> str:
        cell = self.cells[column]
        if cell is None:
            raise self.fault(column, "is missing")
        return visible(cell)

    def number_in(self, column: str, least: float, most: float) -> float:
        cell = self.text(column)
        try:
            value = float(cell)
        except ValueError:
            raise self.fault(column, f"{cell[:40]!r} is not a number") from None
        if not (math.isfinite(value) and least <= value <= most):
            raise self.fault(column, f"{cell[:40]} is not between {least:g} and {most:g}")
        return value

    def whole_in(self, column: str, least: int, most: int) -> int:
        value = self.number_in(column, least, most)
        if value != int(value):
            raise self.fault(column, f"{value:g} is not a whole number")
        return int(value)

    def truth(self, column: str) -> bool:
        cell = self.text(column)
        if cell.casefold() not in _TRUTH:
            raise self.fault(column, f"{cell[:40]!r} is neither True nor False")
        return _TRUTH[cell.casefold()]

    def fault(self, column: str, what: str) -> DataError:
        return DataError(f"{self.file}, row {self.number}, column {column}: {what}")


def _entry(row: _Row) -> CatalogueEntry:
    artists = tuple(name for name in map(str.strip, row.text("artists").split(LIST_SEPARATOR)) if name)
    genre = row.text("track_genre")
    key = row.whole_in("key", -1, 11)
    title = row.text("track_name")
    plain = plain_title(title)
    song = Song(
        title=plain,
        artist=artists[0] if artists else "",
        credits=artists,
        album=row.text("album_name") or None,
        genres=(genre,) if genre else (),
        duration_ms=row.whole_in("duration_ms", 0, 2**31) or None,
        explicit=row.truth("explicit"),
        audio=AudioFeatures(
            **{name: row.number_in(name, 0, 1) for name in AUDIO_SHARES},
            loudness=row.number_in("loudness", -100, 20),
            tempo=row.number_in("tempo", 0, 400),
            key=key if key >= 0 else None,
            mode=row.whole_in("mode", 0, 1),
            time_signature=row.whole_in("time_signature", 0, 16) or None,
        ),
    )
    track_id = visible(row.cells.get(TRACK_ID) or "")
    return CatalogueEntry(
        song,
        row.whole_in("popularity", 0, 100),
        full_title=title if title != plain else "",
        track_ids=(track_id,) if track_id else (),
    )
