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


def decibels(value: float) -> str:
    """Write loudness: -5.934 gives "-5.9 dB"."""
    return f"{value:.1f} dB"


def beats(value: float) -> str:
    """Write a tempo: 171.005 gives "171 BPM"."""
    return f"{value:.0f} BPM"
