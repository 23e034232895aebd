"""Replies as Discord takes them: outside text made harmless, embeds and plain text, within every limit Discord sets."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import discord
from discord.utils import escape_mentions

from bot import messages
from bot.plain_text import plain, shortened, utf16_length
from bot.replies import TAGS_SHOWN
from bot.reply import Line, LineKind, Picture, Reply
from core.domain import Block, FeatureValue, Prediction, Verdict
from core.language import say, say_plural
from core.text import listing
from core.words import figure, standing

CONTENT_MAX: Final = 2000
"""Text of a message."""

EMBED_TITLE_MAX: Final = 256
EMBED_DESCRIPTION_MAX: Final = 4096
EMBED_FIELDS_MAX: Final = 25
EMBED_FIELD_NAME_MAX: Final = 256
EMBED_FIELD_VALUE_MAX: Final = 1024
EMBED_FOOTER_MAX: Final = 2048

EMBED_TOTAL_MAX: Final = 6000
"""All texts of an embed together."""

ALT_TEXT_MAX: Final = 1024
"""Description of an attachment."""

BUTTON_LABEL_MAX: Final = 80
BUTTON_URL_MAX: Final = 512

OPTION_LABEL_MAX: Final = 100
"""Label of an option in a select."""

COMPLETIONS_MAX: Final = 25
"""Choices of an autocomplete."""

COMPLETION_MAX: Final = 100
"""Name and value of one choice of an autocomplete."""

MODAL_TITLE_MAX: Final = 45
"""Title of a modal."""


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


_MARKUP: Final = re.compile(r"[\\*_~|`\[\]]|^\s*(?:>|#|-)")
"""What Discord reads as markup, wherever it stands or at the beginning of a line. discord.py's own escaping leaves out
what follows a bracket and all that looks like an address, and a title may be both."""

_SCHEME: Final = re.compile(r":(?=//)")


def _escaped(text: str) -> str:
    escaped = _MARKUP.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", text)
    # An address in a title is no link.
    return _PILL.sub("<\u200b", escape_mentions(_SCHEME.sub(":\u200b", escaped)))


MIN_ROOM: Final = 16
"""With less room than this left, the rest of the lines is dropped."""


def format_lines(lines: Iterable[Line], room: int) -> str:
    """Set lines under one another: headlines bold, tables monospaced, everything else escaped."""
    parts: list[str] = []
    for line in lines:
        if room < MIN_ROOM:
            break
        part = _format_line(line, room)
        parts.append(part)
        room -= utf16_length(part) + 1
    return "\n".join(parts)


def _format_line(line: Line, room: int) -> str:
    match line.kind:
        case LineKind.TABLE:
            return code_block(line.text, room)
        case LineKind.HEADLINE:
            return f"**{safe(line.text, room - 4)}**"
        case _:
            return safe(line.text, room)


COLOURS: Final = {
    Verdict.POPULAR: discord.Colour(0x1DB954),
    Verdict.MEDIUM: discord.Colour(0xF59E0B),
    Verdict.NOT_POPULAR: discord.Colour(0xEF4444),
}
"""The card's accents."""

FIELD_BLOCKS: Final = (Block.TRACK, Block.ARTIST)
"""Figures with a field each."""

UNNAMED: Final = "–"
"""Stands for a title of which nothing printable is left; Discord refuses empty ones."""

LINE_FIELDS: Final = {LineKind.AUDIO: messages.FIELD_AUDIO, LineKind.OTHERS: messages.FIELD_OTHERS}
"""Lines of an answer that are a field of their own, below the figures."""

_IN_FIELDS: Final = {LineKind.FIGURES, *LINE_FIELDS}
_OUTSIDE: Final = {LineKind.SONG, LineKind.SOURCE}


def format_embed(reply: Reply, picture: Picture | None = None) -> discord.Embed:
    """Dress a reply as an embed.

    An answer has the song as its title, the verdict, meaning and reasons in words, a field for each figure of song and
    artist, one for how it sounds and one for the rest, and its source as the footer with the date of the figures.
    """
    prediction = reply.prediction
    embed = discord.Embed(colour=COLOURS[reply.verdict] if reply.verdict else None)
    title = reply.title or (str(prediction.song.name) if prediction else None)
    if title:
        embed.title = safe(title, EMBED_TITLE_MAX) or UNNAMED
        if reply.title_url and reply.title_url.startswith(("https://", "http://")):
            embed.url = reply.title_url
    said = [
        line
        for line in reply.lines
        if line.kind is not LineKind.SOURCE
        and not line.cells
        and not (prediction is not None and line.kind in _IN_FIELDS | _OUTSIDE)
    ]
    embed.description = format_lines(said, EMBED_DESCRIPTION_MAX) or None
    for line in reply.lines:
        _add_table(embed, line.cells)
    if prediction is not None:
        _add_figures(embed, prediction)
        for line in reply.lines:
            if line.kind in LINE_FIELDS:
                value = safe(line.text, EMBED_FIELD_VALUE_MAX) or UNNAMED
                embed.add_field(name=say(LINE_FIELDS[line.kind]), value=value, inline=False)
        embed.timestamp = prediction.source.as_of
    sources = [line.text for line in reply.lines if line.kind is LineKind.SOURCE]
    if sources:
        embed.set_footer(text=clip(" ".join(sources), EMBED_FOOTER_MAX))
    if picture is not None:
        embed.set_image(url=f"attachment://{picture.filename}")
    return fitted(embed)


def fitted(embed: discord.Embed) -> discord.Embed:
    """Bring an embed within the total length: fields go from the end, then the description is cut."""
    while embed.fields and _total(embed) > EMBED_TOTAL_MAX:
        embed.remove_field(-1)
    excess = _total(embed) - EMBED_TOTAL_MAX
    if excess > 0 and embed.description:
        embed.description = clip(embed.description, max(1, utf16_length(embed.description) - excess))
    return embed


def _add_figures(embed: discord.Embed, prediction: Prediction) -> None:
    shown = [feature for feature in prediction.assessment.features if feature.block in FIELD_BLOCKS]
    for feature in shown[: EMBED_FIELDS_MAX - 1 - len(LINE_FIELDS)]:
        name = safe(say(feature.label), EMBED_FIELD_NAME_MAX) or UNNAMED
        embed.add_field(name=name, value=_figure(feature))
    tags = safe(", ".join((prediction.assessment.tags or prediction.song.genres)[:TAGS_SHOWN]), EMBED_FIELD_VALUE_MAX)
    if tags:
        embed.add_field(name=say(messages.FIELD_TAGS), value=tags)


def _add_table(embed: discord.Embed, cells: tuple[tuple[str, ...], ...]) -> None:
    """Set a table as a field a row: an embed is too narrow for columns, most of all on a phone."""
    for row in cells[1:]:
        figures = " · ".join(f"{heading} {cell}" for heading, cell in zip(cells[0][1:], row[1:], strict=True))
        name = safe(row[0], EMBED_FIELD_NAME_MAX) or UNNAMED
        embed.add_field(name=name, value=safe(figures, EMBED_FIELD_VALUE_MAX) or UNNAMED, inline=False)


def _figure(feature: FeatureValue) -> str:
    return f"{figure(feature)}\n{standing(feature)}".strip()


def _total(embed: discord.Embed) -> int:
    texts = [embed.title, embed.description, embed.footer.text, embed.author.name]
    texts += [text for field in embed.fields for text in (field.name, field.value)]
    return sum(utf16_length(text) for text in texts if text)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a message says: text or an embed, and the picture shown in the embed."""

    content: str | None = None
    embed: discord.Embed | None = None
    picture: Picture | None = None

    def files(self) -> list[discord.File]:
        """Open the picture for sending, with its description; each sending needs a new one."""
        if self.picture is None:
            return []
        description = clip(self.picture.alt, ALT_TEXT_MAX)
        return [discord.File(io.BytesIO(self.picture.data), self.picture.filename, description=description)]


def format_reply(reply: Reply, picture: Picture | None = None, lacking: Sequence[str] = ()) -> OutgoingMessage:
    """Dress a reply.

    Args:
        reply: What to say.
        picture: Its card, if it could be drawn.
        lacking: Permissions missing for the full answer; if any is, the answer is plain text that names them.
    """
    rich = reply.title is not None or reply.verdict is not None or reply.card is not None
    if rich and not lacking:
        return OutgoingMessage(embed=format_embed(reply, picture), picture=picture)
    notice = ""
    if rich and lacking:
        notice = say_plural(*messages.PERMISSION_MISSING, len(lacking), names=listing(lacking))
    return OutgoingMessage(content=format_plain(reply, notice))


def format_plain(reply: Reply, notice: str = "") -> str:
    """Say a reply as text alone, the ``notice`` last and never cut."""
    lines = ([Line(LineKind.HEADLINE, reply.title)] if reply.title else []) + list(reply.lines)
    said = format_lines(lines, CONTENT_MAX - utf16_length(notice) - 2)
    return f"{said}\n\n{notice}" if notice else said
