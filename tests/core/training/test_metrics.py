from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from core.training.metrics import artist_draws, best_threshold, intervals, measure


@pytest.fixture
def answers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    p = np.round(rng.random(3000), 2)
    return p, rng.random(3000) < p, rng.integers(0, 300, 3000)


def test_metrics_equal_scikit_learns_weighted_and_not(answers: tuple[np.ndarray, ...]) -> None:
    p, y, _ = answers
    weight = np.random.default_rng(1).integers(0, 4, len(p)).astype(float)
    for w in (np.ones(len(p)), weight):
        found = measure(p, y, 0.6, w)
        said = p >= 0.6
        assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(y, p, sample_weight=w))
        assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, p, sample_weight=w))
        assert found["f1"] == pytest.approx(sk.f1_score(y, said, sample_weight=w))
        assert found["precision"] == pytest.approx(sk.precision_score(y, said, sample_weight=w))
        assert found["recall"] == pytest.approx(sk.recall_score(y, said, sample_weight=w))
        assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, said, sample_weight=w))
        assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p, sample_weight=w))
        assert found["log_loss"] == pytest.approx(sk.log_loss(y, np.clip(p, 1e-7, 1 - 1e-7), sample_weight=w))


def test_calibration_error_of_kept_and_broken_promises(answers: tuple[np.ndarray, ...]) -> None:
    p, y, _ = answers
    assert measure(p, y, 0.5)["ece"] < 0.03
    assert measure(np.full(len(y), 0.9), y, 0.5)["ece"] == pytest.approx(0.9 - y.mean())


def test_skill_is_nought_for_the_base_rate(answers: tuple[np.ndarray, ...]) -> None:
    _, y, _ = answers
    assert measure(np.full(len(y), y.mean()), y, 0.5)["brier_skill"] == pytest.approx(0)


def test_the_best_threshold_has_the_greatest_f1(answers: tuple[np.ndarray, ...]) -> None:
    p, y, _ = answers
    best = sk.f1_score(y, p >= best_threshold(p, y))
    assert best == pytest.approx(max(sk.f1_score(y, p >= t) for t in np.unique(p)))


def test_whole_artists_are_drawn(answers: tuple[np.ndarray, ...]) -> None:
    _, _, artist = answers
    for counts in artist_draws(artist, 5, seed=1):
        assert all(len(set(counts[artist == name])) == 1 for name in np.unique(artist))
        assert len({counts[artist == name][0] for name in np.unique(artist)}) > 1


def test_intervals_hold_the_estimate_and_widen_with_bound_songs(answers: tuple[np.ndarray, ...]) -> None:
    p, y, _ = answers
    free = intervals(p, y, np.arange(len(p)), 0.5, seed=0, resamples=100)["roc_auc"]
    assert free[0] < measure(p, y, 0.5)["roc_auc"] < free[1]
    # Ten copies of each song under one artist are no more evidence than one.
    tenfold = np.repeat(np.arange(300), 10)
    copied = intervals(np.repeat(p[:300], 10), np.repeat(y[:300], 10), tenfold, 0.5, seed=0, resamples=100)["roc_auc"]
    once = intervals(p[:300], y[:300], np.arange(300), 0.5, seed=0, resamples=100)["roc_auc"]
    assert copied[1] - copied[0] == pytest.approx(once[1] - once[0], rel=0.35)
