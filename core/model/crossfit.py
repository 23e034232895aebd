"""Cross-fitting: each fold's songs are answered by models that never saw their artists."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from core.domain import Block
from core.model.calibration import Calibration, FloatArray, fit_calibration
from core.model.features import FloatMatrix, base_matrix
from core.model.folds import N_FOLDS
from core.model.genres import genres_from_tags
from core.model.measures import BoolArray
from core.model.served import FoldModel, track_figures
from core.model.songs import TrainingSongs
from core.model.track_stage import TAG_TEMPER, TEMPER, TrackWeighing, fit_track_weighing, population_weights
from core.model.views import PATTERNS, VIEWS, Pattern, seen_under

LIVE: Final = VIEWS["live"]

FEWEST_TAGGED: Final = 20
"""Fewest popular songs with tags, and others, from which their calibration is learnt."""

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
        from_tags: Log odds in the view ``live`` with genres from Last.fm tags, NaN for songs without such tags.
    """

    folds: tuple[FoldModel, ...]
    base: dict[Pattern, FloatArray]
    weighed: dict[Pattern, FloatArray]
    from_tags: FloatArray


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
    pipelines: list[Any] = []
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


def _finish(songs: TrainingSongs, pipelines: list[Any], raw: dict[Pattern, FloatArray]) -> CrossFit:
    joined = songs.has_track_figures
    figures = track_figures(songs.songs)
    mapped, tag_logit = _answers_from_tags(songs, pipelines)
    base = {pattern: np.full(len(songs.popular), np.nan) for pattern in PATTERNS}
    calibrations: list[dict[Pattern, Calibration]] = []
    for number, outside in others(songs.fold):
        inside = ~outside
        calibrations.append({p: fit_calibration(raw[p][outside], songs.popular[outside]) for p in PATTERNS})
        for pattern, calibration in calibrations[number].items():
            base[pattern][inside] = calibration(raw[pattern][inside])
        tag_logit[inside] = calibrations[number][LIVE](tag_logit[inside])
    tag_calibrations = _tag_calibrations(songs, base[LIVE], mapped, tag_logit)
    weighed = {pattern: np.full(len(songs.popular), np.nan) for pattern in PATTERNS}
    weighings: list[dict[Pattern, TrackWeighing]] = []
    for number, outside in others(songs.fold):
        fit, answer = outside & joined & ~figures.stray, ~outside & joined
        tag_logit[~outside] = tag_calibrations[number](tag_logit[~outside])
        weighings.append({})
        for pattern in PATTERNS:
            known = Block.ARTIST in pattern
            weight = population_weights(base[pattern][outside], songs.popular[outside], fit[outside], temper=TEMPER)
            weighing = fit_track_weighing(
                base[pattern][fit], figures.of(fit, artist_known=known), songs.popular[fit], weight
            )
            weighings[number][pattern] = weighing
            weighed[pattern][answer] = weighing(base[pattern][answer], figures.of(answer, artist_known=known))
    folds = (FoldModel(*parts) for parts in zip(pipelines, calibrations, tag_calibrations, weighings, strict=True))
    return CrossFit(tuple(folds), base, weighed, tag_logit)


def _answers_from_tags(songs: TrainingSongs, pipelines: list[Any]) -> tuple[BoolArray, FloatArray]:
    """Return which songs have tags that map to genres, and their raw log odds as Last.fm alone shows them."""
    mapped = np.array([bool(genres_from_tags(song.tags)) for song in songs.songs])
    logit = np.full(len(mapped), np.nan)
    for number, pipeline in enumerate(pipelines):
        which = mapped & (songs.fold == number)
        if which.any():
            seen = [replace(songs.songs[place], genres=()) for place in np.flatnonzero(which)]
            logit[which] = pipeline.decision_function(seen_under(base_matrix(seen), LIVE))
    return mapped, logit


def _tag_calibrations(
    songs: TrainingSongs, live: FloatArray, mapped: BoolArray, tag_logit: FloatArray
) -> list[Calibration]:
    """Fit, for each fold, how far an answer from Last.fm tags is to be trusted beside one from the genres."""
    found = []
    for _, outside in others(songs.fold):
        fit = outside & mapped
        if min(songs.popular[fit].sum(), (~songs.popular[fit]).sum()) < FEWEST_TAGGED:
            found.append(Calibration(slope=1.0, intercept=0.0))
            continue
        weight = population_weights(live[outside], songs.popular[outside], mapped[outside], temper=TAG_TEMPER)
        found.append(fit_calibration(tag_logit[fit], songs.popular[fit], weight))
    return found
