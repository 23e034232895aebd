"""The catalogue built aside: what is left behind when it is broken off, and the file that is pinned."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.lookup.catalogue_download import DATASET, Step, dataset_of, fetch_catalogue
from core.settings import Settings
from tests.fakes.hub_server import FakeHub
from tests.fakes.spotify_rows import row, write_csv

ROWS = tuple(row(f"Song {number}", f"Artist {number}") for number in range(1_200))


@pytest.mark.parametrize("step", [Step.FETCHING, Step.READING, Step.WRITING])
async def test_broken_off_at_any_step_it_leaves_nothing(tmp_path: Path, step: Step) -> None:
    def stop_at(now: Step, done: int, total: int | None) -> None:
        if now is step:
            raise RuntimeError("stopped")

    folder = tmp_path / "data"
    async with FakeHub(write_csv(tmp_path / "d.csv", ROWS).read_bytes()) as hub:
        with pytest.raises(RuntimeError, match="stopped"):
            await asyncio.to_thread(fetch_catalogue, hub.file, folder / "catalogue.sqlite", stop_at, rows=len(ROWS))
    assert list(folder.iterdir()) == []


def test_the_file_is_pinned_and_a_mirror_has_to_hold_the_same(settings_for: Callable[..., Settings]) -> None:
    assert re.search(r"/resolve/[0-9a-f]{40}/dataset\.csv$", DATASET.address)
    assert len(DATASET.sha256) == 64
    mirror = dataset_of(settings_for(catalogue="http://127.0.0.1:9/copy.csv"))
    assert mirror is not None
    assert (mirror.address, mirror.sha256) == ("http://127.0.0.1:9/copy.csv", DATASET.sha256)
    assert dataset_of(settings_for(catalogue="off")) is None
