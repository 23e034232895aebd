"""Smooth shapes, drawn by matplotlib on transparent ground, and the half-circle gauge made of them.

On the gauge 0 % points left, 50 % up, 100 % right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import BoxStyle, Circle, FancyBboxPatch, Polygon, Wedge
from matplotlib.transforms import Affine2D
from PIL import Image, ImageFilter

from core.domain import Verdict, VerdictBands
from core.render.theme import ACCENTS, GROUND, WHITE, Colour, Shape

_DPI: Final = 100


def rasterise(artists: Iterable[Artist], width_px: int, height_px: int) -> Image.Image:
    """Draw ``artists`` on a transparent picture, mode "RGBA"; their coordinates are pixels from the top left."""
    figure = Figure(figsize=(width_px / _DPI, height_px / _DPI), dpi=_DPI)
    canvas = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    top_left = Affine2D().scale(1, -1).translate(0, height_px)
    for artist in artists:
        artist.set_figure(figure)
        artist.set_transform(top_left)
        artist.draw(renderer)
    return Image.fromarray(np.array(canvas.buffer_rgba()))  # type: ignore[no-untyped-call]


@lru_cache(maxsize=64)
def sign(shape: Shape, side_px: int, colour: Colour) -> Image.Image:
    """Draw the sign of a verdict, ``side_px`` square, mode "RGBA"; the triangles fill the height of their box."""
    full, middle = float(side_px), side_px / 2
    corners = {
        Shape.UP: [(0.0, full * 0.94), (middle, full * 0.06), (full, full * 0.94)],
        Shape.DOWN: [(0.0, full * 0.06), (full, full * 0.06), (middle, full * 0.94)],
    }
    artist: Artist
    if shape is Shape.DISC:
        artist = Circle((middle, middle), middle * 0.92, facecolor=colour.unit, linewidth=0)
    else:
        artist = Polygon(corners[shape], facecolor=colour.unit, linewidth=0)
    return rasterise([artist], side_px, side_px)


@lru_cache(maxsize=256)
def rounded_mask(width_px: int, height_px: int, radius_px: int) -> Image.Image:
    """Draw the coverage of a rectangle with round corners, mode "L"."""
    box = FancyBboxPatch(
        (radius_px, radius_px),
        max(0.01, width_px - 2 * radius_px),
        max(0.01, height_px - 2 * radius_px),
        boxstyle=BoxStyle.Round(pad=radius_px, rounding_size=radius_px),
        facecolor="white",
        linewidth=0,
    )
    return rasterise([box], width_px, height_px).getchannel("A")


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
