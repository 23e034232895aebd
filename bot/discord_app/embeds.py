"""Replies as embeds, within every limit Discord sets for them."""

from __future__ import annotations

from typing import Final

import discord

from bot import messages
from bot.discord_app import limits
from bot.discord_app.markup import clip, safe
from bot.discord_app.typesetting import typeset
from bot.plain_text import utf16_length
from bot.replies import TAGS_SHOWN
from bot.reply import LineKind, Picture, Reply
from core.domain import Block, FeatureValue, Prediction, Verdict

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

_IN_FIELDS: Final = {LineKind.TRACK, LineKind.ARTIST, *LINE_FIELDS}
_OUTSIDE: Final = {LineKind.SONG, LineKind.SOURCE}


def embed_of(reply: Reply, picture: Picture | None = None) -> discord.Embed:
    """Dress a reply as an embed.

    An answer has the song as its title, the verdict, meaning and reasons in words, a field for each figure of song and
    artist, one for how it sounds and one for the rest, and its source as the footer with the date of the figures.
    """
    prediction = reply.prediction
    embed = discord.Embed(colour=COLOURS[reply.verdict] if reply.verdict else None)
    title = reply.title or (str(prediction.song.name) if prediction else None)
    if title:
        embed.title = safe(title, limits.EMBED_TITLE_MAX) or UNNAMED
        if reply.title_url and reply.title_url.startswith(("https://", "http://")):
            embed.url = reply.title_url
    said = [
        line
        for line in reply.lines
        if line.kind is not LineKind.SOURCE
        and not line.cells
        and not (prediction is not None and line.kind in _IN_FIELDS | _OUTSIDE)
    ]
    embed.description = typeset(said, limits.EMBED_DESCRIPTION_MAX) or None
    for line in reply.lines:
        _add_table(embed, line.cells)
    if prediction is not None:
        _add_figures(embed, prediction)
        for line in reply.lines:
            if line.kind in LINE_FIELDS:
                value = safe(line.text, limits.EMBED_FIELD_VALUE_MAX) or UNNAMED
                embed.add_field(name=LINE_FIELDS[line.kind], value=value, inline=False)
        embed.timestamp = prediction.source.as_of
    sources = [line.text for line in reply.lines if line.kind is LineKind.SOURCE]
    if sources:
        embed.set_footer(text=clip(" ".join(sources), limits.EMBED_FOOTER_MAX))
    if picture is not None:
        embed.set_image(url=f"attachment://{picture.filename}")
    return fitted(embed)


def fitted(embed: discord.Embed) -> discord.Embed:
    """Bring an embed within the total length: fields go from the end, then the description is cut."""
    while embed.fields and _total(embed) > limits.EMBED_TOTAL_MAX:
        embed.remove_field(-1)
    excess = _total(embed) - limits.EMBED_TOTAL_MAX
    if excess > 0 and embed.description:
        embed.description = clip(embed.description, max(1, utf16_length(embed.description) - excess))
    return embed


def _add_figures(embed: discord.Embed, prediction: Prediction) -> None:
    shown = [feature for feature in prediction.assessment.features if feature.block in FIELD_BLOCKS]
    for feature in shown[: limits.EMBED_FIELDS_MAX - 1 - len(LINE_FIELDS)]:
        name = safe(feature.label, limits.EMBED_FIELD_NAME_MAX) or UNNAMED
        embed.add_field(name=name, value=_figure(feature))
    tags = safe(
        ", ".join((prediction.assessment.tags or prediction.song.genres)[:TAGS_SHOWN]), limits.EMBED_FIELD_VALUE_MAX
    )
    if tags:
        embed.add_field(name=messages.FIELD_TAGS, value=tags)


def _add_table(embed: discord.Embed, cells: tuple[tuple[str, ...], ...]) -> None:
    """Set a table as a field a row: an embed is too narrow for columns, most of all on a phone."""
    for row in cells[1:]:
        figures = " · ".join(f"{heading} {cell}" for heading, cell in zip(cells[0][1:], row[1:], strict=True))
        name = safe(row[0], limits.EMBED_FIELD_NAME_MAX) or UNNAMED
        embed.add_field(name=name, value=safe(figures, limits.EMBED_FIELD_VALUE_MAX) or UNNAMED, inline=False)


def _figure(feature: FeatureValue) -> str:
    display = safe(feature.display, limits.EMBED_FIELD_VALUE_MAX // 2) or UNNAMED
    return display if feature.standing is None else f"{display}\n{feature.standing}"


def _total(embed: discord.Embed) -> int:
    texts = [embed.title, embed.description, embed.footer.text, embed.author.name]
    texts += [text for field in embed.fields for text in (field.name, field.value)]
    return sum(utf16_length(text) for text in texts if text)
