"""Tables of songs: the columns, separators, words and bounds they share, and the one reader of their rows.

Whole tables are read into frames for training by :mod:`core.training.data`, within the same bounds.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from core.errors import DataError

AUDIO_COLUMNS: Final = (
    "danceability", "energy", "loudness", "speechiness", "acousticness", "instrumentalness", "liveness", "valence",
    "tempo",
)  # fmt: skip
"""The nine audio features that the predecessor used, in its order of kinds."""

SPOTIFY_NUMBERS: Final[dict[str, tuple[float, float]]] = {
    "popularity": (0, 100),
    "duration_ms": (0, 36_000_000),
    **dict.fromkeys(AUDIO_COLUMNS, (0, 1)),
    "loudness": (-100, 20),
    "tempo": (0, 1000),
    "key": (-1, 11),
    "mode": (0, 1),
    "time_signature": (0, 16),
}
"""Number columns of the Spotify Tracks Dataset with the least and greatest value that make sense."""

TRUE_WORDS: Final = frozenset({"true", "1", "yes"})
FALSE_WORDS: Final = frozenset({"false", "0", "no"})

CREDIT_SEPARATOR: Final = ";"
"""Stands between credited artists."""

TAG_SEPARATOR: Final = "|"
"""Stands between tags."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a CSV file; every fault it finds is one sentence with file, row and column.

    Attributes:
        file: Name of the file.
        number: Number of the row, the heading being row 1, as spreadsheets count.
        cells: What stands in each column; None where the row ends before it.
    """

    file: str
    number: int
    cells: Mapping[str, str | None]

    def text(self, column: str) -> str:
        """Return what stands in ``column``, without outer white space; "" where nothing does.

        Raises:
            DataError: The row ends before it.
        """
        cell = self.cells[column]
        if cell is None:
            raise self.fault(column, "is missing")
        return cell.strip()

    def number_in(self, column: str) -> float:
        """Return a number within ``SPOTIFY_NUMBERS``.

        Raises:
            DataError: It is none, or beyond them.
        """
        cell = self.text(column)
        low, high = SPOTIFY_NUMBERS[column]
        try:
            value = float(cell)
        except ValueError:
            raise self.fault(column, f"{cell[:40]!r} is not a number") from None
        if not (math.isfinite(value) and low <= value <= high):
            raise self.fault(column, f"{cell[:40]} is not between {low:g} and {high:g}")
        return value

    def whole_in(self, column: str) -> int:
        """Return a whole number within ``SPOTIFY_NUMBERS``.

        Raises:
            DataError: It is none, or beyond them.
        """
        value = self.number_in(column)
        if value != int(value):
            raise self.fault(column, f"{value:g} is not a whole number")
        return int(value)

    def truth(self, column: str) -> bool:
        """Return whether one of ``TRUE_WORDS`` stands there.

        Raises:
            DataError: One of ``FALSE_WORDS`` does not either.
        """
        cell = self.text(column)
        word = cell.casefold()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise self.fault(column, f"{cell[:40]!r} is neither True nor False")
        return word in TRUE_WORDS

    def fault(self, column: str, what: str) -> DataError:
        """Make the error that says what is wrong in ``column``."""
        return DataError(f"{self.file}, row {self.number}, column {column}: {what}")


def read_table(path: Path, *needed: Sequence[str]) -> Iterator[TableRow]:
    """Yield the rows of a CSV file, plain or .gz.

    Args:
        path: The file.
        needed: Columns the file must have; of several names, one.

    Raises:
        DataError: It cannot be read, or lacks a column.
    """
    try:
        with _open_text(path) as file:
            reader = csv.DictReader(file)
            present = reader.fieldnames or ()
            missing = [" or ".join(names) for names in needed if not any(name in present for name in names)]
            if missing:
                raise DataError(f"{path.name} lacks the column {', '.join(missing)}")
            for number, cells in enumerate(reader, start=2):
                yield TableRow(path.name, number, cells)
    except FileNotFoundError:
        raise DataError(f"{path.name} cannot be read: there is no {path}") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path.name} cannot be read to its end: {error}") from error


def _open_text(path: Path) -> IO[str]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open("r", encoding="utf-8-sig", newline="")
