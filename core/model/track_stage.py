"""The second stage: a logistic regression that weighs a song's own Last.fm figures beside the base model's answer.

It is fitted on the few thousand songs that have such figures. They are chart songs, so each is weighed until those
songs count as all training songs do: by class, and within a class by the base model's own answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from core.model.calibration import FloatArray

TERMS: Final = ("logit", "log_listeners", "log_plays_per_listener", "log_share_of_artist")
"""Terms of the regression; the last is 0 and without effect when the artist's listeners are unknown."""

REGULARISATION: Final = 1.0
"""Inverse strength of the L2 penalty on standardised terms."""


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """Last.fm figures of songs, arrays of shape (n,), NaN where unknown."""

    listeners: FloatArray
    playcount: FloatArray
    artist_listeners: FloatArray


@dataclass(frozen=True, slots=True)
class TrackWeighing:
    """A fitted second stage; ``weights`` belong to ``TERMS``."""

    intercept: float
    weights: tuple[float, ...]

    def __call__(self, logit: FloatArray, figures: TrackFigures) -> FloatArray:
        """Return log odds after weighing, shape (n,)."""
        return np.asarray(self.intercept + track_terms(logit, figures) @ np.array(self.weights), dtype=np.float64)


def track_terms(logit: FloatArray, figures: TrackFigures) -> FloatArray:
    """Return the terms of each song, shape (n, 4); logarithms to base 10 of figures plus one."""
    listeners = np.log10(figures.listeners + 1)
    share = np.nan_to_num(listeners - np.log10(figures.artist_listeners + 1))
    return np.column_stack([logit, listeners, np.log10(figures.playcount + 1) - listeners, np.minimum(share, 0.0)])


def population_weights(base_rate: float, popular: NDArray[np.bool_]) -> FloatArray:
    """Return the weight of each song that makes popular songs as rare as ``base_rate`` (King and Zeng 2001)."""
    rate = float(popular.mean())
    return np.where(popular, base_rate / rate, (1 - base_rate) / (1 - rate))


def fit_track_weighing(
    logit: FloatArray, figures: TrackFigures, popular: NDArray[np.bool_], weight: FloatArray
) -> TrackWeighing:
    """Fit on songs with figures; ``logit`` must come from models that had not seen them."""
    terms = track_terms(logit, figures)
    mean = np.average(terms, axis=0, weights=weight)
    spread = np.sqrt(np.average((terms - mean) ** 2, axis=0, weights=weight)) + 1e-9
    fitted = LogisticRegression(C=REGULARISATION).fit((terms - mean) / spread, popular, sample_weight=weight)
    weights = fitted.coef_[0] / spread
    return TrackWeighing(
        intercept=float(fitted.intercept_[0] - weights @ mean), weights=tuple(float(value) for value in weights)
    )
