"""With every fault, at DEBUG: no key or token in a log line, a message, a metric or a picture."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.discord_bot.client import DiscordPlatform
from bot.messages import COMMANDS
from bot.monitoring import Health, Metrics
from bot.runtime import supervise
from bot.service import SongService
from bot.telegram_bot.app import TelegramPlatform
from core.log import configure_logging, settings_secrets
from core.render.renderer import CardRenderer
from core.settings import Settings
from tests.fakes import discord_payloads as payloads
from tests.fakes.chain import ARTISTS, HIT, OTHER, SONGS, Chain, running_chain
from tests.fakes.discord_server import DiscordServer, discord_server
from tests.fakes.lastfm_server import API_KEY, FakeLastFm, Fault
from tests.fakes.served_discord import TOKEN as DISCORD_TOKEN
from tests.fakes.telegram_server import TOKEN as TELEGRAM_TOKEN
from tests.fakes.telegram_server import FakeTelegram
from tests.fakes.warped_time import run_warped
from tests.robustness.test_upstream_faults import FAULTS

SECRETS = (API_KEY, TELEGRAM_TOKEN, TELEGRAM_TOKEN.partition(":")[2], DISCORD_TOKEN)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Log everything as the bot does, to a string, and leave logging as it was."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, logging.raiseExceptions
    stream = io.StringIO()
    settings = Settings(
        _env_file=None, lastfm_api_key=API_KEY, telegram_token=TELEGRAM_TOKEN, discord_token=DISCORD_TOKEN
    )
    configure_logging("DEBUG", secrets=settings_secrets(settings), stream=stream)
    yield stream
    logging.captureWarnings(False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    sys.excepthook, logging.raiseExceptions = before[2], before[3]


def secrets_in(text: str | bytes) -> list[str]:
    data = text.encode(errors="replace") if isinstance(text, str) else text
    forms = {form for secret in SECRETS for form in (secret, quote(secret, safe=""))}
    return [form for form in forms if form.encode() in data]


def unredacted(caplog: pytest.LogCaptureFixture) -> str:
    """What our own code logs, before anything is hidden."""
    ours = [one for one in caplog.records if one.name.partition(".")[0] in {"core", "bot"}]
    return "\n".join(f"{one.getMessage()} {one.exc_text or ''} {vars(one)}" for one in ours)


def test_no_upstream_fault_lets_the_key_out(lines: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        for fault, _ in FAULTS.values():
            async with FakeLastFm(SONGS, ARTISTS) as fake, running_chain(fake.url, renderer=CardRenderer()) as chain:
                good = await chain.ask(HIT)
                fake.break_next(fault)
                bad = await chain.ask(OTHER)
                compared = await chain.service.compare(HIT, OTHER)
                told = [good, bad, await chain.service.run_command(COMMANDS["stats"], is_admin=True), compared]
                assert chain.pictures[0] is not None
                assert not secrets_in(chain.pictures[0].data)
                assert not secrets_in(repr(compared.card and await compared.card()))
                assert not secrets_in(repr(told))
                assert not secrets_in(chain.metrics.exposition())
                assert not secrets_in(repr([chain, vars(chain.predictor)]))

    run_warped(main())
    said = lines.getvalue()
    assert said.count("event=lastfm_request") > 50
    assert not secrets_in(said)
    assert not secrets_in(unredacted(caplog))


@dataclass
class Both:
    """Both adapters under one supervisor."""

    telegram: FakeTelegram
    server: DiscordServer
    lastfm: FakeLastFm
    chain: Chain
    health: Health
    numbers: int = 0

    async def discord_answers(self) -> None:
        given = await self.server.interact(payloads.command("predict", song=HIT))
        await self.server.wait_for(("PATCH", given.payload["token"]))

    async def status(self, wanted: str) -> None:
        async with asyncio.timeout(120):
            while self.health.status != wanted:  # noqa: ASYNC110 - as whoever watches /healthz
                await asyncio.sleep(0.5)

    async def telegram_answers(self) -> None:
        before = len(self.telegram.of("sendPhoto", "sendMessage"))
        self.numbers += 1
        self.telegram.say(HIT, chat=self.telegram.private(100 + self.numbers))
        await self.telegram.sent("sendPhoto", "sendMessage", count=before + 1)


@asynccontextmanager
async def both_platforms(settings_for: Callable[..., Settings]) -> AsyncIterator[Both]:
    async with (
        FakeTelegram() as telegram,
        discord_server(DISCORD_TOKEN) as server,
        FakeLastFm(SONGS, ARTISTS) as lastfm,
        running_chain(lastfm.url) as chain,
    ):
        settings = settings_for(
            telegram_token=TELEGRAM_TOKEN, telegram_api_url=telegram.url, discord_token=DISCORD_TOKEN
        )
        health = Health(chain.metrics)
        service = SongService(chain.predictor, clock=chain.clock)
        adapters = [
            DiscordPlatform.from_settings(settings, service),
            TelegramPlatform.from_settings(settings, service, health=Health(Metrics())),
        ]
        stop = asyncio.Event()
        serving = asyncio.create_task(supervise(adapters, stop, on_state=health.mark))
        try:
            await server.gateway.ready.wait()
            yield Both(telegram, server, lastfm, chain, health)
        finally:
            stop.set()
            await serving


def test_one_platform_serves_while_the_other_fails_and_no_token_gets_out(
    settings_for: Callable[..., Settings],
    tmp_path: Path,
    lines: io.StringIO,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with both_platforms(settings_for) as both:
            await both.discord_answers()
            await both.telegram_answers()

            both.telegram.rival = True  # 409: another process polls
            await both.status("degraded")
            await both.discord_answers()
            both.telegram.rival = False
            await both.status("ok")
            await both.telegram_answers()

            for status, description in ((502, "Bad Gateway"), (403, "Forbidden: bot was blocked by the user")):
                both.telegram.fail("sendPhoto", status, description)
                both.telegram.say(HIT, chat=both.telegram.private(7))
                await both.discord_answers()
            both.telegram.fail("sendPhoto", 429, "Too Many Requests: retry after 2", retry_after=2)
            await both.telegram_answers()

            both.server.gateway.drop()
            await both.telegram_answers()
            await both.server.gateway.ready.wait()
            both.server.faults.extend([(502, {}, {"message": "Bad Gateway", "code": 0})] * 2)
            await both.discord_answers()
            limited = {"message": "You are being rate limited.", "retry_after": 1.0, "global": False}
            both.server.faults.append((429, {"Retry-After": "1", "Via": "loopback"}, limited))
            await both.discord_answers()
            expired = await both.server.interact(payloads.command("predict", song=HIT))
            expired.expired = True
            await both.telegram_answers()

            both.lastfm.break_next(Fault.error(10, http_status=403))
            both.telegram.say(OTHER, chat=both.telegram.private(9))
            await both.discord_answers()
            await both.telegram_answers()
            spoken = [repr(call.params) for call in both.telegram.calls]
            spoken += [repr(call.body) for call in both.server.calls if "/interactions/" not in call.path]
            assert not secrets_in("\n".join(spoken))
            assert not secrets_in(both.chain.metrics.exposition())

    run_warped(main())
    said = lines.getvalue()
    assert "event=platform_failed platform=telegram" in said
    assert not secrets_in(said)
    assert not secrets_in(unredacted(caplog))
