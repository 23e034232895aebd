import asyncio
import time
from contextlib import aclosing

import pytest
from redis.asyncio import Redis

from core.lookup.cache import AnswerCache, cache_key
from core.lookup.store import PER_SLOT, SLOT_S, SharedRate, Store, WindowCounter
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer


def test_no_five_minutes_can_hold_more_than_the_terms_allow() -> None:
    slots_touched = 300 / SLOT_S + 1
    assert slots_touched * PER_SLOT <= 1500


async def test_what_is_not_shared_is_not_counted() -> None:
    async with aclosing(Store("mem://")) as store:
        rate = SharedRate(WindowCounter(store), "x", per_slot=1, slot_s=1000.0)
        async with asyncio.timeout(60):
            for _ in range(10):
                await rate.acquire()
    async with aclosing(AnswerCache()) as cache:
        assert cache.shared_rate("x") is None


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
class TestRedis:
    async def test_two_processes_keep_one_rate(self) -> None:
        with RedisServer() as redis:
            async with aclosing(Store(redis.url)) as one, aclosing(Store(redis.url)) as other:
                slot_s = 0.5
                rates = [SharedRate(WindowCounter(store), "x", per_slot=5, slot_s=slot_s) for store in (one, other)]
                taken: list[int] = []

                async def work(rate: SharedRate) -> None:
                    for _ in range(8):
                        await rate.acquire()
                        taken.append(int(time.time() // slot_s))

                async with asyncio.timeout(60):
                    await asyncio.gather(*map(work, rates))
                assert len(taken) == 16
                assert max(taken.count(slot) for slot in taken) <= 6  # one may slip over the edge of a slot
                assert len(set(taken)) >= 3

    async def test_every_key_bears_the_name_of_the_bot_and_two_bots_count_apart(self) -> None:
        with RedisServer() as redis:
            async with aclosing(Store(redis.url)) as one, aclosing(Store(f"{redis.url}?prefix=second")) as other:
                for store in (one, other):
                    counter = WindowCounter(store)
                    assert await counter.excess_s("somebody", 1, 3_600) is None, "the other's count is not ours"
                    assert await counter.excess_s("somebody", 1, 3_600) is not None
                    await store.set(cache_key("track", "Hello"), b"kept", 60)
                    async with store.alone(cache_key("track", "Hello"), at_most_s=5):
                        async with Redis.from_url(redis.url) as client:
                            keys = {key.decode() for key in await client.keys()}
                        assert any(key.endswith(":lock") for key in keys)
                assert len(keys) == 5  # two counts, two answers, the second's lock
                assert all(key.startswith(("hitmeter:1:", "second:hitmeter:1:")) for key in keys)
                assert await other.get(cache_key("track", "Hello")) == b"kept"

    async def test_a_lost_redis_holds_nobody_up(self) -> None:
        with RedisServer() as redis:
            async with aclosing(AnswerCache(redis.url)) as cache:
                rate = cache.shared_rate("x")
                assert rate is not None
                await rate.acquire()
                redis.kill()
                async with asyncio.timeout(60):
                    for _ in range(PER_SLOT * 3):
                        await rate.acquire()
                redis.start()
