import asyncio
import csv
import gzip
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.domain import SongName
from core.figure_log import FileTable, song_number
from core.training.collect_tables import DATED_COLUMNS
from core.training.data import load_tables
from scripts.collect import main
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeLastFm, FakeSong, Fault
from tests.fakes.release_server import Record, ReleaseFault, ReleaseServer
from tests.fakes.training_files import write_training_files

SCRIPT = Path(__file__).parents[2] / "scripts" / "collect.py"
TRACKS, ARTISTS = "lastfm_tracks_collected.csv", "lastfm_artists_collected.csv"
TAGS, DATED = "lastfm_artist_tags_collected.csv", "dated_popularity_collected.csv"
OFF = {"ITUNES_SEARCH_URL": "off", "DEEZER_SEARCH_URL": "off", "MUSICBRAINZ_URL": "off"}


def songs(n: int) -> list[FakeSong]:
    return [
        FakeSong(
            f"Song {i}", f"Band {i % 7}", 1000 + i, 5000 + i, f"Album {i}", 100_000 + i, ("rock",) * (i % 2) + ("a|b",)
        )
        for i in range(n)
    ]


@pytest.fixture
async def fake() -> AsyncIterator[FakeLastFm]:
    async with FakeLastFm(songs(60), [FakeArtist("Band 0", 9000, 90_000)], key=API_KEY) as server:
        yield server


async def start(
    fake: FakeLastFm, out: Path, *arguments: str, key: str = API_KEY, shops: dict[str, str] = OFF
) -> asyncio.subprocess.Process:
    data = {"DATA_DIR": str(out.parent / "data"), "CACHE_URL": "mem://"}
    environment = {**os.environ, **shops, **data, "LASTFM_API_URL": fake.url, "LASTFM_API_KEY": key}
    return await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), "--out", str(out), "--per-second", "1000", *arguments,
        env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=out.parent,
    )  # fmt: skip


async def collect(
    fake: FakeLastFm, out: Path, *arguments: str, key: str = API_KEY, shops: dict[str, str] = OFF
) -> tuple[int, str]:
    process = await start(fake, out, *arguments, key=key, shops=shops)
    _, told = await process.communicate()
    assert process.returncode is not None
    assert API_KEY not in told.decode()
    return process.returncode, told.decode()


async def requests_more(fake: FakeLastFm, n: int) -> None:
    """Wait until the server has been asked ``n`` more times."""
    left, reached = n, asyncio.Event()

    async def count(_: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            reached.set()

    fake.on_request = count
    async with asyncio.timeout(60):
        await reached.wait()


def table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def wanted(path: Path, n: int) -> Path:
    return write(path, "artist,track", *(f"Band {i % 7},Song {i}" for i in range(n)))


def asked(fake: FakeLastFm) -> Counter[tuple[str, ...]]:
    return Counter((r["method"], r.get("artist", ""), r.get("track", ""), r.get("page", "")) for r in fake.requests)


async def test_songs_and_their_artists(fake: FakeLastFm, tmp_path: Path) -> None:
    list_ = write(
        tmp_path / "want.csv", "track,artist,x", "Song 1,Band 1,", "song 1,BAND 1,", "Song 8,Band 1,", "No,No,"
    )
    code, told = await collect(fake, tmp_path / "out", "--songs", str(list_))
    assert code == 0, told
    rows = table(tmp_path / "out" / TRACKS)
    assert list(rows[0]) == [
        "artist", "track", "listeners", "playcount", "duration_ms", "tags", "album", "source", "collected",
    ]  # fmt: skip
    assert [row["track"] for row in rows] == ["Song 1", "Song 8"]
    assert (rows[0]["listeners"], rows[0]["playcount"], rows[0]["duration_ms"]) == ("1001", "5001", "100001")
    assert (rows[0]["tags"], rows[0]["album"], rows[0]["source"]) == ("rock|a/b", "Album 1", "want.csv")
    assert len(rows[0]["collected"]) == len("2026-11-22")
    (artist,) = table(tmp_path / "out" / ARTISTS)
    assert list(artist)[:6] == ["artist", "lastfm_listeners", "lastfm_playcount", "similar_1", "similar_2", "similar_3"]
    assert (artist["artist"], artist["lastfm_listeners"]) == ("Band 1", "2002")
    tags = table(tmp_path / "out" / TAGS)
    assert list(tags[0]) == ["artist", "source", "rank", "tag", "weight"]
    assert [tuple(row.values()) for row in tags] == [("Band 1", "lastfm_collected", "1", "rock", "")]
    assert not (tmp_path / "out" / DATED).exists()
    assert max(asked(fake).values()) == 1


async def test_the_columns_of_the_spotify_data_and_packed_files(fake: FakeLastFm, tmp_path: Path) -> None:
    packed = tmp_path / "spotify.csv.gz"
    packed.write_bytes(gzip.compress("﻿artists,track_name\nBand 2;Band 3,Song 2\n,\n".encode()))
    code, told = await collect(fake, tmp_path / "out", "--songs", str(packed), "--no-artists")
    assert code == 0, told
    assert "1 rows without artist or title" in told
    assert [(row["artist"], row["track"]) for row in table(tmp_path / "out" / TRACKS)] == [("Band 2", "Song 2")]
    assert table(tmp_path / "out" / ARTISTS) == []


async def test_artists_named_na_and_none_are_artists(fake: FakeLastFm, tmp_path: Path) -> None:
    for name in ("NA", "None", "Null"):
        fake.put(FakeSong("X", name, 50, 60))
    code, _ = await collect(
        fake, tmp_path / "out", "--artists", str(write(tmp_path / "a.csv", "artist", "NA", "None", "Null", "Nobody"))
    )
    assert code == 0
    assert [row["artist"] for row in table(tmp_path / "out" / ARTISTS)] == ["NA", "None", "Null"]


async def test_charts(fake: FakeLastFm, tmp_path: Path) -> None:
    arguments = ("--chart", "4", "--tag", "rock", "--country", "Spain", "--limit", "3", "--no-artists")
    code, told = await collect(fake, tmp_path / "out", *arguments)
    assert code == 0, told
    rows = table(tmp_path / "out" / TRACKS)
    assert Counter(row["source"] for row in rows) == {"chart.getTopTracks": 4, "tag.getTopTracks:rock": 1}
    assert {row["track"] for row in rows} == {"Song 59", "Song 58", "Song 57", "Song 56", "Song 55"}
    before = len(fake.requests)
    assert (await collect(fake, tmp_path / "out", *arguments))[0] == 0
    assert len(fake.requests) == before


async def test_a_kill_at_any_moment_loses_nothing_and_asks_nothing_answered_again(tmp_path: Path) -> None:
    in_flight_max = 4
    async with FakeLastFm(songs(60), key=API_KEY, latency_s=0.01) as fake:
        list_ = wanted(tmp_path / "want.csv", 60)
        arguments = ("--songs", str(list_), "--chart", "30")
        kills = 0
        for moment in (1, 9, 25):
            process = await start(fake, tmp_path / "out", *arguments)
            await requests_more(fake, moment)
            process.send_signal(signal.SIGKILL)
            await process.communicate()
            kills += process.returncode == -signal.SIGKILL
        code, told = await collect(fake, tmp_path / "out", *arguments)
        assert code == 0, told
        assert kills == 3
        rows = table(tmp_path / "out" / TRACKS)
        assert sorted(row["track"] for row in rows) == sorted(f"Song {i}" for i in range(60))
        assert len(table(tmp_path / "out" / ARTISTS)) == 7
        repeated = sum(count - 1 for count in asked(fake).values())
        assert repeated <= kills * in_flight_max  # only what was on the wire
        assert len(asked(fake)) == 60 + 7 + 1


async def test_ctrl_c_keeps_what_is_on_the_way(tmp_path: Path) -> None:
    async with FakeLastFm(songs(60), key=API_KEY, latency_s=0.01) as fake:
        arguments = ("--songs", str(wanted(tmp_path / "want.csv", 60)))
        process = await start(fake, tmp_path / "out", *arguments)
        await requests_more(fake, 20)
        process.send_signal(signal.SIGINT)
        _, told = await process.communicate()
        assert process.returncode == 1
        assert b"the same command goes on" in told
        kept = len(table(tmp_path / "out" / TRACKS)) + len(table(tmp_path / "out" / ARTISTS))
        assert kept == len(fake.requests)
        assert (await collect(fake, tmp_path / "out", *arguments))[0] == 0
        assert max(asked(fake).values()) == 1
        assert len(table(tmp_path / "out" / TRACKS)) == 60


async def test_a_snapshot_appends_dated_figures(fake: FakeLastFm, tmp_path: Path) -> None:
    arguments = ("--songs", str(wanted(tmp_path / "want.csv", 3)))
    assert (await collect(fake, tmp_path / "out", *arguments))[0] == 0
    fake.put(FakeSong("Song 1", "Band 1", 7777, 99_999))
    code, told = await collect(fake, tmp_path / "out", "--snapshot")
    assert code == 0, told
    rows = table(tmp_path / "out" / TRACKS)
    assert [(row["track"], row["listeners"]) for row in rows] == [
        ("Song 0", "1000"), ("Song 1", "1001"), ("Song 2", "1002"),
        ("Song 0", "1000"), ("Song 1", "7777"), ("Song 2", "1002"),
    ]  # fmt: skip
    assert (await collect(fake, tmp_path / "out", "--snapshot"))[0] == 0
    assert len(table(tmp_path / "out" / TRACKS)) == 9
    before = len(fake.requests)
    assert (await collect(fake, tmp_path / "out", *arguments))[0] == 0
    assert len(fake.requests) == before  # without --snapshot, what was answered is not asked


async def test_a_snapshot_feeds_the_table_of_the_bot(fake: FakeLastFm, tmp_path: Path) -> None:
    path = tmp_path / "data" / "figures.sqlite"
    list_ = str(wanted(tmp_path / "want.csv", 3))
    assert (await collect(fake, tmp_path / "out", "--songs", list_))[0] == 0
    assert not path.exists(), "only a snapshot is a figure of a chosen day"
    for _ in range(2):
        code, told = await collect(fake, tmp_path / "out", "--snapshot", "--songs", list_)
        assert code == 0
        assert "dated figures are at hand for /trend" in told
    table_ = FileTable(path)
    today = datetime.now(UTC).date()
    try:
        kept = {n: await table_.read(song_number(SongName(f"Song {n}", f"Band {n}"))) for n in range(3)}
    finally:
        await table_.aclose()
    assert [row.listeners for n in range(3) for row in kept[n]] == [1000, 1001, 1002]
    assert {row.day for rows in kept.values() for row in rows} <= {today.toordinal(), today.toordinal() - 1}


async def test_a_table_of_the_bot_that_cannot_be_written_is_no_failure(fake: FakeLastFm, tmp_path: Path) -> None:
    (tmp_path / "data" / "figures.sqlite").mkdir(parents=True)
    list_ = str(wanted(tmp_path / "want.csv", 3))
    code, told = await collect(fake, tmp_path / "out", "--snapshot", "--songs", list_)
    assert code == 0
    assert "figures.sqlite in DATA_DIR cannot be used" in told
    assert len(table(tmp_path / "out" / TRACKS)) == 3


async def test_a_killed_snapshot_goes_on_as_the_same_snapshot(tmp_path: Path) -> None:
    async with FakeLastFm(songs(30), key=API_KEY, latency_s=0.01) as fake:
        arguments = ("--songs", str(wanted(tmp_path / "want.csv", 30)), "--no-artists")
        assert (await collect(fake, tmp_path / "out", *arguments))[0] == 0
        process = await start(fake, tmp_path / "out", "--snapshot", "--no-artists")
        await requests_more(fake, 10)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        assert (await collect(fake, tmp_path / "out", "--snapshot", "--no-artists"))[0] == 0
        assert Counter(row["track"] for row in table(tmp_path / "out" / TRACKS)) == {f"Song {i}": 2 for i in range(30)}


async def test_faults_that_pass_are_waited_out(fake: FakeLastFm, tmp_path: Path) -> None:
    fake.break_next(Fault.error(29), share=0.2, times=10)
    fake.break_next(Fault.status(503), share=0.1, times=5)
    code, told = await collect(fake, tmp_path / "out", "--songs", str(wanted(tmp_path / "want.csv", 20)))
    assert code == 0, told
    assert len(table(tmp_path / "out" / TRACKS)) == 20


async def test_a_refused_key_ends_it_and_keeps_what_there_is(fake: FakeLastFm, tmp_path: Path) -> None:
    arguments = ("--songs", str(wanted(tmp_path / "want.csv", 10)), "--no-artists")
    assert (await collect(fake, tmp_path / "out", *arguments))[0] == 0
    more = ("--songs", str(wanted(tmp_path / "more.csv", 20)), "--no-artists")
    code, told = await collect(fake, tmp_path / "out", *more, key="f" * 32)
    assert code == 2
    assert "key" in told
    assert "Traceback" not in told
    assert len(table(tmp_path / "out" / TRACKS)) == 10


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LASTFM_API_URL", "http://127.0.0.1:1/")
    monkeypatch.setenv("LASTFM_API_KEY", API_KEY)


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a,b\n1,2\n", "bad.csv lacks the column artist or artists or"),
        (b"artist,b\n1,2\n", "bad.csv lacks the column track or track_name or"),
        (b"", "lacks the column artist or artists or artist_name or name, track or"),
        (None, "cannot be read"),
        (b"\xff\xfe\x00artist", "cannot be read"),
        (b"artist,track,popularity\nA,B,7\nA,C,101\n", "row 3, column popularity: '101' is not a number from 0"),
        (b"artist,track,popularity\nA,B,nan\n", "row 2, column popularity: 'nan' is not a number"),
        (b"artist,track,popularity\nA,B,-1\n", "row 2, column popularity: '-1' is not a number"),
        (b"artist,track,popularity,label_date\nA,B,1,2022\n", "row 2, column label_date: '2022' is no month"),
        (b"artist,track,popularity,label_date\nA,B,1,2022-02-30\n", "column label_date: '2022-02-30' is no month"),
        (b"artist,track,popularity,label_date\nA,B,1,2999-01\n", "column label_date: '2999-01' is no month"),
    ],
)
def test_bad_input_gets_a_sentence(
    tmp_path: Path, content: bytes | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    assert main(["--out", str(tmp_path / "out"), "--songs", str(path)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert told in said
    assert "bad.csv" in said


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize("fault", [("--chart", "0"), ("--limit", "x"), ("--per-second", "0"), ("--what",), ()])
def test_usage_faults_end_with_2(tmp_path: Path, fault: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--out", str(tmp_path), *fault] if fault else ["--chart", "5"])
    assert ended.value.code == 2


def test_settings_that_cannot_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LASTFM_API_KEY", "")
    assert main(["--out", str(tmp_path)]) == 2
    assert "LASTFM_API_KEY" in capsys.readouterr().err
    monkeypatch.setenv("LASTFM_API_KEY", API_KEY)
    monkeypatch.setenv("LASTFM_API_URL", "https://ws.audioscrobbler.com/2.0/")
    assert main(["--out", str(tmp_path), "--per-second", "6"]) == 2
    assert "five requests a second" in capsys.readouterr().err


def shops_of(server: ReleaseServer, **changes: str) -> dict[str, str]:
    urls = server.urls
    return {
        "ITUNES_SEARCH_URL": urls["itunes_url"], "DEEZER_SEARCH_URL": urls["deezer_url"],
        "MUSICBRAINZ_URL": urls["musicbrainz_url"],
    } | changes  # fmt: skip


def labelled(path: Path, n: int) -> Path:
    return write(
        path, "artist,track,popularity,label_date",
        *(f"Band {i % 7},Song {i},{40 + i},{'2025-08' if i % 2 else ''}" for i in range(n)),
    )  # fmt: skip


async def test_labelled_songs_get_their_release_and_the_folder_can_be_read(fake: FakeLastFm, tmp_path: Path) -> None:
    list_ = labelled(tmp_path / "lists_2025.csv", 3)
    with list_.open("a", encoding="utf-8") as file:
        file.write("Band 3,Song 3,,\n[unknown],Song 4,50,2025-08\n")
    async with ReleaseServer() as server:
        server.knows(
            Record(title="Song 0", artist="Band 0", album="First", released="2019-04-05", duration_ms=180_000),
            Record(title="Song 1", artist="Band 1", album="Other", released="2020-01-02", explicit=True),
        )
        code, told = await collect(fake, tmp_path / "out", "--songs", str(list_), shops=shops_of(server))
        assert code == 0, told
        assert "2 releases found, 1 unknown, 0 not answered" in told
        assert "1 rows without artist or title" in told
        asked_before = len(server.deezer.requests)
        assert (await collect(fake, tmp_path / "out", "--songs", str(list_), shops=shops_of(server)))[0] == 0
        assert len(server.deezer.requests) == asked_before
        server.knows(Record(title="Song 2", artist="Band 2", album="Third", released="2021-01-02"))
        asked_before = len(server.deezer.requests)
        assert (await collect(fake, tmp_path / "out", "--snapshot", shops=shops_of(server)))[0] == 0
        searches = [query for path, query in server.deezer.requests[asked_before:] if path.endswith("search")]
        assert len(searches) == 1  # a known day is not asked for again
    rows = table(tmp_path / "out" / DATED)
    assert list(rows[0]) == list(DATED_COLUMNS)
    now = f"{datetime.now(UTC):%Y-%m}"
    assert [tuple(row.values()) for row in rows] == [
        ("Song 0", "Band 0", "First", "", "2019-04-05", "40", now, "180000", "False", "", "", "", "lists_2025"),
        ("Song 1", "Band 1", "Other", "", "2020-01-02", "41", "2025-08", "200000", "True", "", "", "", "lists_2025"),
        ("Song 2", "Band 2", "Third", "", "2021-01-02", "42", now, "200000", "False", "", "", "", "lists_2025"),
    ]  # fmt: skip
    (tmp_path / "made").mkdir()
    (spotify,) = write_training_files(tmp_path / "made").glob("spotify*")
    spotify.rename(tmp_path / "out" / spotify.name)
    tables = load_tables(tmp_path / "out")
    assert (len(tables.dated), len(tables.tracks)) == (3, 8)
    assert set(tables.artist_tags["source"]) == {"lastfm_collected"}


@pytest.mark.parametrize("how", ["--no-releases", "off"])
async def test_releases_switched_off_are_blank(fake: FakeLastFm, tmp_path: Path, how: str) -> None:
    list_ = labelled(tmp_path / "list.csv", 2)
    async with ReleaseServer() as server:
        server.knows(Record(title="Song 0", artist="Band 0"))
        options = ("--no-releases",) if how == "--no-releases" else ()
        shops = OFF if how == "off" else shops_of(server)
        code, told = await collect(fake, tmp_path / "out", "--songs", str(list_), *options, shops=shops)
        assert code == 0, told
        assert "releases found" not in told
        assert not server.deezer.requests + server.itunes.requests + server.musicbrainz.requests
    rows = table(tmp_path / "out" / DATED)
    assert [(row["album"], row["release_date"], row["explicit"]) for row in rows] == [("", "", "")] * 2
    assert [row["duration_ms"] for row in rows] == ["100000", "100001"]  # Last.fm's


async def test_a_kill_loses_no_release_and_silent_services_hold_up_nothing(tmp_path: Path) -> None:
    list_ = labelled(tmp_path / "list.csv", 12)
    async with FakeLastFm(songs(60), key=API_KEY) as fake, ReleaseServer() as server:
        shops = shops_of(server, ITUNES_SEARCH_URL="off")
        server.knows(*(Record(title=f"Song {i}", artist=f"Band {i % 7}") for i in range(12)))
        server.deezer.break_next(ReleaseFault.HANG)
        process = await start(fake, tmp_path / "out", "--songs", str(list_), shops=shops)
        await requests_more(fake, 19)  # all songs and artists, while Deezer hangs
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        server.deezer.mend()
        server.deezer.latency_s = 0.05
        process = await start(fake, tmp_path / "out", "--songs", str(list_), shops=shops)
        reached = asyncio.Event()
        server.deezer.on_request = lambda: reached.set() if len(server.deezer.requests) >= 4 + 16 else None
        async with asyncio.timeout(60):
            await reached.wait()
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        code, told = await collect(fake, tmp_path / "out", "--songs", str(list_), shops=shops)
        assert code == 0, told
        searches = [query["q"] for path, query in server.deezer.requests if path.endswith("search")]
        assert 12 < len(searches) <= 4 + 12 + 4  # only what was on the wire is asked again
    assert [row["release_date"] for row in table(tmp_path / "out" / DATED)] == ["2020-03-27"] * 12
