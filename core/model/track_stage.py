"""The second stage: a logistic regression that weighs a song's own Last.fm figures beside the base model's answer.

It is fitted on the few thousand songs that have such figures. They are chart songs, three in four of them popular, so
each is weighed towards what all training songs are like: see :func:`population_weights`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from core.model.calibration import FloatArray

TERMS: Final = (
    "logit", "log_listeners", "log_listeners_below", "log_listeners_above", "log_plays_per_listener",
    "log_artist_listeners",
)  # fmt: skip
"""Terms of the regression. Listeners beside the artist's listeners are the song's share of its artist's audience."""

NEVER_NEGATIVE: Final = (0, 1, 2, 3)
"""Terms whose weight is kept at or above 0, so that more listeners in proportion never lower an answer."""

KNEES: Final = (10**3.0, 10**5.5)
"""Listeners below the first and above the second may count for more than those between."""

MOST_PLAYS_PER_LISTENER: Final = 100.0
"""Plays per listener beyond this tell of devotion or of machines, not of more popularity."""

LEAST_ARTIST_LISTENERS: Final = 30_000.0
"""Artists are not told apart below this: one in a hundred songs with figures is by a lesser known artist."""

STRAY_LISTENERS: Final = 3000
STRAY_SHARE: Final = 0.01
"""A record below both, as a count and as a share of its artist's listeners, is mostly a stray spelling of a song that
Last.fm counts elsewhere ("Clean Bandit: Tick Tock", 644 listeners). Lookup avoids them, so fitting does too."""

REGULARISATION: Final = 1.0
"""Inverse strength of the L2 penalty on standardised terms."""

TEMPER: Final = 0.3
"""Power to which population weights are raised for fitting the second stage.

At 1 the 801 unpopular songs with figures count as 200, most of them old hits filed under compilations; at 0 the charts'
73 % would be taken for granted (Shimodaira 2000 on the trade between the two).
"""

TAG_TEMPER: Final = 0.9
"""The same for learning how far answers from Last.fm tags are to be trusted: no figures of hits are at stake there."""

GREATEST_WEIGHT: Final = 20.0
"""Greatest population weight, as a multiple of the median of its class."""


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """Last.fm figures of songs, arrays of shape (n,), NaN where unknown."""

    listeners: FloatArray
    playcount: FloatArray
    artist_listeners: FloatArray

    @property
    def stray(self) -> NDArray[np.bool_]:
        """Which records are likely stray spellings, shape (n,); never where the artist is unknown."""
        few = self.listeners < STRAY_LISTENERS
        return np.asarray(few & (self.listeners < STRAY_SHARE * self.artist_listeners))

    def of(self, which: NDArray[np.bool_], *, artist_known: bool = True) -> TrackFigures:
        """Return the figures of some songs, if need be without the artist's."""
        artist = self.artist_listeners[which]
        return TrackFigures(
            self.listeners[which], self.playcount[which], artist if artist_known else np.full_like(artist, np.nan)
        )


@dataclass(frozen=True, slots=True)
class TrackWeighing:
    """A fitted second stage; ``weights`` belong to ``TERMS``."""

    intercept: float
    weights: tuple[float, ...]

    def __call__(self, logit: FloatArray, figures: TrackFigures) -> FloatArray:
        """Return log odds after weighing, shape (n,)."""
        return np.asarray(self.intercept + track_terms(logit, figures) @ np.array(self.weights), dtype=np.float64)


def track_terms(logit: FloatArray, figures: TrackFigures) -> FloatArray:
    """Return the terms of each song, shape (n, 6), logarithms to base 10; an unknown artist's term is 0."""
    listeners = np.log10(np.maximum(figures.listeners, 1))
    loyalty = np.clip(figures.playcount / np.maximum(figures.listeners, 1), 1, MOST_PLAYS_PER_LISTENER)
    artist = np.nan_to_num(np.log10(np.maximum(figures.artist_listeners, LEAST_ARTIST_LISTENERS)))
    below = np.minimum(listeners - np.log10(KNEES[0]), 0)
    above = np.maximum(listeners - np.log10(KNEES[1]), 0)
    return np.column_stack([logit, listeners, below, above, np.log10(loyalty), artist])


def population_weights(
    logit: FloatArray, popular: NDArray[np.bool_], joined: NDArray[np.bool_], *, temper: float = 1.0
) -> FloatArray:
    """Return weights of the joined songs that make them count as all songs do, shape (n_joined,), mean 1.

    Each class gets the share it has among all songs (King and Zeng 2001), and within a class each song the inverse of
    its chance of being joined given the base model's answer (Robins, Rotnitzky and Zhao 1994).

    Args:
        logit: Out-of-fold log odds of all songs, shape (n_songs,).
        popular: Labels of all songs.
        joined: Which songs have figures of their own.
        temper: Power to which the weights are raised.
    """
    weight = np.zeros(len(logit))
    terms = np.column_stack([logit, logit**2])
    for label in (True, False):
        inside = popular == label
        if joined[inside].all() or not joined[inside].any():
            weight[inside] = 1.0
            continue
        chance = LogisticRegression(C=1e3, max_iter=1000).fit(terms[inside], joined[inside])
        own = 1 / chance.predict_proba(terms[inside & joined])[:, 1]
        own = np.minimum(own, GREATEST_WEIGHT * np.median(own))
        weight[inside & joined] = own / own.sum() * inside.sum()
    tempered = weight[joined] ** temper
    return np.asarray(tempered / tempered.mean(), dtype=np.float64)


def fit_track_weighing(
    logit: FloatArray, figures: TrackFigures, popular: NDArray[np.bool_], weight: FloatArray
) -> TrackWeighing:
    """Fit on songs with figures; ``logit`` must come from models that had not seen them.

    A term of ``NEVER_NEGATIVE`` whose weight would come out negative is left out and the others fitted again. Songs of
    one class alone teach nothing: then the base model's answer stays as it is.
    """
    if popular.all() or not popular.any():
        return TrackWeighing(0.0, tuple(float(term == "logit") for term in TERMS))
    terms = track_terms(logit, figures)
    kept = np.arange(len(TERMS))
    while True:
        mean = np.average(terms[:, kept], axis=0, weights=weight)
        spread = np.sqrt(np.average((terms[:, kept] - mean) ** 2, axis=0, weights=weight)) + 1e-9
        fitted = LogisticRegression(C=REGULARISATION, max_iter=1000).fit(
            (terms[:, kept] - mean) / spread, popular, sample_weight=weight
        )
        found = fitted.coef_[0] / spread
        wrong = np.isin(kept, NEVER_NEGATIVE) & (found < 0)
        if not wrong.any():
            break
        kept = kept[~wrong]
    weights = np.zeros(len(TERMS))
    weights[kept] = found
    return TrackWeighing(float(fitted.intercept_[0] - found @ mean), tuple(float(value) for value in weights))
