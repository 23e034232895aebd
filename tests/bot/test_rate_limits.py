from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from bot import rate_limits
from bot.rate_limits import Limit, RateDecision, RateLimiter, Scope
from bot.replies import limited_reply
from bot.reply import ResultCode
from core.lookup.store import Store, WindowCounter
from core.settings import Settings
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_user_is_told_once_with_the_seconds_left_and_then_met_with_silence(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(2, 60), chat=Limit(0, 60), clock=clock)
    assert rate_limiter.ask("ann").allowed
    clock.now_s += 20.5
    assert rate_limiter.ask("ann").allowed
    assert rate_limiter.ask("ann") == RateDecision(allowed=False, wait_s=40, should_notify=True, scope=Scope.USER)
    clock.now_s += 10
    assert rate_limiter.ask("ann") == RateDecision(allowed=False, wait_s=30, should_notify=False, scope=Scope.USER)


def test_all_questions_are_free_again_when_the_told_seconds_are_over(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(2, 60), chat=Limit(0, 60), clock=clock)
    rate_limiter.ask("ann")
    rate_limiter.ask("ann")
    clock.now_s += rate_limiter.ask("ann").wait_s
    assert [rate_limiter.ask("ann").allowed for _ in range(3)] == [True, True, False]


def test_a_new_window_tells_again(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(1, 60), chat=Limit(0, 60), clock=clock)
    for _ in range(2):
        assert rate_limiter.ask("ann").allowed
        assert rate_limiter.ask("ann").should_notify
        assert not rate_limiter.ask("ann").should_notify
        clock.now_s += 60


def test_one_users_limit_leaves_others_alone(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(1, 60), chat=Limit(0, 60), clock=clock)
    rate_limiter.ask("ann", "room")
    assert not rate_limiter.ask("ann", "room").allowed
    assert rate_limiter.ask("ben", "room").allowed


def test_the_chats_limit_counts_everyone_and_is_told_to_each_person_once(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(9, 60), chat=Limit(2, 30), clock=clock)
    assert rate_limiter.ask("ann", "room").allowed
    assert rate_limiter.ask("ben", "room").allowed
    assert rate_limiter.ask("ann", "room") == RateDecision(
        allowed=False, wait_s=30, should_notify=True, scope=Scope.CHAT
    )
    assert rate_limiter.ask("ben", "room").should_notify
    assert not rate_limiter.ask("ann", "room").should_notify
    assert rate_limiter.ask("ann", "other room").allowed
    assert rate_limiter.ask("ann").allowed


def test_where_all_read_it_the_chats_limit_is_told_once(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(9, 60), chat=Limit(1, 30), notify_once_per_chat=True, clock=clock)
    rate_limiter.ask("ann", "room")
    assert rate_limiter.ask("ann", "room").should_notify
    assert not rate_limiter.ask("ben", "room").should_notify


def test_a_question_refused_by_the_chat_does_not_count_for_the_user(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(2, 60), chat=Limit(1, 60), clock=clock)
    rate_limiter.ask("ann", "room")
    for _ in range(5):
        assert rate_limiter.ask("ann", "room").scope is Scope.CHAT
    assert rate_limiter.ask("ann", "other room").allowed
    assert rate_limiter.ask("ann", "third room").scope is Scope.USER


def test_a_user_and_a_chat_of_the_same_name_are_different(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(1, 60), chat=Limit(9, 60), clock=clock)
    rate_limiter.ask(7, 8)
    assert rate_limiter.ask(8, 7).allowed


def test_a_count_of_zero_means_no_limit(clock: Clock) -> None:
    rate_limiter = RateLimiter(user=Limit(0, 60), chat=Limit(0, 60), clock=clock)
    assert all(rate_limiter.ask("ann", "room").allowed for _ in range(1_000))


def test_ended_windows_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "SWEEP_FROM", 8)
    rate_limiter = RateLimiter(user=Limit(1, 1), chat=Limit(0, 1), clock=clock)
    for user in range(1_000):
        rate_limiter.ask(user)
        clock.now_s += 0.5
    assert len(rate_limiter._windows) <= 8


def test_running_windows_survive_the_sweep(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "SWEEP_FROM", 8)
    rate_limiter = RateLimiter(user=Limit(1, 60), chat=Limit(0, 1), clock=clock)
    for user in range(100):
        rate_limiter.ask(user)
    assert not any(rate_limiter.ask(user).allowed for user in range(100))


def test_limits_come_from_the_settings() -> None:
    settings = Settings(_env_file=None, user_limit_count=1, user_limit_window_s=5, chat_limit_count=0)
    rate_limiter = RateLimiter.from_settings(settings)
    assert rate_limiter.ask("ann", "room").allowed
    decision = rate_limiter.ask("ann", "room")
    assert (decision.allowed, decision.wait_s) == (False, 5)


@pytest.mark.parametrize(
    ("decision", "sentence"),
    [
        (RateDecision(False, 1, True, Scope.USER), "That was a lot at once. You can ask again in 1 second."),
        (
            RateDecision(False, 42, True, Scope.CHAT),
            "This chat has asked a lot at once. It can ask again in 42 seconds.",
        ),
    ],
)
def test_the_refusal_names_the_seconds(decision: RateDecision, sentence: str) -> None:
    reply = limited_reply(decision)
    assert (reply.text, reply.code, reply.private) == (sentence, ResultCode.LIMITED, True)


needs_redis = pytest.mark.skipif(PROGRAM is None, reason=MISSING)

NOON = 1_795_377_600.0


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
async def processes(redis: RedisServer) -> AsyncIterator[tuple[RateLimiter, RateLimiter]]:
    """Two limiters as two processes have them, at a quarter of a minute."""
    made = tuple(
        RateLimiter(
            user=Limit(3, 60),
            chat=Limit(4, 60),
            clock=lambda: 7.0,
            shared=WindowCounter(Store(redis.url), clock=lambda: NOON + 15),
            name="discord",
        )
        for _ in range(2)
    )
    yield made
    for rate_limiter in made:
        await rate_limiter.aclose()


@needs_redis
async def test_processes_share_a_persons_limit_and_each_knows_when_it_frees(processes) -> None:
    first, second = processes
    decisions = [await one.admit("ann") for one in (first, second, first)]
    assert all(decision.allowed for decision in decisions)
    refused = await second.admit("ann")
    assert (refused.allowed, refused.wait_s, refused.should_notify, refused.scope) == (False, 45, True, Scope.USER)
    assert not (await second.admit("ann")).should_notify
    assert (await second.admit("ben")).allowed


@needs_redis
async def test_processes_share_a_chats_limit(processes) -> None:
    first, second = processes
    for one, user in ((first, "a"), (second, "b"), (first, "c"), (second, "d")):
        assert (await one.admit(user, "room")).allowed
    assert (await first.admit("e", "room")).scope is Scope.CHAT
    assert (await first.admit("e", "other room")).allowed


@needs_redis
async def test_what_another_limit_refuses_counts_nowhere(processes) -> None:
    first, second = processes
    for one, user in ((first, "a"), (second, "b"), (first, "c"), (second, "d")):
        assert (await one.admit(user, "room")).allowed
    for one in (first, second):
        assert (await one.admit("ann", "room")).scope is Scope.CHAT
    for one in (first, second, first):
        assert (await one.admit("ann", "other room")).allowed, "the full room cost her nothing"
    for one in (second, first):
        assert (await one.admit("ann", "third room")).scope is Scope.USER
    for one, user in ((first, "e"), (second, "f"), (first, "g"), (second, "h")):
        assert (await one.admit(user, "third room")).allowed, "her limit cost the room nothing"


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
