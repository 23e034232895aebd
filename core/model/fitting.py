"""Fits what stands behind the base model: its calibration and the second stage, both by logistic regression."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from core.model.calibration import Calibration, FloatArray
from core.model.track_stage import KINDS, RISING, TrackFigures, TrackWeighing, track_terms

REGULARISATION: Final = 1.0
"""Inverse strength of the L2 penalty on standardised terms."""


def fit_calibration(logit: FloatArray, popular: NDArray[np.bool_], weight: FloatArray | None = None) -> Calibration:
    """Fit on log odds of songs that the model giving them had not seen (Platt 1999)."""
    regression = LogisticRegression(C=1e6).fit(logit[:, None], popular, sample_weight=weight)
    return Calibration(slope=float(regression.coef_[0, 0]), intercept=float(regression.intercept_[0]))


def fit_track_weighing(
    logit: FloatArray, figures: TrackFigures, popular: NDArray[np.bool_], weight: FloatArray
) -> TrackWeighing:
    """Fit on songs with figures, each kind by itself; ``logit`` must come from models that had not seen them."""
    kind = figures.kind
    intercepts, weights = np.zeros(KINDS), np.zeros((KINDS, len(RISING)))
    for number in range(KINDS):
        own = (kind == number) & (weight > 0)
        intercepts[number], weights[number] = _fitted_line(
            track_terms(logit[own], figures.of(own)), popular[own], weight[own]
        )
    return TrackWeighing(intercepts, weights)


def _fitted_line(terms: FloatArray, popular: NDArray[np.bool_], weight: FloatArray) -> tuple[float, FloatArray]:
    """Fit one kind of songs; return intercept and weights, shape (n_terms,).

    Terms of ``RISING`` whose weight would come out negative are left out and the others fitted again. Songs of one
    class alone teach nothing: then the base model's answer stays as it is.
    """
    weights = np.zeros(terms.shape[1])
    if popular.all() or not popular.any():
        weights[0] = 1.0
        return 0.0, weights
    kept = np.flatnonzero(terms.std(axis=0) > 0)
    while True:
        mean = np.average(terms[:, kept], axis=0, weights=weight)
        spread = np.sqrt(np.average((terms[:, kept] - mean) ** 2, axis=0, weights=weight)) + 1e-9
        fitted = LogisticRegression(C=REGULARISATION, max_iter=1000).fit(
            (terms[:, kept] - mean) / spread, popular, sample_weight=weight
        )
        found = fitted.coef_[0] / spread
        wrong = RISING[kept] & (found < 0)
        if not wrong.any():
            break
        kept = kept[~wrong]
        if not len(kept):  # nothing rises: all songs of this kind get their rate
            rate = float(np.average(popular, weights=weight))
            return float(np.log(rate / (1 - rate))), weights
    weights[kept] = found
    return float(fitted.intercept_[0] - found @ mean), weights
