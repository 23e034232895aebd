"""What a model must reach before it may replace another, and whether it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from core.domain import Song
from core.model.inference import HitModel

AT_LEAST: Final[tuple[tuple[str, str, str, float], ...]] = (
    ("songs", "full", "roc_auc", 0.938),
    ("songs", "full", "average_precision", 0.71),
    ("songs", "full", "f1", 0.65),
    ("songs", "live", "roc_auc", 0.925),
    ("track_figures", "full_unweighted", "roc_auc", 0.82),
    ("predecessor", "full", "f1", 0.64),
    ("predecessor", "full", "accuracy", 0.925),
)
"""Protocol, view, metric and the least value."""

AT_MOST: Final[tuple[tuple[str, str, str, float], ...]] = (("songs", "full", "ece", 0.015),)
"""Protocol, view, metric and the greatest value."""

OBSCURE_BELOW: Final = 0.10
"""Greatest probability for 300 listeners by an artist nobody knows."""

FAMOUS_ABOVE: Final = 0.85
"""Least probability for two million listeners and thirty million plays."""

STEPS: Final = tuple(int(value) for value in np.geomspace(100, 8_000_000, 25))
"""Listeners of the grid on which more must never mean less."""

TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Gate:
    """One demand: what was asked for, what was found, and whether that is enough."""

    name: str
    demand: str
    found: float
    passed: bool


def metric_gates(metrics: Mapping[str, Any]) -> tuple[Gate, ...]:
    """Check the metrics against ``AT_LEAST`` and ``AT_MOST``."""
    protocols = metrics["protocols"]
    gates = []
    for sign, demands in ((1, AT_LEAST), (-1, AT_MOST)):
        for protocol, view, metric, bound in demands:
            found = float(protocols[protocol]["views"][view][metric])
            demand = f"{'>=' if sign > 0 else '<='} {bound:g}"
            gates.append(Gate(f"{protocol} {view} {metric}", demand, found, sign * (found - bound) >= 0))
    return tuple(gates)


def sense_gates(model: HitModel) -> tuple[Gate, ...]:
    """Check on a grid that more listeners never hurt, that nobody's song is no hit and that a hit is one."""
    worst_drop, greatest_obscure, least_famous = 0.0, 0.0, 1.0
    for song in _settings():
        unknown = song.artist_listeners is None or song.artist_listeners <= 1000
        famous = not unknown or song.artist_listeners is None
        answers = model.probabilities([_heard(song, step, 12.0) for step in STEPS])
        worst_drop = max(worst_drop, float(-np.diff(answers).min(initial=0.0)))
        if unknown:
            greatest_obscure = max(greatest_obscure, float(model.probabilities([_heard(song, 300, 4.0)])[0]))
        if famous:
            least_famous = min(least_famous, float(model.probabilities([_heard(song, 2_000_000, 15.0)])[0]))
    return (
        Gate("greatest drop for more listeners", "<= 0", worst_drop, worst_drop <= TOLERANCE),
        Gate(
            "300 listeners, unknown artist", f"< {OBSCURE_BELOW:g}", greatest_obscure, greatest_obscure < OBSCURE_BELOW
        ),
        Gate("2 million listeners, 30 million plays", f"> {FAMOUS_ABOVE:g}", least_famous, least_famous > FAMOUS_ABOVE),
    )


def _heard(song: Song, listeners: int, plays_per_listener: float) -> Song:
    return Song(
        title=song.title,
        artist=song.artist,
        album=song.album,
        listeners=listeners,
        playcount=round(listeners * plays_per_listener),
        artist_listeners=song.artist_listeners,
        artist_playcount=song.artist_playcount,
        tags=song.tags,
        duration_ms=song.duration_ms,
    )


def _settings() -> list[Song]:
    """List songs of artists in every fold: artist unknown, hardly heard or famous; tags known or not."""
    audiences = (None, 500, 3_000_000)
    return [
        Song(
            title="Morning Light",
            artist=f"The Example {number}",
            album="Morning Light" if tags else None,
            artist_listeners=audience,
            artist_playcount=None if audience is None else audience * 40,
            tags=tags,
            duration_ms=200_000 if tags else None,
        )
        for number in range(10)
        for audience in audiences
        for tags in ((), ("pop",), ("rock", "indie"))
    ]
