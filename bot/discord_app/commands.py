"""The slash commands and the message command, for servers, private and group chats and user installs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import discord
from discord import app_commands

from bot import messages
from bot.discord_app.audience import is_private
from bot.discord_app.completion import complete_song
from bot.discord_app.desk import desk_of
from bot.discord_app.exchange import Exchange
from bot.discord_app.subject import subject_of
from core.limits import QUERY_MAX_CHARS

ADMIN_PERMISSIONS = discord.Permissions(administrator=True)
"""Hides the administrators' commands from members; who may use them is decided by id, not by this."""

Asked = app_commands.Range[str, 1, QUERY_MAX_CHARS]


AnyCommand = app_commands.Command[Any, ..., Any] | app_commands.ContextMenu
Handler = Callable[..., Coroutine[Any, Any, None]]


def _described(command: messages.Command) -> Callable[[Handler], app_commands.Command[Any, ..., None]]:
    """Make a command of a function whose parameters have the names of the table's arguments."""

    def make(handler: Handler) -> app_commands.Command[Any, ..., None]:
        descriptions = {argument.name: argument.description for argument in command.arguments}
        described = app_commands.describe(**descriptions)(handler)
        return app_commands.Command(name=command.name, description=command.description, callback=described)

    return make


class HitmeterTree(app_commands.CommandTree[Any]):
    """All commands, each allowed everywhere, with faults told as a sentence and a short id."""

    def __init__(self, client: discord.Client) -> None:
        """Fill the tree of ``client``."""
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        for command in all_commands():
            self.add_command(command)

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Apologise for what went wrong before a command was reached, such as a command Discord remembers wrongly."""

        async def fail(_: Exchange) -> None:
            raise error

        await desk_of(interaction).serve(interaction, "command", fail, limited=False)


@_described(messages.COMMANDS["predict"])
@app_commands.autocomplete(song=complete_song)
async def predict(
    interaction: discord.Interaction[Any],
    song: Asked,
    artist: Asked | None = None,
    animated: bool | None = None,
    private: bool = False,
) -> None:
    """Predict a song."""
    text = f"{song} - {artist}" if artist else song
    await _predict(interaction, text, private=private, animated=animated)


@app_commands.context_menu(name=messages.COMMAND_MESSAGE)
async def predict_message(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Predict the song a message names."""
    await _predict(interaction, subject_of(message), private=is_private(message), animated=None)


@_described(messages.COMMANDS["compare"])
@app_commands.autocomplete(first=complete_song, second=complete_song)
async def compare(interaction: discord.Interaction[Any], first: Asked, second: Asked) -> None:
    """Compare two songs."""
    desk = desk_of(interaction)

    async def work(exchange: Exchange) -> None:
        await exchange.open(private=False)
        reply = await desk.service.compare(first, second)
        await desk.deliver(exchange, reply, desk.manner(interaction))

    await desk.serve(interaction, "compare", work)


def all_commands() -> Iterator[AnyCommand]:
    """Make everything the bot can be asked on Discord; a command that takes nothing needs no function of its own."""
    own = {"predict": predict, "compare": compare}
    for command in messages.commands_on(messages.Surface.DISCORD):
        yield own[command.name] if command.name in own else _information(command)
    yield predict_message


def _information(command: messages.Command) -> app_commands.Command[Any, ..., Any]:
    """Make a command that asks about no song."""

    async def inform(interaction: discord.Interaction[Any]) -> None:
        desk = desk_of(interaction)
        is_admin = desk.is_admin(interaction)
        # A refusal is at hand as well; it counts towards no limit.
        at_once = command.instant or (command.administrators and not is_admin)

        async def work(exchange: Exchange) -> None:
            if at_once:
                await exchange.tell(await desk.service.run_command(command, is_admin=is_admin))
                return
            await exchange.open(private=command.private)
            await exchange.answer(await desk.service.run_command(command, is_admin=is_admin))

        await desk.serve(interaction, command.name, work, limited=not at_once)

    made: app_commands.Command[Any, ..., Any] = app_commands.Command(
        name=command.name, description=command.description, callback=inform
    )
    if command.administrators:
        made.default_permissions = ADMIN_PERMISSIONS
    return made


async def _predict(interaction: discord.Interaction[Any], text: str, *, private: bool, animated: bool | None) -> None:
    desk = desk_of(interaction)

    async def work(exchange: Exchange) -> None:
        await exchange.open(private=private)
        manner = desk.manner(interaction, private=private, animated=animated)
        reply = await desk.service.predict(text)
        await desk.deliver(exchange, reply, manner)

    await desk.serve(interaction, "predict", work)
