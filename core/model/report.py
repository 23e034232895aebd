"""The honest table, read off the metrics that were stored with the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from core.domain import BandRecord, ModelReport, ReportRow

ROWS: Final[tuple[tuple[str, str], ...]] = (
    ("full", "Everything known"),
    ("live", "Last.fm figures and tags, no audio"),
    ("artist", "Artist figures alone"),
    ("audio", "Audio alone"),
    ("baseline_forest", "Predecessor's forest, audio alone"),
    ("baseline_majority", '"Not popular" to everything'),
)
"""Views of the protocol ``songs`` that people are shown, and what they call them."""

LIMITS: Final[tuple[str, ...]] = (
    "Popularity is Spotify's of autumn 2022; artist figures are Last.fm's of 2025.",
    "The training songs are 1,000 tracks of each of 114 genres, not what people really listen to.",
    "Audio alone says next to nothing about an artist the model never saw.",
)
"""What the model cannot know, for the chat and the model card."""

_METRICS: Final = ("roc_auc", "average_precision", "f1", "accuracy", "brier", "ece")


def model_report(metrics: Mapping[str, Any], trained_at: datetime, bands: tuple[BandRecord, ...]) -> ModelReport:
    """Build the report; views that were not measured are left out."""
    views = metrics["protocols"]["songs"]["views"]
    return ModelReport(
        trained_at=trained_at,
        n_songs=int(metrics["data"]["n_songs"]),
        base_rate=float(metrics["data"]["base_rate"]),
        rows=tuple(
            ReportRow(name=name, **{metric: views[view].get(metric) for metric in _METRICS})
            for view, name in ROWS
            if view in views
        ),
        bands=bands,
        limits=LIMITS,
    )
