"""The half-circle gauge: faint zones for the verdicts, a bright arc up to the confidence, a needle.

0 % points left, 50 % up, 100 % right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from matplotlib.patches import Circle, Polygon, Wedge
from PIL import Image, ImageFilter

from core.domain import Verdict, VerdictBands
from core.render.shapes import rasterise
from core.render.theme import ACCENTS, GROUND, WHITE, Colour

_RING_SHARE: Final = 0.22
_ZONE_ALPHA: Final = 0.30
_GAP_DEG: Final = 1.4
_GLOW_PX: Final = 9
_GLOW_STRENGTH: Final = 0.55
_HUB_SHARE: Final = 0.085
_NEEDLE_REACH: Final = 0.90
_HALO_PX: Final = 24
"""Room around the ring for its glow."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Where a gauge lies on a picture.

    Attributes:
        hub: Centre of the half circle, x and y in pixels.
        radius_px: Outer radius of the ring.
    """

    hub: tuple[int, int]
    radius_px: int

    @property
    def ring_px(self) -> int:
        """Thickness of the ring."""
        return round(self.radius_px * _RING_SHARE)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Everything the gauge may paint on: left, top, right, bottom."""
        x, y = self.hub
        reach = self.radius_px + _HALO_PX
        return (x - reach, y - reach, x + reach, y + _HALO_PX)

    def point(self, probability: float, distance_px: float) -> tuple[float, float]:
        """Locate the spot at ``distance_px`` from the hub in the direction of ``probability``."""
        angle = math.pi * (1 - probability)
        return (self.hub[0] + distance_px * math.cos(angle), self.hub[1] - distance_px * math.sin(angle))

    def draw(self, picture: Image.Image, probability: float, accent: Colour, bands: VerdictBands) -> None:
        """Draw zones, arc and needle on ``picture``, mode "RGB"."""
        self.draw_zones(picture, bands)
        self.draw_value(picture, probability, accent, bands)

    def draw_zones(self, picture: Image.Image, bands: VerdictBands) -> None:
        """Draw the part that no confidence changes."""
        zones = _zones(self.radius_px, self.ring_px, bands)
        picture.paste(zones, self.box[:2], zones)

    def draw_value(self, picture: Image.Image, probability: float, accent: Colour, bands: VerdictBands) -> None:
        """Draw the bright arc up to ``probability`` (0 to 1) and the needle."""
        arc, needle = _value(self.radius_px, self.ring_px, min(1.0, max(0.0, probability)), accent, bands)
        left, top, *_ = self.box
        if probability > 0:
            coverage = arc.getchannel("A")
            glow = coverage.filter(ImageFilter.BoxBlur(_GLOW_PX)).filter(ImageFilter.BoxBlur(_GLOW_PX))
            picture.paste(tuple(accent), (left, top), glow.point(lambda share: int(share * _GLOW_STRENGTH)))
            picture.paste(arc, (left, top), coverage)
        picture.paste(needle, (left, top), needle)


def _local(radius_px: int) -> tuple[Gauge, int, int]:
    """Place a gauge on a picture of its own; returns it with that picture's width and height."""
    reach = radius_px + _HALO_PX
    return Gauge((reach, reach), radius_px), 2 * reach, reach + _HALO_PX


def _band(gauge: Gauge, ring_px: int, start: float, end: float, colour: Colour, alpha: float) -> Wedge:
    """Make the piece of the ring between two probabilities."""
    # Pictures count y downwards, so the upper half of the circle lies at 180 to 360 degrees.
    return Wedge(
        gauge.hub,
        gauge.radius_px,
        180 + 180 * start,
        180 + 180 * end,
        width=ring_px,
        facecolor=(*colour.unit, alpha),
        linewidth=0,
    )


def _spans(bands: VerdictBands) -> tuple[tuple[float, float, Verdict], ...]:
    """List the zones from left to right as start, end and verdict, with gaps between them."""
    gap = _GAP_DEG / 180 / 2
    return (
        (0.0, bands.medium - gap, Verdict.NOT_POPULAR),
        (bands.medium + gap, bands.popular - gap, Verdict.MEDIUM),
        (bands.popular + gap, 1.0, Verdict.POPULAR),
    )


@lru_cache(maxsize=16)
def _zones(radius_px: int, ring_px: int, bands: VerdictBands) -> Image.Image:
    gauge, width, height = _local(radius_px)
    spans = _spans(bands)
    pieces = [_band(gauge, ring_px, a, b, ACCENTS[verdict], _ZONE_ALPHA) for a, b, verdict in spans if b > a]
    return rasterise(pieces, width, height)


@lru_cache(maxsize=4)
def _value(
    radius_px: int, ring_px: int, probability: float, accent: Colour, bands: VerdictBands
) -> tuple[Image.Image, Image.Image]:
    gauge, width, height = _local(radius_px)
    spans = ((a, min(b, probability)) for a, b, _ in _spans(bands))
    arc = rasterise([_band(gauge, ring_px, a, b, accent, 1.0) for a, b in spans if b > a], width, height)
    hub = radius_px * _HUB_SHARE
    tip = gauge.point(probability, radius_px * _NEEDLE_REACH)
    angle = math.pi * (1 - probability)
    side = (hub * 0.62 * math.sin(angle), hub * 0.62 * math.cos(angle))
    x, y = gauge.hub
    blade = [(x + side[0], y + side[1]), tip, (x - side[0], y - side[1])]
    needle = rasterise(
        [
            Polygon(blade, facecolor=WHITE.unit, edgecolor=GROUND.unit, linewidth=1.6, joinstyle="round"),
            Circle(gauge.hub, hub, facecolor=WHITE.unit, linewidth=0),
            Circle(gauge.hub, hub * 0.45, facecolor=GROUND.unit, linewidth=0),
        ],
        width,
        height,
    )
    return arc, needle
