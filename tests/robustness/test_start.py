"""The first start, while the song catalogue is still to be fetched: whoever asks /healthz is answered all the time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.fakes.bot_process import START_S, serving_process
from tests.fakes.hub_server import FakeHub, HubFault
from tests.fakes.telegram_server import FakeTelegram
from tests.robustness.test_attack import PATIENCE_S, free_ports


async def test_healthz_answers_while_the_catalogue_is_fetched_and_a_stop_ends_that(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    # The port of a platform is taken by the webhook: nothing else may be needed to be found alive.
    platform = {"HEALTH_PORT": "", "PORT": str(port), "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/hook"}
    async with (
        FakeTelegram() as telegram,
        FakeHub(b"", HubFault.SILENT) as hub,
        serving_process(tmp_path, telegram.url, port, CATALOGUE=hub.address, **platform) as bot,
    ):
        async with asyncio.timeout(START_S):
            while not hub.hits:  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(0.1)
        assert await bot.health(patience_s=PATIENCE_S) == (200, "starting")
        assert await bot.stop() == 0
        assert telegram.calls == []
    assert "Traceback" not in bot.log


async def test_a_hub_that_fails_is_said_and_the_bot_serves(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with (
        FakeTelegram() as telegram,
        FakeHub(b"", HubFault.MISSING) as hub,
        serving_process(tmp_path, telegram.url, port, CATALOGUE=hub.address) as bot,
    ):
        telegram.say("Hello - Adele", chat=telegram.private(7))
        await telegram.until(lambda: telegram.of("sendPhoto"), patience_s=START_S)
        assert await bot.health(patience_s=PATIENCE_S) == (200, "ok")
    assert bot.log.count("could not be fetched") == 1
