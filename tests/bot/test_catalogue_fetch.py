"""The start that sees to the catalogue, over a loopback hub: what people read, and what is left behind."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bot.catalogue_fetch import ensure_catalogue
from core.errors import CatalogueError
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_download import HubFile
from core.settings import Settings
from tests.fakes.hub_server import FakeHub, HubFault
from tests.fakes.spotify_rows import SONGS, row, write_csv

ROWS = len(SONGS)


async def seen_to(settings: Settings, file: HubFile | None, rows: int = ROWS) -> list[str]:
    """Run the start's part as it runs, without an event loop of its own, and return what it said."""
    out = io.StringIO()
    console = Console(file=out, width=200, force_terminal=False)
    await asyncio.to_thread(ensure_catalogue, settings, console, dataset=file, rows=rows)
    return [line for line in out.getvalue().splitlines() if line]


@pytest.fixture
def body(tmp_path: Path) -> bytes:
    return write_csv(tmp_path / "d.csv").read_bytes()


async def test_it_is_fetched_once_with_one_sentence_before(settings_for: Callable[..., Settings], body: bytes) -> None:
    settings = settings_for()
    async with FakeHub(body) as hub:
        said = await seen_to(settings, hub.file)
        assert await seen_to(settings, hub.file) == []
        assert hub.hits == {"resolve": 1, "storage": 1}
    assert said == [
        "Fetching the song catalogue, this once: the Spotify Tracks Dataset, 18 rows, 0 MB, from 127.0.0.1.",
        "The song catalogue is ready: 17 songs.",
    ]
    with closing(Catalogue.open(settings.catalogue_path)) as catalogue:
        assert len(catalogue) == ROWS - 1
    assert [path.name for path in settings.data_dir.iterdir()] == ["catalogue.sqlite"]


async def test_each_step_has_a_bar_on_a_terminal(settings_for: Callable[..., Settings], body: bytes) -> None:
    out = io.StringIO()
    async with FakeHub(body) as hub:
        console = Console(file=out, width=100, force_terminal=True)
        await asyncio.to_thread(ensure_catalogue, settings_for(), console, dataset=hub.file, rows=ROWS)
    for step in ("Fetching data", "Reading rows", "Writing songs"):
        assert step in out.getvalue()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(HubFault.CUT, "cut off"), (HubFault.OTHER_BYTES, "checksum"), (HubFault.MISSING, "status 404")],
)
async def test_what_fails_is_one_line_and_the_next_start_begins_anew(
    settings_for: Callable[..., Settings], body: bytes, fault: HubFault, reason: str
) -> None:
    settings = settings_for()
    async with FakeHub(body, fault) as hub:
        _, failed = await seen_to(settings, hub.file)
        assert reason in failed
        assert "CATALOGUE=off" in failed
        assert list(settings.data_dir.iterdir()) == []
        hub.fault = None
        assert (await seen_to(settings, hub.file))[-1] == "The song catalogue is ready: 17 songs."


async def test_too_few_rows_and_a_missing_column_are_refused(
    settings_for: Callable[..., Settings], tmp_path: Path, body: bytes
) -> None:
    settings = settings_for()
    async with FakeHub(body) as hub:
        assert "18 rows instead of 19" in (await seen_to(settings, hub.file, ROWS + 1))[-1]
    header = tuple(name for name in row("a", "b") if name != "tempo")
    async with FakeHub(write_csv(tmp_path / "e.csv", header=header).read_bytes()) as hub:
        assert "lacks the column tempo" in (await seen_to(settings, hub.file))[-1]
    assert not settings.catalogue_path.exists()


async def test_off_never_tries_and_says_nothing(settings_for: Callable[..., Settings]) -> None:
    assert settings_for(catalogue="off").catalogue is None
    assert await seen_to(settings_for(catalogue="off"), None) == []


async def test_out_of_reach_it_goes_on_without(settings_for: Callable[..., Settings], body: bytes) -> None:
    async with FakeHub(body) as hub:
        file = replace(hub.file, address="http://127.0.0.1:9/dataset.csv")
    assert "the hub cannot be reached" in (await seen_to(settings_for(), file))[-1]


async def test_one_of_another_version_is_replaced_and_a_damaged_one_is_not(
    settings_for: Callable[..., Settings], body: bytes
) -> None:
    settings = settings_for()
    async with FakeHub(body) as hub:
        await seen_to(settings, hub.file)
        with closing(sqlite3.connect(settings.catalogue_path)) as db:
            db.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
            db.commit()
        assert (await seen_to(settings, hub.file))[-1] == "The song catalogue is ready: 17 songs."
        settings.catalogue_path.write_bytes(b"no catalogue")
        with pytest.raises(CatalogueError, match="damaged"):
            await seen_to(settings, hub.file)


async def test_a_folder_in_the_way_is_one_line(settings_for: Callable[..., Settings], body: bytes) -> None:
    settings = settings_for()
    settings.data_dir.write_text("in the way")
    async with FakeHub(body) as hub:
        assert "cannot be written" in (await seen_to(settings, hub.file))[-1]
        assert hub.hits == {}
