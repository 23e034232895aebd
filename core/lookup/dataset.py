"""Reads the Spotify Tracks Dataset, row by row, and refuses what cannot be."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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

FIRST_ROW: Final = 2
"""Number of the first row below the heading, as spreadsheets count."""

_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One song with its recorded Spotify popularity, 0 to 100, and the ids of its tracks there."""

    song: Song
    popularity: int
    track_ids: tuple[str, ...] = ()


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
    song = Song(
        title=plain_title(row.text("track_name")),
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
    return CatalogueEntry(song, row.whole_in("popularity", 0, 100), (track_id,) if track_id else ())
