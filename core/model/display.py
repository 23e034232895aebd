"""How figures are written for people."""

from __future__ import annotations


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
