"""Dates and times as people write and read them: release dates of any source, and how long ago something was."""

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
