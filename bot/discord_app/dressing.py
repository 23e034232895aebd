"""Platform-free replies in Discord's clothes: an embed with its picture, or plain text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot import messages
from bot.discord_app import limits
from bot.discord_app.embeds import embed_of
from bot.discord_app.markup import clip
from bot.discord_app.typesetting import typeset
from bot.plain_text import utf16_length
from bot.reply import Line, LineKind, Picture, Reply


@dataclass(frozen=True, slots=True)
class Dressed:
    """What a message says: text or an embed, and the picture shown in the embed."""

    content: str | None = None
    embed: discord.Embed | None = None
    picture: Picture | None = None

    def files(self) -> list[discord.File]:
        """Open the picture for sending, with its description; each sending needs a new one."""
        if self.picture is None:
            return []
        description = clip(self.picture.alt, limits.ALT_TEXT_MAX)
        return [discord.File(io.BytesIO(self.picture.data), self.picture.filename, description=description)]


def dress(reply: Reply, picture: Picture | None = None, lacking: Sequence[str] = ()) -> Dressed:
    """Dress a reply.

    Args:
        reply: What to say.
        picture: Its card, if it could be drawn.
        lacking: Permissions missing for the full answer; if any is, the answer is plain text that names them.
    """
    rich = reply.title is not None or reply.verdict is not None or reply.card is not None
    if rich and not lacking:
        return Dressed(embed=embed_of(reply, picture), picture=picture)
    notice = messages.PERMISSION_MISSING.format(names=messages.AND.join(lacking)) if rich and lacking else ""
    return Dressed(content=plain(reply, notice))


def plain(reply: Reply, notice: str = "") -> str:
    """Say a reply as text alone, the ``notice`` last and never cut."""
    lines = ([Line(LineKind.HEADLINE, reply.title)] if reply.title else []) + list(reply.lines)
    said = typeset(lines, limits.CONTENT_MAX - utf16_length(notice) - 2)
    return f"{said}\n\n{notice}" if notice else said
