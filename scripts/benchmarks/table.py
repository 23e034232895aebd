"""The groups of rows in the order in which they are measured, the table that people read, the file for machines."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from core.settings import ROOT
from scripts.benchmarks.components import (
    measure_animation,
    measure_card,
    measure_growth_of_search,
    measure_prediction,
    measure_search,
)
from scripts.benchmarks.measurement import Row, print_table
from scripts.benchmarks.process import measure_first_answer, measure_growth, measure_start
from scripts.benchmarks.serving import measure_chats, measure_crowd
from scripts.benchmarks.songs import SONGS_OF_THE_DATA_SET, SongSet, data_set, made_up

SEED: Final = 1

_REACHED: Final = {True: "yes", False: "no", None: ""}


@dataclass(frozen=True, slots=True)
class Bench:
    """What the groups measure on: songs, a folder with their catalogue, and whether to take a million songs too."""

    songs: SongSet
    folder: Path
    million: bool


def _search(bench: Bench) -> list[Row]:
    rows = [measure_search(bench.songs, bench.folder / "catalogue.sqlite")]
    return [*rows, measure_growth_of_search(SONGS_OF_THE_DATA_SET, bench.folder)] if bench.million else rows


GROUPS: Final[dict[str, Callable[[Bench], list[Row]]]] = {
    "start": lambda bench: [*measure_start(bench.folder), measure_first_answer(bench.songs.songs, bench.folder)],
    "memory": lambda bench: [measure_growth(bench.songs.songs, bench.folder)],
    "search": _search,
    "prediction": lambda bench: [measure_prediction(bench.songs.songs, ROOT / "models")],
    "cards": lambda bench: [measure_card(), measure_animation()],
    "chats": lambda bench: measure_chats(bench.songs.songs, bench.folder),
    "crowd": lambda bench: measure_crowd(bench.songs.songs, bench.folder),
}


def measure(wanted: Collection[str], folder: Path, *, csv: Path | None, million: bool) -> tuple[str, list[Row]]:
    """Measure the ``wanted`` groups and return what songs they were measured on, and the rows.

    Raises:
        DataError: The data set cannot be read.
        ModelError: The stored model cannot be used.
    """
    # A refused question is a fault of the measurement and raised as such.
    logging.disable(logging.ERROR)
    console = Console(stderr=True)
    with console.status("songs and their catalogue"):
        songs = made_up(SONGS_OF_THE_DATA_SET, SEED) if csv is None else data_set(csv)
        songs.build(folder / "catalogue.sqlite")
    bench = Bench(songs, folder, million)
    rows: list[Row] = []
    for name, group in GROUPS.items():
        if name in wanted:
            with console.status(name):
                rows += group(bench)
    return songs.label, rows


def show(rows: Sequence[Row], songs: str, made_on: Mapping[str, str | int | float]) -> None:
    """Print the table."""
    text = ("what", "against", "measured", "target", "reached")
    console = Console()
    cells = [
        (
            row.what,
            row.against,
            row.measured,
            "" if row.ratio is None else f"{row.ratio:.3g}",
            row.target,
            _REACHED[row.reached],
        )
        for row in rows
    ]
    headings = (*text[:3], "ratio", *text[3:])
    print_table(console, f"Hitmeter, measured on: {songs}", headings, cells, left=text)
    console.print(", ".join(f"{name} {value}" for name, value in made_on.items()), highlight=False)


def write(rows: Sequence[Row], songs: str, made_on: Mapping[str, str | int | float], path: Path) -> None:
    """Write the figures as JSON."""
    body = {"songs": songs, "machine": dict(made_on), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
