"""Pictures for the README: a cover of our own, and messages as Discord and Telegram show them, drawn by us.

The words are those of real replies; the frames around them are drawings, not screenshots.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from matplotlib.patches import Circle
from PIL import Image

from core.domain import Cover
from core.render.fonts import Weight
from core.render.shapes import rasterise, rounded_mask, sign
from core.render.text import CAP_HEIGHT_EM, Ink, fit, fits, ink
from core.render.theme import WHITE, Colour, Shape

WIDTH_PX: Final = 1200
_EDGE_PX: Final = 40
_TEXT_PX: Final = 28
_SMALL_PX: Final = 24
_LINE_EM: Final = 1.42
_AVATAR_PX: Final = 84
_BUTTON_PX: Final = 64
_RADIUS_PX: Final = 16
_COLUMNS_MAX: Final = 3
_BRAND: Final = Colour.from_hex("#1DB954")


@dataclass(frozen=True, slots=True)
class Style:
    """Colours of a platform's dark theme."""

    ground: Colour
    bubble: Colour
    button: Colour
    text: Colour
    quiet: Colour
    link: Colour


DISCORD: Final = Style(*map(Colour.from_hex, ("#313338", "#2B2D31", "#4E5058", "#DBDEE1", "#949BA4", "#00A8FC")))
TELEGRAM: Final = Style(*map(Colour.from_hex, ("#0E1621", "#182533", "#22374A", "#FFFFFF", "#7F91A4", "#6AB3F3")))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text of one look, broken into lines where it must."""

    text: str
    size_px: int = _TEXT_PX
    weight: Weight = Weight.REGULAR
    colour: Colour = WHITE


@dataclass(frozen=True, slots=True)
class Column:
    """A name above its value; up to three stand beside each other, a ``wide`` one alone."""

    name: str
    value: str
    wide: bool


@dataclass(frozen=True, slots=True)
class Message:
    """What is in the frame: text above and below the picture, columns of two, and rows of buttons.

    Attributes:
        above: Paragraphs before the picture.
        columns: Names and values between text and picture.
        below: Paragraphs after the picture.
        card: The picture, PNG.
        buttons: Their labels, row by row.
    """

    above: Sequence[Paragraph]
    card: bytes
    columns: Sequence[Column] = ()
    below: Sequence[Paragraph] = ()
    buttons: Sequence[Sequence[str]] = ()


def evening_cover(side_px: int = 420) -> Cover:
    """Compute a cover that belongs to nobody: a striped sun going down behind hills, over water."""
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px
    top, low = np.array([38, 16, 74]), np.array([255, 122, 89])
    picture = top + (low - top) * np.clip(y / 0.66, 0, 1)[..., None] ** 1.3
    # The sun, with dark bars that widen towards the horizon.
    inside = np.hypot(x - 0.5, y - 0.44) < 0.25
    bars = (y > 0.42) & (((y - 0.42) * 17) % 1 < (y - 0.42) * 2.1)
    glow = np.exp(-np.maximum(0, np.hypot(x - 0.5, y - 0.44) - 0.25) * 9)[..., None]
    picture += (np.array([255, 196, 120]) - picture) * glow * 0.45
    yellow, pink = np.array([255, 232, 150]), np.array([255, 74, 122])
    sun = yellow + (pink - yellow) * ((y - 0.19) / 0.5)[..., None]
    picture = np.where((inside & ~bars)[..., None], sun, picture)
    # Two ridges of hills, each a sum of a few waves.
    for height, shade, waves in ((0.60, (72, 26, 92), (3.1, 7.3, 17.0)), (0.635, (32, 12, 54), (2.3, 9.1, 23.0))):
        ridge = height - sum(0.03 / n * np.sin(x * wave * 2 + n * 1.7) for n, wave in enumerate(waves, start=1))
        picture = np.where((y > ridge)[..., None], np.array(shade), picture)
    # Water mirrors what lies above it, darker and in ripples.
    shore = round(side_px * 0.68)
    depth = np.arange(side_px - shore)
    mirrored = np.clip(shore - 1 - (depth * 1.9).astype(int), 0, side_px - 1)
    shift = (np.sin(depth * 0.9) * (1 + depth / 30)).astype(int)
    for row, (source, by) in enumerate(zip(mirrored, shift, strict=True)):
        picture[shore + row] = np.roll(picture[source], by, axis=0) * 0.55
    grain = np.random.default_rng(7).normal(0, 3.5, picture.shape[:2])[..., None]
    return Cover(np.clip(picture + grain, 0, 255).astype(np.uint8).tobytes(), side_px)


def discord_picture(message: Message, accent: Colour, title: str, said: str) -> bytes:
    """Draw a message as Discord's dark theme shows it: ``said`` is the command above it; PNG, 1200 wide."""
    style = DISCORD
    left = _EDGE_PX + _AVATAR_PX + 28
    room = WIDTH_PX - left - _EDGE_PX - 60
    sheet = _Sheet(style.ground)
    _draw_avatar(sheet, _EDGE_PX, _EDGE_PX + 40)
    sheet.write(Paragraph(said, _SMALL_PX, colour=style.quiet), left, room)
    sheet.skip(14)
    name = ink("Hitmeter", _TEXT_PX + 2, Weight.BOLD)
    app = ink("APP", 20, Weight.BOLD)
    baseline = sheet.bottom + 30
    sheet.lay(name, left, baseline, WHITE)
    sheet.box(left + name.width + 14, baseline - 26, app.width + 16, 32, Colour.from_hex("#5865F2"), 6)
    sheet.lay(app, left + name.width + 22, baseline - 3, WHITE)
    sheet.bottom = baseline + 22
    start = sheet.bottom
    sheet.skip(24)
    inner, width = left + 34, room - 68
    sheet.write(Paragraph(title, _TEXT_PX + 2, Weight.BOLD, style.link), inner, width)
    _write_message(sheet, message, inner, width, style)
    sheet.skip(22)
    sheet.behind(left, start, room, sheet.bottom - start, style.bubble, 8)
    sheet.behind(left, start, 8, sheet.bottom - start, accent, 4)
    sheet.skip(14)
    for row in message.buttons:
        x = left
        for label in row:
            words = ink(label, _SMALL_PX + 2, Weight.BOLD)
            sheet.box(x, sheet.bottom, words.width + 56, _BUTTON_PX, style.button, 8)
            sheet.lay(words, x + 28, sheet.bottom + (_BUTTON_PX + round(26 * CAP_HEIGHT_EM)) // 2, WHITE)
            x += words.width + 56 + 14
        sheet.skip(_BUTTON_PX + 14)
    return sheet.png()


def telegram_picture(message: Message) -> bytes:
    """Draw a message as Telegram's dark theme shows it, the card on top; PNG, 1200 wide."""
    style = TELEGRAM
    left, room = _EDGE_PX + _AVATAR_PX + 20, 960
    sheet = _Sheet(style.ground)
    start = sheet.bottom
    with Image.open(io.BytesIO(message.card)) as card:
        height = round(room * card.height / card.width)
        sheet.paste(card.convert("RGB").resize((room, height), Image.Resampling.LANCZOS), left, start, _RADIUS_PX)
    sheet.skip(height + 14)
    for paragraph in message.above:
        sheet.write(paragraph, left + 26, room - 52)
    sheet.skip(20)
    sheet.behind(left, start, room, sheet.bottom - start, style.bubble, _RADIUS_PX)
    _draw_avatar(sheet, _EDGE_PX, sheet.bottom - _AVATAR_PX)
    sheet.skip(10)
    for row in message.buttons:
        width = (room - 10 * (len(row) - 1)) // len(row)
        for place, label in enumerate(row):
            x = left + place * (width + 10)
            words = fit(label, _SMALL_PX + 2, width - 20, Weight.BOLD)
            sheet.box(x, sheet.bottom, width, _BUTTON_PX, style.button, 14)
            sheet.lay(words, x + (width - words.width) // 2, sheet.bottom + (_BUTTON_PX + 18) // 2, WHITE)
        sheet.skip(_BUTTON_PX + 10)
    return sheet.png()


def contact_sheet(rows: Sequence[Sequence[bytes]], width_px: int) -> bytes:
    """Set pictures, PNG of the same shape, beside and below each other, each ``width_px`` wide; PNG."""
    gap_px = 12
    with Image.open(io.BytesIO(rows[0][0])) as first:
        height_px = round(width_px * first.height / first.width)
    columns = max(len(row) for row in rows)
    size = (columns * (width_px + gap_px) + gap_px, len(rows) * (height_px + gap_px) + gap_px)
    sheet = Image.new("RGB", size, tuple(DISCORD.ground))
    for line, row in enumerate(rows):
        for place, data in enumerate(row):
            with Image.open(io.BytesIO(data)) as picture:
                small = picture.convert("RGB").resize((width_px, height_px), Image.Resampling.LANCZOS)
            sheet.paste(small, (gap_px + place * (width_px + gap_px), gap_px + line * (height_px + gap_px)))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _write_message(sheet: _Sheet, message: Message, left: int, room: int, style: Style) -> None:
    sheet.skip(8)
    for paragraph in message.above:
        sheet.write(paragraph, left, room)
    width = (room - 40) // 3
    for row in _rows(message.columns):
        sheet.skip(14)
        for place, column in enumerate(row):
            x, space = left + place * (width + 20), room if column.wide else width
            sheet.lay(fit(column.name, _SMALL_PX, space, Weight.BOLD), x, sheet.bottom + 24, style.text)
            sheet.lay(fit(column.value, _SMALL_PX, space), x, sheet.bottom + 60, style.text)
        sheet.skip(74)
    sheet.skip(12)
    with Image.open(io.BytesIO(message.card)) as card:
        height = round(room * card.height / card.width)
        sheet.paste(card.convert("RGB").resize((room, height), Image.Resampling.LANCZOS), left, sheet.bottom, 8)
    sheet.skip(height + 8)
    for paragraph in message.below:
        sheet.write(paragraph, left, room)


def _rows(columns: Sequence[Column]) -> list[list[Column]]:
    """Put up to three columns beside each other, wide ones alone."""
    rows: list[list[Column]] = []
    for column in columns:
        if column.wide or not rows or rows[-1][-1].wide or len(rows[-1]) == _COLUMNS_MAX:
            rows.append([])
        rows[-1].append(column)
    return rows


def _draw_avatar(sheet: _Sheet, x: int, y: int) -> None:
    middle = _AVATAR_PX / 2
    disc = Circle((middle, middle), middle, facecolor=Colour.from_hex("#0E0F12").unit, linewidth=0)
    sheet.mark(rasterise([disc], _AVATAR_PX, _AVATAR_PX), x, y)
    mark = sign(Shape.UP, _AVATAR_PX // 2 - 4, _BRAND)
    sheet.mark(mark, x + (_AVATAR_PX - mark.width) // 2, y + _AVATAR_PX // 4 - 4)


@dataclass(slots=True)
class _Sheet:
    """A picture that grows downwards: what is drawn is kept until the height is known.

    ``bottom`` is where the next thing goes; coordinates are pixels from the top left.
    """

    ground: Colour
    bottom: int = _EDGE_PX
    _back: list[tuple[Image.Image | Colour, Image.Image | None, tuple[int, int]]] = field(default_factory=list)
    _front: list[tuple[Image.Image | Colour, Image.Image | None, tuple[int, int]]] = field(default_factory=list)

    def skip(self, height_px: int) -> None:
        self.bottom += height_px

    def write(self, paragraph: Paragraph, left: int, room: int) -> None:
        for line in _lines(paragraph.text, paragraph.size_px, room, paragraph.weight):
            self.bottom += round(paragraph.size_px * _LINE_EM)
            baseline = self.bottom - round(paragraph.size_px * 0.36)
            self.lay(fit(line, paragraph.size_px, room, paragraph.weight), left, baseline, paragraph.colour)

    def lay(self, words: Ink, x: int, baseline: int, colour: Colour) -> None:
        if words.mask is not None:
            self._front.append((colour, words.mask, (x + words.left, baseline - words.above)))

    def mark(self, picture: Image.Image, x: int, y: int) -> None:
        self._front.append((picture, picture, (x, y)))

    def paste(self, picture: Image.Image, x: int, y: int, radius_px: int) -> None:
        self._front.append((picture, rounded_mask(*picture.size, radius_px), (x, y)))

    def box(self, x: int, y: int, width: int, height: int, colour: Colour, radius_px: int) -> None:
        self._front.append((colour, rounded_mask(width, height, radius_px), (x, y)))

    def behind(self, x: int, y: int, width: int, height: int, colour: Colour, radius_px: int) -> None:
        self._back.append((colour, rounded_mask(width, height, radius_px), (x, y)))

    def png(self) -> bytes:
        picture = Image.new("RGB", (WIDTH_PX, self.bottom + _EDGE_PX - 10), tuple(self.ground))
        for what, mask, place in (*self._back, *self._front):
            source = what if isinstance(what, Image.Image) else Image.new("RGB", mask.size, tuple(what))
            picture.paste(source, place, mask)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()


def _lines(text: str, size_px: int, room: int, weight: Weight) -> list[str]:
    """Break text between words so that each line fits."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and fits(longer, size_px, room, weight):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def from_markdown(text: str, style: Style) -> list[Paragraph]:
    """Read Discord's markdown as far as replies use it: bold lines, links, escapes."""
    paragraphs = []
    for line in filter(None, text.splitlines()):
        bold = line.startswith("**")
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)|\*\*|\\(?=\W)", lambda found: found[1] or "", line)
        paragraphs.append(Paragraph(words, weight=Weight.BOLD if bold else Weight.REGULAR, colour=style.text))
    return paragraphs


def from_html(text: str, style: Style) -> list[Paragraph]:
    """Read Telegram's HTML as far as replies use it: bold and slanted lines, links, escapes."""
    paragraphs = []
    for line in filter(None, text.splitlines()):
        words = re.sub(r"<[^>]*>", "", line).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        bold, quiet = line.startswith("<b>"), line.startswith("<i>")
        colour = style.quiet if quiet else style.link if line.startswith("<a ") else style.text
        paragraphs.append(Paragraph(words, weight=Weight.BOLD if bold else Weight.REGULAR, colour=colour))
    return paragraphs
