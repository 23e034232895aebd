"""What the artifact holds: five fold models and the figures that put an answer in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from core.domain import BandRecord, Song, VerdictBands
from core.model.calibration import Calibration, FloatArray
from core.model.features import FloatMatrix
from core.model.genres import genres_of
from core.model.track_stage import TrackFigures, TrackWeighing
from core.model.views import Pattern


@dataclass(frozen=True, slots=True)
class FoldModel:
    """The model for the artists of one fold, fitted on all other artists.

    Attributes:
        base: Fitted scikit-learn pipeline over the base columns.
        calibration: For each pattern of known blocks.
        tag_calibration: On top of it, for genres that come from Last.fm tags and not from the catalogue.
        weighing: Second stage for each pattern of known blocks.
    """

    base: Pipeline
    calibration: Mapping[Pattern, Calibration]
    tag_calibration: Calibration
    weighing: Mapping[Pattern, TrackWeighing]

    def log_odds(
        self,
        rows: FloatMatrix,
        pattern: Pattern,
        figures: TrackFigures | None = None,
        from_tags: NDArray[np.bool_] | None = None,
    ) -> FloatArray:
        """Return calibrated log odds, shape (n,), of rows that share one pattern of known blocks.

        Args:
            rows: Base columns, shape (n, n_columns).
            pattern: The base blocks known of these songs.
            figures: The songs' own figures, all known; None leaves the second stage out.
            from_tags: Rows whose genres come from Last.fm tags, shape (n,); none if not given.
        """
        logit = self.calibration[pattern](self.base.decision_function(rows))
        if from_tags is not None:
            logit = np.where(from_tags, self.tag_calibration(logit), logit)
        return logit if figures is None else self.weighing[pattern](logit, figures)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Everything that answering needs.

    Attributes:
        folds: The model of each fold of artists.
        typical: What a usual song has in each base column, shape (n_columns,).
        typical_track: Listeners and plays per listener of a usual song.
        percentiles: For each ranked feature, its values at evenly spaced shares of all songs.
        base_rate: Share of popular songs.
        bands: Least probabilities of the verdicts.
        records: How each verdict fared out of fold.
        threshold: Least probability with the greatest F1, out of fold.
        metrics: The content of ``metrics.json``.
    """

    folds: tuple[FoldModel, ...]
    typical: FloatMatrix
    typical_track: tuple[float, float]
    percentiles: Mapping[str, FloatArray]
    base_rate: float
    bands: VerdictBands
    records: tuple[BandRecord, ...]
    threshold: float
    metrics: Mapping[str, object]


def track_figures(songs: Sequence[Song]) -> TrackFigures:
    """Read the songs' own figures, NaN where unknown."""

    def column(values: list[int | None]) -> FloatArray:
        return np.array([np.nan if value is None else float(value) for value in values])

    return TrackFigures(
        listeners=column([song.listeners for song in songs]),
        playcount=column([song.playcount for song in songs]),
        artist_listeners=column([song.artist_listeners for song in songs]),
    )


def genres_from_tags_alone(song: Song) -> bool:
    """Tell whether a song's genres are known from its Last.fm tags only."""
    return not song.genres and bool(genres_of(song))
