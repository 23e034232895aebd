"""What the bot may send where it was asked."""

from __future__ import annotations

import discord

from bot import words


def may_attach(interaction: discord.Interaction) -> bool:
    """Whether pictures may be sent; private chats have no permissions to lack."""
    return interaction.guild_id is None or interaction.app_permissions.attach_files


def may_embed(interaction: discord.Interaction) -> bool:
    """Whether embeds may be sent."""
    return interaction.guild_id is None or interaction.app_permissions.embed_links


def lacking(interaction: discord.Interaction, *, picture: bool) -> tuple[str, ...]:
    """Name the permissions missing for an embed, and for its picture if there is to be one."""
    names = []
    if not may_embed(interaction):
        names.append(words.PERMISSION_EMBED)
    if picture and not may_attach(interaction):
        names.append(words.PERMISSION_ATTACH)
    return tuple(names)
