import asyncio
import csv
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from core.training.collect import PatientServices, ReleaseCollector, ReleaseTally
from core.training.collect_store import TABLES, CollectStore
from core.training.collect_tables import Label
from tests.fakes.release_server import DEEZER, ITUNES, MUSICBRAINZ, Record, ReleaseFault, ReleaseServer

SettingsFor = Callable[..., Settings]


@pytest.fixture
async def server() -> AsyncIterator[ReleaseServer]:
    async with ReleaseServer() as running:
        yield running


@pytest.fixture
def settings(server: ReleaseServer, settings_for: SettingsFor) -> Settings:
    urls = server.urls
    return settings_for(
        itunes_search_url=urls["itunes_url"],
        deezer_search_url=urls["deezer_url"],
        musicbrainz_url=urls["musicbrainz_url"],
    )


async def look_up(settings: Settings, folder: Path, *, songs: int = 1, **options: Any) -> ReleaseTally:
    services = PatientServices(settings)
    try:
        with CollectStore(folder / "state.sqlite") as store:
            names = [(f"Band {number}", f"Song {number}") for number in range(songs)]
            store.add_songs(names, "list")
            store.add_labels([Label(*name, 50.0) for name in names], "list", "2025-08")
            pauses = {"pause_s": 0.01, "room_pause_s": 0.01, "patience_s": 0.3}
            tally = await ReleaseCollector(services, store.labels, **(pauses | options)).run()
            store.export(folder)
            return tally
    finally:
        await services.aclose()


def days(folder: Path) -> list[str]:
    with (folder / TABLES["dated"]).open(encoding="utf-8", newline="") as file:
        return [row["release_date"] for row in csv.DictReader(file)]


def counts(tally: ReleaseTally) -> tuple[int, int, int]:
    return tally.found, tally.not_found, tally.left


def song(number: int = 0, **changes: Any) -> Record:
    return Record(**({"title": f"Song {number}", "artist": f"Band {number}"} | changes))


async def test_the_earliest_day_of_the_shops_counts(server: ReleaseServer, settings: Settings, tmp_path: Path) -> None:
    server.knows(song(released="2012-01-01"), services=[ITUNES])
    server.knows(song(released="2015-01-01"), services=[DEEZER])
    assert counts(await look_up(settings, tmp_path)) == (1, 0, 0)
    assert days(tmp_path) == ["2012-01-01"]
    assert not server.musicbrainz.requests


async def test_musicbrainz_is_asked_where_the_shops_know_no_day(
    server: ReleaseServer, settings: Settings, tmp_path: Path
) -> None:
    server.knows(song(released=""), services=[DEEZER])
    server.knows(song(released="1999-02-03"), services=[MUSICBRAINZ])
    assert counts(await look_up(settings, tmp_path)) == (1, 0, 0)
    assert days(tmp_path) == ["1999-02-03"]


async def test_a_rate_without_room_is_no_reason_to_leave_songs_out(
    server: ReleaseServer, settings: Settings, tmp_path: Path
) -> None:
    server.knows(*map(song, range(12)), services=[DEEZER])  # iTunes has room for five at once
    assert counts(await look_up(settings, tmp_path, songs=12)) == (12, 0, 0)
    assert len(server.itunes.requests) < 12


@pytest.mark.parametrize("fault", [ReleaseFault.ERROR_500, ReleaseFault.QUOTA_200, ReleaseFault.HTML])
async def test_a_silent_service_leaves_its_songs_for_another_run(
    server: ReleaseServer, settings: Settings, tmp_path: Path, fault: ReleaseFault
) -> None:
    settings = settings.model_copy(update={"itunes_search_url": None, "musicbrainz_url": None})
    server.knows(*map(song, range(8)))
    server.deezer.break_next(fault)
    async with asyncio.timeout(60):
        assert counts(await look_up(settings, tmp_path, songs=8)) == (0, 0, 8)
    assert days(tmp_path) == [""] * 8
    server.deezer.mend()
    assert counts(await look_up(settings, tmp_path, songs=8)) == (8, 0, 0)
    assert counts(await look_up(settings, tmp_path, songs=8)) == (0, 0, 0)


async def test_a_passing_fault_is_waited_out(server: ReleaseServer, settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"itunes_search_url": None, "musicbrainz_url": None})
    server.knows(*map(song, range(3)))
    server.deezer.break_next(ReleaseFault.ERROR_500, times=2)
    assert counts(await look_up(settings, tmp_path, songs=3, patience_s=10.0)) == (3, 0, 0)


async def test_a_day_is_kept_though_another_service_is_silent(
    server: ReleaseServer, settings: Settings, tmp_path: Path
) -> None:
    server.knows(song())
    server.itunes.break_next(ReleaseFault.ERROR_500)
    assert counts(await look_up(settings, tmp_path)) == (1, 0, 0)


async def test_stopping_keeps_what_is_on_the_way_and_asks_no_more(
    server: ReleaseServer, settings: Settings, tmp_path: Path
) -> None:
    services = PatientServices(settings)
    server.knows(*map(song, range(20)))
    with CollectStore(tmp_path / "state.sqlite") as store:
        names = [(f"Band {number}", f"Song {number}") for number in range(20)]
        store.add_songs(names, "list")
        store.add_labels([Label(*name, 50.0) for name in names], "list", "2025-08")
        collector = ReleaseCollector(services, store.labels, notify=lambda tally: collector.stop())
        tally = await collector.run()
        assert 1 <= tally.found <= 4
        assert len(store.labels.jobs()) == 20 - tally.found
    await services.aclose()
