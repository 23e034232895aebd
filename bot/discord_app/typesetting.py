"""Lines of a reply in Discord's markup, as many whole ones as there is room for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bot.discord_app.markup import code_block, safe
from bot.plain_text import utf16_length
from bot.reply import Line, LineKind

LEAST_ROOM: Final = 16
"""With less room than this left, the rest of the lines is dropped."""


def typeset(lines: Iterable[Line], room: int) -> str:
    """Set lines under one another: headlines bold, tables monospaced, everything else escaped."""
    parts: list[str] = []
    for line in lines:
        if room < LEAST_ROOM:
            break
        part = _set(line, room)
        parts.append(part)
        room -= utf16_length(part) + 1
    return "\n".join(parts)


def _set(line: Line, room: int) -> str:
    match line.kind:
        case LineKind.TABLE:
            return code_block(line.text, room)
        case LineKind.HEADLINE:
            return f"**{safe(line.text, room - 4)}**"
        case _:
            return safe(line.text, room)
