from __future__ import annotations

import json
from pathlib import Path

import discord
import pytest
from discord import app_commands

from bot.discord_app.commands import HitmeterTree
from bot.discord_app.sync import CommandSync, hash_of


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


def test_the_hash_does_not_depend_on_order() -> None:
    def made(*names: str) -> str:
        tree = app_commands.CommandTree(discord.Client(intents=discord.Intents(guilds=True)))
        for name in names:

            async def callback(_: discord.Interaction) -> None: ...

            tree.add_command(app_commands.Command(name=name, description="d", callback=callback))
        return hash_of(tree)

    assert made("a", "b") == made("b", "a") != made("a", "c")
