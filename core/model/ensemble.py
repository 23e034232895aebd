"""What answers: rates of genres and tags, boosted trees walked by our own arrays, calibration and the second stage.

scikit-learn walks one tree after another, a call from Python for each, however few the rows. Here every row stands in
every tree at once, and a step is a handful of numpy calls. The sums are made in scikit-learn's order, so that the
answers are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from core.domain import BandRecord, Song, VerdictBands
from core.model.features import COLUMN, Dates, FloatMatrix, Pattern, age_years, days
from core.model.genres import GENRES, TAGS_READ, TAGS_SEEN, fingerprint

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


SHRINKAGE: Final = 20.0
"""Songs at the overall rate that the rate of each genre and of each tag is mixed with."""

MARKED_TAGS: Final = 100
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


CHUNK_ROWS: Final = 128
"""Rows walked at one time: with more the lanes outgrow the processor's cache, with fewer the calls cost too much."""

LEAF: Final = -1
"""Column of a node that is a leaf."""

MAX_DEPTH: Final = 64
"""Steps to the deepest leaf that are walked."""

MAX_LOG_ODDS: Final = 1e6
"""Greatest amount of a leaf or of the baseline, so that no sum of them is infinite."""

_Whole = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class TreeNodes:
    """The nodes of all trees, one tree after another, as they are stored; arrays of shape (n_nodes,).

    Attributes:
        baseline: Log odds before any tree.
        tree_sizes: Nodes of each tree, shape (n_trees,).
        column: Column that a node looks at; ``LEAF`` for a leaf.
        threshold: Greatest figure that goes left.
        unknown_left: 1 where unknown figures go left, else 0.
        left: Number within the tree of the next node on the left, greater than the node's own.
        right: The same on the right.
        value: What a leaf adds to the log odds.
    """

    baseline: float
    tree_sizes: NDArray[np.int32]
    column: NDArray[np.int16]
    threshold: NDArray[np.float64]
    unknown_left: NDArray[np.uint8]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """The trees of one binary classifier, ready to be walked; arrays of shape (n_nodes,) unless another is given.

    A figure goes one way if it is at most the threshold and the other way if it is greater or unknown. For nodes that
    send unknown figures to the left the negated figure is compared instead, with the ways changed over.

    Attributes:
        nodes: The trees as they are stored.
        n_columns: Columns of the rows that are answered.
        order: Trees by depth, the deepest first, shape (n_trees,).
        roots: First node of each of them, shape (n_trees,).
        walking: How many of them are deeper than each step, shape (depth,).
        column: Column that a node looks at, among the figures and, behind them, the negated figures.
        threshold: Greatest figure that goes the second way.
        ways: Next nodes, two for each node; a leaf leads to itself. Shape (2 * n_nodes,).
    """

    nodes: TreeNodes
    n_columns: int
    order: _Whole
    roots: _Whole
    walking: tuple[int, ...]
    column: _Whole
    threshold: NDArray[np.float64]
    ways: _Whole

    @classmethod
    def of(cls, nodes: TreeNodes, n_columns: int) -> Self:
        """Check stored trees and make them ready.

        Raises:
            ValueError: A figure is out of range, or the nodes do not form trees.
        """
        roots = _checked_roots(nodes, n_columns)
        first = np.repeat(roots, nodes.tree_sizes)
        itself, leaf = np.arange(len(nodes.column)), nodes.column == LEAF
        left = np.where(leaf, itself, first + nodes.left)
        right = np.where(leaf, itself, first + nodes.right)
        _check_ways(itself, left, right, leaf, roots, nodes.tree_sizes)
        depths = _depths(roots, nodes.tree_sizes, left, right, leaf)
        order = np.argsort(-depths, kind="stable")
        turned = (nodes.unknown_left == 1) & ~leaf
        return cls(
            nodes=nodes,
            n_columns=n_columns,
            order=order,
            roots=roots[order],
            walking=tuple(int((depths > step).sum()) for step in range(int(depths.max()))),
            column=np.where(leaf, 0, nodes.column).astype(np.intp) + turned * n_columns,
            threshold=np.where(turned, np.nextafter(-nodes.threshold, -np.inf), nodes.threshold),
            ways=np.column_stack([np.where(turned, left, right), np.where(turned, right, left)]).ravel(),
        )

    def decision_function(self, rows: FloatMatrix) -> NDArray[np.float64]:
        """Return the log odds of ``rows``, shape (n_rows,); figures must be finite or NaN."""
        answers = np.empty(len(rows))
        for start in range(0, len(rows), CHUNK_ROWS):
            answers[start : start + CHUNK_ROWS] = self._walk(rows[start : start + CHUNK_ROWS])
        return answers

    def _walk(self, rows: FloatMatrix) -> NDArray[np.float64]:
        figures = np.concatenate([rows, -rows], axis=1, dtype=np.float64).ravel()
        starts = np.arange(len(rows), dtype=np.intp) * (2 * self.n_columns)
        # A lane is a row in a tree; trees whose deepest leaf is reached stand at the end and take no further step.
        node = np.repeat(self.roots[:, None], len(rows), axis=1)
        for n_walking in self.walking:
            here = node[:n_walking]
            place = self.column.take(here)
            place += starts
            second = figures.take(place) <= self.threshold.take(here)
            here *= 2
            here += second
            # The indices are in range; "raise" would copy all of them before writing.
            self.ways.take(here, out=here, mode="clip")
        steps = np.empty((len(self.roots) + 1, len(rows)))
        steps[0] = self.nodes.baseline
        steps[1 + self.order] = self.nodes.value.take(node)
        return np.asarray(np.add.accumulate(steps, axis=0)[-1])


def _checked_roots(nodes: TreeNodes, n_columns: int) -> _Whole:
    """Return the first node of each tree once every figure is known to be in range."""
    n_nodes, sizes = len(nodes.column), nodes.tree_sizes.astype(np.intp)
    if not len(sizes) or sizes.min() < 1 or sizes.sum() != n_nodes:
        raise ValueError("the sizes of the trees are not those of the nodes")
    if nodes.column.min() < LEAF or nodes.column.max() >= n_columns:
        raise ValueError(f"a node looks at another column than the {n_columns} there are")
    if np.isnan(nodes.threshold).any():
        raise ValueError("a threshold is no number")
    if nodes.unknown_left.max() > 1:
        raise ValueError("a way for unknown figures is neither 0 nor 1")
    # Written so that NaN fails too.
    if not (np.abs(nodes.value).max() <= MAX_LOG_ODDS and abs(nodes.baseline) <= MAX_LOG_ODDS):
        raise ValueError(f"a leaf or the baseline is beyond {MAX_LOG_ODDS:g}")
    return np.asarray(np.cumsum(sizes) - sizes)


def _check_ways(
    itself: _Whole, left: _Whole, right: _Whole, leaf: NDArray[np.bool_], roots: _Whole, sizes: NDArray[np.int32]
) -> None:
    """Check that each node but the roots is led to once, from one before it in its own tree."""
    end = np.repeat(roots + sizes, sizes)
    for way in (left, right):
        if not (leaf | ((way > itself) & (way < end))).all():
            raise ValueError("a node leads backwards or out of its tree")
    led_to = np.sort(np.concatenate([left[~leaf], right[~leaf], roots]))
    if not np.array_equal(led_to, itself):
        raise ValueError("a node is led to by several others or by none")


def _depths(
    roots: _Whole, sizes: NDArray[np.int32], left: _Whole, right: _Whole, leaf: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the steps to the deepest leaf of each tree, shape (n_trees,)."""
    tree = np.repeat(np.arange(len(sizes)), sizes)
    depths = np.zeros(len(sizes), dtype=np.intp)
    inner, depth = roots[~leaf[roots]], 0
    while len(inner):
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError(f"a tree is deeper than {MAX_DEPTH} steps")
        depths[tree[inner]] = depth
        below = np.concatenate([left[inner], right[inner]])
        inner = below[~leaf[below]]
    return depths


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
class SecondStage:
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


class Estimator(Protocol):
    """A fitted base model."""

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds before calibration, shape (n,), of base columns, shape (n, n_columns)."""
        ...


@dataclass(frozen=True, slots=True)
class BoostedBase:
    """The base model that can be stored: rates of genres and tags, and boosted trees over them and the base columns."""

    genre_rates: GenreRates
    tag_rates: TagRates
    trees: BoostedTrees

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds before calibration, shape (n,), of base columns, shape (n, n_columns)."""
        return self.trees.decision_function(boosted_columns(rows, self.genre_rates, self.tag_rates))


@dataclass(frozen=True, slots=True)
class FoldModel:
    """The model for the artists of one fold, fitted on all other artists.

    Attributes:
        base: A :class:`BoostedBase`; any other estimator can be measured but not stored.
        calibration: For each pattern of known blocks.
        second_stage: Second stage, for songs with figures of their own.
    """

    base: Estimator
    calibration: Mapping[Pattern, Calibration]
    second_stage: SecondStage

    def log_odds(self, rows: FloatMatrix, pattern: Pattern, figures: TrackFigures | None = None) -> FloatArray:
        """Return calibrated log odds, shape (n,), of rows that share one pattern of known blocks.

        Args:
            rows: Base columns, shape (n, n_columns).
            pattern: The base blocks known of these songs.
            figures: The songs' own figures, all known; None leaves the second stage out.
        """
        logit = self.calibration[pattern](self.base.decision_function(rows))
        return logit if figures is None else self.second_stage(logit, figures)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Everything that answering needs.

    Attributes:
        folds: The model of each fold of artists.
        vocabulary: Plain names of the tags the model knows.
        typical: What a usual song has in each base column, shape (n_columns,).
        typical_track: Listeners and plays of a usual song that people ask for.
        percentiles: For each ranked feature, its values at evenly spaced shares of all songs.
        base_rate: Share of popular songs.
        bands: Least probabilities of the verdicts.
        records: How each verdict fared on songs with figures of their own, as asked for live, out of fold.
        records_without_figures: The same on the catalogue's songs, without figures of their own.
        threshold: Least probability with the greatest F1, out of fold.
        metrics: The content of ``metrics.json``.
    """

    folds: tuple[FoldModel, ...]
    vocabulary: tuple[str, ...]
    typical: FloatMatrix
    typical_track: tuple[float, float]
    percentiles: Mapping[str, FloatArray]
    base_rate: float
    bands: VerdictBands
    records: tuple[BandRecord, ...]
    records_without_figures: tuple[BandRecord, ...]
    threshold: float
    metrics: Mapping[str, object]


def track_figures(songs: Sequence[Song], as_of: Dates) -> TrackFigures:
    """Read the songs' own figures and their age on a day, NaN where unknown."""

    def column(values: list[int | None]) -> FloatArray:
        return np.array([np.nan if value is None else float(value) for value in values])

    return TrackFigures(
        listeners=column([song.listeners for song in songs]),
        playcount=column([song.playcount for song in songs]),
        artist_listeners=column([song.artist_listeners for song in songs]),
        age_years=np.array(
            [age_years(song.released, day) for song, day in zip(songs, days(as_of, len(songs)), strict=True)]
        ),
    )
