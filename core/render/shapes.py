"""Smooth shapes, drawn by matplotlib on transparent ground, and the half-circle gauge made of them.

On the gauge 0 % points left, 50 % up, 100 % right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import BoxStyle, Circle, FancyBboxPatch, Polygon, Wedge
from matplotlib.transforms import Affine2D
from PIL import Image, ImageFilter

from core.domain import Verdict, VerdictBands
from core.render.fonts import Weight
from core.render.text import CAP_HEIGHT_EM, ink
from core.render.theme import ACCENTS, GROUND, TEXT, WHITE, Colour, Shape, contrast

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


_RING_SHARE: Final = 0.24
_QUIET_ZONE_SHARE_MIN: Final = 0.55
"""Least share of its colour that a zone keeps which was not reached."""

_QUIET_ZONE_CONTRAST: Final = 3.6
"""Its contrast to the plain ground, so that ``PARTS_CONTRAST_MIN`` is kept on a tinted one."""

_GAP_DEG: Final = 1.6
_GLOW_PX: Final = 9
_GLOW_STRENGTH: Final = 0.5
_NEEDLE_REACH: Final = 0.97


class _NeedleForm(NamedTuple):
    """Half widths of a needle and radius of its hub, as shares of the gauge's radius, and its dark edge in points."""

    hub: float
    foot: float
    tip: float
    edge_pt: float


_NEEDLE: Final = _NeedleForm(hub=0.10, foot=0.085, tip=0.035, edge_pt=2.2)
_SMALL_NEEDLE: Final = _NeedleForm(hub=0.17, foot=0.13, tip=0.09, edge_pt=1.0)
"""Wider for its size, to be seen where the whole gauge is as high as a line of text."""

_MARK_TYPE_PX: Final = 26
_MARK_GAP_PX: Final = 25
"""From the ring to the middle of the number that stands outside it."""

_HALO_PX: Final = 24
"""Room around the ring for its glow."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """Where a gauge lies on a picture: a half circle of three zones, each in the colour of its verdict, and a needle.

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
        """Everything but the numbers: left, top, right, bottom."""
        x, y = self.hub
        reach = self.radius_px + _HALO_PX
        return (x - reach, y - reach, x + reach, y + _HALO_PX)

    def point(self, probability: float, distance_px: float) -> tuple[float, float]:
        """Locate the spot at ``distance_px`` from the hub in the direction of ``probability``."""
        angle = math.pi * (1 - probability)
        return (self.hub[0] + distance_px * math.cos(angle), self.hub[1] - distance_px * math.sin(angle))

    def draw_zones(self, picture: Image.Image, bands: VerdictBands, reached: Verdict | None = None) -> None:
        """Draw the zones on ``picture``, mode "RGB", the ``reached`` one in full colour, with their bounds outside."""
        left_top = self.box[:2]
        zones = _zones(self.radius_px, self.ring_px, bands, reached)
        if reached is not None:
            picture.paste(tuple(ACCENTS[reached]), left_top, _glow(self.radius_px, self.ring_px, bands, reached))
        picture.paste(zones, left_top, zones)
        for bound in (bands.medium, bands.popular):
            mark = ink(f"{bound * 100:.0f}", _MARK_TYPE_PX, Weight.BOLD)
            x, y = self.point(bound, self.radius_px + _MARK_GAP_PX)
            mark.lay(picture, round(x - mark.width / 2), round(y + _MARK_TYPE_PX * CAP_HEIGHT_EM / 2), TEXT)

    def draw_needle(self, picture: Image.Image, probability: float) -> None:
        """Draw the needle that points at ``probability``, 0 to 1; what lies beyond stays at the ends of the scale."""
        needle = _needle(self.radius_px, min(1.0, max(0.0, probability)))
        picture.paste(needle, self.box[:2], needle)


def small_gauge(radius_px: int, bands: VerdictBands, probability: float) -> Image.Image:
    """Draw a gauge without numbers and glow, mode "RGBA", as wide as twice its outer radius and a little.

    The needle points at a whole percent, so that lists share their gauges; at one in the verdict's own zone.
    """
    verdict = bands.verdict(probability)
    percent = round(probability * 100)
    if bands.verdict(percent / 100) is not verdict:
        percent = int(probability * 100)
    return _small_gauge(radius_px, bands, verdict, percent)


@lru_cache(maxsize=256)
def _small_gauge(radius_px: int, bands: VerdictBands, verdict: Verdict, percent: int) -> Image.Image:
    edge = 2  # of the needle, which stands out above the ring at 50 %
    gauge = Gauge((radius_px + edge, radius_px + edge), radius_px)
    width, height = 2 * (radius_px + edge), radius_px + round(radius_px * _SMALL_NEEDLE.hub) + 2 * edge
    arcs = [
        _arc(gauge, gauge.ring_px, start, end, ACCENTS[zone] if zone is verdict else _quiet(ACCENTS[zone]))
        for start, end, zone in _spans(bands)
        if end > start
    ]
    return rasterise([*arcs, *_needle_parts(gauge, min(1.0, max(0.0, percent / 100)), _SMALL_NEEDLE)], width, height)


def _local(radius_px: int) -> tuple[Gauge, int, int]:
    """Place a gauge on a picture of its own; returns it with that picture's width and height."""
    reach = radius_px + _HALO_PX
    return Gauge((reach, reach), radius_px), 2 * reach, reach + _HALO_PX


def _arc(gauge: Gauge, ring_px: int, start: float, end: float, colour: Colour) -> Wedge:
    """Make the piece of the ring between two probabilities."""
    # Pictures count y downwards, so the upper half of the circle lies at 180 to 360 degrees.
    return Wedge(
        gauge.hub,
        gauge.radius_px,
        180 + 180 * start,
        180 + 180 * end,
        width=ring_px,
        facecolor=colour.unit,
        linewidth=0,
    )


def _spans(bands: VerdictBands) -> tuple[tuple[float, float, Verdict], ...]:
    """List the zones from left to right as start, end and verdict, with gaps between them."""
    gap = _GAP_DEG / 180 / 2
    return tuple(
        (start + gap if start > 0 else start, end - gap if end < 1 else end, verdict)
        for start, end, verdict in bands.spans()
    )


@lru_cache(maxsize=8)
def _quiet(colour: Colour) -> Colour:
    """Darken the colour of a zone that was not reached, as far as it still stands out of the ground."""
    shares = (n / 100 for n in range(round(_QUIET_ZONE_SHARE_MIN * 100), 100))
    darker = (GROUND.towards(colour, share) for share in shares)
    return next((dark for dark in darker if contrast(dark, GROUND) >= _QUIET_ZONE_CONTRAST), colour)


@lru_cache(maxsize=16)
def _zones(radius_px: int, ring_px: int, bands: VerdictBands, reached: Verdict | None) -> Image.Image:
    gauge, width, height = _local(radius_px)
    arcs = [
        _arc(
            gauge,
            ring_px,
            start,
            end,
            ACCENTS[verdict] if verdict is reached else _quiet(ACCENTS[verdict]),
        )
        for start, end, verdict in _spans(bands)
        if end > start
    ]
    return rasterise(arcs, width, height)


@lru_cache(maxsize=8)
def _glow(radius_px: int, ring_px: int, bands: VerdictBands, reached: Verdict) -> Image.Image:
    """Draw the light that the reached zone throws around itself, mode "L"."""
    gauge, width, height = _local(radius_px)
    arcs = [
        _arc(gauge, ring_px, a, b, ACCENTS[verdict]) for a, b, verdict in _spans(bands) if verdict is reached and b > a
    ]
    coverage = rasterise(arcs, width, height).getchannel("A")
    blurred = coverage.filter(ImageFilter.BoxBlur(_GLOW_PX)).filter(ImageFilter.BoxBlur(_GLOW_PX))
    return blurred.point(lambda share: int(share * _GLOW_STRENGTH))


@lru_cache(maxsize=8)
def _needle(radius_px: int, probability: float) -> Image.Image:
    """Draw the needle, mode "RGBA": white from the hub to its blunt tip, with a dark edge where it crosses the ring."""
    gauge, width, height = _local(radius_px)
    return rasterise(_needle_parts(gauge, probability, _NEEDLE), width, height)


def _needle_parts(gauge: Gauge, probability: float, form: _NeedleForm) -> list[Artist]:
    """Make blade and hub of a gauge's needle."""
    radius_px = gauge.radius_px
    x, y = gauge.hub
    tip_x, tip_y = gauge.point(probability, radius_px * _NEEDLE_REACH)
    angle = math.pi * (1 - probability)
    across = (math.sin(angle), math.cos(angle))

    def pair(at: tuple[float, float], half_width: float) -> tuple[tuple[float, float], tuple[float, float]]:
        return (
            (at[0] + across[0] * half_width, at[1] + across[1] * half_width),
            (at[0] - across[0] * half_width, at[1] - across[1] * half_width),
        )

    foot, tip = pair((x, y), radius_px * form.foot), pair((tip_x, tip_y), radius_px * form.tip)
    blade = [foot[0], tip[0], tip[1], foot[1]]
    hub = radius_px * form.hub
    return [
        Polygon(blade, facecolor=WHITE.unit, edgecolor=GROUND.unit, linewidth=form.edge_pt, joinstyle="round"),
        Circle(gauge.hub, hub, facecolor=WHITE.unit, linewidth=0),
        Circle(gauge.hub, hub * 0.45, facecolor=GROUND.unit, linewidth=0),
    ]
