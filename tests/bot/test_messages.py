"""The table of commands: each is answered, and every platform makes its own from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.app_commands.commands import validate_name
from telegram.constants import BotCommandLimit

from bot.discord_bot.commands import CommandTranslator, HitmeterTree
from bot.messages import COMMANDS, Command, Surface, commands_on
from bot.replies import help_reply
from bot.reply import ResultCode
from bot.service import SongService
from core.language import ENGLISH, LANGUAGES, closest, speaking
from tests.fakes.predictor import FakePredictor

QUESTIONS = {
    "predict": "Hello - Adele",
    "compare": "Hello - Adele | Blinding Lights - The Weeknd",
    "artist": "Adele",
    "trend": "Blinding Lights",
}


@pytest.fixture
def service() -> Iterator[SongService]:
    predictor = FakePredictor()
    yield SongService(predictor)  # type: ignore[arg-type]
    predictor.history.close()


@pytest.mark.parametrize("name", [one.name for one in COMMANDS.values() if one.surfaces != {Surface.CONSOLE}])
async def test_every_command_is_answered(service: SongService, name: str) -> None:
    reply = await service.run_command(COMMANDS[name], QUESTIONS.get(name, ""), is_admin=True)
    told = {"predict": "predicted", "compare": "compared", "artist": "ranked", "trend": "trend"}
    assert reply.code == told.get(name, "informed")
    assert (await service.run_command(COMMANDS[name])).code is (
        ResultCode.REFUSED if COMMANDS[name].administrators else
        ResultCode.BAD_QUESTION if COMMANDS[name].about_song else
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", commands_on(Surface.TELEGRAM), ids=lambda command: command.name)
def test_telegram_takes_the_menu(command: Command, language: str) -> None:
    assert command.name.islower()
    with speaking(language):
        assert len(command.menu) <= BotCommandLimit.MAX_DESCRIPTION


SPOKEN = [locale for locale in discord.Locale if closest(str(locale)) != ENGLISH]


@pytest.mark.parametrize("locale", [*SPOKEN, discord.Locale.polish], ids=str)
async def test_discord_takes_the_names_and_descriptions_in_every_language(locale: discord.Locale) -> None:
    tree = HitmeterTree(discord.Client(intents=discord.Intents(guilds=True)))
    payloads = [await command.get_translated_payload(tree, CommandTranslator()) for command in tree.get_commands()]
    assert any(_localized(payload, "name", locale) != payload["name"] for payload in payloads) is (locale in SPOKEN)
    _check_names(payloads, locale)
    for payload in payloads:
        _check_names(payload.get("options", []), locale)
        for described in (payload, *payload.get("options", ())):
            name = _localized(described, "name", locale)
            assert 1 <= len(name) <= 32
            # What stands in the menu of a message is no slash command.
            if described is not payload or payload["type"] == discord.AppCommandType.chat_input.value:
                assert validate_name(name) == name
                assert 1 <= len(_localized(described, "description", locale)) <= 100


def _localized(payload: dict[str, Any], field: str, locale: discord.Locale) -> str:
    return str(payload.get(f"{field}_localizations", {}).get(locale.value, payload[field]))


def _check_names(payloads: Sequence[dict[str, Any]], locale: discord.Locale) -> None:
    names = [_localized(payload, "name", locale) for payload in payloads]
    assert len(set(names)) == len(names)
