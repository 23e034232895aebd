from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from core.model.ensemble import CHUNK_ROWS, LEAF, MAX_DEPTH, BoostedTrees, TreeNodes
from core.training.crossfit import trees_of

COLUMNS = 9
KNOWN_TOGETHER = ((0, 1), (2, 3, 4), (5,), (6, 7, 8))
"""Columns that are known or unknown as a group."""


def sample(n_rows: int, seed: int = 0) -> np.ndarray:
    """Draw rows: counts, shares and marks, whole groups of them unknown, and single figures besides."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_rows, COLUMNS)).astype(np.float32)
    rows[:, 2:5] = 10 ** rng.uniform(0, 7, (n_rows, 3))
    rows[:, 5:7] = rng.integers(0, 2, (n_rows, 2))
    for group in KNOWN_TOGETHER:
        rows[np.ix_(rng.random(n_rows) < 0.4, np.array(group))] = np.nan
    rows[rng.random(rows.shape) < 0.05] = np.nan
    return rows


@pytest.fixture(scope="module")
def booster() -> HistGradientBoostingClassifier:
    rows = sample(6_000)
    told = np.nan_to_num(rows[:, 0]) + np.nan_to_num(rows[:, 1]) * rows[:, 5] + np.log1p(np.nan_to_num(rows[:, 2])) / 9
    popular = np.nan_to_num(told) + np.isnan(rows[:, 8]) > 0.9
    settings = {"max_iter": 120, "max_leaf_nodes": 31, "min_samples_leaf": 10, "max_features": 0.5}
    return HistGradientBoostingClassifier(**settings, random_state=0).fit(rows, popular)


def test_ten_thousand_answers_are_those_of_scikit_learn_to_the_last_bit(booster) -> None:
    rows = sample(10_000, seed=1)
    expected = booster.decision_function(rows)
    assert len(np.unique(expected)) > 5_000
    assert np.array_equal(trees_of(booster).decision_function(rows), expected)


@pytest.mark.parametrize("n_rows", [0, 1, 2, CHUNK_ROWS - 1, CHUNK_ROWS, CHUNK_ROWS + 1, 2 * CHUNK_ROWS + 1])
def test_any_number_of_rows_is_answered(booster, n_rows) -> None:
    rows = sample(n_rows, seed=2)
    expected = booster.decision_function(rows) if n_rows else np.empty(0)
    assert np.array_equal(trees_of(booster).decision_function(rows), expected)


def test_values_on_a_threshold_and_beyond_all_figures(booster) -> None:
    trees = trees_of(booster)
    edges = np.unique(np.abs(trees.nodes.threshold))
    for edge in (edges, -edges, np.nextafter(edges.astype(np.float32), np.inf)):
        rows = np.repeat(edge.astype(np.float32)[:, None], COLUMNS, axis=1)
        assert np.array_equal(trees.decision_function(rows), booster.decision_function(rows))
    far = np.array([[3e38] * COLUMNS, [-3e38] * COLUMNS, [np.nan] * COLUMNS], dtype=np.float32)
    assert np.array_equal(trees.decision_function(far), booster.decision_function(far))


def test_a_tree_of_one_leaf_is_walked_too() -> None:
    rows = sample(100)
    constant = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=90).fit(rows, np.arange(100) % 3 == 0)
    assert np.array_equal(trees_of(constant).decision_function(rows[:5]), constant.decision_function(rows[:5]))


def test_splits_by_categories_are_refused() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 6, (500, 2)).astype(np.float32)
    fitted = HistGradientBoostingClassifier(max_iter=5, categorical_features=[0]).fit(rows, rows[:, 0] % 2 == 0)
    with pytest.raises(ValueError, match="categories"):
        trees_of(fitted)


def nodes(**changes: object) -> TreeNodes:
    """Make two trees: a split with two leaves, and a leaf."""
    good = TreeNodes(
        baseline=-1.0,
        tree_sizes=np.array([3, 1], dtype=np.int32),
        column=np.array([1, LEAF, LEAF, LEAF], dtype=np.int16),
        threshold=np.array([0.5, 0, 0, 0]),
        unknown_left=np.array([1, 0, 0, 0], dtype=np.uint8),
        left=np.array([1, 0, 0, 0], dtype=np.int32),
        right=np.array([2, 0, 0, 0], dtype=np.int32),
        value=np.array([0.0, 2.0, 3.0, 10.0]),
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def test_trees_are_walked_as_they_are_written() -> None:
    rows = np.array([[9, 0.5], [9, 0.6], [9, np.nan]], dtype=np.float32)
    assert BoostedTrees.of(nodes(), 2).decision_function(rows).tolist() == [11, 12, 11]
    right = nodes(unknown_left=np.zeros(4, np.uint8))
    assert BoostedTrees.of(right, 2).decision_function(rows).tolist() == [11, 12, 12]


def changed(name: str, place: int, value: float) -> Callable[[], TreeNodes]:
    def make() -> TreeNodes:
        column = getattr(nodes(), name).copy()
        column[place] = value
        return nodes(**{name: column})

    return make


def chain(depth: int) -> TreeNodes:
    """Make a tree in which each step leads to a leaf or one step deeper."""
    n = 2 * depth + 1
    inner = np.arange(n) % 2 == 0
    inner[-1] = False
    whole = np.arange(n)
    return TreeNodes(
        baseline=0.0,
        tree_sizes=np.array([n], dtype=np.int32),
        column=np.where(inner, 0, LEAF).astype(np.int16),
        threshold=np.zeros(n),
        unknown_left=np.zeros(n, np.uint8),
        left=np.where(inner, whole + 1, 0).astype(np.int32),
        right=np.where(inner, whole + 2, 0).astype(np.int32),
        value=np.where(inner, 0.0, 1.0),
    )


TAMPERED = {
    "no trees": (lambda: nodes(tree_sizes=np.zeros(0, np.int32)), "sizes"),
    "too few nodes": (changed("tree_sizes", 0, 2), "sizes"),
    "a tree of none": (lambda: nodes(tree_sizes=np.array([3, 1, 0], np.int32)), "sizes"),
    "sizes that go round": (lambda: nodes(tree_sizes=np.array([2**31 - 1, 2**31 - 1, 6], np.int32)), "sizes"),
    "a column beyond the last": (changed("column", 0, 2), "another column"),
    "a column before the first": (changed("column", 0, -2), "another column"),
    "a threshold that is none": (changed("threshold", 0, np.nan), "threshold"),
    "a third way": (changed("unknown_left", 0, 2), "neither 0 nor 1"),
    "an infinite leaf": (changed("value", 1, np.inf), "beyond"),
    "a leaf that is no number": (changed("value", 1, np.nan), "beyond"),
    "a baseline that is no number": (lambda: nodes(baseline=float("nan")), "beyond"),
    "a node that leads to itself": (changed("left", 0, 0), "backwards"),
    "a node that leads back": (changed("left", 0, -1), "backwards"),
    "a node that leads into another tree": (changed("right", 0, 3), "out of its tree"),
    "a node that leads out of all": (changed("right", 0, 2**31 - 1), "out of its tree"),
    "two ways to one node": (changed("right", 0, 1), "several others"),
    "a node nobody leads to": (lambda: nodes(column=np.full(4, LEAF, np.int16)), "by none"),
    "a tree without an end": (lambda: chain(MAX_DEPTH + 1), "deeper"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_what_is_no_tree_is_refused(case: str) -> None:
    make, match = TAMPERED[case]
    with pytest.raises(ValueError, match=match):
        BoostedTrees.of(make(), 2)


def test_the_deepest_tree_is_walked_to_its_end() -> None:
    trees = BoostedTrees.of(chain(MAX_DEPTH), 1)
    assert len(trees.walking) == MAX_DEPTH
    assert trees.decision_function(np.array([[1.0], [-1.0]], dtype=np.float32)).tolist() == [1, 1]
