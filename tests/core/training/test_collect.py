import asyncio
import csv
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from core.errors import UpstreamUnavailable
from core.lookup.lastfm_client import RetryPolicy, Transport
from core.lookup.lastfm_parse import ArtistInfo, TrackInfo
from core.lookup.service import Breaker, RequestRate
from core.training.collect import Chart, Collector, Tally, steady
from core.training.collect_store import TABLES, ArtistJob, CollectStore, SongJob
from core.training.collect_tables import Label
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
            store.export(path)
    finally:
        await transport.aclose()
    return tally, table(path / TABLES["tracks"])


def table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
    tracks, artists, tags = (tmp_path / TABLES[kind] for kind in ("tracks", "artists", "tags"))
    with CollectStore(tmp_path / "deep" / "state.sqlite") as store:
        store.add_songs([('Comma, "Quote"', "Line")], "list")
        artist, song = store.jobs()
        assert isinstance(artist, ArtistJob)
        assert isinstance(song, SongJob)
        info = TrackInfo(title="Line", artist="x", listeners=5, playcount=6, tags=("a|b", "日本"), duration_ms=None)
        store.keep_song(song, info, "2026-11-22")
        found = ArtistInfo(name="x", listeners=1, playcount=2, similar=("p", "[unknown]", "q"), tags=("k-pop", "a, b"))
        store.keep_artist(artist, found, "2026-11-22")
        assert store.jobs() == []
        tracks.write_text("an older table")
        assert store.export(tmp_path) == {"tracks": 1, "artists": 1, "tags": 2, "dated": 0}
    assert tracks.read_text(encoding="utf-8").splitlines()[1] == (
        '"Comma, ""Quote""",Line,5,6,0,a/b|日本,,list,2026-11-22'
    )
    assert artists.read_text(encoding="utf-8").splitlines()[1] == '"Comma, ""Quote""",1,2,p,q,,2026-11-22'
    assert tags.read_text(encoding="utf-8").splitlines() == [
        "artist,source,rank,tag,weight",
        '"Comma, ""Quote""",lastfm_collected,1,k-pop,',
        '"Comma, ""Quote""",lastfm_collected,2,"a, b",',
    ]
    assert {path.name for path in tmp_path.iterdir()} == {tracks.name, artists.name, tags.name, "deep"}


def test_figures_that_are_half_known_make_no_row(tmp_path: Path) -> None:
    with CollectStore(tmp_path / "state.sqlite") as store:
        store.add_songs([("A", "T")], "list")
        artist, song = store.jobs()
        assert isinstance(artist, ArtistJob)
        assert isinstance(song, SongJob)
        store.keep_song(song, TrackInfo(title="T", artist="A", listeners=5), "2026-11-22")
        store.keep_artist(artist, ArtistInfo(name="A", playcount=5, tags=("pop",)), "2026-11-22")
        assert store.jobs() == []
        (tmp_path / TABLES["tags"]).write_text("an older table")
        assert set(store.export(tmp_path).values()) == {0}
    assert not list(tmp_path.glob("*.csv"))


def test_tags_are_those_of_the_latest_answer(tmp_path: Path) -> None:
    for snapshot, tags in ((False, ("pop", "dance")), (True, ("k-pop",)), (True, ())):
        with CollectStore(tmp_path / "state.sqlite", snapshot=snapshot) as store:
            store.add_artists(["A"])
            (job,) = store.jobs()
            assert isinstance(job, ArtistJob)
            store.keep_artist(job, ArtistInfo(name="A", listeners=1, playcount=2, tags=tags), "2026-11-22")
            store.finish()
            store.export(tmp_path)
    assert [(row["rank"], row["tag"]) for row in table(tmp_path / TABLES["tags"])] == [("1", "k-pop")]


def test_unknown_artists_are_neither_asked_nor_written(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with CollectStore(path) as store:
        store.add_songs([("[unknown]", "T"), ("<Unknown>", "T"), ("Unknown", "T")], "list")
        store.add_page("chart", 1, [("[Unknown]", "U")], last=True, artists=True)
        store.add_artists(["<unknown>"])
        assert [getattr(job, "artist", getattr(job, "name", "")) for job in store.jobs()] == ["Unknown", "Unknown"]
    with closing(sqlite3.connect(path)) as db, db:  # an older version planned and asked for them
        db.execute("INSERT INTO artist VALUES (90, '[unknown]', '[unknown]')")
        db.execute("INSERT INTO song VALUES (90, 'x', '[unknown]', 'T', 'list')")
        db.execute("INSERT INTO song VALUES (91, 'y', '[unknown]', 'U', 'list')")
        db.execute("INSERT INTO song_answer VALUES (91, 1, '2025-01-01', 1, 5, 6, 7, '', '')")
        db.execute("INSERT INTO artist_answer VALUES (90, 1, '2025-01-01', 1, 5, 6, '')")
    with CollectStore(path) as store:
        assert len(store.jobs()) == 2
        assert set(store.export(tmp_path).values()) == {0}


def test_a_file_of_an_older_version_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(OLDER_SCHEMA)
        db.execute("INSERT INTO round VALUES (1, 0, 1)")
        db.execute("INSERT INTO song VALUES (1, ?, 'A', 'T', 'list')", ("a\nt",))
        db.execute("INSERT INTO artist VALUES (1, 'a', 'A')")
        db.execute("INSERT INTO song_answer VALUES (1, 1, '2025-01-01', 1, 5, 6, 7000, 'pop', 'B')")
    with CollectStore(path) as store:
        store.add_songs([("A", "T")], "list")
        store.add_labels([Label("a", "t", 50.0)], "list", "2025-02")
        (job,) = store.jobs()
        assert isinstance(job, ArtistJob)
        store.keep_artist(job, ArtistInfo(name="A", listeners=1, playcount=2, tags=("pop",)), "2026-11-22")
        assert store.export(tmp_path) == {"tracks": 1, "artists": 1, "tags": 1, "dated": 1}
    assert [row["duration_ms"] for row in table(tmp_path / TABLES["dated"])] == ["7000"]


def test_labels_keep_their_month_and_follow_their_table(tmp_path: Path) -> None:
    def dated(month: str, *labels: Label) -> list[tuple[str, str, str]]:
        with CollectStore(tmp_path / "state.sqlite") as store:
            store.add_songs([("A", "T")], "list", artists=False)
            store.add_labels([*labels, Label("Not", "Planned", 5.0)], "list", month)
            store.export(tmp_path)
        rows = table(tmp_path / TABLES["dated"])
        return [(row["popularity"], row["label_date"], row["source"]) for row in rows]

    assert dated("2025-01", Label("A", "T", 0.0), Label("a", "T", 40.5)) == [("40.5", "2025-01", "list")]
    assert dated("2025-02", Label("A", "T", 40.5)) == [("40.5", "2025-01", "list")]
    assert dated("2025-03", Label("A", "T", 41.0)) == [("41", "2025-03", "list")]
    assert dated("2025-04", Label("A", "T", 7.0, "2024-05-06")) == [("7", "2024-05-06", "list")]


OLDER_SCHEMA = """
CREATE TABLE round (id INTEGER PRIMARY KEY, snapshot INTEGER NOT NULL, finished INTEGER NOT NULL);
CREATE TABLE song (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, artist TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL);
CREATE TABLE artist (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE page (
    chart TEXT NOT NULL, number INTEGER NOT NULL, round INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (chart, number, round));
CREATE TABLE song_answer (
    song INTEGER NOT NULL REFERENCES song, round INTEGER NOT NULL REFERENCES round, collected TEXT NOT NULL,
    found INTEGER NOT NULL, listeners INTEGER, playcount INTEGER, duration_ms INTEGER, tags TEXT, album TEXT,
    PRIMARY KEY (song, round));
CREATE TABLE artist_answer (
    artist INTEGER NOT NULL REFERENCES artist, round INTEGER NOT NULL REFERENCES round, collected TEXT NOT NULL,
    found INTEGER NOT NULL, listeners INTEGER, playcount INTEGER, similar TEXT,
    PRIMARY KEY (artist, round));
"""
