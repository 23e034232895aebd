import asyncio
import socket

import aiohttp
import pytest

from bot.health import Health, health_server
from bot.metrics import Metrics
from bot.reply import ResultCode
from bot.supervise import supervise
from core.errors import SettingsError


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

        async def run(self, stop: asyncio.Event) -> None:
            raise RuntimeError("no")

    stop, states = asyncio.Event(), list[tuple[str, bool]]()

    async def pause(seconds: float) -> None:
        stop.set()

    await supervise([Failing()], stop, pause=pause, on_state=lambda name, up: states.append((name, up)))
    assert states == [("failing", True), ("failing", False)]
