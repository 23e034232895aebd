from __future__ import annotations

import asyncio
import logging

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from bot import messages
from bot.discord_app import platform as platform_module
from bot.discord_app.platform import DiscordPlatform, sync_commands
from bot.service import SongService
from core.errors import SettingsError
from core.settings import Settings
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_server import DiscordServer
from tests.fakes.predictor import FakePredictor
from tests.fakes.served_discord import served, settings


async def test_stopping_finishes_what_is_in_flight_and_takes_no_more(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server) as stop:
        predictor.gate.clear()
        first = await server.interact(payloads.command("predict", song="hello"))
        await first.acknowledged.wait()
        stop.set()
        await asyncio.sleep(0.05)
        second = await server.interact(payloads.command("predict", song="hello"))
        await asyncio.wait_for(second.acknowledged.wait(), 3)
        assert second.response["data"]["content"] == messages.RESTARTING
        predictor.gate.set()
        await server.wait_for(("PATCH", first.payload["token"]))
    assert predictor.asked == ["hello"]


async def test_what_takes_too_long_is_cut_short(
    server: DiscordServer, predictor: FakePredictor, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_module, "DRAIN_S", 0.05)
    async with served(settings(tmp_path), predictor, server):
        predictor.gate.clear()
        given = await server.interact(payloads.command("predict", song="hello"))
        await given.acknowledged.wait()
    assert server.statuses("PATCH", given.payload["token"]) == []


async def test_a_refused_token_is_one_line_that_names_the_setting(
    server: DiscordServer, predictor: FakePredictor, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    configured = Settings(_env_file=None, discord_token="not-the-token-at-all", data_dir=tmp_path)
    platform = DiscordPlatform.from_settings(configured, SongService(predictor))
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(SettingsError, match="DISCORD_TOKEN is refused by Discord") as caught,
    ):
        await platform.run(asyncio.Event())
    assert "not-the-token-at-all" not in str(caught.value) + caplog.text
    predictor.history.close()


async def test_a_discord_out_of_reach_is_one_line(
    predictor: FakePredictor, tmp_path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(discord.http.Route, "BASE", f"http://127.0.0.1:{unused_tcp_port}/api/v10")
    platform = DiscordPlatform.from_settings(settings(tmp_path), SongService(predictor))
    with pytest.raises(ConnectionError, match="Discord cannot be reached: ") as caught:
        await platform.run(asyncio.Event())
    assert "\n" not in str(caught.value)
    predictor.history.close()


async def test_the_bot_asks_for_no_privileged_intent_and_for_its_own_shards(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    configured = settings(tmp_path, discord_shard_count=4, discord_shard_ids="2")
    async with served(configured, predictor, server):
        identity = server.gateway.identities[0]
    intents = discord.Intents._from_value(identity["intents"])
    assert not intents.members
    assert not intents.presences
    assert not intents.message_content
    assert identity["shard"] == [2, 4]
    assert server.commands == []  # the process with shard 0 registers them


async def test_commands_are_registered_on_demand(server: DiscordServer, tmp_path) -> None:
    assert await sync_commands(settings(tmp_path)) == 8
    assert await sync_commands(settings(tmp_path)) == 8
    assert len(server.statuses("PUT", "/commands")) == 2


async def test_registering_with_a_refused_token_is_one_line(server: DiscordServer, tmp_path) -> None:
    configured = Settings(_env_file=None, discord_token="not-the-token-at-all", data_dir=tmp_path)
    with pytest.raises(SettingsError, match="DISCORD_TOKEN is refused"):
        await sync_commands(configured)
    assert server.commands == []


async def test_a_gateway_out_of_reach_does_not_hold_up_the_stop(
    server: DiscordServer,
    predictor: FakePredictor,
    tmp_path,
    monkeypatch: pytest.MonkeyPatch,
    unused_tcp_port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(platform_module, "CLOSE_S", 0.05)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(f"ws://127.0.0.1:{unused_tcp_port}/"))
    stop = asyncio.Event()
    platform = DiscordPlatform.from_settings(settings(tmp_path, discord_shard_count=1), SongService(predictor))
    running = asyncio.create_task(platform.run(stop))
    async with asyncio.timeout(5):
        while "Failed to connect for shard_id" not in caplog.text:
            await server.wait_for(("PUT", "/commands"))
            await asyncio.sleep(0.01)
        stop.set()
        await running
    predictor.history.close()


async def test_a_session_that_discord_ends_for_good_is_one_line(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    platform = DiscordPlatform.from_settings(settings(tmp_path), SongService(predictor))
    running = asyncio.create_task(platform.run(asyncio.Event()))
    await asyncio.wait_for(server.gateway.ready.wait(), 5)
    await server.gateway.close(code=4013)
    with pytest.raises(ConnectionError, match="closed the connection with code 4013"):
        await asyncio.wait_for(running, 10)
    predictor.history.close()


async def test_a_missing_token_is_a_settings_fault(predictor: FakePredictor, tmp_path) -> None:
    configured = Settings(_env_file=None, data_dir=tmp_path, discord_token=None)
    with pytest.raises(SettingsError, match="DISCORD_TOKEN is not set"):
        DiscordPlatform.from_settings(configured, SongService(predictor))
    predictor.history.close()
