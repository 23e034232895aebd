import asyncio
import json
import logging
import math
import sqlite3
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from core.concurrency import deadline, deadline_at
from core.domain import Candidate, SongName
from core.errors import SettingsError, UpstreamUnavailable
from core.lookup.cache import AnswerCache, Cached, cache_key
from core.lookup.store import FILE_NAME, Store
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer


@dataclass(frozen=True, slots=True)
class Figures:
    title: str
    listeners: int | None = None
    tags: tuple[str, ...] = ()


OF = TypeAdapter(Figures)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Upstream:
    """Something to fetch from: counts how often, answers what it is told, or fails."""

    def __init__(self) -> None:
        self.answer: Figures | None = Figures("A", 5, ("x",))
        self.fails = False
        self.asked = 0
        self.delay_s = 0.0

    async def __call__(self) -> Figures | None:
        self.asked += 1
        await asyncio.sleep(self.delay_s)
        if self.fails:
            raise UpstreamUnavailable("down")
        return self.answer


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture(params=["mem", "disk"])
async def cache(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> AsyncIterator[AnswerCache]:
    url = "mem://" if request.param == "mem" else f"disk://?directory={tmp_path}"
    async with aclosing(AnswerCache(url, clock=clock)) as opened:
        yield opened


async def get(cache: AnswerCache, upstream: Upstream, *names: str, **options: Any) -> Cached[Figures]:
    return await cache.fetch("track", names or ("T", "A"), upstream, OF, **options)


async def test_a_hit_is_kept_six_hours(cache: AnswerCache, upstream: Upstream, clock: Clock) -> None:
    first = await get(cache, upstream)
    assert first == Cached(Figures("A", 5, ("x",)), NOW)
    clock.now += timedelta(hours=5, minutes=59)
    assert await get(cache, upstream) == first
    clock.now += timedelta(minutes=2)
    assert (await get(cache, upstream)).as_of == clock.now
    assert upstream.asked == 2


async def test_a_miss_is_kept_ten_minutes(cache: AnswerCache, upstream: Upstream, clock: Clock) -> None:
    upstream.answer = None
    assert (await get(cache, upstream)).value is None
    clock.now += timedelta(minutes=9)
    assert (await get(cache, upstream)).value is None
    assert upstream.asked == 1
    clock.now += timedelta(minutes=2)
    await get(cache, upstream)
    assert upstream.asked == 2


async def test_an_unsettled_value_counts_as_a_miss_does(cache: AnswerCache, upstream: Upstream, clock: Clock) -> None:
    await get(cache, upstream, settled=lambda value: value.listeners > 100)
    clock.now += timedelta(minutes=11)
    await get(cache, upstream, settled=lambda value: value.listeners > 100)
    assert upstream.asked == 2


async def test_the_last_good_value_stands_in_for_a_week(cache: AnswerCache, upstream: Upstream, clock: Clock) -> None:
    await get(cache, upstream)
    upstream.fails = True
    clock.now += timedelta(days=6)
    assert await get(cache, upstream) == Cached(Figures("A", 5, ("x",)), NOW, stale=True)
    clock.now += timedelta(days=2)
    with pytest.raises(UpstreamUnavailable):
        await get(cache, upstream)


async def test_a_miss_stands_in_for_nothing(cache: AnswerCache, upstream: Upstream, clock: Clock) -> None:
    upstream.answer = None
    await get(cache, upstream)
    upstream.fails = True
    clock.now += timedelta(hours=1)
    with pytest.raises(UpstreamUnavailable):
        await get(cache, upstream)


async def test_fresh_asks_anew_and_falls_back(cache: AnswerCache, upstream: Upstream) -> None:
    await get(cache, upstream)
    await get(cache, upstream, fresh=True)
    assert upstream.asked == 2
    upstream.fails = True
    assert (await get(cache, upstream, fresh=True)).stale
    assert not (await get(cache, upstream)).stale


async def test_what_is_asked_at_once_is_fetched_once(cache: AnswerCache, upstream: Upstream) -> None:
    upstream.delay_s = 0.02
    answers = await asyncio.gather(*(get(cache, upstream, "T", name) for name in ["A", "a ", "Ａ"] * 50))
    assert len(set(answers)) == 1
    assert upstream.asked == 1


async def test_a_failure_in_flight_is_told_to_all_and_not_kept(cache: AnswerCache, upstream: Upstream) -> None:
    upstream.delay_s = 0.02
    upstream.fails = True
    answers = await asyncio.gather(*(get(cache, upstream) for _ in range(10)), return_exceptions=True)
    assert all(isinstance(answer, UpstreamUnavailable) for answer in answers)
    assert upstream.asked == 1
    upstream.fails = False
    assert (await get(cache, upstream)).value is not None


@pytest.mark.warped_time
async def test_who_has_more_time_does_not_fail_with_who_had_less(cache: AnswerCache) -> None:
    """The song's records are asked for within less than a second, and a person may ask for one of them meanwhile."""

    async def load() -> Figures:
        if deadline_at(math.inf) < asyncio.get_running_loop().time() + 1.0:
            await asyncio.sleep(0.4)
            raise UpstreamUnavailable("no time was left to ask")
        return Figures("A")

    async def within(seconds: float) -> Cached[Figures]:
        with deadline(seconds):
            return await cache.fetch("track", ("T", "A"), load, OF)

    hurried, patient = await asyncio.gather(within(0.5), within(7.5), return_exceptions=True)
    assert isinstance(hurried, UpstreamUnavailable)
    assert isinstance(patient, Cached)


async def test_to_wait_for_another_process_leaves_time_to_ask(
    cache: AnswerCache, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    @asynccontextmanager
    async def alone(self: Store, key: str, *, at_most_s: float, patience_s: float) -> AsyncIterator[bool]:
        waits.append(patience_s)
        yield False

    monkeypatch.setattr(Store, "alone", alone)
    with deadline(6.0):
        await get(cache, upstream)
    await get(cache, upstream, "without", "a limit")
    assert 0.0 < waits[0] <= 3.0
    assert waits[1] == math.inf


async def test_a_bug_in_fetching_shows(cache: AnswerCache) -> None:
    async def load() -> Figures:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await cache.fetch("track", ("x",), load, OF)


async def test_kinds_and_spaces_are_kept_apart(tmp_path: Path, upstream: Upstream, clock: Clock) -> None:
    url = f"disk://?directory={tmp_path}"
    async with aclosing(AnswerCache(url, clock=clock, space="a")) as one:
        await one.fetch("track", ("x",), upstream, OF)
        await one.fetch("other", ("x",), upstream, OF)
    async with aclosing(AnswerCache(url, clock=clock, space="b")) as two:
        await two.fetch("track", ("x",), upstream, OF)
    assert upstream.asked == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Harbour Lights", "Keels"), (" harbour   LIGHTS ", "keels"), True),
        (("ﬁne", "x"), ("fine", "X"), True),
        (("Ｈａｒｂｏｕｒ", "x"), ("harbour", "x"), True),
        (("Straße", "x"), ("STRASSE", "x"), True),
        (("Up!", "x"), ("Up", "x"), False),
        (("Beyoncé", "x"), ("Beyonce", "x"), False),
        (("a b", "c"), ("a", "b c"), False),
        (("a", "b"), ("b", "a"), False),
    ],
)
def test_keys(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:
    assert (cache_key("track", *one) == cache_key("track", *other)) is same


def test_keys_are_short_and_plain_whatever_is_asked() -> None:
    for name in ("x" * 1_000_000, "\ud800", "*?[a]", "a\nb", "", "日本語"):
        key = cache_key("track", name)
        assert len(key) < 60
        assert key.isascii()
        assert name == "" or name not in key


async def test_answers_outlive_the_process_on_disk(tmp_path: Path, upstream: Upstream, clock: Clock) -> None:
    for _ in range(2):
        async with aclosing(AnswerCache(f"disk://?directory={tmp_path}", clock=clock)) as cache:
            assert (await get(cache, upstream)).value == Figures("A", 5, ("x",))
    assert upstream.asked == 1


TAMPERED = {
    "no JSON": b"\x80\x04garbage",
    "a list": b"[]",
    "no time": b'{"value": {"title": "A"}}',
    "a time without a zone": b'{"as_of": "2026-11-22T12:00:00", "value": {"title": "A"}}',
    "a time that is none": b'{"as_of": 5, "value": {"title": "A"}}',
    "a wrong type": b'{"as_of": "2026-11-22T12:00:00+00:00", "value": {"title": "A", "listeners": "many"}}',
    "a missing field": b'{"as_of": "2026-11-22T12:00:00+00:00", "value": {}}',
    "an endless nest": b"[" * 8000,
}


@pytest.mark.parametrize("raw", TAMPERED.values(), ids=TAMPERED.keys())
async def test_a_value_that_was_tampered_with_is_fetched_anew(
    raw: bytes, tmp_path: Path, upstream: Upstream, clock: Clock
) -> None:
    url = f"disk://?directory={tmp_path}"
    async with aclosing(AnswerCache(url, clock=clock)) as cache:
        await get(cache, upstream)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db, db:
        assert db.execute("UPDATE answers SET value = ?", (raw,)).rowcount == 1
    async with aclosing(AnswerCache(url, clock=clock)) as cache:
        assert (await get(cache, upstream)).value == Figures("A", 5, ("x",))
    assert upstream.asked == 2


async def test_the_stored_form_is_json(tmp_path: Path, upstream: Upstream, clock: Clock) -> None:
    async with aclosing(AnswerCache(f"disk://?directory={tmp_path}", clock=clock)) as cache:
        await get(cache, upstream)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as db, db:
        ((raw,),) = db.execute("SELECT value FROM answers").fetchall()
    stored = json.loads(raw)
    assert stored == {
        "as_of": "2026-11-22T12:00:00+00:00",
        "value": {"title": "A", "listeners": 5, "tags": ["x"]},
    }


async def test_an_overlong_value_is_told_but_not_kept(
    cache: AnswerCache, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    upstream.answer = Figures("x" * 10_000)
    for _ in range(2):
        assert (await get(cache, upstream)).value == upstream.answer
    assert upstream.asked == 2
    assert "event=cache_value_too_long kind=track" in caplog.text


async def test_values_of_the_domain_come_back_as_they_were(cache: AnswerCache) -> None:
    of = TypeAdapter(tuple[Candidate, ...])
    hits = (Candidate(SongName("夜に駆ける", "YOASOBI"), 0.0, 5), Candidate(SongName('"', "\\"), 1.5, None, 60))

    async def load() -> tuple[Candidate, ...]:
        return hits

    for _ in range(2):
        assert (await cache.fetch("search", ("q",), load, of)).value == hits


async def test_hits_misses_and_stale_answers_are_told(clock: Clock, upstream: Upstream) -> None:
    told: list[tuple[str, str]] = []
    async with aclosing(AnswerCache(clock=clock, on_lookup=lambda *fact: told.append(fact))) as cache:
        await get(cache, upstream)
        await get(cache, upstream)
        upstream.fails = True
        await get(cache, upstream, fresh=True)
    assert told == [("track", "miss"), ("track", "hit"), ("track", "stale")]


async def test_an_unusable_address_is_a_setting_to_mend() -> None:
    with pytest.raises(SettingsError):
        AnswerCache("what://ever")


async def test_a_disk_that_cannot_be_written_leaves_memory(tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "file").write_text("in the way")
    async with aclosing(AnswerCache(f"disk://?directory={tmp_path / 'file'}")) as cache:
        await get(cache, upstream)
        await get(cache, upstream)
    assert upstream.asked == 1


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
class TestRedis:
    async def test_two_processes_share_answers_and_fetches(self, upstream: Upstream, clock: Clock) -> None:
        upstream.delay_s = 0.1
        with RedisServer() as redis:
            one, two = AnswerCache(redis.url, clock=clock), AnswerCache(redis.url, clock=clock)
            async with aclosing(one), aclosing(two):
                answers = await asyncio.gather(get(one, upstream), get(two, upstream))
                assert len(set(answers)) == 1
                assert upstream.asked == 1
                await get(one, upstream, "another")
                await get(two, upstream, "another")
                assert upstream.asked == 2

    async def test_a_dying_redis_falls_back_to_memory_and_comes_back(self, upstream: Upstream, clock: Clock) -> None:
        with RedisServer() as redis:
            async with aclosing(AnswerCache(redis.url, clock=clock, retry_s=0.0)) as cache:
                await get(cache, upstream, "before")
                redis.kill()
                assert (await get(cache, upstream, "before")).value is not None
                for _ in range(2):
                    await get(cache, upstream, "meanwhile")
                assert upstream.asked == 2
                redis.start()
                await get(cache, upstream, "after")
            async with aclosing(AnswerCache(redis.url, clock=clock)) as other:
                await get(other, upstream, "after")
            assert upstream.asked == 3
