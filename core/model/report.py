"""The honest table, read off the metrics that were stored with the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.domain import BandRecord, ModelReport, ReportRow

ROWS: Final[tuple[tuple[str, str, str], ...]] = (
    ("live", "live", "A live question"),
    ("live", "plays_alone", "Ranking by plays"),
    ("artist_figures", "live", "Without figures of the song"),
    ("artist_figures", "artist_listeners_alone", "Ranking by the artist's listeners"),
    ("songs_clean", "full", "All songs, everything known"),
    ("songs_clean", "baseline_forest", "Predecessor's forest, audio alone"),
    ("songs_clean", "baseline_majority", '"Not popular" to everything'),
)
"""Protocol and view of the rows that people are shown, and what they call them."""

LIMITS: Final[tuple[str, ...]] = (
    "A live question is a song with Last.fm figures, from charts, playlists and discographies of 2019 to 2025; most "
    "are popular.",
    "Last.fm's figures are mostly of 2025: for the labels before that they look ahead.",
    "Last.fm is little used in some countries; songs loved there look smaller than they are.",
)
"""What the model cannot know, for the chat and the model card."""

_METRICS: Final = ("roc_auc", "average_precision", "f1", "accuracy", "brier", "ece")


def model_report(metrics: Mapping[str, Any], trained_at: datetime, bands: tuple[BandRecord, ...]) -> ModelReport:
    """Build the report; views that were not measured are left out."""
    protocols = metrics["protocols"]
    return ModelReport(
        trained_at=trained_at,
        n_songs=int(protocols["live"]["views"]["live"]["n"]),
        base_rate=float(protocols["live"]["views"]["live"]["base_rate"]),
        rows=tuple(
            ReportRow(name=name, **{metric: protocols[protocol]["views"][view].get(metric) for metric in _METRICS})
            for protocol, view, name in ROWS
            if view in protocols[protocol]["views"]
        ),
        bands=bands,
        limits=LIMITS,
    )
