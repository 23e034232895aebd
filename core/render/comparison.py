"""Two predictions side by side: two gauges and a winner."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PIL import Image

from core.domain import Cover, Prediction
from core.render.card import Rows, chosen_features, draw_footer, png, strongest_push
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.fonts import Weight, drawable
from core.render.shapes import Gauge, rounded_mask, sign
from core.render.text import CAP_HEIGHT_EM, fit, ink, two_lines
from core.render.theme import ACCENTS, GROUND, MARGIN_PX, SHAPES, TEXT, TRACK, WHITE, WIDTH_PX, Colour

WINNER: Final = "Likelier hit"
DRAW: Final = "A draw"

_GUTTER_PX: Final = 64
_HALF_PX: Final = (WIDTH_PX - 2 * MARGIN_PX - _GUTTER_PX) // 2
_TOP: Final = 56
_COVER_PX: Final = 164
_GAP_PX: Final = 26
_TITLE_PX: Final = 34
_ARTIST_PX: Final = 26
_BADGE_PX: Final = 36
_BADGE_TYPE_PX: Final = 22
_RADIUS_PX: Final = 116
_HUB_Y: Final = 388
_CONFIDENCE_PX: Final = 78
_PERCENT_SIGN_PX: Final = 46
_VERDICT_PX: Final = 34
_ROWS_SHOWN: Final = 3
_ROWS_TOP: Final = 424
_ROW_PX: Final = 38
_LIGHT_Y: Final = -130
"""The tint comes from above the picture, so that the verdicts stand on dark ground."""


def draw_comparison(
    first: Prediction, first_cover: Cover | None, second: Prediction, second_cover: Cover | None, now: datetime
) -> bytes:
    """Draw the comparison as PNG, 1200 x 630; equal percentages are a draw."""
    arts = (cover_art(first_cover, first.song.name), cover_art(second_cover, second.song.name))
    lead = first.confidence_pct - second.confidence_pct
    ahead = arts[1] if lead < 0 else arts[0]
    lefts = (MARGIN_PX, MARGIN_PX + _HALF_PX + _GUTTER_PX)
    picture = tinted_ground(dominant(ahead), (lefts[lead < 0] + _HALF_PX // 2, _LIGHT_Y))
    middle = WIDTH_PX // 2
    picture.paste(tuple(TRACK), (middle - 1, _TOP, middle + 1, _ROWS_TOP + _ROWS_SHOWN * _ROW_PX))
    for left, prediction, art, ahead_by in zip(lefts, (first, second), arts, (lead, -lead), strict=True):
        _draw_half(picture, left, prediction, art, ahead_by)
    older = min(first.source, second.source, key=lambda source: (not source.stale, source.as_of))
    draw_footer(picture, older, first.assessment, now)
    return png(picture)


def _draw_half(picture: Image.Image, left: int, prediction: Prediction, art: Image.Image, ahead_by: float) -> None:
    assessment = prediction.assessment
    accent = ACCENTS[assessment.verdict]
    lay_cover(picture, art, (left, _TOP), _COVER_PX, accent if ahead_by >= 0 else None)
    _draw_names(picture, left + _COVER_PX + _GAP_PX, _HALF_PX - _COVER_PX - _GAP_PX, prediction, ahead_by)

    gauge = Gauge((left + _RADIUS_PX, _HUB_Y), _RADIUS_PX)
    gauge.draw(picture, assessment.probability, accent, assessment.bands)
    start = left + 2 * _RADIUS_PX + 34
    number = ink(f"{prediction.confidence_pct:.1f}", _CONFIDENCE_PX, Weight.BOLD)
    baseline = _HUB_Y - 52
    number.lay(picture, start, baseline, WHITE)
    ink("%", _PERCENT_SIGN_PX, Weight.BOLD).lay(picture, start + number.width + 8, baseline, TEXT)
    height = round(_VERDICT_PX * CAP_HEIGHT_EM) + 2
    shape = sign(SHAPES[assessment.verdict], height, accent)
    picture.paste(shape, (start, _HUB_Y - height + 1), shape)
    ink(assessment.verdict.value, _VERDICT_PX, Weight.BOLD).lay(picture, start + height + 12, _HUB_Y, accent)

    features = chosen_features(assessment, _ROWS_SHOWN)
    rows = Rows(left=left, top=_ROWS_TOP, width_px=_HALF_PX, pitch_px=_ROW_PX, standings=False)
    rows.draw(picture, features, strongest_push(assessment), accent)


def _draw_names(picture: Image.Image, left: int, room: int, prediction: Prediction, ahead_by: float) -> None:
    accent = ACCENTS[prediction.assessment.verdict]
    baseline = _TOP + round(_TITLE_PX * CAP_HEIGHT_EM) + 2
    for line in two_lines(drawable(prediction.song.title, Weight.BOLD) or NOTE, _TITLE_PX, room, Weight.BOLD):
        line.lay(picture, left, baseline, WHITE)
        baseline += round(_TITLE_PX * 1.18)
    baseline += round(_ARTIST_PX * 1.35) - round(_TITLE_PX * 1.18)
    fit(prediction.song.artist, _ARTIST_PX, room).lay(picture, left, baseline, TEXT)
    if ahead_by >= 0:
        _draw_badge(picture, left, WINNER if ahead_by > 0 else DRAW, accent)


def _draw_badge(picture: Image.Image, left: int, words: str, accent: Colour) -> None:
    label = ink(words, _BADGE_TYPE_PX, Weight.BOLD)
    width = label.width + 2 * _BADGE_PX // 2
    top = _TOP + _COVER_PX - _BADGE_PX
    picture.paste(tuple(accent), (left, top), rounded_mask(width, _BADGE_PX, _BADGE_PX // 2))
    baseline = top + (_BADGE_PX + round(_BADGE_TYPE_PX * CAP_HEIGHT_EM)) // 2
    label.lay(picture, left + _BADGE_PX // 2, baseline, GROUND)
