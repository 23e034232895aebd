"""The small print: source and age, base rate, date of the model, and the project's name."""

from __future__ import annotations

from datetime import datetime
from typing import Final, assert_never

from PIL import Image

from core.age import ago
from core.domain import Assessment, Origin, Source
from core.render.fonts import Weight
from core.render.text import Ink, fit, ink
from core.render.theme import MARGIN_PX, QUIET, STALE, WIDTH_PX

BRAND: Final = "Hitmeter"
BASELINE_PX: Final = 594

_TYPE_PX: Final = 22
_SEPARATOR: Final = "  ·  "
_GAP_PX: Final = 28


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
    brand = ink(BRAND, _TYPE_PX, Weight.BOLD)
    brand.lay(picture, right, BASELINE_PX, QUIET, right=True)
    room = right - brand.width - _GAP_PX - MARGIN_PX
    start = MARGIN_PX
    if source.stale:
        mark = ink(f"Not up to date: {source_words(source, now)}", _TYPE_PX, Weight.BOLD)
        mark.lay(picture, start, BASELINE_PX, STALE)
        rest = _SEPARATOR
    else:
        mark = Ink("", None, 0, 0, 0)
        rest = source_words(source, now) + _SEPARATOR
    rest += f"{assessment.base_rate:.0%} of all songs are popular".replace("%", " %")
    rest += f"{_SEPARATOR}model of {_day(assessment.trained_at)}"
    if source.stale:
        start += mark.width + 14
        rest = rest.strip()
    fit(rest, _TYPE_PX, room - (start - MARGIN_PX)).lay(picture, start, BASELINE_PX, QUIET)


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
