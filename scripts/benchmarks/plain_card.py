"""The card's content drawn the plain way, a fresh figure each time, to compare the drawing of cards with."""

from __future__ import annotations

import io
from datetime import datetime

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon, Rectangle, Wedge

from core.domain import Cover, Prediction
from core.render.card import figures, source_words
from core.render.theme import ACCENTS, GROUND, HEIGHT_PX, QUIET, TEXT, WHITE, WIDTH_PX

DPI = 100


def draw_plain_card(prediction: Prediction, cover: Cover, now: datetime) -> bytes:
    """Draw cover, title, artist, gauge, verdict, figures and small print with one figure; PNG, 1200 x 630."""
    assessment, accent = prediction.assessment, ACCENTS[prediction.assessment.verdict].unit
    figure = Figure(figsize=(WIDTH_PX / DPI, HEIGHT_PX / DPI), dpi=DPI, facecolor=GROUND.unit)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH_PX)
    axes.set_ylim(HEIGHT_PX, 0)
    axes.axis("off")
    _cover(axes, cover, accent)
    axes.text(520, 105, prediction.song.title, fontsize=38, fontweight="bold", color=WHITE.unit)
    axes.text(520, 148, prediction.song.artist, fontsize=21, color=TEXT.unit)
    _gauge(axes, prediction, accent)
    for place, row in enumerate(figures(assessment)):
        y = 480 + 37 * place
        axes.text(524, y, row.label, fontsize=19, color=TEXT.unit)
        axes.text(1000, y, row.value, fontsize=19, color=WHITE.unit, ha="right", fontweight="bold")
        axes.text(1148, y, row.standing, fontsize=19, color=QUIET.unit, ha="right")
    small = f"{source_words(prediction.source, now)} · {assessment.base_rate:.0%} of all songs are popular"
    axes.text(52, 594, small, fontsize=14, color=QUIET.unit)
    axes.text(1148, 594, "Hitmeter", fontsize=15, color=QUIET.unit, ha="right", fontweight="bold")
    file = io.BytesIO()
    figure.savefig(file, format="png", facecolor=figure.get_facecolor())
    return file.getvalue()


def _cover(axes, cover, accent) -> None:  # type: ignore[no-untyped-def]
    for reach in range(48, 0, -8):
        corner = (52 - reach, 68 - reach)
        axes.add_patch(Rectangle(corner, 420 + 2 * reach, 420 + 2 * reach, color=accent, alpha=0.05, lw=0))
    art = np.frombuffer(cover.rgb, dtype=np.uint8).reshape(cover.side_px, cover.side_px, 3)
    shown = axes.imshow(art, extent=(52, 472, 488, 68), interpolation="lanczos", aspect="auto")
    shown.set_clip_path(
        FancyBboxPatch((75, 91), 374, 374, boxstyle="round,pad=23,rounding_size=23", transform=axes.transData)
    )


def _gauge(axes, prediction, accent) -> None:  # type: ignore[no-untyped-def]
    bands, share = prediction.assessment.bands, prediction.assessment.probability
    hub = (664, 362)
    for start, end, colour in (
        (0, bands.medium, "#EF4444"),
        (bands.medium, bands.popular, "#F59E0B"),
        (bands.popular, 1, "#1DB954"),
    ):
        axes.add_patch(Wedge(hub, 140, 180 + 180 * start, 180 + 180 * end, width=31, color=colour, alpha=0.3, lw=0))
    axes.add_patch(Wedge(hub, 140, 180, 180 + 180 * share, width=31, color=accent, lw=0))
    angle = np.pi * (1 + share)
    tip = (hub[0] + 126 * np.cos(angle), hub[1] + 126 * np.sin(angle))
    side = (7 * np.sin(angle), -7 * np.cos(angle))
    blade = [(hub[0] + side[0], hub[1] + side[1]), tip, (hub[0] - side[0], hub[1] - side[1])]
    axes.add_patch(Polygon(blade, color=WHITE.unit))
    axes.add_patch(Wedge(hub, 12, 0, 360, color=WHITE.unit))
    axes.text(846, 300, f"{prediction.confidence_pct:.1f} %", fontsize=66, fontweight="bold", color=WHITE.unit)
    axes.text(846, 360, f"▲ {prediction.assessment.verdict}", fontsize=28, fontweight="bold", color=accent)
