from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from core.model.quick_trees import FEW_ROWS, QuickTrees, log_odds


def sample(n_rows: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, 6)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.3] = np.nan
    rows[:, 5] = rng.integers(0, 2, n_rows)
    return rows


@pytest.fixture(scope="module")
def booster() -> HistGradientBoostingClassifier:
    rows = sample(2_000)
    popular = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1]) * rows[:, 5] > 0.2
    return HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=15, random_state=0).fit(rows, popular)


@pytest.mark.parametrize("n_rows", [1, 2, FEW_ROWS, FEW_ROWS + 1])
def test_answers_are_those_of_scikit_learn_to_the_last_bit(booster, n_rows) -> None:
    rows = sample(n_rows, seed=1)
    assert np.array_equal(log_odds(booster, rows), booster.decision_function(rows))


def test_values_on_a_threshold_and_beyond_all_figures(booster) -> None:
    trees = QuickTrees.of(booster)
    edges = np.unique(np.abs(trees.threshold))[:FEW_ROWS]
    for edge in (edges, -edges, np.nextafter(edges.astype(np.float32), np.inf)):
        rows = np.repeat(edge.astype(np.float32)[:, None], 6, axis=1)
        assert np.array_equal(trees.decision_function(rows), booster.decision_function(rows))
    far = np.array([[3e38] * 6, [-3e38] * 6, [np.nan] * 6], dtype=np.float32)
    assert np.array_equal(trees.decision_function(far), booster.decision_function(far))


def test_a_tree_of_one_leaf_is_walked_too() -> None:
    rows = sample(100)
    constant = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=90).fit(rows, rows[:, 5] > 0.5)
    assert np.array_equal(log_odds(constant, rows[:5]), constant.decision_function(rows[:5]))


def test_splits_by_categories_are_refused() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 6, (500, 2)).astype(np.float32)
    fitted = HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]).fit(rows, rows[:, 0] % 2 == 0)
    with pytest.raises(ValueError, match="categories"):
        QuickTrees.of(fitted)
