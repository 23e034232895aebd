"""The file of the hub over a real client and a loopback hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import DownloadError
from core.lookup import catalogue_download as hub
from core.lookup.catalogue_download import HubFile, download
from tests.fakes.hub_server import FakeHub, HubFault

BODY = bytes(range(256)) * 4_000


async def fetched(file: HubFile, folder: Path) -> tuple[bytes, list[tuple[int, int]]]:
    told: list[tuple[int, int]] = []
    await download(file, folder / "out", lambda done, total: told.append((done, total)))
    return (folder / "out").read_bytes(), told


async def test_the_file_comes_through_the_redirect_and_its_bytes_are_told(tmp_path: Path) -> None:
    async with FakeHub(BODY) as fake:
        body, told = await fetched(fake.file, tmp_path)
    assert body == BODY
    assert (told[0], told[-1]) == ((0, len(BODY)), (len(BODY), len(BODY)))
    assert len(told) > 3
    assert fake.hits == {"resolve": 1, "storage": 1}


async def test_a_cut_transfer_begins_anew(tmp_path: Path) -> None:
    async with FakeHub(BODY, HubFault.CUT_ONCE) as fake:
        body, told = await fetched(fake.file, tmp_path)
    assert body == BODY
    assert [done for done, _ in told].count(0) == 2
    assert fake.hits == {"resolve": 2, "storage": 2}


@pytest.mark.parametrize(
    ("fault", "reason", "transfers"),
    [
        (HubFault.CUT, "cut off after", 2),
        (HubFault.SHORT, "cut off after 0.5 of 1.0 MB", 2),
        (HubFault.OTHER_BYTES, "does not match its checksum", 1),
        (HubFault.LONGER, "longer than it has to be", 1),
        (HubFault.OTHER_CHECKSUM, "states another checksum", 0),
        (HubFault.MISSING, "status 404", 0),
        (HubFault.BROKEN, "status 502", 0),
        (HubFault.CIRCLES, "led in circles", 0),
        (HubFault.NO_LOCATION, "led in circles", 0),
        (HubFault.NOT_HTTP, "not https", 0),
    ],
)
async def test_each_fault_is_one_clause_without_addresses(
    tmp_path: Path, fault: HubFault, reason: str, transfers: int
) -> None:
    async with FakeHub(BODY, fault) as fake:
        with pytest.raises(DownloadError, match=reason) as caught:
            await fetched(fake.file, tmp_path)
    assert "127.0.0.1" not in str(caught.value)
    assert fake.hits["storage"] == transfers


async def test_a_hub_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub.CONNECT_S == 10
    monkeypatch.setattr(hub, "CONNECT_S", 0.2)
    async with FakeHub(BODY, HubFault.SILENT) as fake:
        with pytest.raises(DownloadError, match="did not answer within"):
            await fetched(fake.file, tmp_path)
    assert fake.hits == {"resolve": 1}


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/dataset.csv", "http://name.invalid/dataset.csv"])
async def test_a_closed_port_and_an_unknown_host_cannot_be_reached(tmp_path: Path, address: str) -> None:
    async with FakeHub(BODY) as fake:
        with pytest.raises(DownloadError, match="cannot be reached"):
            await fetched(replace(fake.file, address=address), tmp_path)
