"""The second stage: a monotone logistic regression that weighs a song's own Last.fm figures beside the base model.

It is fitted (:mod:`core.model.fitting`) on all songs that have such figures, on the inputs that it is served. More
listeners, more plays, a bigger artist or a higher answer of the base model never lower its answer: each term rises with
its figure, and no weight of those terms is negative.

The population it answers for is the songs people ask about: those that charts, playlists and discographies hold, each
collection counting by the square root of its size. Most of them are popular, which is what such a question is like. Of
songs by little known artists such tables hold the exceptions alone, so that 300 listeners would look like an even
chance; see :func:`core.model.crossfit.small_artists` for the songs that set this right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.model.calibration import FloatArray

LISTENERS: Final = (1.0, 3.0, 4.0, 4.7, 5.3, 5.8, 6.3, 7.0)
PLAYS: Final = (1.0, 3.5, 4.5, 5.3, 6.0, 6.6, 7.2, 8.3)
ARTIST_LISTENERS: Final = (2.0, 4.0, 5.0, 5.7, 6.3, 7.0)
AGE_YEARS: Final = (
    0.0,
    0.05,
    0.1,
    0.2,
    0.4,
    0.7,
    1.1,
    1.6,
    2.3,
    3.2,
    4.5,
    6.0,
    8.0,
    10.0,
    14.0,
    20.0,
    30.0,
    45.0,
    60.0,
)
"""Knots between which the answer changes evenly; counts as logarithms to base 10, age in years."""


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """Last.fm figures of songs and their age, arrays of shape (n,), NaN where unknown."""

    listeners: FloatArray
    playcount: FloatArray
    artist_listeners: FloatArray
    age_years: FloatArray

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which songs have figures of their own, shape (n,)."""
        return np.asarray((self.listeners > 0) & (self.playcount > 0))

    @property
    def kind(self) -> NDArray[np.int64]:
        """Which of the artist's listeners (1) and the age (2) are known, added up, shape (n,)."""
        return np.asarray(~np.isnan(self.artist_listeners) + 2 * ~np.isnan(self.age_years), dtype=np.int64)

    def without(self, *, artist: bool, age: bool) -> TrackFigures:
        """Return the figures without the artist's listeners or the age, where so asked."""
        return TrackFigures(
            self.listeners,
            self.playcount,
            np.full_like(self.artist_listeners, np.nan) if artist else self.artist_listeners,
            np.full_like(self.age_years, np.nan) if age else self.age_years,
        )

    def of(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> TrackFigures:
        """Return the figures of some songs."""
        return TrackFigures(
            self.listeners[which], self.playcount[which], self.artist_listeners[which], self.age_years[which]
        )


KINDS: Final = 4
"""Kinds of songs told apart by :attr:`TrackFigures.kind`."""


@dataclass(frozen=True, slots=True)
class TrackWeighing:
    """A fitted second stage: a logistic regression for each kind of songs, by what is known beside their own figures.

    Attributes:
        intercepts: Shape (``KINDS``,).
        weights: Of the columns of :func:`track_terms`, shape (``KINDS``, n_terms).
    """

    intercepts: FloatArray
    weights: FloatArray

    def __call__(self, logit: FloatArray, figures: TrackFigures) -> FloatArray:
        """Return log odds after weighing, shape (n,)."""
        kind = figures.kind
        return np.asarray(self.intercepts[kind] + (track_terms(logit, figures) * self.weights[kind]).sum(axis=1))


def track_terms(logit: FloatArray, figures: TrackFigures) -> FloatArray:
    """Return the terms of each song, shape (n, ``len(RISING)``); all terms of an unknown figure are 0."""
    return np.hstack(
        [
            logit[:, None],
            _rises(_log10(figures.listeners), LISTENERS),
            _rises(_log10(figures.playcount), PLAYS),
            _rises(_log10(figures.artist_listeners), ARTIST_LISTENERS),
            _rises(figures.age_years, AGE_YEARS),
        ]
    )


def _log10(counts: FloatArray) -> FloatArray:
    return np.asarray(np.log10(np.maximum(counts, 1.0)))


def _rises(values: FloatArray, knots: tuple[float, ...]) -> FloatArray:
    """Return how much of each stretch between two knots lies below the value, shape (n, n_knots - 1)."""
    low = np.array(knots[:-1])
    return np.asarray(np.nan_to_num(np.clip(values[:, None] - low, 0, np.array(knots[1:]) - low)))


RISING: Final = np.arange(1 + sum(len(knots) - 1 for knots in (LISTENERS, PLAYS, ARTIST_LISTENERS, AGE_YEARS))) < (
    1 + sum(len(knots) - 1 for knots in (LISTENERS, PLAYS, ARTIST_LISTENERS))
)
"""Which terms may only raise an answer: all but those of age."""
