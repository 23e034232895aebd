"""What answers: five fold models and the figures that put an answer in words; arrays and numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from core.domain import BandRecord, Song, VerdictBands
from core.model.calibration import Calibration, FloatArray
from core.model.features import Dates, FloatMatrix, age_years, days
from core.model.quick_trees import BoostedTrees
from core.model.rates import GenreRates, TagRates, boosted_columns
from core.model.track_stage import TrackFigures, TrackWeighing
from core.model.views import Pattern


class Estimator(Protocol):
    """A fitted base model."""

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds before calibration, shape (n,), of base columns, shape (n, n_columns)."""
        ...


@dataclass(frozen=True, slots=True)
class BoostedBase:
    """The base model that can be stored: rates of genres and tags, and boosted trees over them and the base columns."""

    genre_rates: GenreRates
    tag_rates: TagRates
    trees: BoostedTrees

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds before calibration, shape (n,), of base columns, shape (n, n_columns)."""
        return self.trees.decision_function(boosted_columns(rows, self.genre_rates, self.tag_rates))


@dataclass(frozen=True, slots=True)
class FoldModel:
    """The model for the artists of one fold, fitted on all other artists.

    Attributes:
        base: A :class:`BoostedBase`; any other estimator can be measured but not stored.
        calibration: For each pattern of known blocks.
        weighing: Second stage, for songs with figures of their own.
    """

    base: Estimator
    calibration: Mapping[Pattern, Calibration]
    weighing: TrackWeighing

    def log_odds(self, rows: FloatMatrix, pattern: Pattern, figures: TrackFigures | None = None) -> FloatArray:
        """Return calibrated log odds, shape (n,), of rows that share one pattern of known blocks.

        Args:
            rows: Base columns, shape (n, n_columns).
            pattern: The base blocks known of these songs.
            figures: The songs' own figures, all known; None leaves the second stage out.
        """
        logit = self.calibration[pattern](self.base.decision_function(rows))
        return logit if figures is None else self.weighing(logit, figures)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Everything that answering needs.

    Attributes:
        folds: The model of each fold of artists.
        vocabulary: Plain names of the tags the model knows.
        typical: What a usual song has in each base column, shape (n_columns,).
        typical_track: Listeners and plays of a usual song that people ask for.
        percentiles: For each ranked feature, its values at evenly spaced shares of all songs.
        base_rate: Share of popular songs.
        bands: Least probabilities of the verdicts.
        records: How each verdict fared on songs with figures of their own, as asked for live, out of fold.
        records_without_figures: The same on the catalogue's songs, without figures of their own.
        threshold: Least probability with the greatest F1, out of fold.
        metrics: The content of ``metrics.json``.
    """

    folds: tuple[FoldModel, ...]
    vocabulary: tuple[str, ...]
    typical: FloatMatrix
    typical_track: tuple[float, float]
    percentiles: Mapping[str, FloatArray]
    base_rate: float
    bands: VerdictBands
    records: tuple[BandRecord, ...]
    records_without_figures: tuple[BandRecord, ...]
    threshold: float
    metrics: Mapping[str, object]


def track_figures(songs: Sequence[Song], as_of: Dates) -> TrackFigures:
    """Read the songs' own figures and their age on a day, NaN where unknown."""

    def column(values: list[int | None]) -> FloatArray:
        return np.array([np.nan if value is None else float(value) for value in values])

    return TrackFigures(
        listeners=column([song.listeners for song in songs]),
        playcount=column([song.playcount for song in songs]),
        artist_listeners=column([song.artist_listeners for song in songs]),
        age_years=np.array(
            [age_years(song.released, day) for song, day in zip(songs, days(as_of, len(songs)), strict=True)]
        ),
    )
