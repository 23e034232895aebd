"""Scores tables of songs row by row, in a stream, whatever is known of each song."""

from __future__ import annotations

import csv
import itertools
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from core.domain import Song
from core.errors import DataError
from core.model.features import known_blocks
from core.model.inference import HitModel
from core.model.scored_rows import NEEDED, OVERFLOW, Row, RowError, day_of, song_from_row

RESULTS: Final = ("probability", "confidence", "verdict", "view", "error")
"""Columns added to each row; an earlier column of the same name is replaced."""

CHUNK_ROWS: Final = 2000
"""Rows scored in one batch."""

CHUNKS_AHEAD: Final = 3
"""Batches read ahead for each process; bounds what is held in memory."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows were scored, and how many could not be."""

    n_rows: int
    n_errors: int


def score_table(
    source: Path,
    target: Path,
    models_dir: Path,
    *,
    jobs: int,
    as_of: date | None = None,
    notify: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Score ``source`` into ``target``, keeping the order of rows and every column.

    Args:
        source: CSV with ``track`` and ``artist``, and any of
            :data:`core.model.scored_rows.OPTIONAL`; blanks mean unknown.
        target: Written anew; it appears only once it is complete.
        models_dir: Folder of the model.
        jobs: Processes.
        as_of: Day for which rows are scored that name none themselves; None is today.
        notify: Told how many more rows are done.

    Raises:
        DataError: The file cannot be read or lacks a needed column.
        ModelError: The model is missing or refused.
    """
    day = as_of or _today()  # once, so that a run over midnight has one day
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
            for chunk in _scored(_chunks(reader, source), models_dir, jobs, day):
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


def score_rows(model: HitModel, rows: list[Row], *, as_of: date | None = None) -> list[Row]:
    """Return the rows with ``RESULTS`` added; a row that cannot be scored gets its reason in ``error``.

    Each row is scored for the day in its column ``as_of``; where there is none, for ``as_of``, by default today.
    """
    otherwise = as_of or _today()
    songs: list[Song] = []
    days: list[date] = []
    places: list[int] = []
    results: list[Row] = [dict.fromkeys(RESULTS, "") for _ in rows]
    for place, row in enumerate(rows):
        try:
            song, day = song_from_row(row), day_of(row, "as_of") or otherwise
        except RowError as error:
            results[place]["error"] = str(error)
            continue
        songs.append(song)
        days.append(day)
        places.append(place)
    for place, song, p in zip(places, songs, model.probabilities(songs, as_of=days), strict=True):
        results[place] |= {
            "probability": f"{p:.6f}",
            "confidence": f"{p * 100:.1f}",
            "verdict": str(model.bands.verdict(float(p))),
            "view": "+".join(known_blocks(song)) or "names",
        }
    kept = [{name: value for name, value in row.items() if name is not OVERFLOW} for row in rows]
    return [row | result for row, result in zip(kept, results, strict=True)]


def _today() -> date:
    return datetime.now(UTC).date()


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


def _scored(chunks: Iterable[list[Row]], models_dir: Path, jobs: int, as_of: date) -> Iterator[list[Row]]:
    """Score chunks in order, in this process or in several, holding only a few at a time."""
    if jobs == 1:
        model = HitModel.load(models_dir)
        yield from (score_rows(model, chunk, as_of=as_of) for chunk in chunks)
        return
    HitModel.load(models_dir)  # a model that cannot be used is reported here, not as a broken pool
    # Forking after OpenMP has run can hang; fresh processes cannot.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _load_in_worker, (models_dir,)) as pool:
        waiting: deque[Future[list[Row]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_score_in_worker, chunk, as_of))
            if len(waiting) >= jobs * CHUNKS_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


_worker_model: list[HitModel] = []


def _load_in_worker(models_dir: Path) -> None:
    _worker_model.append(HitModel.load(models_dir))


def _score_in_worker(rows: list[Row], as_of: date) -> list[Row]:
    return score_rows(_worker_model[0], rows, as_of=as_of)
