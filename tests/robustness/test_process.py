"""Kills, full and read-only disks, damaged files and clocks that go back: the next answer or start is clean."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.messages import COMMANDS
from bot.reply import ResultCode
from bot.service import SongService
from core.assembly import HISTORY_HINT, build_predictor
from core.domain import SongName
from core.history import History, song_token
from core.settings import ROOT, Settings
from tests.fakes.chain import ARTISTS, HIT, SONGS, running_chain
from tests.fakes.command import command
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong, Fault
from tests.fakes.warped_time import WallClock, run_warped

SONG = SongName("Blinding Lights", "The Weeknd")


HISTORY_WRITER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from core.domain import SongName
    from core.history import History
    history = History(Path(sys.argv[2]))
    n = 0
    while True:
        history.remember(SongName(f"Song {n}", "Somebody"))
        print(n, flush=True)
        n += 1
"""


@pytest.mark.parametrize("after", [1, 150, 400])
def test_a_kill_amid_history_writes_loses_nothing_committed(tmp_path: Path, after: int) -> None:
    path = tmp_path / "history.sqlite"
    with subprocess.Popen(command(HISTORY_WRITER, str(path)), stdout=subprocess.PIPE, text=True) as writer:  # noqa: S603
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= after:
                break
        writer.send_signal(signal.SIGKILL)
        written = [*map(int, writer.stdout.read().split()), after]
    history = History(path)
    for n in range(max(written) + 1):
        name = SongName(f"Song {n}", "Somebody")
        assert history.recall(song_token(name)) == name
    assert history.recall(history.remember(SONG)) == SONG
    history.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@contextmanager
def no_room_beyond(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """History and the disk cache meet a real limit of the system on the size of files."""

    async def main() -> None:
        songs = [FakeSong(f"Song {n}", "The Weeknd", 50_000, 900_000, tags=("pop",)) for n in range(40)]
        path = tmp_path / "history.sqlite"
        cache = f"disk://?directory={tmp_path / 'cache'}"
        async with FakeLastFm([*SONGS, *songs], ARTISTS) as fake:
            async with running_chain(fake.url, cache_url=cache, history=path) as chain:
                kept = await chain.ask(HIT)
                with no_room_beyond(8_192):
                    for song in songs:
                        reply = await chain.ask(f"{song.title} - {song.artist}")
                        assert reply.code is ResultCode.PREDICTED
                        why = await chain.service.why(reply.token or "")
                        assert why.code is ResultCode.EXPLAINED, "buttons work while the disk is full"
                assert caplog.text.count("event=history_failing") == 1
                assert "event=cache_failing" in caplog.text
                later = await chain.ask("Hello - Adele")
                assert later.code is ResultCode.PREDICTED
            async with running_chain(fake.url, cache_url=cache, history=path) as chain:
                for reply in (kept, later):
                    assert (await chain.service.why(reply.token or "")).code is ResultCode.EXPLAINED
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    run_warped(main())


def test_a_history_that_turns_read_only_costs_no_answer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    history = History(tmp_path / "history.sqlite")
    history.remember(SONG)
    history._db.execute("PRAGMA query_only = ON")  # what a file system remounted read-only amounts to
    other = SongName("Hello", "Adele")
    assert history.recall(history.remember(other)) == other
    assert history.recall(song_token(SONG)) == SONG
    assert "event=history_failing" in caplog.text
    history.close()


READ_ONLY_STARTS = """
    import asyncio, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from bot.service import SongService
    from core.assembly import build_predictor
    from core.settings import ROOT, Settings
    async def start(data, key, url, question):
        settings = Settings(
            _env_file=None, data_dir=data, cards_dir=data / "cards", models_dir=ROOT / "models", art_downloads=False,
            itunes_search_url="off", deezer_search_url="off", musicbrainz_url="off",
            lastfm_api_key=key, lastfm_api_url=url, cache_url=f"disk://?directory={data / 'cache'}",
        )
        assembled = build_predictor(settings)
        service = SongService(assembled.predictor)
        reply = await service.predict(question)
        why = await service.why(reply.token or "")
        print(reply.code, await reply.card() is not None, why.code, *assembled.missing)
        await assembled.predictor.aclose()
    for folder in sys.argv[5:]:
        asyncio.run(start(Path(folder), *sys.argv[2:5]))
"""


async def test_a_read_only_data_folder_is_said_and_costs_no_answer(tmp_path: Path) -> None:
    without_privileges: list[str] = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root writes anywhere, and setpriv is not there to take that away")
        without_privileges = [setpriv, "--bounding-set=-all", "--inh-caps=-all"]
    empty, used = folders = tmp_path / "empty", tmp_path / "used before"
    empty.mkdir()
    history = History(used / "history.sqlite")
    history.remember(SONG)
    history.close()
    for path in used.iterdir():
        path.chmod(0o444)
    for folder in folders:
        folder.chmod(0o555)
    try:
        async with FakeLastFm(SONGS, ARTISTS) as fake:
            process = await asyncio.create_subprocess_exec(
                *without_privileges,
                *command(READ_ONLY_STARTS, API_KEY, fake.url, HIT, *map(str, folders)),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert process.returncode == 0, err.decode()
    assert "Traceback" not in err.decode()
    told = out.decode().splitlines()
    assert len(told) == 2
    for line in told:
        assert line.startswith("predicted True explained ")
        assert HISTORY_HINT.partition("(")[0] in line


def test_a_damaged_history_is_said_and_costs_no_start(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    async def main() -> None:
        settings = settings_for()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "data" / "demo_songs.csv", settings.data_dir)
        (settings.data_dir / "history.sqlite").write_bytes(b"this is no database" * 500)
        assembled = build_predictor(settings)
        assert any("history.sqlite" in sentence for sentence in assembled.missing)
        reply = await SongService(assembled.predictor).predict(HIT)
        assert reply.code is ResultCode.PREDICTED
        await assembled.predictor.aclose()

    asyncio.run(main())


def test_a_clock_that_jumps_back_freezes_nothing() -> None:
    """Figures of "the future" are asked for anew, and in an outage they still serve as the last good ones."""

    async def main() -> None:
        clock = WallClock()
        async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url, clock=clock) as chain:
            await chain.ask(HIT)
            clock.jump(timedelta(days=-400))
            fake.put(FakeSong("Blinding Lights", "The Weeknd", 3_000_000, 40_000_000, tags=("pop",)))
            newer = await chain.ask(HIT)
            assert newer.prediction is not None
            assert newer.prediction.song.listeners == 3_000_000
            clock.jump(timedelta(days=-1))
            fake.break_next(Fault.status(503))
            stale = await chain.ask(HIT)
            assert stale.code is ResultCode.PREDICTED
            assert stale.prediction is not None
            assert stale.prediction.source.stale
            fake.mend()
            await asyncio.sleep(61)
            clock.jump(timedelta(days=401))
            assert (await chain.ask(HIT)).code is ResultCode.PREDICTED
            assert (await chain.service.run_command(COMMANDS["stats"], is_admin=True)).code is ResultCode.INFORMED

    run_warped(main())
