from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from bot.throttle import Limit, Scope, Throttle
from core.lookup.store import Store, WindowCounter
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer

needs_redis = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

NOON = 1_795_377_600.0


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
async def processes(redis: RedisServer) -> AsyncIterator[tuple[Throttle, Throttle]]:
    """Two throttles as two processes have them, at a quarter of a minute."""
    made = tuple(
        Throttle(
            user=Limit(3, 60),
            chat=Limit(4, 60),
            clock=lambda: 7.0,
            shared=WindowCounter(Store(redis.url), clock=lambda: NOON + 15),
            name="discord",
        )
        for _ in range(2)
    )
    yield made
    for throttle in made:
        await throttle.aclose()


@needs_redis
async def test_processes_share_a_persons_limit_and_each_knows_when_it_frees(processes) -> None:
    first, second = processes
    rulings = [await one.admit("ann") for one in (first, second, first)]
    assert all(ruling.allowed for ruling in rulings)
    refused = await second.admit("ann")
    assert (refused.allowed, refused.wait_s, refused.tell, refused.scope) == (False, 45, True, Scope.USER)
    assert not (await second.admit("ann")).tell
    assert (await second.admit("ben")).allowed


@needs_redis
async def test_processes_share_a_chats_limit(processes) -> None:
    first, second = processes
    for one, user in ((first, "a"), (second, "b"), (first, "c"), (second, "d")):
        assert (await one.admit(user, "room")).allowed
    assert (await first.admit("e", "room")).scope is Scope.CHAT
    assert (await first.admit("e", "other room")).allowed


@needs_redis
async def test_a_redis_that_dies_leaves_each_process_its_own_limit(redis: RedisServer, processes) -> None:
    first, second = processes
    for one in (first, second, first):
        await one.admit("ann")
    redis.kill()
    assert (await second.admit("ann")).allowed
    assert (await second.admit("ann")).allowed
    assert not (await second.admit("ann")).allowed
    redis.start()


@needs_redis
async def test_platforms_and_stretches_are_counted_apart_and_nobody_is_named(redis: RedisServer) -> None:
    now = [NOON]
    counts = WindowCounter(Store(redis.url), clock=lambda: now[0])
    assert await counts.excess_s("discord:user:1", 1, 60) is None
    assert await counts.excess_s("discord:user:1", 1, 60) == 60
    assert await counts.excess_s("telegram:user:1", 1, 60) is None
    now[0] += 60
    assert await counts.excess_s("discord:user:1", 1, 60) is None
    async with Redis.from_url(redis.url, decode_responses=True) as client:
        keys = await client.keys("*")
    assert len(keys) == 3
    assert not [key for key in keys if "user" in key]
    await counts.aclose()


@pytest.mark.parametrize(("url", "shared"), [("mem://", False), ("disk://?directory=x", False), ("redis://h", True)])
def test_only_a_cache_that_processes_share_counts_for_all(url: str, shared: bool) -> None:
    assert (WindowCounter.if_shared(url) is not None) is shared
