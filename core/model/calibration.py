"""Turns log odds of the base model into probabilities that hold what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
