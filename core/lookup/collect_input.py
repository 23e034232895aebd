"""Reads the tables that say what to collect; every fault is one sentence with file, row and column."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from core.errors import DataError
from core.lookup.collect_labels import Label
from core.lookup.lastfm_parse import parse_text
from core.lookup.normalise import first_artist, names_nobody
from core.released import parse_release_date

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
    for number, (row, (artist, title)) in enumerate(_rows(path, (ARTIST_COLUMNS, TITLE_COLUMNS)), start=2):
        popularity = _popularity(path, number, row.get(POPULARITY_COLUMN))
        label_date = None if popularity is None else _label_date(path, number, row.get(LABEL_DATE_COLUMN), latest)
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


def _popularity(path: Path, row: int, value: str | None) -> float | None:
    text = (value or "").strip()
    if not text:
        return None
    if _POPULARITY.fullmatch(text) is None or float(text) > 100:
        raise _fault(path, row, POPULARITY_COLUMN, text, "is not a number from 0 to 100")
    return float(text)


def _label_date(path: Path, row: int, value: str | None, latest: date) -> str | None:
    text = (value or "").strip()
    if not text:
        return None
    day = parse_release_date(text, today=latest) if _LABEL_DATE.fullmatch(text) else None
    if day is None or day > latest:
        raise _fault(path, row, LABEL_DATE_COLUMN, text, "is no month like 2022-10 or day like 2022-10-31 up to today")
    return text


def _fault(path: Path, row: int, column: str, text: str, what: str) -> DataError:
    sentence = f"{path.name}, column {column!r}, row {row}: {text[:40]!r} {what}."
    return DataError(sentence, user_message=sentence)


def _rows(path: Path, wanted: Sequence[Sequence[str]]) -> Iterator[tuple[dict[str, str | None], list[str]]]:
    """Read each row and one value for each group of column names, the first artist of a list."""
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8-sig", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8-sig", newline="") as file
        ):
            reader = csv.DictReader(file)
            present = reader.fieldnames or ()
            columns = []
            for names in wanted:
                column = next((name for name in names if name in present), None)
                if column is None:
                    raise DataError(f"{path.name} has none of the columns {', '.join(names)}.")
                columns.append(column)
            for row in reader:
                yield (
                    row,
                    [
                        parse_text(first_artist(row[column] or "") if column == "artists" else row[column])
                        for column in columns
                    ],
                )
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as a CSV file: {error}") from None
