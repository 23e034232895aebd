"""Telegram's HTML of a reply, kept inside a limit by dropping whole lines: tags are never cut."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Final
from urllib.parse import urlsplit

from telegram.constants import MessageLimit

from bot.plain_text import ELLIPSIS, plain, shortened, utf16_length
from bot.reply import Line, LineKind, Reply, ResultCode

UNDER_WHY: Final = frozenset({LineKind.POPULARITY, LineKind.AUDIO, LineKind.OTHERS})
"""What an answer leaves to the explanation: a phone shows little below a picture."""

DROPPED_FIRST: Final = (
    LineKind.OTHERS,
    LineKind.AUDIO,
    LineKind.FIGURES,
    LineKind.TABLE,
    LineKind.WHY,
    LineKind.RANK,
    LineKind.GROWTH,
    LineKind.MEANING,
    LineKind.SOURCE,
)
"""What goes first when a text is too long; headline, song and plain sentences stay and are shortened at last."""

CAPTION_MAX: Final = int(MessageLimit.CAPTION_LENGTH)
TEXT_MAX: Final = int(MessageLimit.MAX_TEXT_LENGTH)

URL_MAX_CHARS: Final = 2_000
"""Longest address given to Telegram, which refuses a whole message for one bad button."""


def reply_html(reply: Reply, limit: int) -> str:
    """Write a reply as Telegram's HTML of at most ``limit`` characters after parsing.

    Telegram counts UTF-16 units (https://core.telegram.org/api/entities#entity-length).
    """
    left_out = UNDER_WHY if reply.code is ResultCode.PREDICTED else frozenset()
    lines = [_cleaned(line) for line in reply.lines if line.kind not in left_out]
    if reply.title is not None:
        gap = [Line(LineKind.TEXT, "")] if lines else []
        lines = [Line(LineKind.HEADLINE, plain(reply.title)), *gap, *lines]
    for kind in DROPPED_FIRST:
        if _length(lines) <= limit:
            break
        lines = [line for line in lines if line.kind is not kind]
    for _ in range(len(lines)):
        surplus = _length(lines) - limit
        if surplus <= 0:
            break
        longest = max(range(len(lines)), key=lambda index: utf16_length(lines[index].text))
        kept = utf16_length(lines[longest].text) - surplus - len(ELLIPSIS)
        lines[longest] = replace(lines[longest], text=shortened(lines[longest].text, max(0, kept)))
    return "\n".join(_format_line(line, reply.title_url) for line in lines)


def fits_caption(reply: Reply) -> bool:
    """Return whether a reply may be a caption: answers may lose lines for it, explanations must fit as they are."""
    if reply.code in {ResultCode.PREDICTED, ResultCode.COMPARED, ResultCode.RANKED, ResultCode.TREND}:
        return True
    return utf16_length(reply.title or "") + 2 + utf16_length(reply.text) <= CAPTION_MAX


def reply_plain(reply: Reply, limit: int) -> str:
    """Write a reply as plain text of at most ``limit`` characters, as pop-ups need it."""
    text = plain(" ".join(line.text for line in reply.lines))
    return text if utf16_length(text) <= limit else shortened(text, limit - len(ELLIPSIS))


def safe_url(url: str | None) -> str | None:
    """Pass a web address that Telegram will take; None for anything else."""
    if url is None or len(url) > URL_MAX_CHARS or plain(url) != url or any(map(str.isspace, url)):
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and "." in (parts.hostname or "")
    except ValueError:
        return None
    return url if usable else None


def _cleaned(line: Line) -> Line:
    """Make a line plain; a table becomes a sentence a row, since a phone shows some 35 columns and tables have more."""
    if not line.cells:
        return Line(line.kind, plain(line.text, keep_breaks=line.kind is LineKind.TABLE))
    (_, *headings), *rows = line.cells
    sentences = (
        f"{name}: " + " · ".join(f"{heading} {value}" for heading, value in zip(headings, values, strict=True))
        for name, *values in rows
    )
    return Line(line.kind, "\n".join(map(plain, sentences)), line.cells)


def _length(lines: list[Line]) -> int:
    return sum(utf16_length(line.text) for line in lines) + len(lines) - 1


def _format_line(line: Line, title_url: str | None) -> str:
    text = escape(line.text, quote=False)
    match line.kind:
        case LineKind.HEADLINE:
            return f"<b>{text}</b>"
        case LineKind.SONG if (url := safe_url(title_url)) is not None:
            return f'<a href="{escape(url)}">{text}</a>'
        case LineKind.SOURCE:
            return f"<i>{text}</i>"
        case LineKind.TABLE if not line.cells:
            return f"<pre>{text}</pre>"
        case _:
            return text
