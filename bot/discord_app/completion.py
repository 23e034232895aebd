"""Autocomplete: the typed text first, then the channel's own songs, then the catalogue's; never the network."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.discord_app import limits
from bot.discord_app.audience import common_channel
from bot.discord_app.desk import desk_of
from bot.discord_app.markup import clip
from bot.plain_text import plain, utf16_length
from core.domain import SongName


async def complete_song(interaction: discord.Interaction[Any], typed: str) -> list[app_commands.Choice[str]]:
    """List what may be meant by ``typed``, at most 25 choices of at most 100 characters.

    Nothing shows that somebody asked elsewhere or in private: besides the catalogue's songs there are only those whose
    answers everyone in this channel could read.
    """
    channel_id = common_channel(interaction)
    names = await desk_of(interaction).service.complete(typed, limits.COMPLETIONS_MAX, chat=channel_id)
    return choices_for(typed, names)


def choices_for(typed: str, names: tuple[SongName, ...]) -> list[app_commands.Choice[str]]:
    """Set the typed text and songs as choices; a song too long to be sent back whole is left out."""
    texts = [clip(typed.strip(), limits.COMPLETION_MAX), *(plain(f"{name.title} - {name.artist}") for name in names)]
    seen: set[str] = set()
    choices = []
    for text in texts:
        if text and utf16_length(text) <= limits.COMPLETION_MAX and text.casefold() not in seen:
            seen.add(text.casefold())
            choices.append(app_commands.Choice(name=text, value=text))
    return choices[: limits.COMPLETIONS_MAX]
