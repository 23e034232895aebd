"""Outside text made harmless for Discord: no markup, no mention, no control characters, within a length."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from discord.utils import escape_markdown, escape_mentions

ELLIPSIS: Final = "…"

_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Controls that let a title turn the text after it around."""

# Discord also makes pills of channels, commands, timestamps, guild pages and emojis, which discord.py does not escape.
_PILL: Final = re.compile(r"<(?=[@#/:]|a:|t:|id:)")


def length(text: str) -> int:
    """Count as the strictest of Discord's clients does, in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def clean(text: str) -> str:
    """Drop control characters but line breaks, reordering controls and halves of surrogate pairs."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(
        character
        for character in whole
        if character == "\n" or (unicodedata.category(character) != "Cc" and character not in _REORDERING)
    )


def clip(text: str, limit: int) -> str:
    """Shorten to ``limit`` with an ellipsis, for places that take plain text only."""
    text = clean(text)
    return text if length(text) <= limit else _shortened(text, limit)


def safe(text: str, limit: int) -> str:
    """Escape markup and mentions and shorten to ``limit``, never inside an escape."""
    text = clean(text)
    escaped = _escaped(text)
    while length(escaped) > limit:
        text = _shortened(text, max(1, length(text) - max(1, (length(escaped) - limit) // 2)))
        escaped = _escaped(text)
        if len(text) <= 1:
            return escaped if length(escaped) <= limit else ""
    return escaped


def code_block(text: str, limit: int) -> str:
    """Set text in a monospaced block that it cannot break out of."""
    fence = "```"
    inside = clip(text.replace("`", "ˋ"), limit - 2 * len(fence) - 2)
    return f"{fence}\n{inside}\n{fence}"


def _escaped(text: str) -> str:
    return _PILL.sub("<\u200b", escape_mentions(escape_markdown(text)))


def _shortened(text: str, limit: int) -> str:
    kept = text.removesuffix(ELLIPSIS)[:limit]
    while kept and length(kept) + 1 > limit:
        kept = kept[: -max(1, (length(kept) + 1 - limit) // 2)]
    return kept.rstrip() + ELLIPSIS
