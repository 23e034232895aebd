"""Finds what a message may be about, for the command in a message's menu."""

from __future__ import annotations

import re
from typing import Final

import discord

from core.domain import SongQuery
from core.errors import QueryError
from core.limits import QUERY_MAX_CHARS
from core.query import parse_question, video_question

_MENTION: Final = re.compile(r"<(?:@[!&]?|#|/[^:>]+:|a?:\w+:|t:)[^>]*>")
_DOT: Final = re.compile(r"\s+[·•]\s+")
_NO_ARTIST: Final = re.compile(r"song|single|track|ep|album|\d{4}", re.IGNORECASE)


def subject_of(message: discord.Message) -> str:
    """Take the first line that names a song, else what Discord shows of a link in it; may be empty.

    A link that would have to be followed gives way to its preview, which tells title and channel or artist already.
    """
    lines = [text for line in message.content.splitlines() if (text := _MENTION.sub(" ", line).strip())]
    previews = [text for embed in message.embeds if (text := _preview(embed))]
    first = next(iter(lines), "")
    subject = previews[0] if previews and not _names_a_song(first) else first
    return subject[:QUERY_MAX_CHARS]


def _names_a_song(line: str) -> bool:
    try:
        return isinstance(parse_question(line), SongQuery)
    except QueryError:
        return False


def _preview(embed: discord.Embed) -> str:
    """Write what a preview shows as a question; "" if it has no title."""
    title = (embed.title or "").strip()
    site = (embed.provider.name or "").casefold()
    if title and site == "youtube":
        return video_question(title, embed.author.name or "")
    if title and site == "spotify":
        # "The Weeknd · Song · 2020"
        said = [part for part in _DOT.split((embed.description or "").strip()) if part]
        artist = next((part for part in said if not _NO_ARTIST.fullmatch(part)), "")
        return f"{title} - {artist}" if artist and len(said) > 1 else title
    return title
