"""What genres and tags say: how often songs that bear them are popular, learnt in training and read in serving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from core.model.calibration import FloatArray
from core.model.features import COLUMN, FloatMatrix
from core.model.genres import GENRES
from core.model.tags import TAGS_READ, TAGS_SEEN, fingerprint

SHRINKAGE: Final = 20.0
"""Songs at the overall rate that the rate of each genre and of each tag is mixed with."""

MARKED_TAGS: Final = 160
"""Commonest tags that have a column of their own, beside what all known tags say."""

GENRE_RATES: Final = 3
"""Columns of :class:`GenreRates`: mean, greatest and least rate of a song's genres."""

TAG_RATES: Final = 4
"""Columns of :class:`TagRates` before the marks: mean, greatest, least and rank-weighted mean rate of a song's tags."""

_FIRST_GENRE: Final = COLUMN[f"genre_{GENRES[0]}"]
_FIRST_TAG: Final = COLUMN["tag_1"]


def _shrunk_log_odds(popular: FloatArray, total: FloatArray, overall: float) -> FloatMatrix:
    rate = (popular + SHRINKAGE * overall) / (total + SHRINKAGE)
    return np.asarray(np.log(rate / (1 - rate)), dtype=np.float32)


class GenreRates:
    """How often songs of a genre are popular, as log odds, learnt from training rows only.

    Attributes:
        log_odds_: Of each genre, shape (n_genres,).
    """

    def __init__(self, log_odds: FloatMatrix | None = None) -> None:
        """Take the log odds if they were learnt before; else :meth:`fit` learns them."""
        if log_odds is not None:
            self.log_odds_ = log_odds

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray) -> Self:
        """Learn the rate of each genre from rows whose genres are known; ``weight`` has shape (n_rows,)."""
        hot = self._hot(rows)
        known = ~np.isnan(hot[:, 0])
        hot, w = hot[known], weight[known]
        self.log_odds_ = _shrunk_log_odds(
            hot.T @ (w * popular[known]), hot.T @ w, float(np.average(popular, weights=weight))
        )
        return self

    def transform(self, rows: FloatMatrix) -> FloatMatrix:
        """Return ``GENRE_RATES`` columns, NaN for rows whose genres are unknown."""
        hot = self._hot(rows)
        known = ~np.isnan(hot[:, 0])
        rates = np.full((len(rows), GENRE_RATES), np.nan, dtype=np.float32)
        if known.any():
            has = hot[known] > 0
            rates[known, 0] = (has @ self.log_odds_) / np.maximum(has.sum(axis=1), 1)
            rates[known, 1] = np.where(has, self.log_odds_, -np.inf).max(axis=1)
            rates[known, 2] = np.where(has, self.log_odds_, np.inf).min(axis=1)
        return rates

    @staticmethod
    def _hot(rows: FloatMatrix) -> FloatMatrix:
        return rows[:, _FIRST_GENRE : _FIRST_GENRE + len(GENRES)]


class TagRates:
    """What each known tag says: how often songs that bear it are popular, as log odds, learnt from training rows only.

    Unknown tags say nothing, and neither does having no tags: a row without a known tag is all NaN.

    Attributes:
        n_marked: Commonest tags that have a column of their own.
        log_odds_: Of each known tag, shape (n_tags,).
    """

    def __init__(
        self, vocabulary: Sequence[str], log_odds: FloatMatrix | None = None, *, n_marked: int = MARKED_TAGS
    ) -> None:
        """Take the plain names of the known tags, the commonest first, and their log odds if they were learnt."""
        if log_odds is not None:
            self.log_odds_ = log_odds
        prints = np.array([fingerprint(name) for name in vocabulary], dtype=np.float32)
        order = np.argsort(prints, kind="stable")
        self._prints = prints[order]
        self._place = order
        self._n = len(prints)
        self.n_marked = min(n_marked, self._n)

    @property
    def columns(self) -> int:
        """Columns that :meth:`transform` gives."""
        return TAG_RATES + self.n_marked

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray) -> Self:
        """Learn the rate of each known tag; ``weight`` has shape (n_rows,)."""
        places = self._places(rows)
        total, hits = np.zeros(self._n), np.zeros(self._n)
        for column in places.T:
            has = column >= 0
            np.add.at(total, column[has], weight[has])
            np.add.at(hits, column[has], (weight * popular)[has])
        self.log_odds_ = _shrunk_log_odds(hits, total, float(np.average(popular, weights=weight)))
        return self

    def transform(self, rows: FloatMatrix) -> FloatMatrix:
        """Return rates and marks, shape (n_rows, ``columns``)."""
        out = np.full((len(rows), self.columns), np.nan, dtype=np.float32)
        places = self._places(rows)
        known = (places >= 0).any(axis=1)
        if not known.any():
            return out
        found = places[known]
        has = found >= 0
        rate = self.log_odds_[np.maximum(found, 0)]
        rank_weight = np.where(has, (1 / np.arange(1, TAGS_READ + 1)).astype(np.float32), 0)
        out[known, 0] = np.where(has, rate, 0).sum(axis=1) / has.sum(axis=1)
        out[known, 1] = np.where(has, rate, -np.inf).max(axis=1)
        out[known, 2] = np.where(has, rate, np.inf).min(axis=1)
        out[known, 3] = (rank_weight * rate).sum(axis=1) / rank_weight.sum(axis=1)
        marks = np.zeros((len(found), self.n_marked + 1), dtype=np.float32)
        # What is not marked falls into a column behind the marks, which is cut off.
        at = np.where(has & (found < self.n_marked), found, self.n_marked)
        marks[np.arange(len(found))[:, None], at] = 1
        out[known, TAG_RATES:] = marks[:, :-1]
        return out

    def _places(self, rows: FloatMatrix) -> NDArray[np.intp]:
        """Return the places in the vocabulary of each row's strongest known tags, -1 behind them, (n, TAGS_READ)."""
        prints = rows[:, _FIRST_TAG : _FIRST_TAG + TAGS_SEEN]
        if not self._n:
            return np.full((len(rows), TAGS_READ), -1, dtype=np.intp)
        at = np.minimum(np.searchsorted(self._prints, np.nan_to_num(prints, nan=-1.0)), self._n - 1)
        known = self._prints[at] == prints
        places = np.where(known, self._place[at], -1)
        # Known tags first, in their order: the sort is stable.
        order = np.argsort(~known, axis=1, kind="stable")[:, :TAGS_READ]
        return np.take_along_axis(places, order, axis=1)


def boosted_columns(rows: FloatMatrix, genre_rates: GenreRates, tag_rates: TagRates) -> FloatMatrix:
    """Return what the boosted trees look at: the base columns, with rates in place of the tags' fingerprints."""
    return np.hstack([rows[:, :_FIRST_TAG], genre_rates.transform(rows), tag_rates.transform(rows)])
