import asyncio
import csv
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from core.lookup.breaker import Breaker
from core.lookup.collect_store import ArtistJob, CollectStore, SongJob
from core.lookup.collecting import Chart, Collector, Tally, steady
from core.lookup.lastfm_records import ArtistInfo, TrackInfo
from core.lookup.transport import RequestRate, RetryPolicy, Transport
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong, Fault

QUICK = RetryPolicy(wait_initial_s=0.001, wait_max_s=0.002, jitter_s=0.001, attempt_s=0.25, connect_s=0.25)
AMPLE = RequestRate(burst=10_000, per_window=20_000)


@pytest.fixture
async def fake() -> AsyncIterator[FakeLastFm]:
    async with FakeLastFm([FakeSong(f"S{i}", f"A{i % 3}", 100 + i, 200) for i in range(450)], key=API_KEY) as server:
        yield server


async def collect(
    fake: FakeLastFm,
    path: Path,
    *charts: Chart,
    songs: int = 0,
    snapshot: bool = False,
    call_s: float = 5.0,
    **options: Any,
) -> tuple[Tally, list[dict[str, str]]]:
    transport = Transport(API_KEY, fake.url, rate=AMPLE, retries=QUICK, breaker=Breaker(threshold=10**6))
    try:
        with CollectStore(path / "state.sqlite", snapshot=snapshot) as store:
            store.add_songs(((f"A{i % 3}", f"S{i}") for i in range(songs)), "list", artists=False)
            tally = await Collector(
                transport,
                store,
                **(
                    {
                        "pause_s": 0.01,
                        "call_s": call_s,
                        "artists": False,
                        "clock": lambda: datetime(2026, 11, 22, tzinfo=UTC),
                    }
                    | options
                ),
            ).run(charts)
            store.export(path / "tracks.csv", path / "artists.csv")
    finally:
        await transport.aclose()
    with (path / "tracks.csv").open(encoding="utf-8", newline="") as file:
        return tally, list(csv.DictReader(file))


async def test_long_charts_come_page_by_page(fake: FakeLastFm, tmp_path: Path) -> None:
    tally, rows = await collect(fake, tmp_path, Chart("chart.getTopTracks", {}, 410))
    assert tally.found == len(rows) == 410
    assert [r["page"] for r in fake.requests if r["method"] == "chart.getTopTracks"] == ["1", "2", "3"]
    assert {row["collected"] for row in rows} == {"2026-11-22"}


async def test_a_chart_that_ends_early_is_asked_no_further(fake: FakeLastFm, tmp_path: Path) -> None:
    chart = Chart("tag.getTopTracks", {"tag": "no such tag"}, 1000)
    tally, rows = await collect(fake, tmp_path, chart)
    assert (tally.total, rows) == (0, [])
    await collect(fake, tmp_path, chart)
    assert fake.count("tag.getTopTracks") == 1
    await collect(fake, tmp_path, chart, snapshot=True)
    assert fake.count("tag.getTopTracks") == 2


async def test_unknown_songs_and_ghosts_make_no_row_and_are_not_asked_again(tmp_path: Path) -> None:
    for ghosts in (True, False):
        async with FakeLastFm([FakeSong("S1", "A1")], ghosts=ghosts) as fake:
            for _ in range(2):
                tally, rows = await collect(fake, tmp_path / str(ghosts), songs=3)
            assert [row["track"] for row in rows] == ["S1"]
            assert fake.count("track.getInfo") == 3
            assert tally.total == 0


async def test_an_outage_within_patience_is_waited_out(fake: FakeLastFm, tmp_path: Path) -> None:
    fake.break_next(Fault.status(503), times=60)
    tally, rows = await collect(fake, tmp_path, songs=10, call_s=0.02)
    assert (tally.found, tally.failed, len(rows)) == (10, 0, 10)


async def test_an_outage_beyond_patience_ends_it_with_all_that_was_answered(fake: FakeLastFm, tmp_path: Path) -> None:
    await collect(fake, tmp_path, songs=5)
    fake.break_next(Fault.status(503))
    with pytest.raises(UpstreamUnavailable):
        await collect(fake, tmp_path, songs=10, patience_s=0.1, call_s=0.02)
    fake.mend()
    tally, rows = await collect(fake, tmp_path, songs=10)
    assert (tally.total, len(rows)) == (5, 10)


async def test_an_answer_without_sense_is_left_for_another_run(fake: FakeLastFm, tmp_path: Path) -> None:
    fake.break_next(Fault.error(3), times=3)
    tally, rows = await collect(fake, tmp_path, songs=1)
    assert (tally.failed, len(rows)) == (1, 0)
    assert "error 3" in tally.faults[0]
    tally, rows = await collect(fake, tmp_path, songs=1)
    assert (tally.found, len(rows)) == (1, 1)


async def test_progress_is_told(fake: FakeLastFm, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    await collect(fake, tmp_path, songs=8, notify=lambda tally: told.append((tally.done, tally.total)))
    assert told[0] == (0, 8)
    assert sorted(told) == told
    assert told[-1] == (8, 8)


async def test_the_rate_is_five_a_second() -> None:
    now = 0.0
    limiter = steady(5.0).limiter()
    asyncio.get_running_loop().time = lambda: now  # type: ignore[method-assign]  # a clock driven by hand
    sent = 0
    while now < 300:
        while limiter.has_capacity():
            await limiter.acquire()
            sent += 1
        now += 0.05
    assert 1450 < sent <= 1500


def test_a_store_keeps_every_field_and_writes_the_tables_whole(tmp_path: Path) -> None:
    with CollectStore(tmp_path / "deep" / "state.sqlite") as store:
        store.add_songs([('Comma, "Quote"', "Line")], "list")
        artist, song = store.jobs()
        assert isinstance(artist, ArtistJob)
        assert isinstance(song, SongJob)
        info = TrackInfo(title="Line", artist="x", listeners=5, playcount=6, tags=("a|b", "日本"), duration_ms=None)
        store.keep_song(song, info, "2026-11-22")
        store.keep_artist(artist, ArtistInfo(name="x", listeners=1, playcount=2, similar=("p", "q")), "2026-11-22")
        assert store.jobs() == []
        (tmp_path / "t.csv").write_text("an older table")
        assert store.export(tmp_path / "t.csv", tmp_path / "a.csv") == (1, 1)
    assert (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()[1] == (
        '"Comma, ""Quote""",Line,5,6,0,a/b|日本,,list,2026-11-22'
    )
    assert (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()[1] == '"Comma, ""Quote""",1,2,p,q,,2026-11-22'
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "deep", "t.csv"]


def test_figures_that_are_half_known_make_no_row(tmp_path: Path) -> None:
    with CollectStore(tmp_path / "state.sqlite") as store:
        store.add_songs([("A", "T")], "list")
        artist, song = store.jobs()
        assert isinstance(artist, ArtistJob)
        assert isinstance(song, SongJob)
        store.keep_song(song, TrackInfo(title="T", artist="A", listeners=5), "2026-11-22")
        store.keep_artist(artist, ArtistInfo(name="A", playcount=5), "2026-11-22")
        assert store.jobs() == []
        assert store.export(tmp_path / "t.csv", tmp_path / "a.csv") == (0, 0)
