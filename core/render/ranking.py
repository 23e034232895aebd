"""An artist's likeliest songs in ten rows, each with a small gauge, beside the cover of the likeliest one's album."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PIL import Image

from core import text
from core.domain import ArtistRanking, Cover, Origin, RankedSong, SongName
from core.language import mark, mark_plural, say, say_plural
from core.render.card import draw_footer, draw_stack, png, source_words
from core.render.cover import NOTE, cover_art, dominant, lay_cover, tinted_ground
from core.render.fonts import Weight, drawable
from core.render.shapes import sign, small_gauge
from core.render.text import CAP_HEIGHT_EM, fit, ink, two_lines
from core.render.theme import ACCENTS, MARGIN_PX, QUIET, SHAPES, TEXT, TYPE_MIN_PX, WARNING, WHITE, WIDTH_PX

ROWS_MAX: Final = 10

# Translators: below an artist's name on a picture, at most 24 letters.
_SONGS_RANKED: Final = mark_plural("{n} song by its chance", "{n} songs by their chance")
# Translators: where the figures are from, below an artist's name on a picture, in at most two lines of 24 letters.
_RECORDED_IN_PART: Final = mark("Last.fm, recorded")

_TOP: Final = 44
_COVER_PX: Final = 316
_ARTIST_PX: Final = 44
_LEFT_BOTTOM: Final = 566
_LEFT_GAP_PX: Final = 34
_ROWS_LEFT: Final = MARGIN_PX + _COVER_PX + 48
_ROWS_RIGHT: Final = WIDTH_PX - MARGIN_PX
_FIRST_BASELINE: Final = 72
_PITCH_PX: Final = 53
_NUMBER_PX: Final = 36
"""Room for "10"."""

_RADIUS_PX: Final = 24
_SIGN_PX: Final = 19
_GAP_PX: Final = 16
_LIGHT: Final = (MARGIN_PX + _COVER_PX // 2, _TOP + _COVER_PX // 2)


def draw_ranking(ranking: ArtistRanking, cover: Cover | None, now: datetime) -> bytes:
    """Draw the ten likeliest songs of ``ranking`` as PNG, 1200 x 630.

    Pure but for caches, and all arguments pickle: it may run in any thread or process.
    """
    art = cover_art(cover, SongName(ranking.artist, ranking.artist))
    colour = dominant(art)
    picture = tinted_ground(colour, _LIGHT)
    lay_cover(picture, art, (MARGIN_PX, _TOP), _COVER_PX, colour)
    _draw_artist(picture, ranking, now)
    rows = ranking.songs[:ROWS_MAX]
    percents = [text.percent(one.probability) for one in rows]
    percent_px = max(ink(shown, TYPE_MIN_PX, Weight.BOLD).width for shown in percents)
    counts = [_listeners(one) for one in rows]
    count_px = max(ink(shown, TYPE_MIN_PX).width for shown in counts)
    for place, (one, percent, count) in enumerate(zip(rows, percents, counts, strict=True)):
        _draw_row(picture, ranking, place, one, percent, percent_px, count, count_px)
    draw_footer(picture, ranking.base_rate)
    return png(picture)


def _draw_artist(picture: Image.Image, ranking: ArtistRanking, now: datetime) -> None:
    """Write below the cover whose songs these are, how many were looked at and where their figures are from."""
    name = drawable(ranking.artist, Weight.BOLD) or NOTE
    colour = WARNING if ranking.source.stale else QUIET
    lines = [(line, WHITE) for line in two_lines(name, _ARTIST_PX, _COVER_PX, Weight.BOLD)]
    lines.append((fit(say_plural(*_SONGS_RANKED, len(ranking.songs)), TYPE_MIN_PX, _COVER_PX), TEXT))
    in_part = ranking.source.origin is Origin.CATALOGUE and any(one.song.listeners for one in ranking.songs)
    words = say(_RECORDED_IN_PART) if in_part else source_words(ranking.source, now)
    lines += [(line, colour) for line in two_lines(words, TYPE_MIN_PX, _COVER_PX)]
    draw_stack(picture, lines, MARGIN_PX, _TOP + _COVER_PX + _LEFT_GAP_PX, _LEFT_BOTTOM)


def _draw_row(
    picture: Image.Image,
    ranking: ArtistRanking,
    place: int,
    one: RankedSong,
    percent: str,
    percent_px: int,
    count: str,
    count_px: int,
) -> None:
    """Write one song: place, title, listeners, gauge, sign and percentage, each in its column."""
    baseline = _FIRST_BASELINE + place * _PITCH_PX
    ink(str(place + 1), TYPE_MIN_PX, Weight.BOLD).lay(picture, _ROWS_LEFT + _NUMBER_PX, baseline, QUIET, right=True)
    ink(percent, TYPE_MIN_PX, Weight.BOLD).lay(picture, _ROWS_RIGHT, baseline, WHITE, right=True)
    shape = sign(SHAPES[one.verdict], _SIGN_PX, ACCENTS[one.verdict])
    sign_left = _ROWS_RIGHT - percent_px - _GAP_PX // 2 - _SIGN_PX
    picture.paste(shape, (sign_left, baseline - _SIGN_PX + 1), shape)
    gauge = small_gauge(_RADIUS_PX, ranking.bands, one.probability)
    gauge_left = sign_left - _GAP_PX - gauge.width
    middle = baseline - round(TYPE_MIN_PX * CAP_HEIGHT_EM / 2)
    picture.paste(gauge, (gauge_left, middle - gauge.height // 2), gauge)
    count_right = gauge_left - _GAP_PX
    ink(count, TYPE_MIN_PX).lay(picture, count_right, baseline, QUIET, right=True)
    title_left = _ROWS_LEFT + _NUMBER_PX + _GAP_PX
    room = count_right - (count_px + _GAP_PX if count_px else 0) - title_left
    title = drawable(one.song.title, Weight.REGULAR) or NOTE
    fit(title, TYPE_MIN_PX, room).lay(picture, title_left, baseline, WHITE if place == 0 else TEXT)


def _listeners(one: RankedSong) -> str:
    return "" if one.song.listeners is None else text.short_count(one.song.listeners)
