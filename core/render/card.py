"""The card of one prediction: names, cover, gauge, rows of figures, small print."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

import numpy as np
from isal import isal_zlib
from PIL import Image

from core.domain import (
    Assessment,
    Block,
    Cover,
    FeatureValue,
    Origin,
    Prediction,
    Reason,
    RecordedPopularity,
    Source,
    Verdict,
    VerdictBands,
)
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.fonts import Weight, drawable
from core.render.shapes import Gauge, rounded_mask, sign
from core.render.text import CAP_HEIGHT_EM, Ink, fit, fits, ink, room_for, two_lines
from core.render.theme import (
    ACCENTS,
    FILL,
    MARGIN_PX,
    QUIET,
    SHAPES,
    SMALLEST_TYPE_PX,
    STALE,
    TEXT,
    TRACK,
    WHITE,
    WIDTH_PX,
    Colour,
    Shape,
)
from core.text import ago

ROWS_MAX: Final = 5

_OF_A_BLOCK: Final = 2
_ROW_TYPE_PX: Final = 24
_STANDING_TYPE_PX: Final = 22
_BAR_PX: Final = 10
_ROW_GAP_PX: Final = 16
_ROW_WIDE_GAP_PX: Final = 28
_ROW_NAME_MIN_PX: Final = 150
_ROW_VALUE_MAX_PX: Final = 210
_BAR_MIN_PX: Final = 96
_SIGN_PX: Final = 15
_SIGN_GAP_PX: Final = 9


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the parts of the rows lie, in pixels; values and standings end at their right edges."""

    name_px: int
    bar_left: int
    bar_px: int
    value_px: int
    value_right: int
    standing_px: int


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the rows lie on a picture.

    Attributes:
        left: Left edge of the names, in pixels.
        top: Upper edge of the first row, in pixels.
        width_px: Width of a row.
        pitch_px: Height of a row.
        standings: Whether "top 1 %" is written at the end of each row.
    """

    left: int
    top: int
    width_px: int
    pitch_px: int
    standings: bool = True

    @property
    def right(self) -> int:
        """Right edge of all."""
        return self.left + self.width_px

    def columns(self, features: tuple[FeatureValue, ...]) -> Columns:
        """Give values and standings the room they need, names what leaves the bars theirs, and the bars the rest."""

        def needed(texts: Iterable[str], type_px: int, weight: Weight) -> int:
            return max((room_for(text, type_px, weight) for text in texts), default=0)

        value_px = min(_ROW_VALUE_MAX_PX, needed((f.display for f in features), _ROW_TYPE_PX, Weight.BOLD))
        standings = (f.standing for f in features if self.standings and f.standing)
        standing_px = needed(standings, _STANDING_TYPE_PX, Weight.REGULAR)
        behind_bar = _ROW_GAP_PX + value_px + (_ROW_WIDE_GAP_PX + standing_px if standing_px else 0)
        name_max_px = self.width_px - behind_bar - _ROW_GAP_PX - _BAR_MIN_PX
        names_px = needed((f.label for f in features), _ROW_TYPE_PX, Weight.REGULAR)
        name_px = min(name_max_px, max(_ROW_NAME_MIN_PX, names_px))
        bar_left = self.left + name_px + _ROW_GAP_PX
        bar_px = self.right - behind_bar - bar_left
        return Columns(name_px, bar_left, bar_px, value_px, bar_left + bar_px + _ROW_GAP_PX + value_px, standing_px)

    def draw(
        self, picture: Image.Image, features: tuple[FeatureValue, ...], push: Reason | None, accent: Colour
    ) -> None:
        """Draw one row for each of ``features``, all of which have a percentile; ``push`` marks its own."""
        columns = self.columns(features)
        for place, feature in enumerate(features):
            marked = push if push is not None and push.key == feature.key else None
            self._row(picture, columns, self.top + place * self.pitch_px, feature, marked, accent)

    def _row(
        self,
        picture: Image.Image,
        columns: Columns,
        top: int,
        feature: FeatureValue,
        push: Reason | None,
        accent: Colour,
    ) -> None:
        middle = top + self.pitch_px // 2
        baseline = middle + round(_ROW_TYPE_PX * CAP_HEIGHT_EM / 2)
        if push is not None:
            arrow = sign(Shape.UP if push.push > 0 else Shape.DOWN, _SIGN_PX, accent)
            picture.paste(arrow, (self.left - _SIGN_PX - _SIGN_GAP_PX, middle - _SIGN_PX // 2), arrow)
        name = fit(feature.label, _ROW_TYPE_PX, columns.name_px)
        name.lay(picture, self.left, baseline, TEXT if push is None else WHITE)

        corner = (columns.bar_left, middle - _BAR_PX // 2)
        picture.paste(tuple(TRACK), corner, rounded_mask(columns.bar_px, _BAR_PX, _BAR_PX // 2))
        filled = round(columns.bar_px * min(100.0, max(0.0, feature.percentile or 0.0)) / 100)
        if filled:
            colour = FILL if push is None else accent
            picture.paste(tuple(colour), corner, rounded_mask(max(filled, _BAR_PX), _BAR_PX, _BAR_PX // 2))

        value = fit(feature.display, _ROW_TYPE_PX, columns.value_px, Weight.BOLD)
        value.lay(picture, columns.value_right, baseline, WHITE, right=True)
        if columns.standing_px and feature.standing:
            ink(feature.standing, _STANDING_TYPE_PX).lay(picture, self.right, baseline, QUIET, right=True)


def strongest_push(assessment: Assessment) -> Reason | None:
    """Return the reason that counts most, if there is any."""
    return assessment.reasons[0] if assessment.reasons else None


def chosen_features(assessment: Assessment, most: int = ROWS_MAX) -> tuple[FeatureValue, ...]:
    """Choose the features to show, in their order: those with a percentile, the strongest push always among them.

    A card says more when it shows some of each block than all of one, so the third of a block gives way to others.
    """
    ranked = [feature for feature in assessment.features if feature.percentile is not None]
    push = strongest_push(assessment)
    seen: Counter[Block | None] = Counter()
    preference: dict[str, int] = {}
    for feature in ranked:
        seen[feature.block] += 1
        if push is not None and feature.key == push.key:
            preference[feature.key] = 0
        else:
            preference[feature.key] = 1 if feature.block is None or seen[feature.block] <= _OF_A_BLOCK else 2
    preferred = sorted(ranked, key=lambda feature: preference[feature.key])[:most]
    return tuple(feature for feature in ranked if feature in preferred)


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


BRAND: Final = "Hitmeter"
FOOTER_BASELINE_PX: Final = 594

_FOOTER_TYPE_PX: Final = 22
_FOOTER_SEPARATOR: Final = "  ·  "
_FOOTER_GAP_PX: Final = 28


def source_words(source: Source, now: datetime) -> str:
    """Say where figures are from and how old they are; recorded ones name their month, the catalogue's their year."""
    match source.origin:
        case Origin.RECORDED:
            return f"Recorded figures of {source.as_of:%B %Y}"
        case Origin.CATALOGUE:
            return f"Recorded {source.as_of.year}, no listener figures"
        case Origin.LASTFM:
            return f"{source.origin.value}, {ago(source.as_of, now)}"
        case _:
            assert_never(source.origin)


def draw_footer(picture: Image.Image, source: Source, assessment: Assessment, now: datetime) -> None:
    """Draw the small print along the lower edge; figures that are out of date are marked in colour and word."""
    right = WIDTH_PX - MARGIN_PX
    brand = ink(BRAND, _FOOTER_TYPE_PX, Weight.BOLD)
    brand.lay(picture, right, FOOTER_BASELINE_PX, QUIET, right=True)
    room = right - brand.width - _FOOTER_GAP_PX - MARGIN_PX
    start = MARGIN_PX
    if source.stale:
        mark = ink(f"Not up to date: {source_words(source, now)}", _FOOTER_TYPE_PX, Weight.BOLD)
        mark.lay(picture, start, FOOTER_BASELINE_PX, STALE)
        rest = _FOOTER_SEPARATOR
    else:
        mark = Ink("", None, 0, 0, 0)
        rest = source_words(source, now) + _FOOTER_SEPARATOR
    rest += f"{assessment.base_rate:.0%} of all songs are popular".replace("%", " %")
    rest += f"{_FOOTER_SEPARATOR}model of {_day(assessment.trained_at)}"
    if source.stale:
        start += mark.width + 14
        rest = rest.strip()
    fit(rest, _FOOTER_TYPE_PX, room - (start - MARGIN_PX)).lay(picture, start, FOOTER_BASELINE_PX, QUIET)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"


_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_BITS: Final = 8
_RGB: Final = 2
_FILTER_UP: Final = 2
_LEVEL: Final = 1
"""Of ISA-L's four; the next ones are slower and no smaller here."""


def png(picture: Image.Image) -> bytes:
    """Encode a picture of mode "RGB" as PNG (W3C Portable Network Graphics, third edition)."""
    width, height = picture.size
    rows = np.asarray(picture.convert("RGB")).reshape(height, width * 3)
    filtered = np.empty((height, 1 + width * 3), dtype=np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, _BITS, _RGB, 0, 0, 0)
    body = isal_zlib.compress(filtered.data, _LEVEL)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", isal_zlib.crc32(kind + data))
