"""The slash commands and the message command, for servers, private and group chats and user installs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
from discord import app_commands

from bot import words
from bot.discord_app.audience import is_private
from bot.discord_app.completion import complete_song
from bot.discord_app.desk import desk_of
from bot.discord_app.exchange import Exchange
from bot.discord_app.subject import subject_of
from bot.reply import Reply
from core.limits import QUERY_MAX_CHARS

ADMIN_PERMISSIONS = discord.Permissions(administrator=True)
"""Hides the administrators' commands from members; who may use them is decided by id, not by this."""

Asked = app_commands.Range[str, 1, QUERY_MAX_CHARS]


class HitmeterTree(app_commands.CommandTree[Any]):
    """All commands, each allowed everywhere, with faults told as a sentence and a short id."""

    def __init__(self, client: discord.Client) -> None:
        """Fill the tree of ``client``."""
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        )
        for command in COMMANDS:
            self.add_command(command)

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Apologise for what went wrong before a command was reached, such as a command Discord remembers wrongly."""

        async def fail(_: Exchange) -> None:
            raise error

        await desk_of(interaction).serve(interaction, "command", fail, limited=False)


@app_commands.command(name="predict", description=words.COMMAND_PREDICT)
@app_commands.describe(
    song=words.OPTION_SONG, artist=words.OPTION_ARTIST, animated=words.OPTION_ANIMATED, private=words.OPTION_PRIVATE
)
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


@app_commands.context_menu(name=words.COMMAND_MESSAGE)
async def predict_message(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    """Predict the song a message names."""
    await _predict(interaction, subject_of(message), private=is_private(message), animated=None)


@app_commands.command(name="compare", description=words.COMMAND_COMPARE)
@app_commands.describe(first=words.OPTION_FIRST, second=words.OPTION_SECOND)
@app_commands.autocomplete(first=complete_song, second=complete_song)
async def compare(interaction: discord.Interaction[Any], first: Asked, second: Asked) -> None:
    """Compare two songs."""
    desk = desk_of(interaction)

    async def work(exchange: Exchange) -> None:
        await exchange.open(private=False)
        reply = await desk.service.compare(first, second)
        await desk.deliver(exchange, reply, desk.manner(interaction))

    await desk.serve(interaction, "compare", work)


@app_commands.command(name="model", description=words.COMMAND_MODEL)
async def model(interaction: discord.Interaction[Any]) -> None:
    """Say how good the model is."""
    await _inform(interaction, "model", desk_of(interaction).service.model, private=False)


@app_commands.command(name="help", description=words.COMMAND_HELP)
async def help_(interaction: discord.Interaction[Any]) -> None:
    """Say how to ask."""
    await _say(interaction, "help", desk_of(interaction).service.help)


@app_commands.command(name="privacy", description=words.COMMAND_PRIVACY)
async def privacy(interaction: discord.Interaction[Any]) -> None:
    """Say what is stored."""
    await _say(interaction, "privacy", desk_of(interaction).service.privacy)


@app_commands.command(name="stats", description=words.COMMAND_STATS)
@app_commands.default_permissions(ADMIN_PERMISSIONS)
async def stats(interaction: discord.Interaction[Any]) -> None:
    """Say how the bot is doing."""
    await _administer(interaction, "stats", desk_of(interaction).service.stats)


@app_commands.command(name="reload", description=words.COMMAND_RELOAD)
@app_commands.default_permissions(ADMIN_PERMISSIONS)
async def reload_(interaction: discord.Interaction[Any]) -> None:
    """Load the model anew."""
    await _administer(interaction, "reload", desk_of(interaction).service.reload)


COMMANDS: Final[tuple[app_commands.Command[Any, ..., Any] | app_commands.ContextMenu, ...]] = (
    predict,
    compare,
    model,
    help_,
    privacy,
    stats,
    reload_,
    predict_message,
)
"""Everything the bot can be asked on Discord."""


async def _predict(interaction: discord.Interaction[Any], text: str, *, private: bool, animated: bool | None) -> None:
    desk = desk_of(interaction)

    async def work(exchange: Exchange) -> None:
        await exchange.open(private=private)
        manner = desk.manner(interaction, private=private, animated=animated)
        reply = await desk.service.predict(text)
        await desk.deliver(exchange, reply, manner)

    await desk.serve(interaction, "predict", work)


async def _inform(
    interaction: discord.Interaction[Any],
    request: str,
    ask: Callable[[], Awaitable[Reply]],
    *,
    private: bool,
) -> None:
    async def work(exchange: Exchange) -> None:
        await exchange.open(private=private)
        await exchange.answer(await ask())

    await desk_of(interaction).serve(interaction, request, work)


async def _say(interaction: discord.Interaction[Any], request: str, say: Callable[[], Reply]) -> None:
    async def work(exchange: Exchange) -> None:
        await exchange.tell(say())

    await desk_of(interaction).serve(interaction, request, work, limited=False)


async def _administer(interaction: discord.Interaction[Any], request: str, ask: Callable[[], Awaitable[Reply]]) -> None:
    desk = desk_of(interaction)
    if desk.is_admin(interaction):
        await _inform(interaction, request, ask, private=True)
        return

    async def refuse(exchange: Exchange) -> None:
        await exchange.tell(await desk.service.refuse())

    await desk.serve(interaction, request, refuse, limited=False)
