import asyncio
import logging
import os
import pickle
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.figure_log import FILE_MAX_BYTES as FIGURES_MAX_BYTES
from core.lookup import store as store_module
from core.lookup.store import FILE_NAME, MEMORY_ENTRIES, STORED_MAX_BYTES, VALUE_MAX_BYTES, Store
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Store]:
    async with aclosing(Store(f"disk://?directory={tmp_path / 'cache'}", retry_s=0.0)) as store:
        yield store


@pytest.mark.parametrize("kind", ["mem", "disk"])
async def test_values_are_kept_and_expire(kind: str, tmp_path: Path) -> None:
    url = "mem://" if kind == "mem" else f"disk://?directory={tmp_path}"
    async with aclosing(Store(url)) as store:
        assert await store.get("k") is None
        await store.set("k", b'{"a": 1}', 60)
        assert await store.get("k") == b'{"a": 1}'
        await store.set("k", b"12345", 60)
        assert await store.get("k") == b"12345"
        await store.set("short", b"{}", 0.05)
        await asyncio.sleep(0.1)
        assert await store.get("short") is None


async def test_disk_outlives_the_process(tmp_path: Path) -> None:
    for expected in (None, b"{}"):
        async with aclosing(Store(f"disk://?directory={tmp_path}")) as store:
            assert await store.get("k") == expected
            await store.set("k", b"{}", 60)


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "memcached://x", "x/y", "disk://", "disk://?folder=x", "pickle://?directory=x"]
)
def test_an_unusable_address_is_said_at_once(url: str) -> None:
    with pytest.raises(SettingsError) as raised:
        Store(url)
    assert "CACHE_URL" in raised.value.user_message


async def test_memory_is_bounded_in_entries_and_the_oldest_go_first() -> None:
    async with aclosing(Store("mem://")) as store:
        for n in range(MEMORY_ENTRIES + 10):
            await store.set(f"k{n}", b"{}", 60)
        assert await store.get("k5") is None
        assert await store.get(f"k{MEMORY_ENTRIES + 9}") == b"{}"


async def test_memory_is_bounded_in_bytes() -> None:
    kept = STORED_MAX_BYTES // VALUE_MAX_BYTES
    assert kept < MEMORY_ENTRIES
    async with aclosing(Store("mem://")) as store:
        for n in range(kept + 10):
            await store.set("again", b"x" * VALUE_MAX_BYTES, 60)  # kept once, however often it is written
            await store.set(f"k{n}", b"x" * VALUE_MAX_BYTES, 60)
        assert await store.get("k9") is None
        assert await store.get("k12") is not None
        assert await store.get("again") is not None


def test_what_is_kept_of_last_fm_is_within_its_terms() -> None:
    assert STORED_MAX_BYTES + FIGURES_MAX_BYTES <= 100_000_000


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (self.target,))

    def __init__(self, target: str) -> None:
        self.target = target


async def test_nothing_on_disk_is_ever_unpickled(disk: Store, tmp_path: Path) -> None:
    await disk.set("k", b"{}", 60)
    target = tmp_path / "pwned"
    payload = pickle.dumps(Bomb(str(target)))
    for value in (payload, payload.decode("latin-1"), 5):
        with closing(sqlite3.connect(tmp_path / "cache" / FILE_NAME)) as db, db:
            assert db.execute("UPDATE answers SET value = ?", (value,)).rowcount == 1
        # Bytes are for the reader to refuse; anything else is no value.
        assert await disk.get("k") == (payload if isinstance(value, bytes) else None)
    assert not target.exists()


async def test_a_folder_that_cannot_be_made_is_left_out_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    folder.write_text("x")
    async with aclosing(Store(f"disk://?directory={folder}", retry_s=0.0)) as store:
        caplog.set_level(logging.INFO)
        for _ in range(3):
            await store.set("k", b"{}", 60)
            assert await store.get("k") is None
        assert [record.getMessage().split()[0] for record in caplog.records] == ["event=cache_failing"]
        folder.unlink()
        await store.set("k", b"{}", 60)
        assert await store.get("k") == b"{}"
        assert "event=cache_recovered" in caplog.text


def damage_header(file: Path) -> None:
    file.write_bytes(b"this is no database" * 500)


def damage_middle(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)


def of_another_layout(file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("spoil", [damage_header, damage_middle, of_another_layout])
async def test_a_damaged_file_begins_anew_with_a_line_in_the_log(
    spoil: Callable[[Path], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"disk://?directory={tmp_path}"
    async with aclosing(Store(url)) as store:
        await store.set("before", b"{}", 60)
    spoil(tmp_path / FILE_NAME)
    async with aclosing(Store(url)) as store:
        for n in range(3):
            await store.set(f"k{n}", b"{}", 60)
            assert await store.get(f"k{n}") == b"{}"
        assert await store.get("before") is None
    assert [record.getMessage().split()[0] for record in caplog.records] == ["event=cache_begun_anew"]
    assert str(tmp_path / FILE_NAME) in caplog.text


async def test_a_file_damaged_while_it_is_open_begins_anew(
    disk: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await disk.set("k", b"{}", 60)
    file = tmp_path / "cache" / FILE_NAME
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage_header(file)
    for _ in range(2):
        await disk.set("k", b"[]", 60)
        assert await disk.get("k") == b"[]"
    assert [record.getMessage().split()[0] for record in caplog.records] == ["event=cache_begun_anew"]


async def test_a_folder_of_an_earlier_version_is_no_hindrance(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "cache.db")) as db, db:
        db.execute("CREATE TABLE Cache (rowid INTEGER PRIMARY KEY, key BLOB, value BLOB, mode INTEGER)")
    async with aclosing(Store(f"disk://?directory={tmp_path}")) as store:
        await store.set("k", b"{}", 60)
        assert await store.get("k") == b"{}"


async def test_a_full_disk_costs_only_the_keeping(disk: Store, tmp_path: Path) -> None:
    await disk.set("kept", b"{}", 60)
    with closing(sqlite3.connect(tmp_path / "cache" / FILE_NAME)) as db, db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )
    await disk.set("lost", b"{}", 60)
    assert await disk.get("lost") is None
    assert await disk.get("kept") == b"{}"


async def test_the_file_is_bounded_and_the_oldest_go_first(
    disk: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store_module.FILE_MAX_BYTES < STORED_MAX_BYTES
    monkeypatch.setattr(store_module, "FILE_MAX_BYTES", 2_000_000)
    for n in range(600):
        await disk.set(f"k{n}", b"x" * VALUE_MAX_BYTES, 60 + n)
    assert await disk.get("k0") is None
    assert await disk.get("k599") is not None
    file = tmp_path / "cache" / FILE_NAME
    assert file.stat().st_size < 3_000_000
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT count(*) FROM answers").fetchone()[0] > 100


async def test_what_has_expired_leaves_the_file(disk: Store, tmp_path: Path) -> None:
    for n in range(10):
        await disk.set(f"k{n}", b"{}", 0.01)
    await asyncio.sleep(0.05)
    await disk.set("last", b"{}", 60)
    with closing(sqlite3.connect(tmp_path / "cache" / FILE_NAME)) as db:
        assert db.execute("SELECT key FROM answers").fetchall() == [("last",)]


WRITER = """
    import asyncio, sys
    sys.path.insert(0, sys.argv[1])
    from core.lookup.store import Store
    async def main():
        store = Store(f"disk://?directory={sys.argv[2]}")
        n = 0
        while True:
            await store.set(f"k{n}", b'{"n": %d}' % n, 600)
            n += 1
            print(n, flush=True)
    asyncio.run(main())
"""


async def test_a_kill_amid_writing_loses_nothing_written(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: ASYNC220, S603
        [sys.executable, "-c", textwrap.dedent(WRITER), str(ROOT), str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 100:
                break
        writer.send_signal(signal.SIGKILL)
    async with aclosing(Store(f"disk://?directory={tmp_path}")) as store:
        for n in range(100):
            assert await store.get(f"k{n}") == b'{"n": %d}' % n


async def test_an_unreachable_redis_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    async with aclosing(Store(f"redis://:hunter22@127.0.0.1:{port}/0")) as store:
        await store.set("k", b"{}", 60)
        assert await store.get("k") is None
        async with store.alone("k", at_most_s=1.0) as waited:
            assert not waited
    assert "event=cache_failing setting=CACHE_URL store=redis" in caplog.text
    assert "hunter22" not in caplog.text


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


needs_redis = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@needs_redis
async def test_redis_keeps_values_for_other_processes(redis: RedisServer) -> None:
    async with aclosing(Store(redis.url)) as one, aclosing(Store(redis.url)) as other:
        await one.set("k", b'{"a": 1}', 60)
        assert await other.get("k") == b'{"a": 1}'


@needs_redis
async def test_redis_lets_one_process_fetch_at_a_time(redis: RedisServer) -> None:
    async with aclosing(Store(redis.url)) as one, aclosing(Store(redis.url)) as other:
        await asyncio.gather(one.get("k"), other.get("k"))  # both are connected
        order: list[str] = []

        async def fetch(store: Store, name: str, after_s: float) -> bool:
            await asyncio.sleep(after_s)
            async with store.alone("k", at_most_s=5.0) as waited:
                order.append(f"{name} in")
                await asyncio.sleep(0.1)
                order.append(f"{name} out")
                return waited

        waits = await asyncio.gather(fetch(one, "one", 0.0), fetch(other, "other", 0.02))
        assert order == ["one in", "one out", "other in", "other out"]
        assert waits == [False, True]
        for limits in ({"at_most_s": 0.2}, {"at_most_s": 600.0, "patience_s": 0.2}):
            async with asyncio.timeout(60), one.alone("k", at_most_s=600.0), other.alone("k", **limits) as waited:
                assert waited  # but not for one that holds it beyond the limit
