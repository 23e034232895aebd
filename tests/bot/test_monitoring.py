import asyncio
import socket
from collections.abc import Callable

import aiohttp
import pytest

from bot.monitoring import Health, Metrics, Percentiles, health_server, percentiles
from bot.replies import stats_reply
from bot.reply import ResultCode
from bot.runtime import supervise
from core.errors import SettingsError


class Clock:
    def __init__(self) -> None:
        self.now_s = 50.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def metrics(clock: Clock) -> Metrics:
    metrics = Metrics(clock)
    count = metrics.reply_counter("telegram")
    count("predict", ResultCode.PREDICTED, 0.4)
    count("predict", ResultCode.PREDICTED, 0.6)
    count("why", ResultCode.FORGOTTEN, 0.0)
    metrics.reply_counter("discord")("predict", ResultCode.UPSTREAM_FAULT, 8.0)
    metrics.on_request("track.getInfo", "ok", 0.2)
    metrics.on_request("track.getInfo", "timeout", 3.5)
    metrics.on_request("artist.getInfo", "not_found", 0.1)
    metrics.on_lookup("track", "hit")
    metrics.on_lookup("track", "miss")
    metrics.on_lookup("artist", "hit")
    metrics.on_platform("telegram", True)
    metrics.on_platform("discord", False)
    clock.now_s += 7_300
    return metrics


def test_prometheus_reads_every_count(metrics: Metrics) -> None:
    lines = metrics.exposition().decode().splitlines()
    for line in (
        'hitmeter_replies_total{code="predicted",platform="telegram",request="predict"} 2.0',
        'hitmeter_replies_total{code="upstream_fault",platform="discord",request="predict"} 1.0',
        'hitmeter_reply_seconds_bucket{le="0.5",platform="telegram",request="predict"} 1.0',
        'hitmeter_upstream_requests_total{method="track.getInfo",outcome="timeout"} 1.0',
        'hitmeter_upstream_seconds_count{method="track.getInfo"} 2.0',
        'hitmeter_cache_lookups_total{kind="track",result="hit"} 1.0',
        'hitmeter_platform_up{platform="telegram"} 1.0',
        'hitmeter_platform_up{platform="discord"} 0.0',
        "hitmeter_uptime_seconds 7300.0",
    ):
        assert line in lines


def test_figures_sum_up_for_a_person(metrics: Metrics) -> None:
    figures = metrics.stats()
    assert figures.uptime_s == 7_300
    assert figures.answers[0] == (ResultCode.PREDICTED, 2)
    assert figures.answer_latency == Percentiles(0.4, 8.0, 8.0)
    assert figures.cache_lookups == {"hit": 2, "miss": 1}
    assert (figures.upstream_requests, figures.upstream_errors) == (3, {"timeout": 1})
    assert figures.upstream_latency == Percentiles(0.2, 3.5, 3.5)


def test_the_figures_in_words(metrics: Metrics) -> None:
    assert stats_reply(metrics.stats()).text.splitlines() == [
        "Up for 2 hours.",
        "4 answers: predicted 2, forgotten 1, upstream fault 1.",
        "An answer takes 0.40 s in the middle, 8.00 s for the slowest 5 in 100, 8.00 s for the slowest 1.",
        "Cache: 66.7 % of 3 looks were hits, 0 stale answers served.",
        "Last.fm: 3 requests, 1 failed (33.3 %).",
        "What failed: timeout 1.",
        "A request takes 0.20 s in the middle, 3.50 s for the slowest 5 in 100, 3.50 s for the slowest 1.",
    ]


def test_what_has_not_happened_is_left_out(clock: Clock) -> None:
    assert stats_reply(Metrics(clock).stats()).text == "Up for less than a minute.\n0 answers: –."


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([float(n) for n in range(1, 101)]) == Percentiles(50.0, 95.0, 99.0)
    assert percentiles([1.0]) == Percentiles(1.0, 1.0, 1.0)
    assert percentiles([]) is None


def test_two_bots_in_one_process_do_not_share_counts() -> None:
    first, second = Metrics(), Metrics()
    first.on_request("track.getInfo", "ok", 0.1)
    assert second.stats().upstream_requests == 0


async def get(port: int | None, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def test_health_follows_the_platforms() -> None:
    health = Health(Metrics())
    async with health_server("127.0.0.1", 0, health) as port:
        assert await get(port, "/healthz") == (200, '{"status": "ok", "platforms": {}}')
        health.mark("discord", True)
        health.mark("telegram", False)
        status, body = await get(port, "/healthz")
        assert (status, body) == (200, '{"status": "degraded", "platforms": {"discord": "up", "telegram": "down"}}')
        health.mark("discord", False)
        status, body = await get(port, "/healthz")
        assert (status, '"status": "down"' in body) == (503, True)


async def test_metrics_are_served_as_prometheus_reads_them() -> None:
    metrics = Metrics()
    metrics.reply_counter("telegram")("predict", ResultCode.PREDICTED, 0.1)
    async with health_server("127.0.0.1", 0, Health(metrics)) as port, aiohttp.ClientSession() as session:
        response = await session.get(f"http://127.0.0.1:{port}/metrics")
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        counted = 'hitmeter_replies_total{code="predicted",platform="telegram",request="predict"} 1.0'
        assert counted in await response.text()


async def test_it_is_off_without_a_port() -> None:
    async with health_server("127.0.0.1", None, Health(Metrics())) as port:
        assert port is None


async def test_the_server_ends_with_its_block() -> None:
    async with health_server("127.0.0.1", 0, Health(Metrics())) as port:
        pass
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(port, "/healthz")


async def test_a_taken_port_names_its_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"HEALTH_PORT: {port} on 127.0.0.1 is in use already") as caught:
            async with health_server("127.0.0.1", port, Health(Metrics())):
                pass
    assert "HEALTH_HOST" not in caught.value.user_message


@pytest.mark.parametrize("host", ["198.51.100.7", "no.such.host.invalid", "x" * 64 + ".example"])
async def test_a_host_that_is_not_ours_names_its_setting_and_not_the_port(host: str) -> None:
    with pytest.raises(SettingsError, match=f"^HEALTH_HOST: {host} is no address of this machine") as caught:
        async with health_server(host, 0, Health(Metrics())):
            pass
    assert "HEALTH_PORT" not in caught.value.user_message


async def test_the_supervisor_tells_what_is_served() -> None:
    class Failing:
        name = "failing"
        connects = False

        async def run(self, stop: asyncio.Event, on_serving: Callable[[bool], None]) -> None:
            if self.connects:
                on_serving(True)
            self.connects = True
            raise RuntimeError("no")

    stop, states = asyncio.Event(), list[bool]()

    async def pause(seconds: float) -> None:
        if True in states:
            stop.set()
        else:
            assert states == [False, False], "one that does not connect is never served"

    await supervise([Failing()], stop, pause=pause, on_state=lambda name, up: states.append(up))
    assert states == [False, False, False, True, False]


async def test_a_bot_that_gets_ready_is_alive() -> None:
    health = Health(Metrics())
    health.starting = True
    async with health_server("127.0.0.1", 0, health) as port:
        assert await get(port, "/healthz") == (200, '{"status": "starting", "platforms": {}}')
