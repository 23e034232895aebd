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


def ago(then: datetime, now: datetime) -> str:
    """Say how long before ``now`` ``then`` was, "2 minutes ago"; anything under a minute or ahead is "just now"."""
    passed = now - then
    for step, unit in _STEPS:
        count = passed // step
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
