"""Scores tables of songs row by row, in a stream, whatever is known of each song."""

from __future__ import annotations

import csv
import itertools
import math
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.domain import AudioFeatures, Song
from core.errors import DataError
from core.model.columns import AUDIO_COLUMNS, CREDIT_SEPARATOR, FALSE_WORDS, SPOTIFY_NUMBERS, TAG_SEPARATOR, TRUE_WORDS
from core.model.features import known_blocks
from core.model.inference import HitModel

NEEDED: Final = ("track", "artist")
COUNTS: Final = ("listeners", "playcount", "artist_listeners", "artist_playcount", "duration_ms")
OPTIONAL: Final = (*COUNTS, "tags", "album", "explicit", *AUDIO_COLUMNS)
RESULTS: Final = ("probability", "confidence", "verdict", "view", "error")
"""Columns added to each row; an earlier column of the same name is replaced."""

CHUNK_ROWS: Final = 2000
"""Rows scored in one batch."""

CHUNKS_AHEAD: Final = 3
"""Batches read ahead for each process; bounds what is held in memory."""

NAME_MAX_CHARS: Final = 1000
COUNT_MAX: Final = 1e12

Row = dict[str, Any]
"""A row by column; the csv module files cells beyond the header under None, whatever the type says."""


_OVERFLOW: Final[Any] = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were scored, and how many could not be."""

    n_rows: int
    n_errors: int


class RowError(ValueError):
    """A row that cannot be scored; the text says why."""


def score_table(
    source: Path, target: Path, models_dir: Path, *, jobs: int, notify: Callable[[int], None] = lambda _: None
) -> Tally:
    """Score ``source`` into ``target``, keeping the order of rows and every column.

    Args:
        source: CSV with ``track`` and ``artist``, and any of ``OPTIONAL``; blanks mean unknown.
        target: Written anew; it appears only once it is complete.
        models_dir: Folder of the model.
        jobs: Processes.
        notify: Told how many more rows are done.

    Raises:
        DataError: The file cannot be read or lacks a needed column.
        ModelError: The model is missing or refused.
    """
    partial = target.with_name(target.name + ".part")
    n_rows = n_errors = 0
    try:
        with (
            source.open(encoding="utf-8-sig", newline="") as file,
            partial.open("w", encoding="utf-8", newline="") as out,
        ):
            reader = csv.DictReader(file, strict=True)
            header = _header(reader, source)
            writer = csv.DictWriter(out, [*(name for name in header if name not in RESULTS), *RESULTS])
            writer.writeheader()
            for chunk in _scored(_chunks(reader, source), models_dir, jobs):
                writer.writerows(chunk)
                n_rows += len(chunk)
                n_errors += sum(bool(row["error"]) for row in chunk)
                notify(len(chunk))
        partial.replace(target)
    except UnicodeDecodeError as error:
        sentence = f"{source.name} is not UTF-8 text (byte {error.start})."
        raise DataError(sentence, user_message=sentence) from None
    finally:
        partial.unlink(missing_ok=True)
    return Tally(n_rows, n_errors)


def score_rows(model: HitModel, rows: list[Row]) -> list[Row]:
    """Return the rows with ``RESULTS`` added; a row that cannot be scored gets its reason in ``error``."""
    songs: list[Song] = []
    places: list[int] = []
    results: list[Row] = [dict.fromkeys(RESULTS, "") for _ in rows]
    for place, row in enumerate(rows):
        try:
            songs.append(song_from_row(row))
            places.append(place)
        except RowError as error:
            results[place]["error"] = str(error)
    for place, song, p in zip(places, songs, model.probabilities(songs), strict=True):
        results[place] |= {
            "probability": f"{p:.6f}",
            "confidence": f"{p * 100:.1f}",
            "verdict": str(model.bands.verdict(float(p))),
            "view": "+".join(known_blocks(song)) or "names",
        }
    kept = [{name: value for name, value in row.items() if name is not _OVERFLOW} for row in rows]
    return [row | result for row, result in zip(kept, results, strict=True)]


def song_from_row(row: Mapping[str, Any]) -> Song:
    """Build a song from a row of text.

    Raises:
        RowError: The row has another number of cells than the header, no name, or a value that cannot be right.
    """
    if _OVERFLOW in row or None in row.values():
        raise RowError("the row has another number of cells than the header")
    title, artists = (str(row[name]).strip() for name in NEEDED)
    if not title or not artists:
        raise RowError(f"{NEEDED[0] if not title else NEEDED[1]} is blank")
    if len(title) > NAME_MAX_CHARS or len(artists) > NAME_MAX_CHARS:
        raise RowError(f"a name has more than {NAME_MAX_CHARS} characters")
    credits_ = tuple(name.strip() for name in artists.split(CREDIT_SEPARATOR) if name.strip())
    counts = {name: _number(row, name, 0, COUNT_MAX) for name in COUNTS}
    return Song(
        title=title,
        artist=credits_[0] if credits_ else artists,
        credits=credits_ if len(credits_) > 1 else (),
        album=str(row.get("album", "")).strip() or None,
        listeners=_whole(counts["listeners"]),
        playcount=_whole(counts["playcount"]),
        artist_listeners=_whole(counts["artist_listeners"]),
        artist_playcount=_whole(counts["artist_playcount"]),
        duration_ms=_whole(counts["duration_ms"]) or None,
        tags=tuple(tag.strip() for tag in str(row.get("tags", "")).split(TAG_SEPARATOR) if tag.strip()),
        explicit=_explicit(row),
        audio=_audio(row),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _number(row: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    text = str(row.get(name, "")).strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise RowError(f"{name} is {text[:40]!r}, not a number from {low:g} to {high:g}")
    return value


def _explicit(row: Mapping[str, Any]) -> bool | None:
    word = str(row.get("explicit", "")).strip().lower()
    if word and word not in TRUE_WORDS | FALSE_WORDS:
        raise RowError(f"explicit is {word[:40]!r}, neither true nor false")
    return word in TRUE_WORDS if word else None


def _audio(row: Mapping[str, Any]) -> AudioFeatures | None:
    values = {name: _number(row, name, *SPOTIFY_NUMBERS[name]) for name in AUDIO_COLUMNS}
    known: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if known and len(known) < len(AUDIO_COLUMNS):
        raise RowError(f"audio features are given in part: {', '.join(set(AUDIO_COLUMNS) - set(known))} blank")
    return AudioFeatures(**known) if known else None


def _header(reader: csv.DictReader[str], source: Path) -> list[str]:
    try:
        header = list(reader.fieldnames or ())
    except csv.Error as error:
        raise _unreadable(source, 1, error) from None
    for name in NEEDED:
        if name not in header:
            found = ", ".join(map(repr, header[:30])) or "nothing"
            sentence = f"{source.name} has no column {name!r}; it has: {found}."
            raise DataError(sentence, user_message=sentence)
    return header


def _chunks(reader: csv.DictReader[str], source: Path) -> Iterator[list[Row]]:
    rows = iter(reader)
    while True:
        try:
            chunk = list(itertools.islice(rows, CHUNK_ROWS))
        except csv.Error as error:
            raise _unreadable(source, reader.line_num, error) from None
        if not chunk:
            return
        yield chunk


def _unreadable(source: Path, line: int, error: csv.Error) -> DataError:
    sentence = f"{source.name}, line {line}, cannot be read as CSV: {error}."
    return DataError(sentence, user_message=sentence)


def _scored(chunks: Iterable[list[Row]], models_dir: Path, jobs: int) -> Iterator[list[Row]]:
    """Score chunks in order, in this process or in several, holding only a few at a time."""
    if jobs == 1:
        model = HitModel.load(models_dir)
        yield from (score_rows(model, chunk) for chunk in chunks)
        return
    HitModel.load(models_dir)  # a model that cannot be used is reported here, not as a broken pool
    # Forking after OpenMP has run can hang; fresh processes cannot.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _load_in_worker, (models_dir,)) as pool:
        waiting: deque[Future[list[Row]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_score_in_worker, chunk))
            if len(waiting) >= jobs * CHUNKS_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_worker_model: list[HitModel] = []


def _load_in_worker(models_dir: Path) -> None:
    _worker_model.append(HitModel.load(models_dir))


def _score_in_worker(rows: list[Row]) -> list[Row]:
    return score_rows(_worker_model[0], rows)
