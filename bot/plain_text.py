"""Outside text made plain, and measured and cut as chat platforms count: in UTF-16 units."""

from __future__ import annotations

import unicodedata
from typing import Final

ELLIPSIS: Final = "…"

_REORDERING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Controls that let a title turn the text after it around."""


def plain(text: str, *, keep_breaks: bool = False) -> str:
    """Take out control characters, lone surrogates and reordering controls; line breaks become spaces or stay."""
    if text.isprintable():
        return text
    kept = (
        "\n" if char == "\n" and keep_breaks else " " if char.isspace() and unicodedata.category(char) == "Cc" else char
        for char in text
        if char not in _REORDERING and (char.isspace() or unicodedata.category(char) not in {"Cc", "Cs"})
    )
    return "".join(kept)


def utf16_length(text: str) -> int:
    """Count as Discord and Telegram do at their strictest."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def shortened(text: str, length: int) -> str:
    """Cut a plain text after ``length`` UTF-16 units, never inside a character, and mark the cut."""
    kept = text.encode("utf-16-le")[: 2 * length].decode("utf-16-le", errors="ignore")
    return kept.rstrip() + ELLIPSIS
