"""Who reads along where the bot is asked."""

from __future__ import annotations

import discord


def common_channel(interaction: discord.Interaction) -> int | None:
    """Find the channel or group whose members read each other's answers; None in a chat of one or two people.

    A channel rather than its server: not everyone on a server may read all of its channels.
    """
    channel = interaction.channel
    in_group = channel is not None and channel.type is discord.ChannelType.group
    return interaction.channel_id if interaction.guild_id is not None or in_group else None


def is_private(message: discord.Message | None) -> bool:
    """Whether only one person sees a message; also if Discord made it so by itself, for want of a permission."""
    return message is not None and message.flags.ephemeral
