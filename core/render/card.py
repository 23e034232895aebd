"""The card of one prediction: cover, names, gauge, reasons, figures, small print; and the parts a comparison shares."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

import numpy as np
from isal import isal_zlib
from PIL import Image

from core import text, words
from core.domain import Assessment, Cover, Growth, Origin, Prediction, RecordedPopularity, Source, Verdict
from core.language import mark, say
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.fonts import Weight, drawable
from core.render.shapes import Gauge, sign
from core.render.text import CAP_HEIGHT_EM, Ink, fit, fits, ink, largest, two_lines
from core.render.theme import (
    ACCENTS,
    MARGIN_PX,
    QUIET,
    SHAPES,
    TEXT,
    TYPE_MIN_PX,
    WARNING,
    WHITE,
    WIDTH_PX,
    Colour,
    Shape,
)

COVER_CORNER: Final = (MARGIN_PX, 40)
COVER_SIDE_PX: Final = 420
COLUMN_LEFT: Final = 524
COLUMN_RIGHT: Final = WIDTH_PX - MARGIN_PX
GAUGE: Final = Gauge(hub=(648, 380), radius_px=118)
RESULT_LEFT: Final = 806
RESULT_BASELINE: Final = 318
ACTION_BOX: Final = (GAUGE.box[0], 236, COLUMN_RIGHT, GAUGE.box[3])
"""All that moves in the animation: the gauge, the percentage and the verdict; left, top, right, bottom."""

REASONS_MAX: Final = 3
FOOTER_BASELINE_PX: Final = 604
BRAND: Final = "Hitmeter"

# Translators: below the cover, at most 30 letters. {change} is "+12 %", {span} "3 weeks".
_GROWTH: Final = mark("{change} listeners in {span}")
# Translators: below the line before, at most 30 letters. {share} is "93 %".
_FASTER_THAN: Final = mark("faster than {share} of songs")
# Translators: Spotify's popularity in an earlier year, below the cover, at most 34 letters.
_POPULARITY_RERELEASE: Final = mark("Spotify {year}: {value}, re-released")
# Translators: Spotify's popularity in an earlier year, below the cover, at most 34 letters.
_POPULARITY_UNLIKE: Final = mark("Spotify {year}: {value}, unlike now")

# Translators: the card's lowest line; at most 62 letters. {share} is "12 %".
_FOOTER: Final = mark("Popular = 60 or more of 100 on Spotify; {share} of songs are")
_LASTFM: Final = "Last.fm"
# Translators: below the cover, in at most two lines of 30 letters. {ago} is "2 minutes ago".
_SOURCE_LIVE: Final = (mark("Last.fm, {ago}"), mark("Not up to date: Last.fm, {ago}"))
# Translators: {month} is "Nov 2026".
_SOURCE_RECORDED: Final = (mark("Last.fm, recorded {month}"), mark("Not up to date: Last.fm, recorded {month}"))
# Translators: no figures of Last.fm's listeners are known.
_SOURCE_CATALOGUE: Final = (
    mark("Recorded {year}, no listeners"),
    mark("Not up to date: recorded {year}, no listeners"),
)
# Translators: Spotify's popularity of the song in that year. At most 30 letters, as are the three that follow.
_POPULARITY: Final = mark("Spotify {year}: {value} of 100")
_POPULAR_THEN: Final = mark("popular then, unlike now")
_NOT_POPULAR_THEN: Final = mark("not popular then")
# Translators: the popularity is that of a compilation on which the song is.
_RERELEASE: Final = mark("of a compilation with it")

_TOP: Final = 40
_TITLE_SIZES_PX: Final = (54, 48)
_TITLE_TWO_LINES_PX: Final = 44
_ARTIST_PX: Final = 32
_ABOUT_BASELINE_MAX: Final = 226
_PERCENT_SIZES_PX: Final = (100, 88, 76)
_VERDICT_SIZES_PX: Final = (44, 38, 32, 28)
_VERDICT_BASELINE: Final = 378
_REASONS_BASELINE: Final = 432
_ROWS_BASELINE: Final = 480
_ROW_PITCH_PX: Final = 37
_BELOW_COVER_TOP: Final = 484
_BELOW_COVER_TOP_RAISED: Final = 474
_BELOW_COVER_BOTTOM: Final = 575
_BELOW_COVER_LINES: Final = 3
SIGN_PX: Final = 19
SIGN_GAP_PX: Final = 8
_GAP_PX: Final = 26

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PNG_BITS: Final = 8
_PNG_RGB: Final = 2
_PNG_FILTER_UP: Final = 2
_PNG_LEVEL: Final = 1
"""Of ISA-L's four; the next ones are slower and no smaller here."""


def draw_card(prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    """Draw the card of ``prediction`` as PNG, 1200 x 630.

    Pure but for caches, and all arguments pickle: it may run in any thread or process.
    """
    picture = card_without_result(prediction, cover, now)
    draw_result(picture, prediction)
    return png(picture)


def card_without_result(prediction: Prediction, cover: Cover | None, now: datetime) -> Image.Image:
    """Draw all of the card but the gauge, the percentage and the verdict, mode "RGB"."""
    art = cover_art(cover, prediction.song.name)
    assessment = prediction.assessment
    centre = (COVER_CORNER[0] + COVER_SIDE_PX // 2, COVER_CORNER[1] + COVER_SIDE_PX // 2)
    colour = dominant(art)
    picture = tinted_ground(colour, centre)
    lay_cover(picture, art, COVER_CORNER, COVER_SIDE_PX, colour)
    _draw_names(picture, prediction)
    draw_reasons(picture, assessment, COLUMN_LEFT, _REASONS_BASELINE, COLUMN_RIGHT - COLUMN_LEFT)
    rows = figures(assessment)
    draw_rows(picture, rows, COLUMN_LEFT, COLUMN_RIGHT, _ROWS_BASELINE, _ROW_PITCH_PX, standings=True)
    _draw_below_cover(picture, prediction, now)
    draw_footer(picture, assessment.base_rate)
    return picture


def draw_result(picture: Image.Image, prediction: Prediction) -> None:
    """Draw gauge, percentage and verdict as they are in the end."""
    assessment = prediction.assessment
    GAUGE.draw_zones(picture, assessment.bands, assessment.verdict)
    GAUGE.draw_needle(picture, assessment.probability)
    room = COLUMN_RIGHT - RESULT_LEFT
    draw_percentage(picture, assessment.probability, RESULT_LEFT, RESULT_BASELINE, room, _PERCENT_SIZES_PX)
    draw_verdict(picture, assessment.verdict, RESULT_LEFT, _VERDICT_BASELINE, room, _VERDICT_SIZES_PX)


def draw_moving(picture: Image.Image, assessment: Assessment, at: float) -> None:
    """Draw gauge and percentage with the needle at ``at`` (0 to 1), before anything is decided."""
    GAUGE.draw_zones(picture, assessment.bands)
    GAUGE.draw_needle(picture, at)
    room = COLUMN_RIGHT - RESULT_LEFT
    draw_percentage(picture, at, RESULT_LEFT, RESULT_BASELINE, room, _PERCENT_SIZES_PX)


def draw_percentage(
    picture: Image.Image, probability: float, left: int, baseline: int, room_px: int, sizes_px: tuple[int, ...]
) -> None:
    """Write the probability in percent, in the largest of ``sizes_px`` that leaves room for the sign behind it."""
    number = text.percent_number(probability)
    for size in sizes_px:
        digits, unit = ink(number, size, Weight.BOLD), ink("%", round(size * 0.58), Weight.BOLD)
        gap = round(size * 0.1)
        if digits.width + gap + unit.width <= room_px:
            break
    digits.lay(picture, left, baseline, WHITE)
    unit.lay(picture, left + digits.width + gap, baseline, TEXT)


def draw_verdict(
    picture: Image.Image, verdict: Verdict, left: int, baseline: int, room_px: int, sizes_px: tuple[int, ...]
) -> None:
    """Write the verdict in its colour behind its shape."""
    accent = ACCENTS[verdict]
    height = round(sizes_px[0] * CAP_HEIGHT_EM) + 2
    shape = sign(SHAPES[verdict], height, accent)
    picture.paste(shape, (left, baseline - height + 1), shape)
    start = left + height + 14
    largest(words.verdict_name(verdict), sizes_px, left + room_px - start, Weight.BOLD).lay(
        picture, start, baseline, accent
    )


def draw_reasons(picture: Image.Image, assessment: Assessment, left: int, baseline: int, room_px: int) -> None:
    """Write the strongest reasons on one line, each behind an arrow in the colour of its push; as many as fit whole."""
    start = left
    for reason in assessment.reasons[:REASONS_MAX]:
        said = words.reason_words(reason)
        label = fit(said, TYPE_MIN_PX, room_px)
        end = start + SIGN_PX + SIGN_GAP_PX + label.width
        if end > left + room_px:
            if start > left:
                break
            label = fit(said, TYPE_MIN_PX, room_px - SIGN_PX - SIGN_GAP_PX)
        shape, colour = (
            (Shape.UP, ACCENTS[Verdict.POPULAR]) if reason.push > 0 else (Shape.DOWN, ACCENTS[Verdict.NOT_POPULAR])
        )
        arrow = sign(shape, SIGN_PX, colour)
        picture.paste(arrow, (start, baseline - SIGN_PX + 1), arrow)
        label.lay(picture, start + SIGN_PX + SIGN_GAP_PX, baseline, TEXT)
        start = end + _GAP_PX


@dataclass(frozen=True, slots=True)
class Row:
    """One row of figures: name, value and standing ("top 1 %"; "" if it has none), ready to be written."""

    key: str
    label: str
    value: str
    standing: str


def figures(assessment: Assessment) -> tuple[Row, ...]:
    """Write the figures that say most as rows."""
    return tuple(
        Row(one.key, say(one.label), words.short_figure(one), words.standing(one)) for one in assessment.main_features
    )


def draw_rows(
    picture: Image.Image,
    rows: tuple[Row, ...],
    left: int,
    right: int,
    baseline: int,
    pitch_px: int,
    *,
    standings: bool,
    brighter: frozenset[str] | None = None,
) -> None:
    """Write rows of figures from the first ``baseline`` on.

    Args:
        picture: Mode "RGB".
        rows: What to write.
        left: Left edge of the names.
        right: Right edge of all.
        baseline: Of the first row.
        pitch_px: From one row to the next.
        standings: Write where each figure stands among all songs.
        brighter: Keys of the rows whose values stand out; None for all.
    """
    ranks = [fit(row.standing, TYPE_MIN_PX, right - left) for row in rows] if standings else []
    rank_px = max((rank.width for rank in ranks), default=0)
    values_right = right - (rank_px + _GAP_PX if rank_px else 0)
    for place, row in enumerate(rows):
        y = baseline + place * pitch_px
        value = ink(row.value, TYPE_MIN_PX, Weight.BOLD)
        fit(row.label, TYPE_MIN_PX, values_right - value.width - _GAP_PX - left).lay(picture, left, y, TEXT)
        value.lay(picture, values_right, y, WHITE if brighter is None or row.key in brighter else QUIET, right=True)
        if ranks:
            ranks[place].lay(picture, right, y, QUIET, right=True)


def draw_footer(picture: Image.Image, base_rate: float, *, credit: bool = False) -> None:
    """Say along the lower edge what "popular" means and how rare it is; ``credit`` names Last.fm before the brand."""
    draw_small_print(picture, say(_FOOTER, share=text.share(base_rate)), _LASTFM if credit else "")


def draw_small_print(picture: Image.Image, said: str, credit: str = "") -> None:
    """Write ``said`` along the lower edge, and who says so, behind a ``credit`` if there is one."""
    right = WIDTH_PX - MARGIN_PX
    brand = ink(f"{credit} · {BRAND}" if credit else BRAND, TYPE_MIN_PX, Weight.BOLD)
    brand.lay(picture, right, FOOTER_BASELINE_PX, QUIET, right=True)
    room = right - brand.width - _GAP_PX - MARGIN_PX
    fit(said, TYPE_MIN_PX, room).lay(picture, MARGIN_PX, FOOTER_BASELINE_PX, QUIET)


def source_words(source: Source, now: datetime) -> str:
    """Say in a few words where figures are from and how old they are."""
    match source.origin:
        case Origin.RECORDED:
            return say(_SOURCE_RECORDED[source.stale], month=text.short_month(source.as_of))
        case Origin.CATALOGUE:
            return say(_SOURCE_CATALOGUE[source.stale], year=source.as_of.year)
        case Origin.LASTFM:
            return say(_SOURCE_LIVE[source.stale], ago=text.ago(source.as_of, now))
        case _:
            assert_never(source.origin)


def popularity_words(popularity: RecordedPopularity, verdict: Verdict) -> tuple[str, ...]:
    """Say the recorded popularity in one line, and in a second one what keeps it from agreeing with the verdict."""
    first = say(_POPULARITY, year=popularity.year, value=popularity.value)
    if popularity.contradicts(verdict):
        return first, say(_POPULAR_THEN if verdict is Verdict.NOT_POPULAR else _NOT_POPULAR_THEN)
    return (first, say(_RERELEASE)) if popularity.rerelease else (first,)


def short_popularity_words(popularity: RecordedPopularity, verdict: Verdict) -> str:
    """Say the same in a single line."""
    sentence = _POPULARITY_RERELEASE if popularity.rerelease else _POPULARITY
    if popularity.contradicts(verdict):
        sentence = _POPULARITY_UNLIKE
    return say(sentence, year=popularity.year, value=popularity.value)


def png(picture: Image.Image) -> bytes:
    """Encode a picture of mode "RGB" as PNG (W3C Portable Network Graphics, third edition), quickly.

    Pillow tries five filters on every row and packs with zlib, which takes longer than drawing does. For these pictures
    the filter "up" alone gives files of the same size, and ISA-L packs them in a quarter of zlib's time.
    """
    width, height = picture.size
    rows = np.asarray(picture.convert("RGB")).reshape(height, width * 3)
    filtered = np.empty((height, 1 + width * 3), dtype=np.uint8)
    filtered[:, 0] = _PNG_FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, _PNG_BITS, _PNG_RGB, 0, 0, 0)
    body = isal_zlib.compress(filtered.data, _PNG_LEVEL)
    return _PNG_SIGNATURE + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", body) + _png_chunk(b"IEND", b"")


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", isal_zlib.crc32(kind + data))


def _draw_names(picture: Image.Image, prediction: Prediction) -> None:
    """Write title, artist and what is known of the release, each clear of what hangs below the line before."""
    song, room = prediction.song, COLUMN_RIGHT - COLUMN_LEFT
    title = drawable(song.title, Weight.BOLD) or NOTE
    on_one_line = (size for size in _TITLE_SIZES_PX if fits(title, size, room, Weight.BOLD))
    size = next(on_one_line, _TITLE_TWO_LINES_PX)
    artist = fit(song.artist, _ARTIST_PX, room)
    about = fit(" · ".join(prediction.about), TYPE_MIN_PX, room)
    lines = [(line, WHITE) for line in two_lines(title, size, room, Weight.BOLD)]
    draw_stack(picture, [*lines, (artist, TEXT), (about, QUIET)], COLUMN_LEFT, _TOP, _ABOUT_BASELINE_MAX)


def draw_stack(picture: Image.Image, lines: list[tuple[Ink, Colour]], left: int, top: int, bottom_max: int) -> None:
    """Write lines of different sizes one below the other, those that :func:`stacked` finds room for."""
    for (line, colour), baseline in zip(lines, stacked([line for line, _ in lines], top, bottom_max), strict=False):
        line.lay(picture, left, baseline, colour)


def stacked(lines: list[Ink], top: int, bottom_max: int) -> list[int]:
    """Return the baselines of lines below each other, down to the last one that ends above ``bottom_max``."""
    baselines: list[int] = []
    baseline, before = top, None
    for line in lines:
        if before is None:
            baseline += round(line.size_px * CAP_HEIGHT_EM)
        else:
            pitch = round(line.size_px * (1.16 if line.size_px == before.size_px else 1.38))
            # Signs that hang low push the next line down as far as they must.
            baseline += max(pitch, before.below + line.above + 4)
        if baseline + line.below > bottom_max:
            break
        baselines.append(baseline)
        before = line
    return baselines


def growth_words(growth: Growth) -> tuple[str, ...]:
    """Say what became of the listeners in one line, and in a second one how that compares with other songs."""
    first = say(_GROWTH, change=text.change(growth.listeners), span=text.duration(timedelta(days=growth.days)))
    if growth.faster_than is None:
        return (first,)
    return first, say(_FASTER_THAN, share=text.share(int(growth.faster_than * 100) / 100))


def _draw_below_cover(picture: Image.Image, prediction: Prediction, now: datetime) -> None:
    """Write below the cover where the figures are from, what became of them, and the recorded popularity.

    What to beware of stands out. With something to say of growth, source and popularity take a line each.
    """
    source, popularity, verdict = prediction.source, prediction.popularity, prediction.assessment.verdict
    growth, source_colour = prediction.growth, WARNING if source.stale else QUIET
    from_where = source_words(source, now)
    lines = [(line, source_colour) for line in two_lines(from_where, TYPE_MIN_PX, COVER_SIDE_PX)]
    said: tuple[str, ...] = ()
    weight, colour = Weight.REGULAR, QUIET
    if popularity is not None:
        if popularity.contradicts(verdict):
            weight, colour = Weight.BOLD, TEXT
        said = popularity_words(popularity, verdict)
    if growth is not None:
        lines = [(fit(from_where, TYPE_MIN_PX, COVER_SIDE_PX), source_colour)]
        said = () if popularity is None else (short_popularity_words(popularity, verdict),)
        grown = growth_words(growth)[: 1 if said else 2]  # three lines in all have room
        lines += [(fit(line, TYPE_MIN_PX, COVER_SIDE_PX), TEXT) for line in grown]
    lines += [(fit(line, TYPE_MIN_PX, COVER_SIDE_PX, weight), colour) for line in said]
    inks, top = [line for line, _ in lines], _BELOW_COVER_TOP
    # Scripts that hang below the line begin nearer to the cover if that makes room, and bright: in its glow neither
    # quiet type nor a warning's could be read.
    tight = len(stacked(inks, top, _BELOW_COVER_BOTTOM)) < len(inks) <= _BELOW_COVER_LINES
    if tight and not source.stale:
        top, lines = _BELOW_COVER_TOP_RAISED, [(line, TEXT) for line in inks]
    draw_stack(picture, lines, COVER_CORNER[0], top, _BELOW_COVER_BOTTOM)
