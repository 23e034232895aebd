"""Two bot processes with one real redis-server: answers, limits and fetches are shared; without it each goes on."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import pytest

from bot.reply import ResultCode
from bot.service import utc_now
from core.settings import ROOT
from tests.fakes.chain import ARTISTS, HIT, OTHER, SONGS, running_chain
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, FakeSong
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

BOT = """
    # A bot without its platforms: answers each line of standard input, and says what became of it.
    import asyncio, json, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[1])
    from bot.service import SongService
    from bot.rate_limits import RateLimiter
    from core.assembly import build_predictor
    from core.settings import ROOT, Settings
    async def main():
        settings = Settings(
            _env_file=None, data_dir=Path(sys.argv[2]), models_dir=ROOT / "models", art_downloads=False,
            lastfm_api_key=sys.argv[3], lastfm_api_url=sys.argv[4], cache_url=sys.argv[5],
            itunes_search_url="off", deezer_search_url="off", musicbrainz_url="off",
            user_limit_count=5, user_limit_window_s=3600,
        )
        predictor = build_predictor(settings).predictor
        service, rate_limiter = SongService(predictor), RateLimiter.from_settings(settings, name="loopback")
        print("ready", flush=True)
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if not (await rate_limiter.admit("one person")).allowed:
                print(json.dumps({"code": "limited"}), flush=True)
                continue
            reply = await service.predict(line)
            listeners = reply.prediction.song.listeners if reply.prediction else None
            print(json.dumps({"code": reply.code, "listeners": listeners}), flush=True)
        await rate_limiter.aclose()
        await predictor.aclose()
    asyncio.run(main())
"""


async def started(folder: Path, lastfm_url: str, redis_url: str) -> Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(BOT), str(ROOT), str(folder), API_KEY, lastfm_url, redis_url),
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 60)).strip() == b"ready"
    return process


async def ask(process: Process, text: str) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{text}\n".encode())
    return json.loads(await asyncio.wait_for(process.stdout.readline(), 20))  # type: ignore[no-any-return]


async def ended(*processes: Process) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 20) == 0


async def test_two_processes_share_answers_fetches_and_limits_and_outlive_redis(tmp_path: Path) -> None:
    with RedisServer() as redis:
        async with FakeLastFm(SONGS, ARTISTS, latency_s=0.3) as fake:
            one, two = await asyncio.gather(*(started(tmp_path / name, fake.url, redis.url) for name in ("one", "two")))
            # At the same moment: each thing is fetched by one process, and the other waits for it.
            both = await asyncio.gather(ask(one, HIT), ask(two, HIT))
            assert both == [{"code": "predicted", "listeners": 2_275_434}] * 2
            asked = [json.dumps(request, sort_keys=True) for request in fake.requests]
            assert len(asked) == len(set(asked)) > 0

            # One after the other: the second process finds what the first one fetched.
            await ask(one, OTHER)
            before = len(fake.requests)
            assert (await ask(two, OTHER))["code"] == "predicted"
            assert len(fake.requests) == before

            # A person's five questions are counted over both.
            assert [(await ask(process, HIT))["code"] for process in (one, two, one)] == [
                "predicted", "limited", "limited",
            ]  # fmt: skip

            redis.kill()
            codes = [(await ask(process, "Hello - Adele"))["code"] for process in (one, two)]
            assert set(codes) <= {"predicted", "limited"}  # each by its own count again
            await ended(one, two)


async def test_redis_dying_midway_falls_back_to_memory_and_comes_back() -> None:
    with RedisServer() as redis:
        async with (
            FakeLastFm(SONGS, ARTISTS) as fake,
            running_chain(fake.url, clock=utc_now, cache_url=redis.url) as chain,
        ):
            for store in chain.predictor._resolver.source._cache._stores:  # type: ignore[attr-defined]
                store._retry_s = 0.0
            assert (await chain.ask(HIT)).code is ResultCode.PREDICTED
            redis.kill()
            assert (await chain.ask(OTHER)).code is ResultCode.PREDICTED
            before = len(fake.requests)
            for text in (HIT, OTHER):
                assert (await chain.ask(text)).code is ResultCode.PREDICTED
            assert len(fake.requests) == before, "memory answers"
            redis.start()
            fake.put(FakeSong("After", "The Weeknd", 5_000, 50_000))
            assert (await chain.ask("After - The Weeknd")).code is ResultCode.PREDICTED
        async with FakeLastFm([], []) as empty, running_chain(empty.url, clock=utc_now, cache_url=redis.url) as other:
            reply = await other.ask("After - The Weeknd")
            assert reply.prediction is not None
            assert reply.prediction.song.listeners == 5_000
