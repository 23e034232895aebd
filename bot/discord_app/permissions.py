"""What the bot may send where it was asked."""

from __future__ import annotations

import discord

from bot import messages
from bot.reply import Reply


def may_attach(interaction: discord.Interaction) -> bool:
    """Whether pictures may be sent; private chats have no permissions to lack."""
    return interaction.guild_id is None or interaction.app_permissions.attach_files


def may_embed(interaction: discord.Interaction) -> bool:
    """Whether embeds may be sent."""
    return interaction.guild_id is None or interaction.app_permissions.embed_links


def lacking(interaction: discord.Interaction, reply: Reply) -> tuple[str, ...]:
    """Name the permissions missing for a reply as an embed with its card."""
    names = []
    if not may_embed(interaction):
        names.append(messages.PERMISSION_EMBED)
    if reply.card is not None and not may_attach(interaction):
        names.append(messages.PERMISSION_ATTACH)
    return tuple(names)
