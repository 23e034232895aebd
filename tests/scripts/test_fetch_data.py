from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from core.lookup.catalogue import Catalogue
from core.settings import ROOT
from tests.fakes.hub_server import FakeHub
from tests.fakes.spotify_rows import SONGS, row, write_csv


def run(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script from another folder, without the settings of whoever runs the tests."""
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, ROOT / "scripts" / "fetch_data.py", *options],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["songs.csv", "songs.csv.gz"])
def test_a_copy_at_hand_becomes_the_catalogue(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / name)
    done = run(tmp_path, "--csv", name, "--out", "new/catalogue.sqlite")
    assert done.returncode == 0, done.stderr
    assert "17" in done.stdout
    with closing(Catalogue.open(tmp_path / "new" / "catalogue.sqlite")) as catalogue:
        assert len(catalogue) == len(SONGS) - 1


def test_the_setting_says_where_it_goes(tmp_path: Path) -> None:
    write_csv(tmp_path / "songs.csv")
    done = run(tmp_path, "--csv", "songs.csv", DATA_DIR=str(tmp_path / "data"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "catalogue.sqlite").is_file()


def test_bad_data_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    write_csv(tmp_path / "bad.csv", (row("a", "b"), row("[bold]c", "d", tempo="fast")))
    done = run(tmp_path, "--csv", "bad.csv", "--out", "c.sqlite")
    assert done.returncode == 1
    assert "bad.csv, row 3, column tempo: 'fast' is not a number" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "c.sqlite").exists()


def test_a_missing_file_and_an_impossible_place_are_named(tmp_path: Path) -> None:
    done = run(tmp_path, "--csv", "none.csv", "--out", "c.sqlite")
    assert (done.returncode, "there is no none.csv" in done.stderr) == (1, True)
    write_csv(tmp_path / "songs.csv")
    done = run(tmp_path, "--csv", "songs.csv", "--out", "songs.csv/c.sqlite")
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


async def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    async with FakeHub(write_csv(tmp_path / "d.csv").read_bytes()) as hub:
        done = await asyncio.to_thread(run, tmp_path, "--out", "c.sqlite", CATALOGUE=hub.address)
    assert done.returncode == 2, done.stderr
    assert "The data set could not be fetched: the hub states another checksum" in done.stderr
    assert "make catalogue CSV=" in done.stderr
    assert names_in(tmp_path) == ["d.csv"]


async def test_a_hub_out_of_reach_says_what_to_do(tmp_path: Path) -> None:
    done = await asyncio.to_thread(run, tmp_path, "--out", "c.sqlite", CATALOGUE="http://127.0.0.1:9/dataset.csv")
    assert done.returncode == 2
    assert "the hub cannot be reached" in done.stderr
    assert "CSV=" in done.stderr
    assert "Traceback" not in done.stderr
