"""Numbers, ages and dates as people read and write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

_STEPS: Final = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def span(length: timedelta) -> str:
    """Say how long something lasted in its largest whole unit, "3 hours"; under a minute is "less than a minute"."""
    for step, unit in _STEPS:
        count = length // step
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"


def ago(then: datetime, now: datetime) -> str:
    """Say how long before ``now`` ``then`` was, "2 minutes ago"; anything under a minute or ahead is "just now"."""
    passed = now - then
    return "just now" if passed < _STEPS[-1][0] else f"{span(passed)} ago"


YEAR_MIN: Final = 1860
"""The year of the oldest sound recording that can be played."""

AHEAD_MAX: Final = timedelta(days=731)
"""How far ahead of today a release may be announced; what lies beyond is an error."""

_WRITTEN: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9:]+)?)?)?)?")


def parse_release_date(text: str | None, *, today: date | None = None) -> date | None:
    """Read "1975", "1975-10", "1975-10-31" or "1975-10-31T07:00:00Z"; None for anything else.

    A bare year counts as its 1 July and a month as its first day. Days that cannot be ("0000-00-00", "2021-02-30",
    before 1860, more than two years after ``today``, by default that of UTC) are unknown.
    """
    written = _WRITTEN.fullmatch((text or "").strip())
    if written is None:
        return None
    year, month, day = written.groups()
    try:
        released = date(int(year), int(month or 7), int(day or 1))
    except ValueError:
        return None
    latest = (today or datetime.now(UTC).date()) + AHEAD_MAX
    return released if released.year >= YEAR_MIN and released <= latest else None


def count(value: float) -> str:
    """Write a count: 2275434 gives "2,275,434"."""
    return f"{value:,.0f}"


def one_decimal(value: float) -> str:
    """Write a ratio: 16.37 gives "16.4"."""
    return f"{value:,.1f}"


def clock(value: float) -> str:
    """Write milliseconds as minutes and seconds: 200040 gives "3:20", 3725000 "1:02:05"."""
    seconds = round(value / 1000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def share(value: float) -> str:
    """Write a share of 1 in percent: 0.514 gives "51 %"."""
    return f"{value * 100:.0f} %"


def percent(value: float) -> str:
    """Write a probability in percent: 0.923 gives "92.3 %", the ends "< 0.1 %" and "> 99.9 %"."""
    shown = round(value * 100, 1)
    if shown < 0.1:
        return "< 0.1 %"
    return "> 99.9 %" if shown > 99.9 else f"{shown:.1f} %"


def decibels(value: float) -> str:
    """Write loudness: -5.934 gives "-5.9 dB"."""
    return f"{value:.1f} dB"


def beats(value: float) -> str:
    """Write a tempo: 171.005 gives "171 BPM"."""
    return f"{value:.0f} BPM"


def age_years(value: float) -> str:
    """Write the years since a release: 0.06 gives "3 weeks ago", 12.7 "12 years ago"."""
    if value <= 0:
        return "today or later"
    days = round(value * 365.25)
    for unit, length in (("year", 365), ("month", 30.44), ("week", 7), ("day", 1)):
        n = int(days / length + 1e-9)
        if n >= (2 if unit == "month" else 1):
            return f"{n:,} {unit}{'' if n == 1 else 's'} ago"
    return "today"


def short_count(value: float) -> str:
    """Write a count in a few characters: 494, "23 k", "959 k", "2.3 M", "1.2 bn"."""
    for unit, size in (("bn", 1e9), ("M", 1e6), ("k", 1e3)):
        # What would be rounded to the next unit's 1.0 is written in that unit.
        if value >= size * 0.9995:
            shown = value / size
            return f"{shown:.0f} {unit}" if shown >= 99.5 or (unit == "k" and shown >= 9.95) else f"{shown:.1f} {unit}"
    return f"{value:.0f}"
