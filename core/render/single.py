"""The card of one prediction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from PIL import Image

from core.domain import Cover, Prediction, RecordedPopularity, Verdict, VerdictBands
from core.render.bars import Rows, chosen_features, strongest_push
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.encode import png
from core.render.fonts import Weight, drawable
from core.render.footer import draw_footer
from core.render.gauge import Gauge
from core.render.shapes import sign
from core.render.text import CAP_HEIGHT_EM, fit, fits, ink, two_lines
from core.render.theme import ACCENTS, MARGIN_PX, QUIET, SHAPES, SMALLEST_TYPE_PX, TEXT, WHITE, WIDTH_PX, Colour

COVER_CORNER: Final = (MARGIN_PX, 68)
COVER_SIDE_PX: Final = 420
COLUMN_LEFT: Final = 520
COLUMN_RIGHT: Final = WIDTH_PX - MARGIN_PX
GAUGE: Final = Gauge(hub=(664, 362), radius_px=140)
CONFIDENCE_LEFT: Final = 846
CONFIDENCE_BASELINE: Final = 300
ACTION_BOX: Final = (GAUGE.box[0], GAUGE.box[1], COLUMN_RIGHT, GAUGE.box[3])
"""All that moves in the animation: the gauge and the percentage; left, top, right, bottom."""

_TOP: Final = 68
_TITLE_SIZES_PX: Final = (54, 48)
_TITLE_TWO_LINES_PX: Final = 44
_ARTIST_PX: Final = 30
_CONFIDENCE_PX: Final = 96
_PERCENT_SIGN_PX: Final = 56
_VERDICT_PX: Final = 40
_VERDICT_BASELINE: Final = 360
_POPULARITY_BASELINE: Final = 524
_POPULARITY_PITCH_PX: Final = 30
_PITCHES_PX: Final = {1: 44, 2: 44, 3: 44, 4: 40}
_ROWS: Final = Rows(left=COLUMN_LEFT, top=390, width_px=COLUMN_RIGHT - COLUMN_LEFT, pitch_px=33)


def draw_card(prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    """Draw the card of ``prediction`` as PNG, 1200 x 630.

    Pure but for caches, and all arguments pickle: it may run in any thread or process.
    """
    picture = card_without_value(prediction, cover, now)
    draw_result(picture, prediction)
    return png(picture)


def card_without_value(prediction: Prediction, cover: Cover | None, now: datetime) -> Image.Image:
    """Draw all of the card but arc, needle, percentage and verdict, mode "RGB"."""
    art = cover_art(cover, prediction.song.name)
    assessment, accent = prediction.assessment, ACCENTS[prediction.assessment.verdict]
    centre = (COVER_CORNER[0] + COVER_SIDE_PX // 2, COVER_CORNER[1] + COVER_SIDE_PX // 2)
    picture = tinted_ground(dominant(art), centre)
    lay_cover(picture, art, COVER_CORNER, COVER_SIDE_PX, accent)
    _draw_names(picture, prediction.song.title, prediction.song.artist)
    GAUGE.draw_zones(picture, assessment.bands)
    features = chosen_features(assessment)
    rows = replace(_ROWS, pitch_px=_PITCHES_PX.get(len(features), _ROWS.pitch_px))
    rows.draw(picture, features, strongest_push(assessment), accent)
    if prediction.popularity is not None:
        _draw_popularity(picture, prediction.popularity, assessment.verdict)
    draw_footer(picture, prediction.source, assessment, now)
    return picture


def popularity_words(popularity: RecordedPopularity, verdict: Verdict) -> tuple[str, ...]:
    """Say the recorded popularity in one line, and in a second one what keeps it from agreeing with the verdict."""
    first = f"Spotify popularity {popularity.value} of 100 in {popularity.year}"
    if popularity.contradicts(verdict):
        then = "popular" if verdict is Verdict.NOT_POPULAR else "not popular"
        return first, f"{then} then, unlike the verdict"
    return (first, "of a compilation with it") if popularity.rerelease else (first,)


def draw_result(picture: Image.Image, prediction: Prediction) -> None:
    """Draw arc, needle, percentage and verdict as they are in the end."""
    assessment, accent = prediction.assessment, ACCENTS[prediction.assessment.verdict]
    draw_value(picture, assessment.probability, prediction.confidence_pct, accent, assessment.bands)
    _draw_verdict(picture, prediction, accent)


def draw_value(
    picture: Image.Image, probability: float, confidence_pct: float, accent: Colour, bands: VerdictBands
) -> None:
    """Draw what moves in the animation: arc, needle and percentage."""
    GAUGE.draw_value(picture, probability, accent, bands)
    number = ink(f"{confidence_pct:.1f}", _CONFIDENCE_PX, Weight.BOLD)
    number.lay(picture, CONFIDENCE_LEFT, CONFIDENCE_BASELINE, WHITE)
    after = CONFIDENCE_LEFT + number.width + 10
    ink("%", _PERCENT_SIGN_PX, Weight.BOLD).lay(picture, after, CONFIDENCE_BASELINE, TEXT)


def _draw_names(picture: Image.Image, title: str, artist: str) -> None:
    room = COLUMN_RIGHT - COLUMN_LEFT
    title = drawable(title, Weight.BOLD) or NOTE
    on_one_line = (size for size in _TITLE_SIZES_PX if fits(title, size, room, Weight.BOLD))
    size = next(on_one_line, _TITLE_TWO_LINES_PX)
    lines = two_lines(title, size, room, Weight.BOLD)
    baseline = _TOP + round(size * CAP_HEIGHT_EM)
    for line in lines:
        line.lay(picture, COLUMN_LEFT, baseline, WHITE)
        baseline += round(size * 1.16)
    baseline += round(_ARTIST_PX * 1.42) - round(size * 1.16)
    fit(artist, _ARTIST_PX, room).lay(picture, COLUMN_LEFT, baseline, TEXT)


def _draw_popularity(picture: Image.Image, popularity: RecordedPopularity, verdict: Verdict) -> None:
    """Write the recorded popularity below the cover; what disagrees with the verdict stands out."""
    contradicts = popularity.contradicts(verdict)
    baseline = _POPULARITY_BASELINE
    for line in popularity_words(popularity, verdict):
        said = fit(line, SMALLEST_TYPE_PX, COVER_SIDE_PX, Weight.BOLD if contradicts else Weight.REGULAR)
        said.lay(picture, COVER_CORNER[0], baseline, TEXT if contradicts else QUIET)
        baseline += _POPULARITY_PITCH_PX


def _draw_verdict(picture: Image.Image, prediction: Prediction, accent: Colour) -> None:
    verdict = prediction.assessment.verdict
    height = round(_VERDICT_PX * CAP_HEIGHT_EM) + 4
    shape = sign(SHAPES[verdict], height, accent)
    picture.paste(shape, (CONFIDENCE_LEFT, _VERDICT_BASELINE - height + 2), shape)
    word = ink(verdict.value, _VERDICT_PX, Weight.BOLD)
    word.lay(picture, CONFIDENCE_LEFT + height + 14, _VERDICT_BASELINE, accent)
