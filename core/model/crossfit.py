"""Cross-fitting: each fold's songs are answered by models that never saw their artists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from core.domain import Block
from core.model.calibration import Calibration, FloatArray, fit_calibration
from core.model.features import FloatMatrix
from core.model.folds import N_FOLDS
from core.model.measures import BoolArray
from core.model.served import FoldModel, track_figures
from core.model.songs import TrainingSongs
from core.model.track_stage import TEMPER, TrackWeighing, fit_track_weighing, population_weights
from core.model.views import PATTERNS, Pattern, seen_under

Builder = Callable[[int], Any]
"""Builds an unfitted estimator from a seed; it must have ``decision_function``."""

Notify = Callable[[str], None]
"""Told of each finished step, for a progress display."""


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Fitted folds and the answers they give to the songs they never saw.

    Attributes:
        folds: The finished model of each fold.
        base: Calibrated log odds of every song under each pattern, without the second stage, shape (n_songs,).
        weighed: The same with the second stage, shape (n_songs,), NaN for songs without figures of their own.
    """

    folds: tuple[FoldModel, ...]
    base: dict[Pattern, FloatArray]
    weighed: dict[Pattern, FloatArray]


def cross_fit(
    songs: TrainingSongs, rows: FloatMatrix, build: Builder, *, seed: int, jobs: int, notify: Notify = lambda _: None
) -> CrossFit:
    """Fit one base model for each fold on all other folds, then calibration and second stage in the same way.

    Calibration and second stage of a fold are fitted on out-of-fold answers to the songs of the other folds.

    Args:
        songs: Labelled songs.
        rows: Their base columns, shape (n_songs, n_columns).
        build: Builds the unfitted base model.
        seed: Fixes every random choice.
        jobs: Processes.
        notify: Told of each finished fold.
    """
    fits = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(fit_fold)(build(seed + number), rows, songs.popular, songs.fold == number) for number in range(N_FOLDS)
    )
    pipelines: list[Pipeline] = []
    raw = {pattern: np.full(len(rows), np.nan) for pattern in PATTERNS}
    for number, (pipeline, answers) in enumerate(fits):
        pipelines.append(pipeline)
        for pattern, logit in answers.items():
            raw[pattern][songs.fold == number] = logit
        notify(f"fold {number + 1} of {N_FOLDS}")
    return _finish(songs, pipelines, raw)


def fit_fold(
    model: Any, rows: FloatMatrix, popular: BoolArray, held_out: BoolArray
) -> tuple[Any, dict[Pattern, FloatArray]]:
    """Fit on all but the held-out songs; return the model and its log odds for those under each pattern."""
    model.fit(rows[~held_out], popular[~held_out])
    return model, {pattern: model.decision_function(seen_under(rows[held_out], pattern)) for pattern in PATTERNS}


def others(fold: NDArray[np.int64]) -> Iterator[tuple[int, BoolArray]]:
    """Yield each fold's number with the songs outside it."""
    for number in range(N_FOLDS):
        yield number, fold != number


def _finish(songs: TrainingSongs, pipelines: list[Pipeline], raw: dict[Pattern, FloatArray]) -> CrossFit:
    figures = track_figures(songs.songs)
    joined = songs.has_track_figures
    base = {pattern: np.full(len(songs.popular), np.nan) for pattern in PATTERNS}
    weighed = {pattern: np.full(len(songs.popular), np.nan) for pattern in PATTERNS}
    calibrations: list[dict[Pattern, Calibration]] = []
    for number, outside in others(songs.fold):
        inside = ~outside
        calibrations.append({p: fit_calibration(raw[p][outside], songs.popular[outside]) for p in PATTERNS})
        for pattern in PATTERNS:
            base[pattern][inside] = calibrations[number][pattern](raw[pattern][inside])
    weighings: list[dict[Pattern, TrackWeighing]] = []
    for number, outside in others(songs.fold):
        fit, answer = outside & joined, ~outside & joined
        weighings.append({})
        for pattern in PATTERNS:
            artist_known = Block.ARTIST in pattern
            weight = population_weights(base[pattern][outside], songs.popular[outside], joined[outside], temper=TEMPER)
            weighing = fit_track_weighing(
                base[pattern][fit], figures.of(fit, artist_known=artist_known), songs.popular[fit], weight
            )
            weighings[number][pattern] = weighing
            weighed[pattern][answer] = weighing(base[pattern][answer], figures.of(answer, artist_known=artist_known))
    folds = (FoldModel(*parts) for parts in zip(pipelines, calibrations, weighings, strict=True))
    return CrossFit(tuple(folds), base, weighed)
