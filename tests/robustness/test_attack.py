"""Strangers who open connections and never finish speaking, against a bot process with few files to open."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import aiohttp
import pytest

from bot.telegram_bot.transport import SECRET_HEADER
from tests.fakes.bot_process import BotProcess, serving_process
from tests.fakes.telegram_server import FakeTelegram

CONNECTIONS = 1_100
FILES = 1_024
PATIENCE_S = 120.0
SECRET = "a-secret_1"

HALF_HEADERS = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "
HALF_BODY = f"POST /hook HTTP/1.1\r\nHost: x\r\n{SECRET_HEADER}: {SECRET}\r\nContent-Length: 900\r\n\r\n{{".encode()


@pytest.fixture(autouse=True)
def room_for_the_attack() -> Iterator[None]:
    """Let this process open as many sockets as the attack takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 400
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this process may open {hard} files, and the attack takes {wanted}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def hold(stack: ExitStack, port: int, said: bytes) -> None:
    """Open the connections and say the same in each; they stay open as long as the stack does."""
    for _ in range(CONNECTIONS):
        one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
        with suppress(ConnectionError):  # hung up on already
            one.sendall(said)


def said_of_the_attack(bot: BotProcess) -> list[str]:
    """What the bot logged beside what it says at the start and of each answer."""
    _, lines = bot.log.split("event=telegram_serving", 1)
    return [line for line in lines.splitlines()[1:] if " INFO " not in line]


@pytest.mark.parametrize("said", [b"", HALF_HEADERS], ids=["nothing", "half the headers"])
async def test_half_open_connections_leave_health_polling_and_answers_alive(tmp_path: Path, said: bytes) -> None:
    (port,) = free_ports(1)
    async with FakeTelegram() as telegram, serving_process(tmp_path, telegram.url, port, open_files=FILES) as bot:
        await telegram.until(lambda: telegram.polls, patience_s=PATIENCE_S)
        with ExitStack() as attack:
            await asyncio.to_thread(hold, attack, port, said)
            assert await bot.health(patience_s=PATIENCE_S) == (200, "ok")
            telegram.say("/predict Blinding Lights - The Weeknd", chat=telegram.private(7))
            await telegram.until(lambda: len(telegram.of("sendPhoto")) == 1, patience_s=PATIENCE_S)
            polls = telegram.polls
            telegram.say("/predict Hello - Adele", chat=telegram.private(7))
            await telegram.until(lambda: len(telegram.of("sendPhoto")) == 2, patience_s=PATIENCE_S)
            assert telegram.polls > polls
            assert await bot.health(patience_s=PATIENCE_S) == (200, "ok")
    (line,) = said_of_the_attack(bot)
    assert "event=listener_crowded listener=health" in line


async def test_half_a_body_from_many_leaves_the_webhook_alive(tmp_path: Path) -> None:
    """Who knows the secret, as whoever reads along may, gets as far as the body."""
    health, port = free_ports(2)
    webhook = {
        "TELEGRAM_WEBHOOK_URL": "https://bot.example.org/hook",
        "TELEGRAM_WEBHOOK_PORT": str(port),
        "TELEGRAM_WEBHOOK_SECRET": SECRET,
    }
    async with (
        FakeTelegram() as telegram,
        serving_process(tmp_path, telegram.url, health, open_files=FILES, **webhook) as bot,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S), headers={SECRET_HEADER: SECRET}) as session,
    ):
        await telegram.until(lambda: telegram.of("setWebhook"), patience_s=PATIENCE_S)
        with ExitStack() as attack:
            await asyncio.to_thread(hold, attack, port, HALF_BODY)
            update = telegram.update(message=telegram.message("Hello - Adele", chat=telegram.private(7)))
            async with session.post(f"http://127.0.0.1:{port}/hook", json=update) as response:
                assert response.status == 200
            await telegram.until(lambda: len(telegram.of("sendPhoto")) == 1, patience_s=PATIENCE_S)
            assert await bot.health(patience_s=PATIENCE_S) == (200, "ok")
    (line,) = said_of_the_attack(bot)
    assert "event=listener_crowded listener=telegram_webhook" in line
