"""Finds what a message may be about, for the command in a message's menu."""

from __future__ import annotations

import re
from typing import Final

import discord

from core.limits import QUERY_MAX_CHARS

_MENTION: Final = re.compile(r"<(?:@[!&]?|#|/[^:>]+:|a?:\w+:|t:)[^>]*>")


def subject_of(message: discord.Message) -> str:
    """Take the first line that says something, else the title of the first embed that has one; may be empty."""
    lines = [_MENTION.sub(" ", line).strip() for line in message.content.splitlines()]
    titles = [embed.title.strip() for embed in message.embeds if embed.title]
    return next((text for text in [*lines, *titles] if text), "")[:QUERY_MAX_CHARS]
