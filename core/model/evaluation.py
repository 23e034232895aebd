"""The protocols: what is measured, on which songs, and in which form it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed

from core.domain import BandRecord, Verdict, VerdictBands
from core.model.baselines import GenreRateAnswer, forest_on_songs, logistic_on_songs
from core.model.calibration import FloatArray, sigmoid
from core.model.crossfit import Builder, CrossFit, Notify
from core.model.features import FloatMatrix
from core.model.folds import N_FOLDS
from core.model.measures import BoolArray, best_threshold, intervals, measure
from core.model.songs import TrainingSongs
from core.model.views import VIEWS

DECIMALS: Final = 6
"""Decimals kept in ``metrics.json``, so that the last bits of a sum cannot change it."""

BASELINES: Final[dict[str, Builder]] = {
    "baseline_genre_rate": lambda _seed: GenreRateAnswer(),
    "baseline_logistic": logistic_on_songs,
    "baseline_forest": forest_on_songs,
}
"""Fitted baselines of the protocol ``songs``."""


def view_entry(
    probability: FloatArray,
    popular: BoolArray,
    artist: np.ndarray[Any, np.dtype[np.int64]],
    threshold: float,
    *,
    seed: int,
    weight: FloatArray | None = None,
) -> dict[str, Any]:
    """Return what ``metrics.json`` says of one view: each metric, its interval, n and the threshold."""
    entry: dict[str, Any] = {"n": len(popular), "threshold": threshold}
    entry |= measure(probability, popular, threshold, weight)
    for name, bounds in intervals(probability, popular, artist, threshold, weight=weight, seed=seed).items():
        entry[f"{name}_ci"] = list(bounds)
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
    songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, *, seed: int, jobs: int, notify: Notify
) -> dict[str, Any]:
    """Measure one row per song, out of fold by artist, for each view and baseline."""
    threshold = best_threshold(sigmoid(fitted.base[VIEWS["full"]]), songs.popular)
    answers = {name: sigmoid(fitted.base[pattern]) for name, pattern in VIEWS.items()}
    answers["baseline_majority"] = np.full(len(rows), 0.0)
    for name, build in BASELINES.items():
        answers[name] = sigmoid(out_of_fold(build, songs, rows, seed=seed, jobs=jobs))
        notify(name)
    entries = {}
    for name, p in answers.items():
        own = 0.5 if name == "baseline_majority" else best_threshold(p, songs.popular)
        entries[name] = view_entry(p, songs.popular, songs.artist, threshold if name in ("full",) else own, seed=seed)
        notify(name)
    return {"views": entries}


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
