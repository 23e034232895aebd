"""The table of commands: each is answered, and every platform makes its own from it."""

from __future__ import annotations

from collections.abc import Iterator

import discord
import pytest
from discord import app_commands
from telegram.constants import BotCommandLimit

from bot.discord_bot.commands import HitmeterTree
from bot.messages import COMMANDS, Command, Surface, commands_on
from bot.replies import help_reply
from bot.reply import ResultCode
from bot.service import SongService
from tests.fakes.predictor import FakePredictor

QUESTIONS = {"predict": "Hello - Adele", "compare": "Hello - Adele | Blinding Lights - The Weeknd"}


@pytest.fixture
def service() -> Iterator[SongService]:
    predictor = FakePredictor()
    yield SongService(predictor)  # type: ignore[arg-type]
    predictor.history.close()


@pytest.mark.parametrize("name", [one.name for one in COMMANDS.values() if one.surfaces != {Surface.CONSOLE}])
async def test_every_command_is_answered(service: SongService, name: str) -> None:
    reply = await service.run_command(COMMANDS[name], QUESTIONS.get(name, ""), is_admin=True)
    assert reply.code in {ResultCode.PREDICTED, ResultCode.COMPARED, ResultCode.INFORMED}
    assert (await service.run_command(COMMANDS[name])).code is (
        ResultCode.REFUSED if COMMANDS[name].administrators else
        ResultCode.BAD_QUESTION if COMMANDS[name].arguments else
        ResultCode.INFORMED
    )  # fmt: skip


async def test_discord_has_the_commands_of_the_table_with_their_arguments() -> None:
    tree = HitmeterTree(discord.Client(intents=discord.Intents.none()))
    made = [command for command in tree.get_commands() if isinstance(command, app_commands.Command)]
    assert {command.name for command in made} == {command.name for command in commands_on(Surface.DISCORD)}
    for command in made:
        row = COMMANDS[command.name]
        assert command.description == row.description
        assert {parameter.name: str(parameter.description) for parameter in command.parameters} == {
            argument.name: argument.description for argument in row.arguments
        }
        assert (command.default_permissions is not None) is row.administrators


def test_help_names_what_everybody_has_everywhere_and_itself_last() -> None:
    named = [line.split()[0] for line in help_reply().text.splitlines() if line.startswith("/")]
    shared = [f"/{one.name}" for one in COMMANDS.values() if one.surfaces == set(Surface) and not one.administrators]
    assert {"/predict", "/compare", "/model", "/privacy"} < set(shared)
    assert named == [*(name for name in shared if name != "/help"), "/help"]


@pytest.mark.parametrize("command", commands_on(Surface.TELEGRAM), ids=lambda command: command.name)
def test_telegram_takes_the_menu(command: Command) -> None:
    assert command.name.islower()
    assert len(command.menu) <= BotCommandLimit.MAX_DESCRIPTION
