"""Numbers, ages and dates as people read and write them, in the language spoken here."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

from babel.dates import format_date, format_skeleton, format_timedelta
from babel.lists import format_list
from babel.numbers import format_compact_decimal, format_decimal

from core.language import ENGLISH, language, locale, mark, say

DAYS_PER_YEAR: Final = 365.25

_UNITS: Final = (
    timedelta(days=365),
    timedelta(days=30.44),
    timedelta(weeks=1),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
)
"""A year, a month, a week, a day, an hour and a minute."""


def duration(length: timedelta) -> str:
    """Say how long something lasted in its largest whole unit, "3 hours"; under a minute is "less than a minute"."""
    whole = _whole(length)
    return say(_SHORT_WHILE) if whole is None else format_timedelta(whole, threshold=1, locale=locale())


def change(value: float) -> str:
    """Write how much something grew: 0.118 gives "+12 %", 0.004 "+0.4 %", -0.03 "−3.0 %", 0 "±0 %"."""
    shown = round(value * 100, 1)
    if shown == 0:
        return f"±{count(0)}{percent_sign()}"
    written = count(abs(shown)) if abs(shown) >= 9.95 else decimal(abs(shown))
    return f"{'+' if shown > 0 else '−'}{written}{percent_sign()}"


def ago(then: datetime, now: datetime) -> str:
    """Say how long before ``now`` ``then`` was, "2 minutes ago"; anything under a minute or ahead is "just now"."""
    return _ago(now - then) or say(_JUST_NOW)


def _ago(passed: timedelta) -> str | None:
    whole = _whole(passed)
    return None if whole is None else format_timedelta(-whole, threshold=1, add_direction=True, locale=locale())


def _whole(length: timedelta) -> timedelta | None:
    """Cut a length to its largest whole unit; None under a minute."""
    unit = next((unit for unit in _UNITS if length >= unit), None)
    return None if unit is None else length // unit * unit


_SHORT_WHILE: Final = mark("less than a minute")
_JUST_NOW: Final = mark("just now")
# Translators: fills the place of "3 weeks ago", for a song that came out today.
_TODAY: Final = mark("today")
# Translators: fills the place of "3 weeks ago", for a song that is out today or announced for a later day.
_TODAY_OR_LATER: Final = mark("today or later")


def day(moment: date) -> str:
    """Write a date, "22 Nov 2026"."""
    return format_date(moment, "medium", locale=locale())


def month(moment: date) -> str:
    """Write a month, "November 2026"."""
    return format_skeleton("yMMMM", moment, locale=locale())


def short_month(moment: date) -> str:
    """Write a month in little room, "Nov 2026"."""
    return format_skeleton("yMMM", moment, locale=locale())


def listing(names: Sequence[str]) -> str:
    """Write a list, "a, b and c"."""
    return format_list(names, locale=locale())


YEAR_MIN: Final = 1860
"""The year of the oldest sound recording that can be played."""

AHEAD_MAX: Final = timedelta(days=731)
"""How far ahead of today a release may be announced; what lies beyond is an error."""

_WRITTEN: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9:]+)?)?)?)?")


def parse_release_date(text: str | None, *, today: date | None = None) -> date | None:
    """Read "1975", "1975-10", "1975-10-31" or "1975-10-31T07:00:00Z"; None for anything else.

    A bare year counts as its 1 July, or as ``today`` if it is not yet July, and a month as its first day. Days that
    cannot be ("0000-00-00", "2021-02-30", before 1860, more than two years after ``today``, by default that of UTC) are
    unknown.
    """
    written = _WRITTEN.fullmatch((text or "").strip())
    if written is None:
        return None
    year, month, day = written.groups()
    try:
        released = date(int(year), int(month or 7), int(day or 1))
    except ValueError:
        return None
    today = today or datetime.now(UTC).date()
    if month is None and released.year == today.year:
        released = min(released, today)
    return released if released.year >= YEAR_MIN and released <= today + AHEAD_MAX else None


def count(value: float) -> str:
    """Write a count: 2275434 gives "2,275,434"."""
    return _decimal(round(value), None, language())


def decimal(value: float, places: int = 1) -> str:
    """Write a ratio: 16.37 gives "16.4"."""
    return _decimal(value, f"#,##0.{'0' * places}", language())


@lru_cache(1 << 12)
def _decimal(value: float, pattern: str | None, language: str) -> str:
    """Write a number as Babel does; one answer writes most of its figures several times."""
    return format_decimal(value, pattern, locale=locale())


def clock(value: float) -> str:
    """Write milliseconds as minutes and seconds: 200040 gives "3:20", 3725000 "1:02:05"."""
    seconds = round(value / 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def share(value: float) -> str:
    """Write a share of 1 in percent: 0.514 gives "51 %"."""
    return count(value * 100) + percent_sign()


def percent(value: float) -> str:
    """Write a probability in percent: 0.923 gives "92.3 %", the ends "< 0.1 %" and "> 99.9 %"."""
    return percent_number(value) + percent_sign()


def percent_number(value: float) -> str:
    """Write a probability in percent, without the sign."""
    shown = round(value * 100, 1)
    if is_hardly(value):
        return f"< {decimal(0.1)}"
    return f"> {decimal(99.9)}" if is_hardly(1 - value) else decimal(shown)


def is_hardly(value: float) -> bool:
    """Return whether a probability is too small for one decimal of a percent."""
    return round(value * 100, 1) < 0.1


def percent_sign() -> str:
    """Return what follows a number in percent; English has a space there, since all that is measured here has one."""
    return " %" if language() == ENGLISH else locale().percent_formats[None].pattern.rpartition("0")[2]


def decibels(value: float) -> str:
    """Write loudness: -5.934 gives "-5.9 dB"."""
    return f"{decimal(value)} dB"


def beats(value: float) -> str:
    """Write a tempo: 171.005 gives "171 BPM"."""
    return f"{count(value)} BPM"


def age_years(value: float) -> str:
    """Write the years since a release: 0.06 gives "3 weeks ago", 12.7 "12 years ago"."""
    if value <= 0:
        return say(_TODAY_OR_LATER)
    return _ago(timedelta(days=round(value * DAYS_PER_YEAR))) or say(_TODAY)


def short_count(value: float) -> str:
    """Write a count in a few characters: 494, "23K", "959K", "2.3M"; in full where a language has no shorter way."""
    # Three digits first, so that 999,960 becomes a million and not a thousand thousands.
    rounded = round(value, 2 - math.floor(math.log10(value))) if value >= 1 else 0
    written = format_compact_decimal(rounded, fraction_digits=1, locale=locale())
    if re.match(r"\d{3}", written):
        written = format_compact_decimal(rounded, locale=locale())
    return count(value) if written.isdecimal() else written


_WRITERS: Final[dict[str, Callable[[float], str]]] = {
    "": share,
    "listeners": count,
    "plays": count,
    "plays per listener": decimal,
    "years ago": age_years,
    "year": lambda value: f"{value:.0f}",
    "ms": clock,
    "dB": decibels,
    "BPM": beats,
}


def figure(value: float, unit: str) -> str:
    """Write a value in its unit, as the feature table names units: "2,275,434", "3:20", "51 %"."""
    return _WRITERS[unit](value)
