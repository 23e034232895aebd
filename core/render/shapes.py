"""Smooth shapes, drawn by matplotlib on transparent ground."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import BoxStyle, Circle, FancyBboxPatch, Polygon
from matplotlib.transforms import Affine2D
from PIL import Image

from core.render.theme import Colour, Shape

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
