"""Colours and measures of the pictures, with the rule that keeps them readable.

All measures are pixels of a 1200 x 630 picture with the origin at the top left. Phones show it a third as
wide, so no type is smaller than ``TYPE_MIN_PX``.
"""

from __future__ import annotations

import colorsys
from enum import Enum
from typing import Final, NamedTuple

from core.domain import Verdict

WIDTH_PX: Final = 1200
HEIGHT_PX: Final = 630
MARGIN_PX: Final = 52
TYPE_MIN_PX: Final = 26

TEXT_CONTRAST_MIN: Final = 4.5
"""Least contrast ratio of text to ground: WCAG 2.2, success criterion 1.4.3."""

PARTS_CONTRAST_MIN: Final = 3.0
"""Least contrast ratio of the parts of a drawing to the ground: WCAG 2.2, success criterion 1.4.11."""


class Colour(NamedTuple):
    """A colour in sRGB, 0 to 255 each."""

    red: int
    green: int
    blue: int

    @classmethod
    def from_hex(cls, code: str) -> Colour:
        """Read "#RRGGBB"."""
        return cls(*bytes.fromhex(code.removeprefix("#")))

    @property
    def unit(self) -> tuple[float, float, float]:
        """The same from 0 to 1, as matplotlib takes it."""
        return (self.red / 255, self.green / 255, self.blue / 255)

    @property
    def luminance(self) -> float:
        """Relative luminance, 0 to 1, by WCAG 2.2."""
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in self.unit)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def towards(self, other: Colour, share: float) -> Colour:
        """Mix with ``other``, of which ``share`` (0 to 1) is taken."""
        return Colour(*(round(a + (b - a) * share) for a, b in zip(self, other, strict=True)))


class Shape(Enum):
    """The sign that tells a verdict without its colour."""

    UP = "triangle pointing up"
    DISC = "disc"
    DOWN = "triangle pointing down"


GROUND: Final = Colour.from_hex("#0E0F12")
WHITE: Final = Colour.from_hex("#FFFFFF")
TEXT: Final = Colour.from_hex("#D7D9DE")
QUIET: Final = Colour.from_hex("#A3A7B0")
RULE: Final = Colour.from_hex("#34373F")
WARNING: Final = Colour.from_hex("#F59E0B")

ACCENTS: Final = {
    Verdict.POPULAR: Colour.from_hex("#1DB954"),
    Verdict.MEDIUM: Colour.from_hex("#F59E0B"),
    Verdict.NOT_POPULAR: Colour.from_hex("#EF4444"),
}
SHAPES: Final = {Verdict.POPULAR: Shape.UP, Verdict.MEDIUM: Shape.DISC, Verdict.NOT_POPULAR: Shape.DOWN}

_TINT_LIGHTNESS: Final = 0.17
_TINT_SATURATION_MAX: Final = 0.55
_TINT_LUMINANCE_MAX: Final = 0.026


def contrast(one: Colour, other: Colour) -> float:
    """Compute the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def tint(dominant: Colour) -> Colour:
    """Darken a cover's dominant colour until it can lie under text; its hue stays."""
    hue, _, saturation = colorsys.rgb_to_hls(*dominant.unit)
    red, green, blue = colorsys.hls_to_rgb(hue, _TINT_LIGHTNESS, min(saturation, _TINT_SATURATION_MAX))
    dark = Colour(round(red * 255), round(green * 255), round(blue * 255))
    while dark.luminance > _TINT_LUMINANCE_MAX:
        dark = dark.towards(GROUND, 0.15)
    return dark
