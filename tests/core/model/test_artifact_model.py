from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.model.artifact import from_plain, load_plain, to_plain
from core.model.features import base_matrix
from core.training.crossfit import BaseModel
from core.training.data import TrainingSongs
from core.training.promotion import dump_plain
from core.training.train import Trained


@pytest.fixture(scope="module")
def stored(trained: Trained) -> Any:
    return load_plain(dump_plain(to_plain(trained.model)))


def test_a_stored_model_answers_as_it_did_to_the_last_bit(trained: Trained, stored: Any, songs: TrainingSongs) -> None:
    rows = base_matrix(songs.songs, songs.labelled_on)
    again = from_plain(stored)
    for ours, theirs in zip(again.folds, trained.model.folds, strict=True):
        assert np.array_equal(ours.base.decision_function(rows), theirs.base.decision_function(rows))
        assert ours.calibration == theirs.calibration
        assert np.array_equal(ours.second_stage.weights, theirs.second_stage.weights)
        assert np.array_equal(ours.second_stage.intercepts, theirs.second_stage.intercepts)
    np.testing.assert_array_equal(again.typical, trained.model.typical)
    assert again.metrics == trained.model.metrics
    for name in (
        "vocabulary",
        "typical_track",
        "base_rate",
        "bands",
        "records",
        "records_without_figures",
        "threshold",
    ):
        assert getattr(again, name) == getattr(trained.model, name), name
    assert dump_plain(to_plain(again)) == dump_plain(stored)


def test_a_base_model_answers_as_scikit_learn_does_to_the_last_bit(songs: TrainingSongs) -> None:
    rows = base_matrix(songs.songs, songs.labelled_on)
    fitted = BaseModel(songs.vocabulary, seed=3, max_iter=30).fit(rows, songs.popular, np.ones(len(rows)))
    assert np.array_equal(fitted.served().decision_function(rows), fitted.decision_function(rows))


def test_a_baseline_is_not_stored(trained: Trained) -> None:
    class Other:
        def decision_function(self, rows: np.ndarray) -> np.ndarray:
            return np.zeros(len(rows))

    folds = tuple(replace(fold, base=Other()) for fold in trained.model.folds)
    with pytest.raises(TypeError, match="Other cannot be stored"):
        to_plain(replace(trained.model, folds=folds))


Change = Callable[[Any], object]


def put(*path: Any) -> Change:
    """Make the change that puts the last of ``path`` at the place which the others lead to."""

    def change(stored: Any) -> None:
        *way, last, value = path
        for step in way:
            stored = stored[step]
        stored[last] = value

    return change


def spoil(*path: Any) -> Change:
    """Make the change that writes the last of ``path`` into the first place of the array there."""

    def change(stored: Any) -> None:
        *way, last, value = path
        for step in way:
            stored = stored[step]
        stored[last] = stored[last].copy()
        stored[last].flat[0] = value

    return change


TAMPERED: dict[str, tuple[Change, str]] = {
    "no folds": (lambda s: s.pop("folds"), "the model has no folds"),
    "four folds": (lambda s: s["folds"].pop(), "4 folds"),
    "six folds": (lambda s: s["folds"].append(s["folds"][0]), "folds is no list of at most 5"),
    "a fold that is a number": (put("folds", 2, 1), "a fold is no table"),
    "tags twice": (lambda s: s["vocabulary"].append(s["vocabulary"][0]), "vocabulary"),
    "a tag that is a number": (put("vocabulary", 0, 1), "vocabulary"),
    "a tag without a rate": (lambda s: s["vocabulary"].append("another"), "tag_rates"),
    "more marks than tags": (put("folds", 0, "n_marked_tags", 10_000), "n_marked_tags"),
    "a mark too few": (put("folds", 0, "n_marked_tags", 0), "another column"),
    "a rate that is no number": (spoil("folds", 0, "tag_rates", np.nan), "tag_rates"),
    "an infinite rate": (spoil("folds", 0, "genre_rates", np.inf), "genre_rates"),
    "rates in another dtype": (put("folds", 0, "genre_rates", np.zeros(114)), "genre_rates"),
    "rates in another shape": (put("folds", 0, "genre_rates", np.zeros((1, 114), np.float32)), "genre_rates"),
    "a huge slope": (spoil("folds", 1, "calibration", "slope", 1e7), "slope"),
    "an intercept too few": (put("folds", 1, "calibration", "intercept", np.zeros(31)), "intercept"),
    "a weight that is no number": (spoil("folds", 4, "second_stage", "weights", np.nan), "weights"),
    "weights that are a list": (put("folds", 4, "second_stage", "weights", [1.0]), "weights"),
    "trees that are none": (put("folds", 0, "trees", []), "trees is no table"),
    "a loop": (spoil("folds", 0, "trees", "left", 0), "backwards"),
    "a node beyond the last": (spoil("folds", 0, "trees", "right", 10**9), "out of its tree"),
    "a column beyond the last": (spoil("folds", 0, "trees", "column", 5_000), "another column"),
    "thresholds too few": (put("folds", 0, "trees", "threshold", np.zeros(2)), "threshold"),
    "no nodes": (put("folds", 0, "trees", "column", np.zeros(0, np.int16)), "column"),
    "nodes in two dimensions": (put("folds", 0, "trees", "column", np.zeros((2, 2), np.int16)), "column"),
    "too many nodes": (put("folds", 0, "trees", "column", np.zeros(500_001, np.int16)), "column"),
    "a baseline that is no number": (put("folds", 0, "trees", "baseline", float("nan")), "baseline"),
    "an infinite usual figure": (spoil("typical", np.inf), "typical"),
    "no listeners of a usual song": (put("typical_track", "listeners", 0), "listeners"),
    "percentiles that fall": (spoil("percentiles", "listeners", 1e300), "do not rise"),
    "percentiles of nothing": (put("percentiles", "nothing", np.zeros(3)), "no feature"),
    "a base rate in percent": (put("base_rate", 12), "base_rate"),
    "a base rate that is true": (put("base_rate", True), "base_rate"),
    "bands the wrong way round": (put("bands", "medium", 0.9), "bands overlap"),
    "another verdict": (put("records", 0, "verdict", "Great"), "Great"),
    "a verdict that is a list": (put("records", 0, "verdict", []), "Verdict"),
    "a share beyond all": (put("records_without_figures", 0, "share_popular", 1.5), "share_popular"),
    "too many records": (lambda s: s["records"].extend(s["records"] * 2), "records"),
    "metrics that are a list": (put("metrics", []), "metrics"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERED)
def test_a_figure_that_cannot_be_is_refused_and_named(stored: Any, case: str) -> None:
    change, match = TAMPERED[case]
    tampered = copy.deepcopy(stored)
    change(tampered)
    with pytest.raises(ValueError, match=match):
        from_plain(tampered)


@pytest.mark.parametrize("value", [None, [], "", 1])
def test_what_is_no_model_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="the model is no table"):
        from_plain(value)
