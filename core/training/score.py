"""Scores tables of songs row by row, in a stream, whatever is known of each song."""

from __future__ import annotations

import csv
import itertools
import math
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from core.domain import AudioFeatures, Song
from core.errors import DataError
from core.lookup.catalogue import Catalogue, with_facts
from core.model.features import known_blocks
from core.model.hit_model import HitModel
from core.tables import AUDIO_COLUMNS, CREDIT_SEPARATOR, FALSE_WORDS, SPOTIFY_NUMBERS, TAG_SEPARATOR, TRUE_WORDS
from core.text import parse_release_date

NEEDED: Final = {
    "track": "title of the song",
    "artist": f"its artists, joined by {CREDIT_SEPARATOR!r}",
}
"""Columns that a table must have, with their meanings."""

_COUNTS: Final = {
    "listeners": "people who played the song, on Last.fm",
    "playcount": "its plays, on Last.fm",
    "artist_listeners": "people who played the artist, on Last.fm",
    "artist_playcount": "the artist's plays, on Last.fm",
    "duration_ms": "length in milliseconds",
}

OPTIONAL: Final = {
    **_COUNTS,
    "tags": f"Last.fm tags, joined by {TAG_SEPARATOR!r}",
    "genres": f"genres of the Spotify Tracks Dataset, joined by {TAG_SEPARATOR!r}",
    "album": "album or single",
    "explicit": "true or false",
    "released": "day of the first release",
    "as_of": "day for which to predict",
    **dict.fromkeys(AUDIO_COLUMNS, "Spotify audio feature; a row has all nine or none"),
}
"""Columns that are used if a table has them, with their meanings; blanks mean unknown."""

NAME_MAX_CHARS: Final = 1000
DATE_MAX_CHARS: Final = len("1975-10-31")
COUNT_MAX: Final = 1e12

Row = dict[str, Any]
"""A row by column; the csv module files cells beyond the header under None, whatever the type says."""

OVERFLOW: Final[Any] = None
"""Where the csv module files cells beyond the header."""


class RowError(ValueError):
    """A row that cannot be scored; the text says why."""


def song_from_row(row: Mapping[str, Any]) -> Song:
    """Build a song from a row of text.

    Raises:
        RowError: The row has another number of cells than the header, no name, or a value that cannot be right.
    """
    if OVERFLOW in row or None in row.values():
        raise RowError("the row has another number of cells than the header")
    title, artists = str(row["track"]).strip(), str(row["artist"]).strip()
    if not title or not artists:
        raise RowError(f"{'artist' if title else 'track'} is blank")
    if len(title) > NAME_MAX_CHARS or len(artists) > NAME_MAX_CHARS:
        raise RowError(f"a name has more than {NAME_MAX_CHARS} characters")
    credits_ = tuple(name.strip() for name in artists.split(CREDIT_SEPARATOR) if name.strip())
    counts = {name: _number(row, name, 0, COUNT_MAX) for name in _COUNTS}
    return Song(
        title=title,
        artist=credits_[0] if credits_ else artists,
        credits=credits_ if len(credits_) > 1 else (),
        album=str(row.get("album", "")).strip() or None,
        released=day_of(row, "released"),
        listeners=_whole(counts["listeners"]),
        playcount=_whole(counts["playcount"]),
        artist_listeners=_whole(counts["artist_listeners"]),
        artist_playcount=_whole(counts["artist_playcount"]),
        duration_ms=_whole(counts["duration_ms"]) or None,
        tags=_listed(row, "tags"),
        genres=_listed(row, "genres"),
        explicit=_explicit(row),
        audio=_audio(row),
    )


def _listed(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(row.get(name, "")).split(TAG_SEPARATOR) if part.strip())


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


def day_of(row: Mapping[str, Any], name: str) -> date | None:
    """Read the date in a column: a day, a month (its first day) or a year (its 1 July); None if it is blank or absent.

    Raises:
        RowError: It is none of these, or a day that cannot be.
    """
    text = str(row.get(name, "")).strip()
    if not text:
        return None
    day = parse_release_date(text) if len(text) <= DATE_MAX_CHARS else None
    if day is None:
        raise RowError(f"{name} is {text[:40]!r}, not a date like 1975-10-31, 1975-10 or 1975")
    return day


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


RESULTS: Final = ("probability", "confidence", "verdict", "view", "error")
"""Columns added to each row; an earlier column of the same name is replaced."""

CHUNK_ROWS: Final = 2000
"""Rows scored in one batch."""

CHUNKS_AHEAD: Final = 3
"""Batches read ahead for each process; bounds what is held in memory."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How a table fared.

    Attributes:
        n_rows: All rows.
        n_errors: Rows that could not be scored.
        n_joined: Rows whose song the catalogue knows.
        n_names_only: Scored rows of which nothing was known but the names, the catalogue included.
    """

    n_rows: int = 0
    n_errors: int = 0
    n_joined: int = 0
    n_names_only: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.n_rows + other.n_rows,
            self.n_errors + other.n_errors,
            self.n_joined + other.n_joined,
            self.n_names_only + other.n_names_only,
        )


def score_table(
    source: Path,
    target: Path,
    models_dir: Path,
    *,
    jobs: int,
    as_of: date | None = None,
    catalogue_path: Path | None = None,
    notify: Callable[[int], None] = lambda _: None,
) -> Tally:
    """Score ``source`` into ``target``, keeping the order of rows and every column.

    Args:
        source: CSV with ``track`` and ``artist``, and any of
            :data:`core.training.score.OPTIONAL`; blanks mean unknown.
        target: Written anew; it appears only once it is complete.
        models_dir: Folder of the model.
        jobs: Processes.
        as_of: Day for which rows are scored that name none themselves; None is today.
        catalogue_path: Song catalogue that fills what the table lacks; None leaves it blank.
        notify: Told how many more rows are done.

    Raises:
        DataError: The file cannot be read or lacks a needed column.
        ModelError: The model is missing or refused.
        CatalogueError: The catalogue is missing or damaged.
    """
    day = as_of or _today()  # once, so that a run over midnight has one day
    partial = target.with_name(target.name + ".part")
    tally = Tally()
    try:
        with (
            source.open(encoding="utf-8-sig", newline="") as file,
            partial.open("w", encoding="utf-8", newline="") as out,
        ):
            reader = csv.DictReader(file, strict=True)
            header = _header(reader, source)
            writer = csv.DictWriter(out, [*(name for name in header if name not in RESULTS), *RESULTS])
            writer.writeheader()
            for rows, counted in _scored(_chunks(reader, source), models_dir, catalogue_path, jobs, day):
                writer.writerows(rows)
                tally += counted
                notify(len(rows))
        partial.replace(target)
    except UnicodeDecodeError as error:
        sentence = f"{source.name} is not UTF-8 text (byte {error.start})."
        raise DataError(sentence, user_message=sentence) from None
    finally:
        partial.unlink(missing_ok=True)
    return tally


def score_rows(
    model: HitModel, rows: list[Row], *, as_of: date | None = None, catalogue: Catalogue | None = None
) -> tuple[list[Row], Tally]:
    """Return the rows with ``RESULTS`` added, and their tally; a row that cannot be scored has its reason in ``error``.

    Each row is scored for the day in its column ``as_of``; where there is none, for ``as_of``, by default today. What
    a row leaves blank is filled from the ``catalogue``, if that knows the song.
    """
    otherwise = as_of or _today()
    songs: list[Song] = []
    days: list[date] = []
    places: list[int] = []
    results: list[Row] = [dict.fromkeys(RESULTS, "") for _ in rows]
    n_joined = 0
    for place, row in enumerate(rows):
        try:
            song, day = song_from_row(row), day_of(row, "as_of") or otherwise
        except RowError as error:
            results[place]["error"] = str(error)
            continue
        facts = None if catalogue is None else catalogue.find(song.name)
        n_joined += facts is not None
        songs.append(song if facts is None else with_facts(song, facts.song))
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
    tally = Tally(len(rows), len(rows) - len(songs), n_joined, sum(map(_is_only_names, songs)))
    return [row | result for row, result in zip(kept, results, strict=True)], tally


def _is_only_names(song: Song) -> bool:
    return song == Song(title=song.title, artist=song.artist, credits=song.credits)


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


def _scored(
    chunks: Iterable[list[Row]], models_dir: Path, catalogue_path: Path | None, jobs: int, as_of: date
) -> Iterator[tuple[list[Row], Tally]]:
    """Score chunks in order, in this process or in several, holding only a few at a time."""
    with _opened(models_dir, catalogue_path) as (model, catalogue):
        if jobs == 1:
            yield from (score_rows(model, chunk, as_of=as_of, catalogue=catalogue) for chunk in chunks)
            return
    # What cannot be used was reported by opening it here, not as a broken pool.
    # Forking a process that has threads can hang; fresh processes cannot.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _open_in_worker, (models_dir, catalogue_path)) as pool:
        waiting: deque[Future[tuple[list[Row], Tally]]] = deque()
        for chunk in chunks:
            waiting.append(pool.submit(_score_in_worker, chunk, as_of))
            if len(waiting) >= jobs * CHUNKS_AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def _opened(models_dir: Path, catalogue_path: Path | None) -> Iterator[tuple[HitModel, Catalogue | None]]:
    model = HitModel.load(models_dir)
    catalogue = None if catalogue_path is None else Catalogue.open(catalogue_path)
    try:
        yield model, catalogue
    finally:
        if catalogue is not None:
            catalogue.close()


_worker_parts: list[tuple[HitModel, Catalogue | None]] = []
_worker_open = ExitStack()


def _open_in_worker(models_dir: Path, catalogue_path: Path | None) -> None:
    _worker_parts.append(_worker_open.enter_context(_opened(models_dir, catalogue_path)))


def _score_in_worker(rows: list[Row], as_of: date) -> tuple[list[Row], Tally]:
    model, catalogue = _worker_parts[0]
    return score_rows(model, rows, as_of=as_of, catalogue=catalogue)
