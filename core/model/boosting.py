"""The base model: gradient boosting over all groups of figures, whatever of them is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from core.model.calibration import FloatArray
from core.model.features import BASE, COLUMN, FloatMatrix
from core.model.genres import GENRES
from core.model.quick_trees import log_odds
from core.model.tags import TAGS_READ, TAGS_SEEN, fingerprint

BOOSTING: Final[dict[str, Any]] = {
    "learning_rate": 0.045,
    "max_iter": 540,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_depth": 8,
    "max_features": 0.3,
    "early_stopping": False,
}
"""Settings of the boosting."""

SHRINKAGE: Final = 20.0
"""Songs at the overall rate that the rate of each genre and of each tag is mixed with."""

MARKED_TAGS: Final = 160
"""Commonest tags that have a column of their own, beside what all known tags say."""

GENRE_RATES: Final = 3
"""Columns of :class:`GenreRates`: mean, greatest and least rate of a song's genres."""

TAG_RATES: Final = 4
"""Columns of :class:`TagRates` before the marks: mean, greatest, least and rank-weighted mean rate of a song's tags."""

_FIRST_GENRE: Final = COLUMN[f"genre_{GENRES[0]}"]
_FIRST_TAG: Final = COLUMN["tag_1"]


def _shrunk_log_odds(popular: FloatArray, total: FloatArray, overall: float) -> FloatMatrix:
    rate = (popular + SHRINKAGE * overall) / (total + SHRINKAGE)
    return np.asarray(np.log(rate / (1 - rate)), dtype=np.float32)


class GenreRates:
    """How often songs of a genre are popular, as log odds, learnt from training rows only."""

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray) -> Self:
        """Learn the rate of each genre from rows whose genres are known; ``weight`` has shape (n_rows,)."""
        hot = self._hot(rows)
        known = ~np.isnan(hot[:, 0])
        hot, w = hot[known], weight[known]
        self.log_odds_ = _shrunk_log_odds(
            hot.T @ (w * popular[known]), hot.T @ w, float(np.average(popular, weights=weight))
        )
        return self

    def transform(self, rows: FloatMatrix) -> FloatMatrix:
        """Return ``GENRE_RATES`` columns, NaN for rows whose genres are unknown."""
        hot = self._hot(rows)
        known = ~np.isnan(hot[:, 0])
        rates = np.full((len(rows), GENRE_RATES), np.nan, dtype=np.float32)
        if known.any():
            has = hot[known] > 0
            rates[known, 0] = (has @ self.log_odds_) / np.maximum(has.sum(axis=1), 1)
            rates[known, 1] = np.where(has, self.log_odds_, -np.inf).max(axis=1)
            rates[known, 2] = np.where(has, self.log_odds_, np.inf).min(axis=1)
        return rates

    @staticmethod
    def _hot(rows: FloatMatrix) -> FloatMatrix:
        return rows[:, _FIRST_GENRE : _FIRST_GENRE + len(GENRES)]


class TagRates:
    """What each known tag says: how often songs that bear it are popular, as log odds, learnt from training rows only.

    Unknown tags say nothing, and neither does having no tags: a row without a known tag is all NaN.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """Take the plain names of the known tags, the commonest first."""
        prints = np.array([fingerprint(name) for name in vocabulary], dtype=np.float32)
        order = np.argsort(prints, kind="stable")
        self._prints = prints[order]
        self._place = order
        self._n = len(prints)
        self._marked = min(MARKED_TAGS, self._n)

    @property
    def columns(self) -> int:
        """Columns that :meth:`transform` gives."""
        return TAG_RATES + self._marked

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray) -> Self:
        """Learn the rate of each known tag; ``weight`` has shape (n_rows,)."""
        places = self._places(rows)
        total, hits = np.zeros(self._n), np.zeros(self._n)
        for column in places.T:
            has = column >= 0
            np.add.at(total, column[has], weight[has])
            np.add.at(hits, column[has], (weight * popular)[has])
        self.log_odds_ = _shrunk_log_odds(hits, total, float(np.average(popular, weights=weight)))
        return self

    def transform(self, rows: FloatMatrix) -> FloatMatrix:
        """Return rates and marks, shape (n_rows, ``columns``)."""
        out = np.full((len(rows), self.columns), np.nan, dtype=np.float32)
        places = self._places(rows)
        known = (places >= 0).any(axis=1)
        if not known.any():
            return out
        found = places[known]
        has = found >= 0
        rate = self.log_odds_[np.maximum(found, 0)]
        rank_weight = np.where(has, (1 / np.arange(1, TAGS_READ + 1)).astype(np.float32), 0)
        out[known, 0] = np.where(has, rate, 0).sum(axis=1) / has.sum(axis=1)
        out[known, 1] = np.where(has, rate, -np.inf).max(axis=1)
        out[known, 2] = np.where(has, rate, np.inf).min(axis=1)
        out[known, 3] = (rank_weight * rate).sum(axis=1) / rank_weight.sum(axis=1)
        marks = np.zeros((len(found), self._marked + 1), dtype=np.float32)
        # What is not marked falls into a column behind the marks, which is cut off.
        at = np.where(has & (found < self._marked), found, self._marked)
        marks[np.arange(len(found))[:, None], at] = 1
        out[known, TAG_RATES:] = marks[:, :-1]
        return out

    def _places(self, rows: FloatMatrix) -> NDArray[np.intp]:
        """Return the places in the vocabulary of each row's strongest known tags, -1 behind them, (n, TAGS_READ)."""
        prints = rows[:, _FIRST_TAG : _FIRST_TAG + TAGS_SEEN]
        if not self._n:
            return np.full((len(rows), TAGS_READ), -1, dtype=np.intp)
        at = np.minimum(np.searchsorted(self._prints, np.nan_to_num(prints, nan=-1.0)), self._n - 1)
        known = self._prints[at] == prints
        places = np.where(known, self._place[at], -1)
        # Known tags first, in their order: the sort is stable.
        order = np.argsort(~known, axis=1, kind="stable")[:, :TAGS_READ]
        return np.take_along_axis(places, order, axis=1)


def without_blank_columns(rows: FloatMatrix) -> FloatMatrix:
    """Put 0 into columns that no row knows, which scikit-learn cannot bin; no tree ever splits by them."""
    rows[:, np.isnan(rows).all(axis=0)] = 0
    return rows


class BaseModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Rates of genres and tags, then boosting over them and the base columns but the tags' fingerprints."""

    def __init__(self, vocabulary: Sequence[str], *, seed: int = 0, max_iter: int = BOOSTING["max_iter"]) -> None:
        """Keep the settings; ``seed`` fixes the boosting."""
        self.vocabulary = vocabulary
        self.seed = seed
        self.max_iter = max_iter

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray) -> Self:
        """Fit on base columns, labels and weights, the latter two of shape (n_rows,)."""
        self.classes_ = np.array([False, True])
        self.genre_rates_ = GenreRates().fit(rows, popular, weight)
        self.tag_rates_ = TagRates(self.vocabulary).fit(rows, popular, weight)
        monotone = np.zeros(_FIRST_TAG + GENRE_RATES + self.tag_rates_.columns, dtype=int)
        monotone[:_FIRST_TAG] = [feature.monotone for feature in BASE[:_FIRST_TAG]]
        settings = {**BOOSTING, "max_iter": self.max_iter, "random_state": self.seed, "monotonic_cst": monotone}
        self.boosting_ = HistGradientBoostingClassifier(**settings).fit(
            without_blank_columns(self._seen(rows)), popular, sample_weight=weight
        )
        return self

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds before calibration, shape (n_rows,)."""
        return log_odds(self.boosting_, self._seen(rows))

    def _seen(self, rows: FloatMatrix) -> FloatMatrix:
        return np.hstack([rows[:, :_FIRST_TAG], self.genre_rates_.transform(rows), self.tag_rates_.transform(rows)])
