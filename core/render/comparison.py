"""Two predictions side by side: the parts of a card twice, the likelier hit marked, the greater figures brighter."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PIL import Image

from core.domain import Cover, Origin, Prediction
from core.language import mark, say
from core.render.card import (
    Row,
    draw_footer,
    draw_percentage,
    draw_reasons,
    draw_rows,
    draw_stack,
    draw_verdict,
    figures,
    png,
    source_words,
    stacked,
)
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.fonts import Weight, drawable
from core.render.shapes import Gauge, rounded_mask
from core.render.text import CAP_HEIGHT_EM, fit, ink, two_lines
from core.render.theme import GROUND, MARGIN_PX, QUIET, RULE, TEXT, TYPE_MIN_PX, WARNING, WHITE, WIDTH_PX

# Translators: on a badge beside the likelier of two songs, and beside both if neither is; at most 20 letters.
WINNER: Final = mark("Likelier hit")
DRAW: Final = mark("A draw")

_GUTTER_PX: Final = 64
HALF_PX: Final = (WIDTH_PX - 2 * MARGIN_PX - _GUTTER_PX) // 2
_TOP: Final = 40
_COVER_PX: Final = 168
_GAP_PX: Final = 24
_TITLE_PX: Final = 34
_ARTIST_PX: Final = 28
_NAMES_BOTTOM: Final = 158
_BADGE_PX: Final = 42
_RADIUS_PX: Final = 100
_HUB_Y: Final = 372
_RESULT_GAP_PX: Final = 36
_PERCENT_SIZES_PX: Final = (78, 68, 58)
_PERCENT_BASELINE: Final = 318
_VERDICT_SIZES_PX: Final = (36, 32, 28)
_REASONS_BASELINE: Final = 428
_ROWS_BASELINE: Final = 474
_ROW_PITCH_PX: Final = 36
_LIGHT_Y: Final = -130
"""The tint comes from above the picture, so that the verdicts stand on dark ground."""


def draw_comparison(
    first: Prediction, first_cover: Cover | None, second: Prediction, second_cover: Cover | None, now: datetime
) -> bytes:
    """Draw the comparison as PNG, 1200 x 630; equal percentages are a draw."""
    arts = (cover_art(first_cover, first.song.name), cover_art(second_cover, second.song.name))
    lead = first.confidence_pct - second.confidence_pct
    lefts = (MARGIN_PX, MARGIN_PX + HALF_PX + _GUTTER_PX)
    picture = tinted_ground(dominant(arts[lead < 0]), (lefts[lead < 0] + HALF_PX // 2, _LIGHT_Y))
    middle = WIDTH_PX // 2
    picture.paste(tuple(RULE), (middle - 1, _TOP, middle + 1, _ROWS_BASELINE + 2 * _ROW_PITCH_PX + 8))
    rows = (figures(first.assessment), figures(second.assessment))
    for place, prediction in enumerate((first, second)):
        greater = _greater(rows[place], prediction, (second, first)[place])
        _draw_half(picture, lefts[place], prediction, arts[place], (lead, -lead)[place], rows[place], greater, now)
    # Songs with all their figures leave no room for where these are from.
    credit = any(one.source.origin is not Origin.CATALOGUE for one in (first, second))
    draw_footer(picture, first.assessment.base_rate, credit=credit)
    return png(picture)


def _greater(rows: tuple[Row, ...], own: Prediction, other: Prediction) -> frozenset[str]:
    """Return the keys of the rows whose figure is at least the other song's."""
    theirs = {feature.key: feature.value for feature in other.assessment.features}
    ours = {feature.key: feature.value for feature in own.assessment.features}
    return frozenset(row.key for row in rows if ours[row.key] >= theirs.get(row.key, float("-inf")))


def _draw_half(
    picture: Image.Image,
    left: int,
    prediction: Prediction,
    art: Image.Image,
    ahead_by: float,
    rows: tuple[Row, ...],
    greater: frozenset[str],
    now: datetime,
) -> None:
    assessment = prediction.assessment
    lay_cover(picture, art, (left, _TOP), _COVER_PX, WHITE if ahead_by >= 0 else None)
    _draw_names(picture, left + _COVER_PX + _GAP_PX, HALF_PX - _COVER_PX - _GAP_PX, prediction)
    if ahead_by >= 0:
        _draw_badge(picture, left + _COVER_PX + _GAP_PX, WINNER if ahead_by > 0 else DRAW)
    gauge = Gauge((left + _RADIUS_PX + 8, _HUB_Y), _RADIUS_PX)
    gauge.draw_zones(picture, assessment.bands, assessment.verdict)
    gauge.draw_needle(picture, assessment.probability)
    start = left + 2 * _RADIUS_PX + _RESULT_GAP_PX
    room = left + HALF_PX - start
    draw_percentage(picture, assessment.probability, start, _PERCENT_BASELINE, room, _PERCENT_SIZES_PX)
    draw_verdict(picture, assessment.verdict, start, _HUB_Y, room, _VERDICT_SIZES_PX)
    draw_reasons(picture, assessment, left, _REASONS_BASELINE, HALF_PX)
    draw_rows(picture, rows, left, left + HALF_PX, _ROWS_BASELINE, _ROW_PITCH_PX, standings=False, brighter=greater)
    if len(rows) < 3:  # as many as there is room for
        colour = WARNING if prediction.source.stale else QUIET
        words = fit(source_words(prediction.source, now), TYPE_MIN_PX, HALF_PX)
        words.lay(picture, left, _ROWS_BASELINE + len(rows) * _ROW_PITCH_PX, colour)


def _draw_names(picture: Image.Image, left: int, room: int, prediction: Prediction) -> None:
    title = drawable(prediction.song.title, Weight.BOLD) or NOTE
    lines = [*two_lines(title, _TITLE_PX, room, Weight.BOLD), fit(prediction.song.artist, _ARTIST_PX, room)]
    if len(stacked(lines, _TOP, _NAMES_BOTTOM)) < len(lines):
        # The artist says more than the second line of a title whose signs hang low.
        lines = [fit(title, _TITLE_PX, room, Weight.BOLD), lines[-1]]
    draw_stack(picture, [*((line, WHITE) for line in lines[:-1]), (lines[-1], TEXT)], left, _TOP, _NAMES_BOTTOM)


def _draw_badge(picture: Image.Image, left: int, words: str) -> None:
    """Draw a white badge with dark words beside the cover's lower edge."""
    label = ink(say(words), TYPE_MIN_PX, Weight.BOLD)
    top = _TOP + _COVER_PX - _BADGE_PX
    picture.paste(tuple(WHITE), (left, top), rounded_mask(label.width + _BADGE_PX, _BADGE_PX, _BADGE_PX // 2))
    baseline = top + (_BADGE_PX + round(TYPE_MIN_PX * CAP_HEIGHT_EM)) // 2
    label.lay(picture, left + _BADGE_PX // 2, baseline, GROUND)
