"""Runs the real Discord platform against a loopback Discord, with a fake predictor."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.discord_bot.client import DiscordPlatform
from bot.runtime import OnServing, ignore_serving
from bot.service import SongService
from core.settings import Settings
from tests.fakes.discord_server import DiscordServer
from tests.fakes.predictor import NOW, FakePredictor

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMg.loopback.only-for-this-test-0123456789"


def settings(tmp_path: Path, **more: Any) -> Settings:
    return Settings(_env_file=None, discord_token=TOKEN, data_dir=tmp_path, **more)


@asynccontextmanager
async def served(
    configured: Settings, predictor: FakePredictor, server: DiscordServer, *, on_serving: OnServing = ignore_serving
) -> AsyncIterator[asyncio.Event]:
    """Run the platform until the block ends, and check that it leaves nothing behind."""
    stop = asyncio.Event()
    platform = DiscordPlatform.from_settings(configured, SongService(predictor, clock=lambda: NOW))
    running = asyncio.create_task(platform.run(stop, on_serving))
    try:
        async with asyncio.timeout(60):
            await server.gateway.ready.wait()
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(60):
            await running
        predictor.history.close()
        gc.collect()  # an unclosed session would warn now
    others = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    assert not [task for task in others if "discord" in task.get_name().casefold()]
