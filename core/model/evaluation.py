"""The protocols: what is measured, on which songs, and in which form it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from core.domain import BandRecord, Verdict, VerdictBands
from core.model.baselines import GenreRateAnswer, forest_on_songs, logistic_on_songs
from core.model.calibration import FloatArray, sigmoid
from core.model.crossfit import Builder, CrossFit
from core.model.features import FloatMatrix
from core.model.folds import N_FOLDS
from core.model.genres import GENRES
from core.model.measures import BoolArray, best_threshold, intervals, measure
from core.model.recipes import Budget, Run
from core.model.songs import TrainingSongs
from core.model.views import VIEWS

FEWEST_TO_RANK: Final = 10
"""Fewest popular songs, and others, of a genre for which its ranking is measured."""

HALF: Final = 0.5
"""Threshold of answers that are all alike."""

IntArray = NDArray[np.int64]

DECIMALS: Final = 6
"""Decimals kept in ``metrics.json``, so that the last bits of a sum cannot change it."""


def baselines(budget: Budget) -> dict[str, Builder]:
    """Return the fitted baselines of the protocol ``songs`` by the name of their view."""
    return {
        "baseline_genre_rate": lambda _seed: GenreRateAnswer(),
        "baseline_logistic": logistic_on_songs,
        "baseline_forest": partial(forest_on_songs, trees=budget.forest_trees),
    }


def view_entry(
    probability: FloatArray,
    popular: BoolArray,
    artist: IntArray,
    threshold: float,
    *,
    seed: int,
    resamples: int,
    weight: FloatArray | None = None,
    bands: VerdictBands | None = None,
) -> dict[str, Any]:
    """Return what ``metrics.json`` says of one view: each metric, its interval, n, threshold and verdicts.

    Args:
        probability: Out-of-fold answers, shape (n,).
        popular: Labels, shape (n,).
        artist: Number of each song's artist; intervals come from drawing artists.
        threshold: Least probability answered with "popular".
        seed: Fixes the draws.
        resamples: Number of draws behind each interval.
        weight: Weight of each song; 1 each if not given.
        bands: Count how often each verdict was right, if given.
    """
    entry: dict[str, Any] = {"n": len(popular), "threshold": threshold}
    entry |= measure(probability, popular, threshold, weight)
    bounds = intervals(probability, popular, artist, threshold, weight=weight, seed=seed, resamples=resamples)
    entry |= {f"{name}_ci": list(ends) for name, ends in bounds.items()}
    if bands is not None:
        entry["verdicts"] = {
            str(record.verdict): {"share_popular": record.share_popular, "n": record.n_songs}
            for record in band_records(probability, popular, bands)
        }
    result: dict[str, Any] = rounded(entry)
    return result


def rounded(value: Any) -> Any:
    """Round every float within a structure to ``DECIMALS``."""
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
    if isinstance(value, (float, np.floating)):
        return round(float(value), DECIMALS)
    return int(value) if isinstance(value, np.integer) else value


def protocol_songs(
    songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, bands: VerdictBands, run: Run
) -> dict[str, Any]:
    """Measure one row per song, out of fold by artist, for each view, genre and baseline."""
    answers = {name: sigmoid(fitted.base[pattern]) for name, pattern in VIEWS.items()}
    answers["baseline_majority"] = np.zeros(len(rows))
    for name, build in baselines(run.budget).items():
        answers[name] = sigmoid(out_of_fold(build, songs, rows, seed=run.seed, jobs=run.jobs))
        run.notify(f"songs: {name}")
    entries = {}
    for name, p in answers.items():
        threshold = HALF if name == "baseline_majority" else best_threshold(p, songs.popular)
        entries[name] = view_entry(
            p, songs.popular, songs.artist, threshold, seed=run.seed, resamples=run.budget.resamples, bands=bands
        )
        run.notify(f"songs: intervals of {name}")
    return {"views": entries, "genres": _per_genre(songs, answers["full"], entries["full"]["threshold"])}


def _per_genre(songs: TrainingSongs, probability: FloatArray, threshold: float) -> dict[str, dict[str, Any]]:
    """Measure each genre alone; ranking metrics are left out where fewer than ``FEWEST_TO_RANK`` are popular or not."""
    found: dict[str, dict[str, Any]] = {}
    for genre in GENRES:
        inside = np.array([genre in song.genres for song in songs.songs])
        popular = songs.popular[inside]
        if not inside.any():
            continue
        entry: dict[str, Any] = {"n": int(inside.sum()), "base_rate": float(popular.mean())}
        if min(popular.sum(), (~popular).sum()) >= FEWEST_TO_RANK:
            metrics = measure(probability[inside], popular, threshold)
            entry |= {name: metrics[name] for name in ("roc_auc", "average_precision", "f1", "brier", "ece")}
        found[genre] = rounded(entry)
    return found


def out_of_fold(build: Builder, songs: TrainingSongs, rows: FloatMatrix, *, seed: int, jobs: int) -> FloatArray:
    """Return the log odds that each song gets from the estimator that never saw its artist, shape (n_songs,)."""

    def answer(number: int) -> FloatArray:
        held_out = songs.fold == number
        fitted = build(seed + number).fit(rows[~held_out], songs.popular[~held_out])
        return np.asarray(fitted.decision_function(rows[held_out]), dtype=np.float64)

    logit = np.full(len(rows), np.nan)
    for number, found in enumerate(Parallel(n_jobs=jobs)(delayed(answer)(number) for number in range(N_FOLDS))):
        logit[songs.fold == number] = found
    return logit


def band_records(probability: FloatArray, popular: BoolArray, bands: VerdictBands) -> tuple[BandRecord, ...]:
    """Count how often each verdict turned out popular."""
    verdicts = np.array([bands.verdict(float(p)) for p in probability])
    return tuple(
        BandRecord(verdict, float(popular[verdicts == verdict].mean()), int((verdicts == verdict).sum()))
        for verdict in Verdict
        if (verdicts == verdict).any()
    )
