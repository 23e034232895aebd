"""Outside text made harmless for Discord: no markup, no mention, nothing unprintable, within a length."""

from __future__ import annotations

import re
from typing import Final

from discord.utils import escape_markdown, escape_mentions

from bot.plain_text import plain, shortened, utf16_length

FENCE: Final = "```"

# Discord also makes pills of channels, commands, timestamps, guild pages and emojis, which discord.py does not escape.
_PILL: Final = re.compile(r"<(?=[@#/:]|a:|t:|id:)")


def clip(text: str, limit: int) -> str:
    """Shorten to ``limit`` with an ellipsis, for places that take plain text only; line breaks stay."""
    text = plain(text, keep_breaks=True)
    return text if utf16_length(text) <= limit else shortened(text, limit - 1)


def safe(text: str, limit: int) -> str:
    """Make one line of ``text``, escape markup and mentions and shorten to ``limit``, never inside an escape."""
    text = plain(text)
    escaped = _escaped(text)
    kept = utf16_length(text)
    while (excess := utf16_length(escaped) - limit) > 0 and kept > 0:
        # An escape at most triples a character, so a third of the excess is never too much to cut.
        kept = min(kept - 1, kept - excess // 3)
        escaped = _escaped(shortened(text, max(0, kept)))
    return escaped if excess <= 0 else ""


def code_block(text: str, limit: int) -> str:
    """Set text in a monospaced block that it cannot break out of."""
    inside = clip(text.replace("`", "ˋ"), limit - 2 * len(FENCE) - 2)
    return f"{FENCE}\n{inside}\n{FENCE}"


def _escaped(text: str) -> str:
    return _PILL.sub("<\u200b", escape_mentions(escape_markdown(text)))
