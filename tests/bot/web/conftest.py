"""The page as it is served, over a predictor of made-up songs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.monitoring import Health, Metrics
from bot.rate_limits import RateLimiter
from bot.service import SongService
from bot.web.server import page_app
from core.settings import Settings
from tests.fakes.predictor import NOW, FakePredictor

PageClient = TestClient[Any, Any]


@pytest.fixture
async def predictor() -> AsyncIterator[FakePredictor]:
    predictor = FakePredictor()
    yield predictor
    await predictor.aclose()


@pytest.fixture
async def open_page(
    predictor: FakePredictor, settings_for: Callable[..., Settings]
) -> AsyncIterator[Callable[..., Awaitable[PageClient]]]:
    """Open the page with the settings changed; its counts of replies are in ``Metrics`` of the client's app."""
    clients: list[PageClient] = []

    async def open_with(metrics: Metrics | None = None, **changes: Any) -> PageClient:
        settings = settings_for(None, **changes)
        metrics = metrics or Metrics()
        service = SongService(predictor, clock=lambda: NOW, on_reply=metrics.reply_counter("web"), stats=metrics.stats)  # type: ignore[arg-type]
        app = page_app(settings, service, Health(metrics), RateLimiter.from_settings(settings))
        client: PageClient = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield open_with
    for client in clients:
        await client.close()


@pytest.fixture
async def page(open_page: Callable[..., Awaitable[PageClient]]) -> PageClient:
    """The page with no limit on questions."""
    return await open_page(user_limit_count=0)
