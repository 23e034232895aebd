"""Lines of text as ink: shaped and measured once, cut to fit, ready to be laid on a picture.

Shaping (joins, conjuncts, direction) is libraqm's, called by matplotlib. Text is never read as mathematics.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from matplotlib.ft2font import LoadFlags
from PIL import Image

from core.render.fonts import Weight, drawable, font
from core.render.theme import Colour

ELLIPSIS: Final = "…"
HYPHEN: Final = "-"
CAP_HEIGHT_EM: Final = 0.689
"""Height of FiraGO's capitals and figures above the baseline."""

_CHARS_MAX: Final = 160
"""Longer text cannot fit two lines at any size used."""

_NARROWEST_EM: Final = 0.2
"""No letter is narrower on average, in any of the fonts."""

_ASCENT_EM: Final = 1.15
_DESCENT_EM: Final = 0.45
_POINTS_PER_INCH: Final = 72
_VIRAMAS: Final = frozenset("\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u17d2")
_WIDE: Final = frozenset({"W", "F"})
# Japanese and Chinese typography: these never begin a line.
_NOT_FIRST: Final = frozenset("、。，．・：；？！ー）」』】〕〉》ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}’”…")


@dataclass(frozen=True, slots=True)
class Ink:
    """One drawn line of text.

    Attributes:
        text: What was drawn, after unknown glyphs were left out.
        mask: Coverage, mode "L"; None when there is nothing to draw.
        left: Pixels from the pen's start to the mask.
        above: Pixels of the mask above the baseline.
        width: Pixels from the pen's start to the ink's right edge.
        size_px: Size of the type.
    """

    text: str
    mask: Image.Image | None
    left: int
    above: int
    width: int
    size_px: int

    @property
    def below(self) -> int:
        """Pixels of the mask below the baseline."""
        return 0 if self.mask is None else self.mask.height - self.above

    def lay(self, picture: Image.Image, x: int, baseline: int, colour: Colour, *, right: bool = False) -> None:
        """Draw on ``picture`` with the pen at ``x``, or ending at ``x`` with ``right``."""
        if self.mask is not None:
            start = x - self.width if right else x
            picture.paste(tuple(colour), (start + self.left, baseline - self.above), self.mask)


@lru_cache(maxsize=512)
def ink(text: str, size_px: int, weight: Weight = Weight.REGULAR) -> Ink:
    """Shape and rasterise ``text`` on one line; accents beyond a line's usual height are cut."""
    text = drawable(text[: 2 * _CHARS_MAX], weight)
    if not text:
        return Ink("", None, 0, 0, 0, size_px)
    face = font(weight)
    face.set_size(size_px, _POINTS_PER_INCH)
    face.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    face.draw_glyphs_to_bitmap(antialiased=True)
    mask = Image.fromarray(face.get_image().copy())
    # matplotlib sets the baseline of its bitmap in this way.
    above = int((face.get_width_height()[1] - face.get_descent()) / 64) + 1
    left = round(face.get_bitmap_offset()[0] / 64)
    too_high = max(0, above - round(_ASCENT_EM * size_px))
    bottom = min(mask.height, above + round(_DESCENT_EM * size_px))
    if too_high or bottom < mask.height:
        mask, above = mask.crop((0, too_high, mask.width, bottom)), above - too_high
    return Ink(text, mask, left, above, left + mask.width, size_px)


@lru_cache(maxsize=4096)
def _width(text: str, size_px: int, weight: Weight) -> float:
    """Measure text that was already cleaned, in pixels, after shaping."""
    face = font(weight)
    face.set_size(size_px, _POINTS_PER_INCH)
    face.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return max(0, face.get_bitmap_offset()[0]) / 64 + face.get_width_height()[0] / 64 + 1


def warm_up() -> None:
    """Load the fonts in the calling thread, which takes some tenths of a second the first time."""
    for weight in Weight:
        ink("Hitmeter", _POINTS_PER_INCH, weight)


def clusters(text: str) -> list[str]:
    """Split into pieces that must not be torn apart: a letter with its marks, joined letters, conjuncts."""
    pieces: list[str] = []
    for char in text:
        joined = pieces and (
            unicodedata.category(char).startswith("M")
            or char in "\u200c\u200d"
            or pieces[-1][-1] == "\u200d"
            or (pieces[-1][-1] in _VIRAMAS and char.isalpha())
        )
        if joined:
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def fits(text: str, size_px: int, width_px: int, weight: Weight = Weight.REGULAR) -> bool:
    """Return whether ``text`` has room on one line ``width_px`` wide."""
    text = drawable(text[: 2 * _CHARS_MAX], weight)
    return len(clusters(text)) <= _pieces_max(size_px, width_px) and _width(text, size_px, weight) <= width_px


def fit(text: str, size_px: int, width_px: int, weight: Weight = Weight.REGULAR) -> Ink:
    """Draw ``text`` on one line no wider than ``width_px``, cut with an ellipsis where needed."""
    text = drawable(text[: 2 * _CHARS_MAX], weight)
    if fits(text, size_px, width_px, weight):
        return ink(text, size_px, weight)
    pieces = clusters(text)
    counts = range(1, min(len(pieces), _pieces_max(size_px, width_px)) + 1)
    room = float(width_px)
    count = bisect_right(counts, room, key=lambda count: _width(_cut(pieces, count), size_px, weight))
    return ink(_cut(pieces, count), size_px, weight)


def _pieces_max(size_px: int, width_px: int) -> int:
    """Bound the letters that can have room on a line, to spare measuring long texts."""
    return int(width_px / (_NARROWEST_EM * size_px)) + 1


def _cut(pieces: Sequence[str], count: int) -> str:
    return "".join(pieces[:count]).rstrip(" ,.;:-–—([") + ELLIPSIS


def _breaks(pieces: Sequence[str]) -> list[int]:
    """List the places where a line may end: after a space or a hyphen, and around wide letters."""
    places = []
    for place in range(1, len(pieces)):
        before, after = pieces[place - 1], pieces[place]
        wide = unicodedata.east_asian_width(before[0]) in _WIDE or unicodedata.east_asian_width(after[0]) in _WIDE
        if before == " " or before in "-–—/" or (wide and after != " " and after not in _NOT_FIRST):
            places.append(place)
    return places


def two_lines(text: str, size_px: int, width_px: int, weight: Weight = Weight.REGULAR) -> tuple[Ink, ...]:
    """Draw ``text`` on one line or two, broken between words where they allow it; the second ends in an ellipsis.

    A word that is longer than a line is broken with a hyphen.
    """
    text = drawable(text[: 2 * _CHARS_MAX], weight)
    if fits(text, size_px, width_px, weight):
        return (ink(text, size_px, weight),)
    pieces = clusters(text)
    places = [place for place in _breaks(pieces) if place <= _pieces_max(size_px, width_px)]
    room = float(width_px)
    fitting = bisect_right(places, room, key=lambda place: _width("".join(pieces[:place]).strip(), size_px, weight))
    if fitting:
        place, first = places[fitting - 1], "".join(pieces[: places[fitting - 1]]).strip()
    else:
        counts = range(1, min(len(pieces), _pieces_max(size_px, width_px)) + 1)
        fitting = bisect_right(counts, room, key=lambda n: _width("".join(pieces[:n]) + HYPHEN, size_px, weight))
        place = max(1, fitting)
        first = "".join(pieces[:place]) + HYPHEN
    return (ink(first, size_px, weight), fit("".join(pieces[place:]).strip(), size_px, width_px, weight))


def largest(text: str, sizes_px: Sequence[int], width_px: int, weight: Weight = Weight.REGULAR) -> Ink:
    """Draw ``text`` on one line in the first of ``sizes_px``, from large to small, that fits; cut in the last."""
    size_px = next((size for size in sizes_px if fits(text, size, width_px, weight)), sizes_px[-1])
    return fit(text, size_px, width_px, weight)
