"""Cross-fitting: each fold's songs are answered by models that never saw their artists."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from core.domain import Block
from core.model.ensemble import (
    GENRE_RATES,
    KINDS,
    LEAF,
    RISING,
    BoostedBase,
    BoostedTrees,
    Calibration,
    FloatArray,
    FoldModel,
    GenreRates,
    SecondStage,
    TagRates,
    TrackFigures,
    TreeNodes,
    boosted_columns,
    track_figures,
    track_terms,
)
from core.model.features import (
    BASE,
    COLUMN,
    COLUMNS_OF,
    GROUPS_OF_BLOCK,
    N_FOLDS,
    PATTERNS,
    FloatMatrix,
    Group,
    Pattern,
    hide,
    mask_groups,
    patterns_of_rows,
    within,
)
from core.model.genres import TAGS_SEEN, tag_columns
from core.training.data import ArtistTags, TrainingSongs
from core.training.metrics import BoolArray

HIDING: Final[dict[Group, float]] = {
    Group.ARTIST: 0.3,
    Group.TAGS: 0.5,
    Group.GENRES: 0.35,
    Group.AGE: 0.1,
    Group.AUDIO: 0.6,
    Group.ALBUM: 0.4,
    Group.DURATION: 0.3,
}
"""Chance that a group is hidden in the second copy of a training song. No song of the catalogue has a date, so hiding
few dates of the others is enough, and what tags say without one is learnt from the catalogue."""

HIDING_WITH_AUDIO: Final[dict[Group, float]] = {Group.CREDITS: 0.85, Group.EXPLICIT: 0.85}
"""Chance that a group is hidden when audio is: both come from the catalogue, the explicit mark from shops too."""

LIVE_HIDDEN: Final = (Group.GENRES, Group.AUDIO, Group.CREDITS)
"""Groups that a live question does not bring."""

LIVE_HIDING: Final[dict[Group, float]] = {Group.AGE: 0.1, Group.ALBUM: 0.4, Group.EXPLICIT: 0.5, Group.DURATION: 0.2}
"""Chance that a group is hidden in the live copy: shops do not know every song, or not in time."""

LIVE_COPIES: Final = 2
"""Live copies of each song, each with tags and hidden groups of its own: with one, tags told the model less."""

LIVE_TAGS: Final = (3, 8)
"""Fewest and most tags of a live question."""

TAGGED_WEIGHT: Final = 2 / 3
"""Weight of each copy of a song with tags, which is shown twice as often, against 1 of each copy of another."""

CATALOGUE_LIVE_WEIGHT: Final = 1.5
"""How much more the live copies of the catalogue's songs count: dated collections hold more hits."""

ROWS_MAX: Final = 12_000
"""Rows drawn of one dated collection: more of one table teach little, and take time."""

_TAG_COLUMNS: Final = slice(COLUMN["tag_1"], COLUMN["tag_1"] + TAGS_SEEN)


@dataclass(frozen=True, slots=True)
class Examples:
    """What an estimator is fitted on: rows of shape (n, n_columns), labels and weights of shape (n,)."""

    rows: FloatMatrix
    popular: BoolArray
    weight: FloatArray


def examples(songs: TrainingSongs, rows: FloatMatrix, which: BoolArray, rng: np.random.Generator) -> Examples:
    """Make the training examples of the labelled songs among ``which``, each shown two or four times.

    Args:
        songs: The training songs.
        rows: Their base columns, shape (n_rows, n_columns).
        which: Rows that may be learnt from, shape (n_rows,).
        rng: Draws rows of large collections, tags and what is hidden.
    """
    places, weight = drawn(songs, which, rng)
    whole = _tagged(songs, rows, places, rng)
    hidden = whole.copy()
    _hide_at_random(hidden, HIDING, rng)
    without_audio = np.isnan(hidden[:, COLUMN["energy"]])
    for group, chance in HIDING_WITH_AUDIO.items():
        _hide(hidden, group, without_audio & (rng.random(len(hidden)) < chance))
    tags_known = np.array([bool(songs.songs[place].tags or songs.artist_tags[place]) for place in places])
    live = _tagged(songs, rows, np.tile(places[tags_known], LIVE_COPIES), rng)
    for group in LIVE_HIDDEN:
        _hide(live, group, np.ones(len(live), dtype=bool))
    _hide_at_random(live, LIVE_HIDING, rng)
    shown = np.concatenate([places, places, np.tile(places[tags_known], LIVE_COPIES)])
    shared = np.where(tags_known, weight * TAGGED_WEIGHT, weight)
    live_weight = (shared * np.where(songs.in_catalogue[places], CATALOGUE_LIVE_WEIGHT, 1.0))[tags_known]
    return Examples(
        rows=np.vstack([whole, hidden, live]),
        popular=songs.popular[shown],
        weight=np.concatenate([shared, shared, np.tile(live_weight, LIVE_COPIES)]),
    )


def _tagged(songs: TrainingSongs, rows: FloatMatrix, places: NDArray[np.intp], rng: np.random.Generator) -> FloatMatrix:
    """Return rows with some of the tags of their songs, shape (n_places, n_columns)."""
    tagged = rows[places]
    for place, row in zip(places, tagged, strict=True):
        row[_TAG_COLUMNS] = tag_columns(some_tags(songs, int(place), rng))
    return tagged


def drawn(songs: TrainingSongs, which: BoolArray, rng: np.random.Generator) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the places of the rows that are learnt from and their weights; drawn rows stand for those left out."""
    kept, weights = [], []
    for number in range(len(songs.collections)):
        places = np.flatnonzero(which & (songs.weight > 0) & (songs.collection == number))
        n = len(places)
        if number and n > ROWS_MAX:
            places = np.sort(rng.choice(places, ROWS_MAX, replace=False))
        kept.append(places)
        weights.append(songs.weight[places] * (n / max(len(places), 1)))
    return np.concatenate(kept), np.concatenate(weights)


def some_tags(songs: TrainingSongs, place: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return tags as Last.fm would give them: the song's own, or those of one collection at random; 3 to 8 of them."""
    return drawn_tags(songs.songs[place].tags, songs.artist_tags[place], rng)


def drawn_tags(own: tuple[str, ...], of_artist: ArtistTags, rng: np.random.Generator) -> tuple[str, ...]:
    """Return some of the tags of one source, drawn at random; none if no source has any."""
    sources = [*([own] if own else []), *of_artist.values()]
    if not sources:
        return ()
    return sources[rng.integers(len(sources))][: rng.integers(LIVE_TAGS[0], LIVE_TAGS[1] + 1)]


def _hide_at_random(rows: FloatMatrix, chances: dict[Group, float], rng: np.random.Generator) -> None:
    for group, chance in chances.items():
        _hide(rows, group, rng.random(len(rows)) < chance)


def _hide(rows: FloatMatrix, group: Group, which: BoolArray) -> None:
    rows[np.ix_(np.flatnonzero(which), np.array(COLUMNS_OF[group]))] = np.nan


BOOSTING: Final[dict[str, Any]] = {
    "learning_rate": 0.08,
    "max_iter": 300,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.3,
    "early_stopping": False,
}
"""Settings of the boosting."""

_FIRST_TAG: Final = COLUMN["tag_1"]


def without_blank_columns(rows: FloatMatrix) -> FloatMatrix:
    """Put 0 into columns that no row knows, which scikit-learn cannot bin; no tree ever splits by them."""
    rows[:, np.isnan(rows).all(axis=0)] = 0
    return rows


class BaseModel(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Rates of genres and tags, then boosting over them and the base columns but the tags' fingerprints."""

    def __init__(self, vocabulary: Sequence[str], *, seed: int = 0, max_iter: int = BOOSTING["max_iter"]) -> None:
        """Keep the settings; ``seed`` fixes the boosting."""
        self.vocabulary = vocabulary
        self.seed = seed
        self.max_iter = max_iter

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray) -> Self:
        """Fit on base columns, labels and weights, the latter two of shape (n_rows,)."""
        self.classes_ = np.array([False, True])
        self.genre_rates_ = GenreRates().fit(rows, popular, weight)
        self.tag_rates_ = TagRates(self.vocabulary).fit(rows, popular, weight)
        monotone = np.zeros(_FIRST_TAG + GENRE_RATES + self.tag_rates_.columns, dtype=int)
        monotone[:_FIRST_TAG] = [feature.monotone for feature in BASE[:_FIRST_TAG]]
        settings = {**BOOSTING, "max_iter": self.max_iter, "random_state": self.seed, "monotonic_cst": monotone}
        self.boosting_ = HistGradientBoostingClassifier(**settings).fit(
            without_blank_columns(self._seen(rows)), popular, sample_weight=weight
        )
        return self

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds before calibration, shape (n_rows,)."""
        return np.asarray(self.boosting_.decision_function(self._seen(rows)), dtype=np.float64)

    def served(self) -> BoostedBase:
        """Return the fitted model as arrays, which answers the same to the last bit without scikit-learn."""
        return BoostedBase(self.genre_rates_, self.tag_rates_, trees_of(self.boosting_))

    def _seen(self, rows: FloatMatrix) -> FloatMatrix:
        return boosted_columns(rows, self.genre_rates_, self.tag_rates_)


def trees_of(booster: HistGradientBoostingClassifier) -> BoostedTrees:
    """Copy the trees of a fitted classifier.

    Raises:
        ValueError: It has more than two classes or splits by categories.
    """
    # No public interface tells a fitted tree; a test compares the answers for whatever version is installed.
    trees = [predictor.nodes for (predictor,) in booster._predictors]  # noqa: SLF001
    nodes: Any = np.concatenate(trees)
    if nodes["is_categorical"].any():
        raise ValueError("splits by categories are not walked here")
    leaf = nodes["is_leaf"].astype(bool)
    stored = TreeNodes(
        baseline=float(booster._baseline_prediction.item()),  # noqa: SLF001
        tree_sizes=np.array([len(tree) for tree in trees], dtype=np.int32),
        column=np.where(leaf, LEAF, nodes["feature_idx"]).astype(np.int16),
        threshold=np.where(leaf, 0.0, nodes["num_threshold"]),
        unknown_left=np.where(leaf, 0, nodes["missing_go_to_left"]).astype(np.uint8),
        left=np.where(leaf, 0, nodes["left"]).astype(np.int32),
        right=np.where(leaf, 0, nodes["right"]).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0.0),
    )
    return BoostedTrees.of(stored, n_columns=int(booster.n_features_in_))


REGULARISATION: Final = 1.0
"""Inverse strength of the L2 penalty on standardised terms."""


def fit_calibration(logit: FloatArray, popular: NDArray[np.bool_], weight: FloatArray | None = None) -> Calibration:
    """Fit on log odds of songs that the model giving them had not seen (Platt 1999)."""
    regression = LogisticRegression(C=1e6).fit(logit[:, None], popular, sample_weight=weight)
    return Calibration(slope=float(regression.coef_[0, 0]), intercept=float(regression.intercept_[0]))


def fit_second_stage(
    logit: FloatArray, figures: TrackFigures, popular: NDArray[np.bool_], weight: FloatArray
) -> SecondStage:
    """Fit on songs with figures, each kind by itself; ``logit`` must come from models that had not seen them."""
    kind = figures.kind
    intercepts, weights = np.zeros(KINDS), np.zeros((KINDS, len(RISING)))
    for number in range(KINDS):
        own = (kind == number) & (weight > 0)
        intercepts[number], weights[number] = _fitted_line(
            track_terms(logit[own], figures.of(own)), popular[own], weight[own]
        )
    return SecondStage(intercepts, weights)


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


FEWEST_TO_CALIBRATE: Final = 20
"""Fewest popular songs, and others, that know a pattern's blocks for the pattern to get a calibration of its own."""

LIVE_VIEWS: Final[dict[str, tuple[Block, ...]]] = {
    "live": (Block.GENRES, Block.AUDIO),
    "live_with_catalogue": (),
    "live_without_date": (Block.GENRES, Block.AUDIO, Block.AGE),
    "live_without_tags": (Block.GENRES, Block.AUDIO, Block.TAGS),
    "live_without_artist": (Block.GENRES, Block.AUDIO, Block.ARTIST),
    "live_without_artist_and_date": (Block.GENRES, Block.AUDIO, Block.ARTIST, Block.AGE),
}
"""How a song with figures of its own may be asked for, and the blocks that are then unknown. The second stage is fitted
on all of them, since it is served all of them."""

LIVE_WEIGHT: Final = 2.0
"""How much more the first of them counts than each of the others: it is what most questions look like."""

SMALL_ARTIST: Final = 30_000
"""Listeners of an artist below which hardly a song is popular: 2 % of the catalogue's."""

SMALL_ARTIST_SONGS: Final = 4000
"""Songs by small artists that the second stage is fitted on beside those with figures."""

SMALL_ARTIST_SHARE: Final = 0.1
"""Their part of the whole weight. At .05, .1 and .2 the answers to songs with figures are equally good and calibrated;
300 listeners beside an artist of 1,000 give 1 % instead of 15 %."""

SONG_SHARE: Final = (0.05, 0.5)
"""Part of a small artist's listeners that a song of theirs is taken to have; it cannot have more than all."""

PLAYS_PER_LISTENER: Final = (2.0, 8.0)
"""Plays of such a song for each listener, the middle nine tenths of songs with figures."""

Builder = Callable[[int, Sequence[str]], Any]
"""Builds an unfitted estimator from a seed and the known tags; it has ``fit(rows, popular, weight)`` and
``decision_function(rows)``."""

Notify = Callable[[str], None]
"""Told of each finished step, for a progress display."""


@dataclass(frozen=True, slots=True)
class LiveAnswers:
    """Out-of-fold answers to songs with figures of their own, arrays of shape (n_live,).

    Attributes:
        places: Rows of the training songs.
        before: Log odds without the second stage.
        after: Log odds as served.
    """

    places: NDArray[np.intp]
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Fitted folds and the answers they give to the songs they never saw.

    Attributes:
        folds: The finished model of each fold.
        base: Calibrated log odds of every labelled row under each pattern that it knows, without the second stage,
            shape (n_rows,), NaN for other rows.
        live: For each of ``LIVE_VIEWS`` the answers to the songs with figures of their own.
    """

    folds: tuple[FoldModel, ...]
    base: dict[Pattern, FloatArray]
    live: dict[str, LiveAnswers]

    def answers(self, rows: FloatMatrix, fold: NDArray[np.int64]) -> FloatArray:
        """Return calibrated log odds of any rows, each from the fold that never saw its artist, shape (n,)."""
        return _answers([model.base for model in self.folds], [model.calibration for model in self.folds], rows, fold)

    def answers_of_age(
        self, songs: TrainingSongs, places: NDArray[np.intp], rows: FloatMatrix, years: float
    ) -> FloatArray:
        """Return log odds, as served, of songs with figures of their own as if each were so many years old."""
        fold = songs.fold[places]
        before = self.answers(rows, fold)
        figures = replace(_figures(songs, places), age_years=np.full(len(places), years))
        after = np.full(len(places), np.nan)
        for number, model in enumerate(self.folds):
            inside = fold == number
            after[inside] = model.second_stage(before[inside], figures.of(inside))
        return after


def cross_fit(
    songs: TrainingSongs, rows: FloatMatrix, build: Builder, *, seed: int, jobs: int, notify: Notify = lambda _: None
) -> CrossFit:
    """Fit one base model for each fold on all other folds, then calibration and second stage in the same way.

    Calibration and second stage of a fold are fitted on out-of-fold answers to the songs of the other folds.

    Args:
        songs: Labelled songs.
        rows: Their base columns, shape (n_rows, n_columns).
        build: Builds the unfitted base model.
        seed: Fixes every random choice.
        jobs: Processes.
        notify: Told of each finished fold.
    """
    tasks = (
        delayed(_fitted)(
            build(seed + number, songs.vocabulary),
            examples(songs, rows, songs.fold != number, np.random.default_rng([seed, number])),
        )
        for number in range(N_FOLDS)
    )
    models = []
    for number, model in enumerate(Parallel(n_jobs=jobs, return_as="generator", pre_dispatch=jobs)(tasks)):
        models.append(model)
        notify(f"fold {number + 1} of {N_FOLDS}")
    base, calibrations = _calibrated(songs, rows, models, np.random.default_rng([seed, N_FOLDS]))
    notify("calibration")
    second_stages, live = _second_stage(songs, rows, models, calibrations, np.random.default_rng([seed, N_FOLDS + 1]))
    notify("second stage")
    # The library that fitted them answers many rows on all cores; from here on they are what is served.
    served = (model.served() if isinstance(model, BaseModel) else model for model in models)
    folds = (FoldModel(*parts) for parts in zip(served, calibrations, second_stages, strict=True))
    return CrossFit(tuple(folds), base, live)


def others(fold: NDArray[np.int64]) -> Iterator[tuple[int, BoolArray]]:
    """Yield each fold's number with the songs outside it."""
    for number in range(N_FOLDS):
        yield number, fold != number


def live_rows(
    songs: TrainingSongs, rows: FloatMatrix, places: NDArray[np.intp], rng: np.random.Generator
) -> FloatMatrix:
    """Return rows with tags as Last.fm gives them, the song's own or else its artist's, shape (n_places, n_columns)."""
    seen = rows[places]
    for place, row in zip(places, seen, strict=True):
        row[COLUMN["tag_1"] : COLUMN["tag_1"] + TAGS_SEEN] = tag_columns(
            songs.songs[place].tags or some_tags(songs, int(place), rng)
        )
    return seen


def _fitted(model: Any, shown: Examples) -> Any:
    return model.fit(shown.rows, shown.popular, shown.weight)


def _calibrated(
    songs: TrainingSongs, rows: FloatMatrix, models: list[Any], rng: np.random.Generator
) -> tuple[dict[Pattern, FloatArray], list[dict[Pattern, Calibration]]]:
    """Answer every labelled row under each pattern it knows, and calibrate each pattern without the fold it serves."""
    places, weight = drawn(songs, songs.labelled, rng)
    seen, fold, popular = live_rows(songs, rows, places, rng), songs.fold[places], songs.popular[places]
    base: dict[Pattern, FloatArray] = {}
    calibrations: list[dict[Pattern, Calibration]] = [{} for _ in range(N_FOLDS)]
    for pattern in PATTERNS:
        known = within(pattern, seen)
        raw = np.full(len(places), np.nan)
        raw[known] = _raw(models, mask_groups(seen[known], pattern), fold[known])
        answered = np.full(len(songs.popular), np.nan)
        for number, outside in others(fold):
            fit = outside & known
            if min(popular[fit].sum(), (~popular[fit]).sum()) >= FEWEST_TO_CALIBRATE:
                calibrations[number][pattern] = fit_calibration(raw[fit], popular[fit], weight[fit])
            else:  # as if the last of its blocks were unknown; patterns come in an order that has met that one
                calibrations[number][pattern] = calibrations[number].get(pattern[:-1], Calibration(1.0, 0.0))
            inside = ~outside & known
            answered[places[inside]] = calibrations[number][pattern](raw[inside])
        base[pattern] = answered
    return base, calibrations


def _second_stage(
    songs: TrainingSongs,
    rows: FloatMatrix,
    models: list[Any],
    calibrations: list[dict[Pattern, Calibration]],
    rng: np.random.Generator,
) -> tuple[list[SecondStage], dict[str, LiveAnswers]]:
    """Fit the second stage of each fold on all views of the songs with figures outside it, and answer those inside."""
    places = np.flatnonzero(songs.has_track_figures & songs.labelled)
    seen = live_rows(songs, rows, places, rng)
    known = _figures(songs, places)
    fold, popular = songs.fold[places], songs.popular[places]
    by_collection = _by_collection(songs.collection[places])
    weight = {name: by_collection * (LIVE_WEIGHT if name == "live" else 1.0) for name in LIVE_VIEWS}
    before, figures, small_before = {}, {}, {}
    for name, blocks in LIVE_VIEWS.items():
        hidden = hide(seen, [group for block in blocks for group in GROUPS_OF_BLOCK[block]])
        before[name] = _answers(models, calibrations, hidden, fold)
        figures[name] = known.without(artist=Block.ARTIST in blocks, age=Block.AGE in blocks)
    small, small_figures = small_artists(songs, rng)
    small_rows = live_rows(songs, rows, small, rng)
    for name, blocks in LIVE_VIEWS.items():
        hidden = hide(small_rows, [group for block in blocks for group in GROUPS_OF_BLOCK[block]])
        small_before[name] = _answers(models, calibrations, hidden, songs.fold[small])
    after = {name: np.full(len(places), np.nan) for name in LIVE_VIEWS}
    second_stages = []
    for number, outside in others(fold):
        apart = songs.fold[small] != number
        parts = []
        for name, blocks in LIVE_VIEWS.items():
            share = SMALL_ARTIST_SHARE * weight[name].sum() / max(songs.weight[small].sum(), 1e-9)
            parts += [
                (before[name][outside], figures[name].of(outside), popular[outside], weight[name][outside]),
                (
                    small_before[name][apart],
                    small_figures.without(artist=Block.ARTIST in blocks, age=Block.AGE in blocks).of(apart),
                    songs.popular[small][apart],
                    share * songs.weight[small][apart],
                ),
            ]
        second_stages.append(_fit_pooled(parts))
        for name in LIVE_VIEWS:
            after[name][~outside] = second_stages[-1](before[name][~outside], figures[name].of(~outside))
    return second_stages, {name: LiveAnswers(places, before[name], after[name]) for name in LIVE_VIEWS}


def small_artists(songs: TrainingSongs, rng: np.random.Generator) -> tuple[NDArray[np.intp], TrackFigures]:
    """Draw songs by artists whom few hear, with a made-up part of the artist's listeners as their own.

    Tables of songs with figures hold only the exceptions among them: those that were in a chart. A song cannot have
    more listeners than its artist, so for small artists the figures are known well enough without asking. Labels,
    artists' figures, tags and ages are real.
    """
    few = np.array([0 < (song.artist_listeners or 0) < SMALL_ARTIST for song in songs.songs])
    places = np.flatnonzero(few & songs.labelled & ~songs.in_catalogue & ~songs.has_track_figures)
    places = np.sort(rng.choice(places, min(SMALL_ARTIST_SONGS, len(places)), replace=False))
    known = _figures(songs, places)
    listeners = np.maximum(known.artist_listeners * rng.uniform(*SONG_SHARE, len(places)), 1)
    fewest, most = PLAYS_PER_LISTENER
    loyalty = np.exp(rng.uniform(math.log(fewest), math.log(most), len(places)))
    return places, replace(known, listeners=listeners, playcount=listeners * loyalty)


def _fit_pooled(parts: list[tuple[FloatArray, TrackFigures, BoolArray, FloatArray]]) -> SecondStage:
    logit, figures, popular, weight = zip(*parts, strict=True)
    joined = TrackFigures(
        *(
            np.concatenate([getattr(part, name) for part in figures])
            for name in ("listeners", "playcount", "artist_listeners", "age_years")
        )
    )
    return fit_second_stage(np.concatenate(logit), joined, np.concatenate(popular), np.concatenate(weight))


def _figures(songs: TrainingSongs, places: NDArray[np.intp]) -> TrackFigures:
    return track_figures([songs.songs[place] for place in places], [songs.labelled_on[place] for place in places])


def _by_collection(collection: NDArray[np.int64]) -> FloatArray:
    """Weigh rows so that each collection counts by the square root of its size, shape (n,), mean 1."""
    _, number, counts = np.unique(collection, return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(counts[number])
    return np.asarray(weight / weight.mean())


def _raw(models: Sequence[Any], rows: FloatMatrix, fold: NDArray[np.int64]) -> FloatArray:
    logit = np.full(len(rows), np.nan)
    for number, model in enumerate(models):
        inside = fold == number
        if inside.any():
            logit[inside] = model.decision_function(rows[inside])
    return logit


def _answers(
    models: Sequence[Any],
    calibrations: Sequence[Any],
    rows: FloatMatrix,
    fold: NDArray[np.int64],
) -> FloatArray:
    """Return calibrated log odds of rows that know different blocks, shape (n,)."""
    logit = _raw(models, rows, fold)
    patterns = patterns_of_rows(rows)
    return np.array(
        [calibrations[number][pattern](value) for number, pattern, value in zip(fold, patterns, logit, strict=True)]
    )
