"""How a song's listeners developed: a curve over the days, and the chance then and now as two gauges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon
from PIL import Image

from core import text
from core.domain import Cover, DatedFigures, Trend, VerdictBands
from core.language import mark, say
from core.render.card import draw_footer, draw_percentage, draw_stack, growth_words, png, source_words
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.fonts import Weight, drawable
from core.render.shapes import rasterise, sign, small_gauge
from core.render.text import Ink, fit, ink, largest
from core.render.theme import (
    ACCENTS,
    MARGIN_PX,
    QUIET,
    RULE,
    SHAPES,
    TEXT,
    TYPE_MIN_PX,
    WARNING,
    WHITE,
    WIDTH_PX,
    Colour,
)

# Translators: above a curve; at most 40 letters.
_LISTENERS: Final = mark("Listeners on Last.fm")
# Translators: above a gauge; at most 22 letters. The chance of a song to be popular.
_CHANCE_THEN: Final = mark("Chance then")
_CHANCE_NOW: Final = mark("Chance now")

_TOP: Final = 40
_COVER_PX: Final = 152
_GAP_PX: Final = 28
_NAMES_BOTTOM: Final = 202
_TITLE_SIZES_PX: Final = (44, 38, 34)
_ARTIST_PX: Final = 30

_CHART_TOP: Final = 278
_CHART_BOTTOM: Final = 506
_CHART_RIGHT: Final = 770
_HEADING_BASELINE: Final = 242
_DAYS_BASELINE: Final = 550
_AXIS_GAP_PX: Final = 18
_CURVE_PX: Final = 4.0
_DOT_PX: Final = 9.0
_SMALL_DOT_PX: Final = 4.5
_DOTS_MAX: Final = 40
"""With more figures than this the curve alone shows them."""

_EDGE_PX: Final = 12
"""Room around the curve for its dots."""

_RESULT_LEFT: Final = 840
_RESULT_RADIUS_PX: Final = 62
_RESULT_TOPS: Final = (218, 396)
_PERCENT_SIZES_PX: Final = (44, 38)
_SIGN_PX: Final = 24

_POINTS_PER_PX: Final = 72 / 100
"""Lines are as wide as so many points a pixel, at the 100 dots an inch of all shapes."""


def draw_trend(trend: Trend, cover: Cover | None, now: datetime) -> bytes:
    """Draw the development of a song as PNG, 1200 x 630.

    Pure but for caches, and all arguments pickle: it may run in any thread or process.

    Raises:
        ValueError: The figures span too few days for a chance then.
    """
    if trend.probability_then is None or len(trend.figures) < 2:
        raise ValueError("there is no development to draw")
    prediction = trend.prediction
    art = cover_art(cover, prediction.song.name)
    colour = dominant(art)
    picture = tinted_ground(colour, (MARGIN_PX + _COVER_PX // 2, _TOP + _COVER_PX // 2))
    lay_cover(picture, art, (MARGIN_PX, _TOP), _COVER_PX, colour)
    _draw_names(picture, trend, now)
    _draw_chart(picture, trend.figures)
    bands = prediction.assessment.bands
    for top, label, probability in zip(
        _RESULT_TOPS,
        (say(_CHANCE_THEN), say(_CHANCE_NOW)),
        (trend.probability_then, prediction.assessment.probability),
        strict=True,
    ):
        _draw_chance(picture, top, label, probability, bands)
    draw_footer(picture, prediction.assessment.base_rate)
    return png(picture)


def _draw_names(picture: Image.Image, trend: Trend, now: datetime) -> None:
    """Write title, artist, what became of the listeners and where the figures are from beside the cover."""
    song, source = trend.prediction.song, trend.prediction.source
    left = MARGIN_PX + _COVER_PX + _GAP_PX
    room = WIDTH_PX - MARGIN_PX - left
    title = drawable(song.title, Weight.BOLD) or NOTE
    growth = trend.prediction.growth
    said = source_words(source, now) if growth is None else ", ".join(growth_words(growth))
    lines: list[tuple[Ink, Colour]] = [
        (largest(title, _TITLE_SIZES_PX, room, Weight.BOLD), WHITE),
        (fit(song.artist, _ARTIST_PX, room), TEXT),
        (fit(said, TYPE_MIN_PX, room), WARNING if growth is None and source.stale else QUIET),
    ]
    draw_stack(picture, lines, left, _TOP + 8, _NAMES_BOTTOM)


def _draw_chart(picture: Image.Image, figures: Sequence[DatedFigures]) -> None:
    """Draw the curve between the lines of its least and its greatest value, the days below it."""
    counts = [one.listeners for one in figures]
    low, high = min(counts), max(counts)
    labels = {low: text.short_count(low), high: text.short_count(high)}
    if low != high and labels[low] == labels[high]:
        labels = {value: text.count(value) for value in labels}
    marks = {value: ink(label, TYPE_MIN_PX) for value, label in labels.items()}
    left = MARGIN_PX + max(label.width for label in marks.values()) + _AXIS_GAP_PX
    fit(say(_LISTENERS), TYPE_MIN_PX, _CHART_RIGHT - MARGIN_PX).lay(picture, MARGIN_PX, _HEADING_BASELINE, TEXT)
    for value, label in marks.items():
        y = round(_height(value, low, high))
        picture.paste(tuple(RULE), (left, y - 1, _CHART_RIGHT, y + 1))
        label.lay(picture, left - _AXIS_GAP_PX, y + 9, QUIET, right=True)
    first, last = figures[0].day, figures[-1].day
    whole = max(1, (last - first).days)
    spots = [
        (
            left + _EDGE_PX + (one.day - first).days / whole * (_CHART_RIGHT - left - 2 * _EDGE_PX),
            _height(one.listeners, low, high),
        )
        for one in figures
    ]
    _lay_curve(picture, spots)
    _day(first).lay(picture, left, _DAYS_BASELINE, QUIET)
    _day(last).lay(picture, _CHART_RIGHT, _DAYS_BASELINE, QUIET, right=True)


def _lay_curve(picture: Image.Image, spots: Sequence[tuple[float, float]]) -> None:
    xs, ys = zip(*spots, strict=True)
    below = Polygon(
        [*spots, (xs[-1], _CHART_BOTTOM), (xs[0], _CHART_BOTTOM)], facecolor=WHITE.unit, alpha=0.08, linewidth=0
    )
    curve = Line2D(
        xs, ys, color=WHITE.unit, linewidth=_CURVE_PX * _POINTS_PER_PX, solid_capstyle="round", solid_joinstyle="round"
    )
    ends = [Circle(spot, _DOT_PX, facecolor=WHITE.unit, linewidth=0) for spot in (spots[0], spots[-1])]
    between = spots[1:-1] if len(spots) <= _DOTS_MAX else ()
    dots = [Circle(spot, _SMALL_DOT_PX + _CURVE_PX / 2, facecolor=WHITE.unit, linewidth=0) for spot in between]
    drawn = rasterise([below, curve, *dots, *ends], _CHART_RIGHT + 1, _CHART_BOTTOM + _EDGE_PX)
    picture.paste(drawn, (0, 0), drawn)


def _draw_chance(picture: Image.Image, top: int, label: str, probability: float, bands: VerdictBands) -> None:
    """Draw one chance: its name, a gauge, the percentage and the sign of its verdict."""
    verdict = bands.verdict(probability)
    fit(label, TYPE_MIN_PX, WIDTH_PX - MARGIN_PX - _RESULT_LEFT).lay(picture, _RESULT_LEFT, top + 24, TEXT)
    gauge = small_gauge(_RESULT_RADIUS_PX, bands, probability)
    picture.paste(gauge, (_RESULT_LEFT, top + 44), gauge)
    left = _RESULT_LEFT + gauge.width + 22
    shape = sign(SHAPES[verdict], _SIGN_PX, ACCENTS[verdict])
    picture.paste(shape, (left, top + 106 - _SIGN_PX), shape)
    start = left + _SIGN_PX + 10
    draw_percentage(picture, probability, start, top + 106, WIDTH_PX - MARGIN_PX - start, _PERCENT_SIZES_PX)


def _height(value: int, low: int, high: int) -> float:
    """Place a count between the chart's lower and upper line; all the same counts lie in the middle."""
    share = 0.5 if low == high else (value - low) / (high - low)
    return _CHART_BOTTOM - share * (_CHART_BOTTOM - _CHART_TOP)


def _day(day: date) -> Ink:
    return ink(text.day(day), TYPE_MIN_PX)
