"""How long ago something was, in words."""

from __future__ import annotations

from datetime import datetime, timedelta
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
