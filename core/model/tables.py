"""Reads the training files and checks them: every fault is one sentence with file, column and row."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from core.errors import DataError
from core.tables import FALSE_WORDS, SPOTIFY_NUMBERS, TRUE_WORDS
from core.text import parse_release_date

SPOTIFY_TEXT: Final = ("artists", "album_name", "track_name", "track_genre")
ARTIST_NUMBERS: Final = {"lastfm_listeners": (0, 1e9), "lastfm_playcount": (0, 1e12)}
TRACK_NUMBERS: Final = {"listeners": (0, 1e9), "playcount": (0, 1e12)}
TAG_TEXT: Final = ("artist", "source", "tag")
TAG_NUMBERS: Final = {"rank": (1, 1e6)}
DATED_TEXT: Final = ("track", "artist", "album", "release_date", "label_date", "duration_ms", "explicit", "source")
DATED_NUMBERS: Final = {"popularity": (0, 100)}


@dataclass(frozen=True, slots=True)
class RawTables:
    """The tables as read and checked; all but the first are empty if there is no such file.

    Attributes:
        spotify: One row per track and genre, in the file's order; numbers are float, ``explicit`` is bool.
        artists: ``artist, lastfm_listeners, lastfm_playcount``.
        tracks: ``artist, track, listeners, playcount, tags``.
        artist_tags: ``artist, source, rank, tag``, one row a tag; rank 1 is the strongest of a source.
        dated: ``track, artist, album, release_date, popularity, label_date, duration_ms, explicit, source``: popularity
            at a known month, one row a source and song. Text but for the popularity; blanks mean unknown.
        fingerprints: SHA-256 of each file's uncompressed content, by file name without ``.gz``.
    """

    spotify: pd.DataFrame
    artists: pd.DataFrame
    tracks: pd.DataFrame
    artist_tags: pd.DataFrame
    dated: pd.DataFrame
    fingerprints: dict[str, str]


def load_tables(folder: Path) -> RawTables:
    """Read the training tables of a folder, plain or .gz.

    They are ``spotify_tracks*.csv`` (or ``dataset.csv``), ``lastfm_artists*.csv``, ``lastfm_tracks*.csv``,
    ``lastfm_artist_tags*.csv`` and ``dated_popularity*.csv``. Several files of one kind are read one after the other.

    Raises:
        DataError: The folder or a needed file is missing, or a value cannot be right.
    """
    if not folder.is_dir():
        raise _fault(f"There is no folder {folder}.")
    spotify = _files(folder, "spotify_tracks") or _files(folder, "dataset")
    if not spotify:
        raise _fault(f"{folder} holds no spotify_tracks*.csv or dataset.csv (.gz too).")
    artists, tracks = _files(folder, "lastfm_artists"), _files(folder, "lastfm_tracks")
    tags, dated = _files(folder, "lastfm_artist_tags"), _files(folder, "dated_popularity")
    return RawTables(
        spotify=pd.concat([_spotify(path) for path in spotify], ignore_index=True),
        artists=_joined([_numbers(path, ("artist",), ARTIST_NUMBERS) for path in artists], ("artist", *ARTIST_NUMBERS)),
        tracks=_joined(
            [_numbers(path, ("artist", "track", "tags"), TRACK_NUMBERS) for path in tracks],
            ("artist", "track", "tags", *TRACK_NUMBERS),
        ),
        artist_tags=_joined([_numbers(path, TAG_TEXT, TAG_NUMBERS) for path in tags], (*TAG_TEXT, *TAG_NUMBERS)),
        dated=_joined([_dated(path) for path in dated], (*DATED_TEXT, *DATED_NUMBERS)),
        fingerprints={
            path.name.removesuffix(".gz"): _sha256(path) for path in (*spotify, *artists, *tracks, *tags, *dated)
        },
    )


def _fault(sentence: str) -> DataError:
    return DataError(sentence, user_message=sentence)


def _files(folder: Path, stem: str) -> list[Path]:
    """List files by stem; of a file that is there plain and packed, the plain one."""
    by_name = {path.name.removesuffix(".gz"): path for path in sorted(folder.glob(f"{stem}*.csv.gz"))}
    by_name |= {path.name: path for path in folder.glob(f"{stem}*.csv")}
    return [by_name[name] for name in sorted(by_name)]


def _joined(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({column: [] for column in columns})


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read named columns as text; "NA", "None" and "Null" are names of artists and stay so."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except pd.errors.EmptyDataError:
        raise _fault(f"{path.name} is empty.") from None
    except UnicodeDecodeError as error:
        raise _fault(f"{path.name} is not UTF-8 text (byte {error.start}).") from None
    except (pd.errors.ParserError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _fault(f"{path.name} cannot be read as CSV: {str(error).strip()}.") from None
    for column in columns:
        if column not in frame.columns:
            raise _fault(f"{path.name} has no column {column!r}; it has: {', '.join(map(repr, frame.columns[:30]))}.")
    if frame.empty:
        raise _fault(f"{path.name} has a header but no rows.")
    return frame[list(columns)]


def _number(path: Path, frame: pd.DataFrame, column: str, bounds: tuple[float, float]) -> pd.Series[float]:
    text = frame[column]
    values = pd.to_numeric(text, errors="coerce")
    wrong = values.isna() | (values < bounds[0]) | (values > bounds[1])
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise _fault(
            f"{path.name}, column {column!r}, row {place + 2}: {text.iloc[place][:40]!r} is not a number "
            f"from {bounds[0]:g} to {bounds[1]:g}."
        )
    return values.astype("float64")


def _numbers(path: Path, text: tuple[str, ...], numbers: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    frame = _read(path, (*text, *numbers))
    return frame.assign(**{column: _number(path, frame, column, bounds) for column, bounds in numbers.items()})


def _dated(path: Path) -> pd.DataFrame:
    frame = _numbers(path, DATED_TEXT, DATED_NUMBERS)
    wrong = frame["label_date"].map(parse_release_date).isna()
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise _fault(
            f"{path.name}, column 'label_date', row {place + 2}: {frame['label_date'].iloc[place][:40]!r} is no month "
            "like 2022-10."
        )
    return frame


def _spotify(path: Path) -> pd.DataFrame:
    frame = _read(path, (*SPOTIFY_TEXT, "explicit", *SPOTIFY_NUMBERS))
    words = frame["explicit"].str.lower()
    wrong = ~words.isin(TRUE_WORDS | FALSE_WORDS)
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise _fault(
            f"{path.name}, column 'explicit', row {place + 2}: {frame['explicit'].iloc[place][:40]!r} is neither "
            "True nor False."
        )
    numbers = {column: _number(path, frame, column, bounds) for column, bounds in SPOTIFY_NUMBERS.items()}
    return frame.assign(explicit=words.isin(TRUE_WORDS), **numbers)
