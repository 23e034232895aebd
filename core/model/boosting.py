"""Trains the base model: gradient boosting over all groups of figures, whatever of them is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from core.model.calibration import FloatArray
from core.model.features import BASE, COLUMN, FloatMatrix
from core.model.quick_trees import LEAF, BoostedTrees, TreeNodes
from core.model.rates import GENRE_RATES, GenreRates, TagRates, boosted_columns
from core.model.served import BoostedBase

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

_FIRST_TAG: Final = COLUMN["tag_1"]


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
        return np.asarray(self.boosting_.decision_function(self._seen(rows)), dtype=np.float64)

    def served(self) -> BoostedBase:
        """Return the fitted model as arrays, which answers the same to the last bit without scikit-learn."""
        return BoostedBase(self.genre_rates_, self.tag_rates_, trees_of(self.boosting_))

    def _seen(self, rows: FloatMatrix) -> FloatMatrix:
        return boosted_columns(rows, self.genre_rates_, self.tag_rates_)


def trees_of(booster: HistGradientBoostingClassifier) -> BoostedTrees:
    """Copy the trees of a fitted classifier.

    Raises:
        ValueError: It has more than two classes or splits by categories.
    """
    # No public interface tells a fitted tree; a test compares the answers for whatever version is installed.
    trees = [predictor.nodes for (predictor,) in booster._predictors]  # noqa: SLF001
    nodes: Any = np.concatenate(trees)
    if nodes["is_categorical"].any():
        raise ValueError("splits by categories are not walked here")
    leaf = nodes["is_leaf"].astype(bool)
    stored = TreeNodes(
        baseline=float(booster._baseline_prediction.item()),  # noqa: SLF001
        tree_sizes=np.array([len(tree) for tree in trees], dtype=np.int32),
        column=np.where(leaf, LEAF, nodes["feature_idx"]).astype(np.int16),
        threshold=np.where(leaf, 0.0, nodes["num_threshold"]),
        unknown_left=np.where(leaf, 0, nodes["missing_go_to_left"]).astype(np.uint8),
        left=np.where(leaf, 0, nodes["left"]).astype(np.int32),
        right=np.where(leaf, 0, nodes["right"]).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0.0),
    )
    return BoostedTrees.of(stored, n_columns=int(booster.n_features_in_))
