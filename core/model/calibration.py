"""Turns log odds of the base model into probabilities that hold what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

FloatArray = NDArray[np.float64]


def sigmoid(logit: FloatArray) -> FloatArray:
    """Return probabilities of log odds."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -40, 40))), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Platt scaling: the calibrated log odds are ``intercept + slope * logit``."""

    slope: float
    intercept: float

    def __call__(self, logit: FloatArray) -> FloatArray:
        """Return calibrated log odds."""
        return self.intercept + self.slope * logit


def fit_calibration(logit: FloatArray, popular: NDArray[np.bool_], weight: FloatArray | None = None) -> Calibration:
    """Fit on log odds of songs that the model giving them had not seen (Platt 1999)."""
    regression = LogisticRegression(C=1e6).fit(logit[:, None], popular, sample_weight=weight)
    return Calibration(slope=float(regression.coef_[0, 0]), intercept=float(regression.intercept_[0]))
