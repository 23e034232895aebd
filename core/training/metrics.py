"""Metrics of probabilities, with intervals by resampling artists."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from core.model.ensemble import FloatArray

BoolArray = NDArray[np.bool_]

ECE_BINS: Final = 15
"""Bins of equal count for the expected calibration error."""

EPSILON: Final = 1e-7
"""Probabilities are kept this far from 0 and 1 in the log loss."""


def measure(
    probability: FloatArray, popular: BoolArray, threshold: float, weight: FloatArray | None = None
) -> dict[str, float]:
    """Return all metrics of ``probability`` against the labels.

    Args:
        probability: Shape (n,), 0 to 1.
        popular: Shape (n,).
        threshold: Least probability answered with "popular", for precision, recall, F1 and accuracy.
        weight: Weight of each song, shape (n,); 1 each if not given.
    """
    return _Ranked(probability, popular, threshold).measure(np.ones(len(popular)) if weight is None else weight)


def intervals(
    probability: FloatArray,
    popular: BoolArray,
    artist: NDArray[np.int64],
    threshold: float,
    *,
    weight: FloatArray | None = None,
    seed: int,
    resamples: int,
) -> dict[str, tuple[float, float]]:
    """Return the 95 % percentile interval of each metric, drawing whole artists with replacement.

    Songs of one artist stand or fall together, so that drawing single songs would make intervals too narrow.
    """
    ranked = _Ranked(probability, popular, threshold)
    base = np.ones(len(popular)) if weight is None else weight
    drawn: dict[str, list[float]] = {}
    for counts in artist_draws(artist, resamples, seed):
        for name, value in ranked.measure(base * counts).items():
            drawn.setdefault(name, []).append(value)
    return {
        name: (float(np.nanpercentile(values, 2.5)), float(np.nanpercentile(values, 97.5)))
        for name, values in drawn.items()
    }


def artist_draws(artist: NDArray[np.int64], resamples: int, seed: int) -> list[FloatArray]:
    """Return, for each resample, how often each song is drawn, shape (n_songs,)."""
    names, number = np.unique(artist, return_inverse=True)
    rng = np.random.default_rng(seed)
    even = np.full(len(names), 1 / len(names))
    return [rng.multinomial(len(names), even)[number].astype(float) for _ in range(resamples)]


def best_threshold(probability: FloatArray, popular: BoolArray) -> float:
    """Return the threshold with the greatest F1."""
    precision, recall, thresholds = precision_recall_curve(popular, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, EPSILON)
    return float(thresholds[int(np.argmax(f1[:-1]))])


class _Ranked:
    """Songs sorted by probability once, so that each resample costs no sorting."""

    def __init__(self, probability: FloatArray, popular: BoolArray, threshold: float) -> None:
        self.order = np.argsort(-probability, kind="stable")
        self.p = np.clip(probability[self.order], EPSILON, 1 - EPSILON)
        self.y = popular[self.order].astype(float)
        self.said = probability[self.order] >= threshold
        # Last place of each run of equal probabilities: ranks within a tie mean nothing.
        self.ends = np.append(np.flatnonzero(np.diff(probability[self.order])), len(probability) - 1)
        self.log_loss = -(self.y * np.log(self.p) + (1 - self.y) * np.log1p(-self.p))
        self.squared = (probability[self.order] - self.y) ** 2

    def measure(self, weight: FloatArray) -> dict[str, float]:
        w = weight[self.order]
        total, positive = w.sum(), float((w * self.y).sum())
        negative = total - positive
        hits, misses = np.cumsum(w * self.y)[self.ends], np.cumsum(w * (1 - self.y))[self.ends]
        rate = positive / total
        brier = float((w * self.squared).sum() / total)
        hit = float((w * self.y)[self.said].sum())
        called = float(w[self.said].sum())
        with np.errstate(invalid="ignore", divide="ignore"):
            precision_at = np.where(hits + misses > 0, hits / (hits + misses), 0.0)
            auc = float(np.trapezoid(np.append(0, hits), np.append(0, misses)) / (positive * negative))
            average_precision = float((np.diff(np.append(0, hits)) * precision_at).sum() / positive)
        return {
            "roc_auc": auc,
            "average_precision": average_precision,
            "f1": 2 * hit / (called + positive) if called + positive else 0.0,
            "precision": hit / called if called else 0.0,
            "recall": hit / positive if positive else 0.0,
            "accuracy": float((w * (self.said == (self.y > 0))).sum() / total),
            "brier": brier,
            "brier_skill": 1 - brier / (rate * (1 - rate)) if 0 < rate < 1 else float("nan"),
            "log_loss": float((w * self.log_loss).sum() / total),
            "ece": self._ece(w),
            "base_rate": rate,
        }

    def _ece(self, w: FloatArray) -> float:
        """Return the mean gap between stated and true share over bins of equal weight (Naeini et al. 2015)."""
        reached = np.cumsum(w)
        number = np.minimum(((reached - w / 2) / reached[-1] * ECE_BINS).astype(int), ECE_BINS - 1)
        gap = np.bincount(number, w * (self.p - self.y), ECE_BINS)
        return float(np.abs(gap).sum() / reached[-1])
