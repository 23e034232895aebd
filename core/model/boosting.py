"""The base model: gradient boosting that learns to answer whatever is known."""

from __future__ import annotations

from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from core.model.features import BASE, COLUMN, COLUMNS_OF, FloatMatrix, Group
from core.model.genres import GENRES
from core.model.quick_trees import log_odds

N_SEEDS: Final = 1
"""Boosting runs averaged in each fold; each hides other figures."""

BOOSTING: Final[dict[str, Any]] = {
    "learning_rate": 0.06,
    "max_iter": 350,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 30,
    "l2_regularization": 5.0,
    "max_features": 0.4,
    "early_stopping": False,
}
"""Settings of one boosting run."""

GENRE_SHRINKAGE: Final = 20.0
"""Songs at the overall rate that each genre's rate is mixed with."""

HIDING: Final[dict[Group, float]] = {
    Group.ARTIST: 0.3,
    Group.TAGS: 0.3,
    Group.AUDIO: 0.6,
    Group.ALBUM: 0.3,
    Group.DURATION: 0.3,
}
"""Chance that a group is hidden in the second copy of a training song."""

HIDING_WITH_AUDIO: Final[dict[Group, float]] = {Group.CREDITS: 0.85, Group.EXPLICIT: 0.85}
"""Chance that a group is hidden when audio is: both come from the catalogue."""

RATE_COLUMNS: Final = 3
"""Columns that :class:`GenreRates` appends: mean, greatest and least rate of a song's genres."""


class GenreRates(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Appends how often songs of a song's genres are popular, as log odds: mean, greatest, least.

    Fitted on training rows only; rows whose genres are unknown get NaN.
    """

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_]) -> Self:
        """Learn the rate of each genre from rows whose genres are known."""
        hot = self._hot(rows)
        known = ~np.isnan(hot[:, 0])
        hot, y = hot[known], popular[known].astype(float)
        overall = float(popular.mean())
        rate = (hot.T @ y + GENRE_SHRINKAGE * overall) / (hot.sum(axis=0) + GENRE_SHRINKAGE)
        self.log_odds_ = np.log(rate / (1 - rate)).astype(np.float32)
        return self

    def transform(self, rows: FloatMatrix) -> FloatMatrix:
        """Return ``rows`` with three more columns."""
        hot = self._hot(rows)
        known = ~np.isnan(hot[:, 0])
        rates = np.full((len(rows), RATE_COLUMNS), np.nan, dtype=np.float32)
        if known.any():
            has = hot[known] > 0
            rates[known, 0] = (has @ self.log_odds_) / np.maximum(has.sum(axis=1), 1)
            rates[known, 1] = np.where(has, self.log_odds_, -np.inf).max(axis=1)
            rates[known, 2] = np.where(has, self.log_odds_, np.inf).min(axis=1)
        return np.hstack([rows, rates])

    @staticmethod
    def _hot(rows: FloatMatrix) -> FloatMatrix:
        first = COLUMN[f"genre_{GENRES[0]}"]
        return rows[:, first : first + len(GENRES)]


def hiding_columns() -> dict[Group, list[int]]:
    """Return the columns of each group in what :class:`GenreRates` gives."""
    columns = {group: list(found) for group, found in COLUMNS_OF.items() if found}
    columns[Group.TAGS] += range(len(BASE), len(BASE) + RATE_COLUMNS)
    return columns


class HidingBooster(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Averages boosting runs, each fitted on every song twice: as it is, and with random groups of figures hidden.

    So one model answers any combination of known figures and stays calibrated for each.
    """

    def __init__(self, *, n_seeds: int = N_SEEDS, seed: int = 0, max_iter: int = BOOSTING["max_iter"]) -> None:
        """Keep the settings; ``seed`` fixes both what is hidden and the boosting."""
        self.n_seeds = n_seeds
        self.seed = seed
        self.max_iter = max_iter

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_]) -> Self:
        """Fit ``n_seeds`` boosting runs."""
        self.classes_ = np.array([False, True])
        twice = np.tile(popular, 2)
        monotone = np.zeros(rows.shape[1], dtype=int)
        monotone[: len(BASE)] = [feature.monotone for feature in BASE]
        self.runs_ = []
        for run in range(self.n_seeds):
            seed = self.seed + 1000 * run
            seen = np.vstack([rows, _hidden_copy(rows, np.random.default_rng(seed))])
            settings = {**BOOSTING, "max_iter": self.max_iter, "random_state": seed, "monotonic_cst": monotone}
            self.runs_.append(HistGradientBoostingClassifier(**settings).fit(seen, twice))
        return self

    def decision_function(self, rows: FloatMatrix) -> NDArray[np.float64]:
        """Return the mean log odds of the runs, shape (n_rows,)."""
        return np.asarray(np.mean([log_odds(run, rows) for run in self.runs_], axis=0), dtype=np.float64)

    def predict_proba(self, rows: FloatMatrix) -> NDArray[np.float64]:
        """Return the probabilities of both classes, shape (n_rows, 2), before calibration."""
        p = 1 / (1 + np.exp(-self.decision_function(rows)))
        return np.column_stack([1 - p, p])


def base_pipeline(seed: int, *, n_seeds: int = N_SEEDS, max_iter: int = BOOSTING["max_iter"]) -> Pipeline:
    """Build the unfitted base model over the columns of ``core.model.features.BASE``."""
    return Pipeline(
        [("genre_rates", GenreRates()), ("boosting", HidingBooster(n_seeds=n_seeds, seed=seed, max_iter=max_iter))]
    )


def _hidden_copy(rows: FloatMatrix, rng: np.random.Generator) -> FloatMatrix:
    copy = rows.copy()
    columns = hiding_columns()
    hidden = {group: rng.random(len(rows)) < chance for group, chance in HIDING.items()}
    for group, chance in HIDING_WITH_AUDIO.items():
        hidden[group] = hidden[Group.AUDIO] & (rng.random(len(rows)) < chance)
    for group, which in hidden.items():
        copy[np.ix_(np.flatnonzero(which), np.array(columns[group]))] = np.nan
    return copy
