"""The groups of rows and the order in which they are measured."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from core.settings import ROOT
from scripts.benchmarks.chats import measure_chats
from scripts.benchmarks.crowd import measure_crowd
from scripts.benchmarks.drawing import measure_animation, measure_card
from scripts.benchmarks.measuring import Row
from scripts.benchmarks.predicting import measure_prediction
from scripts.benchmarks.resting import measure_growth, measure_start
from scripts.benchmarks.searching import measure_growth_of_search, measure_search
from scripts.benchmarks.songs import SONGS_OF_THE_DATA_SET, SongSet, data_set, made_up

SEED: Final = 1


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
    "start": lambda bench: measure_start(bench.folder),
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
