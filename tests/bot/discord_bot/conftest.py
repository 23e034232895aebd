from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
import simcord

from bot.discord_bot.client import CommandSync, HitmeterClient
from bot.discord_bot.interaction import InteractionHandler
from bot.discord_bot.views import view_for
from bot.rate_limits import Limit, RateLimiter
from bot.reply import ResultCode
from bot.service import SongService, utc_now
from core.predictor import Predictor
from tests.fakes.discord_server import DiscordServer, discord_server
from tests.fakes.predictor import NOW, FakePredictor
from tests.fakes.served_discord import TOKEN
from tests.fakes.simulated_discord import AMPLE, Discord, Seconds, StartDiscord


@pytest.fixture
async def start_discord(tmp_path) -> AsyncIterator[StartDiscord]:
    """Start the real client in a simulated Discord; keyword arguments go to the handler and its rate limiter."""
    started: list[Discord] = []
    fake = FakePredictor()

    async def start(
        *,
        user: Limit = AMPLE,
        chat: Limit = AMPLE,
        admin_ids: tuple[int, ...] = (),
        animated: bool = False,
        predictor: Predictor | None = None,
    ) -> Discord:
        answering = fake if predictor is None else predictor
        clock = Seconds()
        counted: Counter[ResultCode] = Counter()

        def count(_: str, code: ResultCode, __: float) -> None:
            counted[code] += 1

        rate_limiter = RateLimiter(user=user, chat=chat, clock=clock)

        def build() -> HitmeterClient:
            service = SongService(answering, clock=clock_of(predictor), on_reply=count)
            handler = InteractionHandler(
                service, rate_limiter, view_for, admin_ids=admin_ids, animated=animated, wall_clock=clock
            )
            return HitmeterClient(handler, command_sync=CommandSync(tmp_path / "hash.json"), shard_count=1)

        client = build()
        # Longer than a busy machine needs to draw, shorter than the timers that idle connections leave behind.
        env = simcord.Env(client, settle_timeout=60)
        await env.start()
        simulated = Discord(env, fake, client, counted, clock, build)
        started.append(simulated)
        return simulated

    yield start
    for simulated in started:
        await simulated.env.shutdown()
        assert simulated.env.errors == []
    fake.history.close()


def clock_of(predictor: Predictor | None):
    """Let made-up answers be of now, and real ones of the time they are made."""
    return (lambda: NOW) if predictor is None else utc_now


@pytest.fixture
async def discord_env(start_discord: StartDiscord) -> Discord:
    """A simulated Discord without limits."""
    return await start_discord()


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with discord_server(TOKEN) as running:
        yield running


@pytest.fixture
def predictor() -> Iterator[FakePredictor]:
    made = FakePredictor()
    yield made
    made.history.close()
