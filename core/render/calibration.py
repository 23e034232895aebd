"""The picture of how stated probabilities were kept: one curve, and what it says at a few places in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.artist import Artist
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle
from PIL import Image

from core import text
from core.domain import CalibrationPoint, ModelReport
from core.language import mark, say
from core.render.card import draw_small_print, png
from core.render.fonts import Weight
from core.render.shapes import rasterise
from core.render.text import CAP_HEIGHT_EM, fit, ink, largest
from core.render.theme import (
    ACCENTS,
    GROUND,
    HEIGHT_PX,
    MARGIN_PX,
    QUIET,
    RULE,
    TEXT,
    TYPE_MIN_PX,
    WHITE,
    WIDTH_PX,
)

# Translators: heading of the picture of /model; do as many songs turn out popular as the percentage says?
TITLE: Final = mark("Is a stated chance kept?")
# Translators: of songs given {share}, "70 %", so many were popular. At most 36 letters.
SAID: Final = mark("Said {share}: {popular} of 100 were popular")
# Translators: the same in short, below the line before.
SAID_BESIDE: Final = mark("{share}: {popular} of 100")
# Translators: what the vertical scale counts.
UPWARDS: Final = mark("Popular, of 100 songs")
# Translators: what the horizontal scale counts, the percentage stated. At most 30 letters.
ACROSS: Final = mark("Said, in %")
# Translators: what the dashed line of the picture means. At most 30 letters.
EXACT: Final = mark("Dashed: kept exactly")
# Translators: the picture's lowest line; at most 60 letters.
MEASURED: Final = mark("Measured on {n} songs by artists it had never seen")

_TITLE_SIZES_PX: Final = (54, 48, 42)
_TITLE_BASELINE: Final = 88
_LEFT: Final = 118
_TOP: Final = 170
_RIGHT: Final = 640
_BOTTOM: Final = 500
"""The plot: 0 to 100 % each way."""

_STRIP_PX: Final = 12
"""Height of the zones of the verdicts, along the lower edge of the plot."""

_TICKS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_TOLD: Final = (0.7, 0.9, 0.5, 0.3)
"""Places of the curve that are told in words, at the nearest point each; the first one in a whole sentence."""

_WORDS_LEFT: Final = 694
_WORDS_BASELINES: Final = (238, 308, 352, 396)
_EXACT_BASELINE: Final = 480
_DOT_PX: Final = 7
_TOLD_DOT_PX: Final = 12


def draw_calibration(report: ModelReport) -> bytes:
    """Draw the share of songs that were popular against the probability stated, as PNG, 1200 x 630.

    ``report`` has at least one point.
    """
    told = tuple(dict.fromkeys(min(report.calibration, key=lambda point: abs(point.said - place)) for place in _TOLD))
    picture = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), tuple(GROUND))
    title = largest(say(TITLE), _TITLE_SIZES_PX, WIDTH_PX - 2 * MARGIN_PX, Weight.BOLD)
    title.lay(picture, MARGIN_PX, _TITLE_BASELINE, WHITE)
    shapes = rasterise(_shapes(report, told), WIDTH_PX, HEIGHT_PX)
    picture.paste(shapes, (0, 0), shapes)
    _draw_scale(picture)
    room = WIDTH_PX - MARGIN_PX - _WORDS_LEFT
    for place, (point, baseline) in enumerate(zip(told, _WORDS_BASELINES, strict=False)):
        words = say(SAID_BESIDE if place else SAID, share=text.share(point.said), popular=_per_100(point.popular))
        line = fit(words, TYPE_MIN_PX, room, Weight.REGULAR if place else Weight.BOLD)
        line.lay(picture, _WORDS_LEFT, baseline, TEXT if place else WHITE)
    fit(say(EXACT), TYPE_MIN_PX, room).lay(picture, _WORDS_LEFT, _EXACT_BASELINE, QUIET)
    draw_small_print(picture, say(MEASURED, n=text.count(report.n_songs)))
    return png(picture)


def _per_100(share: float) -> int:
    return round(share * 100)


def _place(across: float, upwards: float) -> tuple[float, float]:
    """Locate two shares on the picture, in pixels."""
    return (_LEFT + across * (_RIGHT - _LEFT), _BOTTOM - upwards * (_BOTTOM - _TOP))


def _line(points: Sequence[tuple[float, float]], **look: object) -> Line2D:
    places = [_place(*point) for point in points]
    return Line2D([x for x, _ in places], [y for _, y in places], **look)  # type: ignore[arg-type]


def _shapes(report: ModelReport, told: Sequence[CalibrationPoint]) -> list[Artist]:
    """List what is drawn, from the back to the front."""
    shapes: list[Artist] = [_line([(0, tick), (1, tick)], color=RULE.unit, linewidth=1) for tick in _TICKS]
    for start, end, verdict in report.verdict_bands.spans():
        (left, top), (right, _) = _place(start, 0), _place(end, 0)
        shapes.append(Rectangle((left + 1, top + 1), right - left - 2, _STRIP_PX, facecolor=ACCENTS[verdict].unit))
    shapes.append(_line([(0, 0), (1, 1)], color=QUIET.unit, linewidth=1.6, linestyle=(0, (5, 4))))
    curve = [(point.said, point.popular) for point in report.calibration]
    shapes.append(_line(curve, color=WHITE.unit, linewidth=2.6, solid_joinstyle="round"))
    for point in report.calibration:
        centre, verdict = _place(point.said, point.popular), report.verdict_bands.verdict(point.said)
        radius_px = _TOLD_DOT_PX if point in told else _DOT_PX
        shapes.append(Circle(centre, radius_px, facecolor=ACCENTS[verdict].unit, edgecolor=GROUND.unit, linewidth=2))
    return shapes


def _draw_scale(picture: Image.Image) -> None:
    """Write the numbers along both edges and what they count."""
    capital_px = round(TYPE_MIN_PX * CAP_HEIGHT_EM)
    below = _BOTTOM + _STRIP_PX + 14 + capital_px
    for tick in _TICKS:
        number = ink(str(_per_100(tick)), TYPE_MIN_PX)
        x, y = _place(tick, tick)
        if tick:
            number.lay(picture, _LEFT - 16, round(y) + capital_px // 2, QUIET, right=True)
        number.lay(picture, round(x) - number.width // 2, below, QUIET)
    room = _RIGHT - MARGIN_PX
    fit(say(UPWARDS), TYPE_MIN_PX, room).lay(picture, MARGIN_PX, _TOP - 24, TEXT)
    across = fit(say(ACROSS), TYPE_MIN_PX, WIDTH_PX - MARGIN_PX - _WORDS_LEFT)
    across.lay(picture, _WORDS_LEFT, below, TEXT)
