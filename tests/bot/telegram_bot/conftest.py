from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.monitoring import Health, Metrics
from bot.reply import ResultCode
from bot.service import SongService, utc_now
from bot.telegram_bot.app import TelegramPlatform
from core.predictor import Predictor
from core.settings import Settings
from tests.fakes.predictor import NOW, FakePredictor
from tests.fakes.telegram_server import TOKEN, FakeTelegram

ADMIN = 42


@dataclass
class Served:
    """A running adapter and the servers beside it."""

    telegram: FakeTelegram
    predictor: FakePredictor
    stop: asyncio.Event
    running: asyncio.Task[None]
    codes: list[tuple[str, ResultCode]] = field(default_factory=list)
    serving: list[bool] = field(default_factory=list)


Serve = Callable[..., AbstractAsyncContextManager[Served]]


def telegram_settings(telegram: FakeTelegram, **changes: Any) -> Settings:
    values = {
        "telegram_token": TOKEN,
        "telegram_api_url": telegram.url,
        "telegram_admin_ids": f"{ADMIN}",
        "user_limit_count": 0,
        "chat_limit_count": 0,
    }
    return Settings(_env_file=None, **(values | changes))


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
def predictor() -> Iterator[FakePredictor]:
    made = FakePredictor()
    yield made
    made.history.close()


@pytest.fixture
def serve(telegram: FakeTelegram, predictor: FakePredictor) -> Serve:
    @asynccontextmanager
    async def serving(real: Predictor | None = None, **changes: Any) -> AsyncIterator[Served]:
        """Run the real adapter against the loopback Bot API; it must end by itself within the stop's time.

        Args:
            real: The whole chain instead of the made-up songs.
            changes: Settings.
        """
        codes: list[tuple[str, ResultCode]] = []
        metrics = Metrics()
        service = SongService(
            real or predictor,  # type: ignore[arg-type]
            clock=utc_now if real else lambda: NOW,
            on_reply=lambda request, code, seconds: codes.append((request, code)),
            stats=metrics.stats,
        )
        platform = TelegramPlatform.from_settings(
            telegram_settings(telegram, **changes), service, health=Health(metrics)
        )
        stop = asyncio.Event()
        serving: list[bool] = []
        running = asyncio.create_task(platform.run(stop, serving.append))
        try:
            yield Served(telegram, predictor, stop, running, codes, serving)
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await running
        left = [
            task for task in asyncio.all_tasks() if "Application" in task.get_name() or "Updater" in task.get_name()
        ]
        assert left == []

    return serving


@pytest.fixture
async def served(serve: Serve) -> AsyncIterator[Served]:
    async with serve() as running:
        yield running
