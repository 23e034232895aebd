"""Cross-fitting: each fold's songs are answered by models that never saw their artists."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from core.domain import Block
from core.model.augmentation import Examples, drawn, examples, some_tags
from core.model.boosting import BaseModel
from core.model.calibration import Calibration, FloatArray
from core.model.features import COLUMN, FloatMatrix
from core.model.fitting import fit_calibration, fit_track_weighing
from core.model.folds import N_FOLDS
from core.model.measures import BoolArray
from core.model.served import FoldModel, track_figures
from core.model.songs import TrainingSongs
from core.model.tags import TAGS_SEEN, tag_columns
from core.model.track_stage import TrackFigures, TrackWeighing
from core.model.views import GROUPS_OF_BLOCK, PATTERNS, Pattern, hide, patterns_of_rows, seen_under, within

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
            after[inside] = model.weighing(before[inside], figures.of(inside))
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
    weighings, live = _second_stage(songs, rows, models, calibrations, np.random.default_rng([seed, N_FOLDS + 1]))
    notify("second stage")
    # The library that fitted them answers many rows on all cores; from here on they are what is served.
    served = (model.served() if isinstance(model, BaseModel) else model for model in models)
    folds = (FoldModel(*parts) for parts in zip(served, calibrations, weighings, strict=True))
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
        raw[known] = _raw(models, seen_under(seen[known], pattern), fold[known])
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
) -> tuple[list[TrackWeighing], dict[str, LiveAnswers]]:
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
    weighings = []
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
        weighings.append(_weighing(parts))
        for name in LIVE_VIEWS:
            after[name][~outside] = weighings[-1](before[name][~outside], figures[name].of(~outside))
    return weighings, {name: LiveAnswers(places, before[name], after[name]) for name in LIVE_VIEWS}


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


def _weighing(parts: list[tuple[FloatArray, TrackFigures, BoolArray, FloatArray]]) -> TrackWeighing:
    logit, figures, popular, weight = zip(*parts, strict=True)
    joined = TrackFigures(
        *(
            np.concatenate([getattr(part, name) for part in figures])
            for name in ("listeners", "playcount", "artist_listeners", "age_years")
        )
    )
    return fit_track_weighing(np.concatenate(logit), joined, np.concatenate(popular), np.concatenate(weight))


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
