from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import discord
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket

from bot import messages
from bot.discord_bot import client as client_module
from bot.discord_bot.client import CommandSync, DiscordPlatform, hash_of, sync_commands
from bot.discord_bot.commands import CommandTranslator, HitmeterTree
from bot.service import SongService
from core.errors import SettingsError
from core.settings import Settings
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_server import DiscordServer
from tests.fakes.predictor import FakePredictor
from tests.fakes.served_discord import served, settings


class Registrar:
    """Counts registrations in place of Discord."""

    def __init__(self) -> None:
        self.told = 0

    async def bulk_upsert_global_commands(self, application_id: int, payload: list[dict]) -> list[dict]:
        self.told += 1
        return []


@pytest.fixture
def registrar() -> Registrar:
    return Registrar()


@pytest.fixture
def tree(registrar: Registrar) -> HitmeterTree:
    client = discord.Client(intents=discord.Intents(guilds=True))
    client._connection.application_id = 7
    made = HitmeterTree(client)
    made._http = registrar
    return made


async def test_commands_are_registered_when_they_changed_only(
    tree: HitmeterTree, registrar: Registrar, tmp_path: Path
) -> None:
    sync = CommandSync(tmp_path / "new" / "hash.json")
    assert await sync.sync(tree) == 0
    assert await sync.sync(tree) is None
    assert registrar.told == 1

    @tree.command(name="extra", description="one more")
    async def extra(_: discord.Interaction) -> None: ...

    assert await sync.sync(tree) == 0
    assert registrar.told == 2


async def test_on_demand_they_are_registered_anyway(tree: HitmeterTree, registrar: Registrar, tmp_path: Path) -> None:
    sync = CommandSync(tmp_path / "hash.json")
    await sync.sync(tree)
    await sync.sync(tree, force=True)
    assert registrar.told == 2


async def test_applications_do_not_share_a_hash(tree: HitmeterTree, registrar: Registrar, tmp_path: Path) -> None:
    path = tmp_path / "hash.json"
    await CommandSync(path).sync(tree)
    tree.client._connection.application_id = 8
    await CommandSync(path).sync(tree)
    assert registrar.told == 2
    assert set(json.loads(path.read_text())) == {"7", "8"}


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff\xfe"])
async def test_a_damaged_file_means_they_are_registered_again(
    tree: HitmeterTree, registrar: Registrar, tmp_path: Path, damage: bytes
) -> None:
    path = tmp_path / "hash.json"
    path.write_bytes(damage)
    await CommandSync(path).sync(tree)
    assert await CommandSync(path).sync(tree) is None
    assert registrar.told == 1


async def test_a_folder_that_cannot_be_written_is_no_obstacle(
    tree: HitmeterTree, registrar: Registrar, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    await CommandSync(tmp_path / "file" / "hash.json").sync(tree)
    assert registrar.told == 1
    assert "event=discord_hash_unsaved" in caplog.text


async def test_a_refused_registration_is_not_remembered(
    tree: HitmeterTree, registrar: Registrar, tmp_path: Path
) -> None:
    path = tmp_path / "hash.json"

    async def refuse(*_: object, **__: object) -> list[dict]:
        raise OSError("no network")

    tree._http = type("Down", (), {"bulk_upsert_global_commands": staticmethod(refuse)})()
    with pytest.raises(OSError, match="no network"):
        await CommandSync(path).sync(tree)
    assert not path.exists()


async def test_the_hash_does_not_depend_on_order() -> None:
    async def made(*names: str) -> str:
        tree = app_commands.CommandTree(discord.Client(intents=discord.Intents(guilds=True)))
        for name in names:

            async def callback(_: discord.Interaction) -> None: ...

            tree.add_command(app_commands.Command(name=name, description="d", callback=callback))
        return await hash_of(tree, CommandTranslator())

    assert await made("a", "b") == await made("b", "a") != await made("a", "c")


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
        await asyncio.wait_for(second.acknowledged.wait(), 60)
        assert second.response["data"]["content"] == messages.RESTARTING
        predictor.gate.set()
        await server.wait_for(("PATCH", first.payload["token"]))
    assert predictor.asked == ["hello"]


async def test_what_takes_too_long_is_told_of_the_restart(
    server: DiscordServer, predictor: FakePredictor, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "DRAIN_S", 0.05)
    async with served(settings(tmp_path), predictor, server):
        predictor.gate.clear()
        given = await server.interact(payloads.command("predict", song="hello"))
        await given.acknowledged.wait()
    said = [str(call.body.get("content")) for call in server.calls if given.payload["token"] in call.path]
    assert said.count(messages.RESTARTING) == 1


async def test_what_cannot_even_be_told_is_cut_short(
    server: DiscordServer, predictor: FakePredictor, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "DRAIN_S", 0.05)
    monkeypatch.setattr(client_module, "TELL_S", 0)
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
    assert await sync_commands(settings(tmp_path)) == 10
    assert await sync_commands(settings(tmp_path)) == 10
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
    monkeypatch.setattr(client_module, "CLOSE_S", 0.05)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(f"ws://127.0.0.1:{unused_tcp_port}/"))
    stop = asyncio.Event()
    platform = DiscordPlatform.from_settings(settings(tmp_path, discord_shard_count=1), SongService(predictor))
    running = asyncio.create_task(platform.run(stop))
    async with asyncio.timeout(60):
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
    await asyncio.wait_for(server.gateway.ready.wait(), 60)
    await server.gateway.close(code=4013)
    with pytest.raises(ConnectionError, match="closed the connection with code 4013"):
        await asyncio.wait_for(running, 60)
    predictor.history.close()


async def test_a_missing_token_is_a_settings_fault(predictor: FakePredictor, tmp_path) -> None:
    configured = Settings(_env_file=None, data_dir=tmp_path, discord_token=None)
    with pytest.raises(SettingsError, match="DISCORD_TOKEN is not set"):
        DiscordPlatform.from_settings(configured, SongService(predictor))
    predictor.history.close()


async def test_administrators_are_written_to(server: DiscordServer, predictor: FakePredictor, tmp_path) -> None:
    configured = settings(tmp_path, discord_admin_ids="41, 42")
    platform = DiscordPlatform.from_settings(configured, SongService(predictor))
    await platform.tell_administrators("too early")
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    async with asyncio.timeout(60):
        await server.gateway.ready.wait()
        while platform._client is None or not platform._client.is_ready():  # noqa: ASYNC110 - the library's own turn
            await asyncio.sleep(0.01)
        await platform.tell_administrators("The model of today is in use now.")
        stop.set()
        await running
    predictor.history.close()
    said = [(call.path, call.body["content"]) for call in server.calls if call.path.startswith("/channels/")]
    assert said == [(f"/channels/{who}/messages", "The model of today is in use now.") for who in (41, 42)]
