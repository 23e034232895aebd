"""The protocols: what is measured, on which songs, and in which form it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import combinations
from typing import Any, Final

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from core.domain import BandRecord, Verdict, VerdictBands
from core.model.baselines import GenreRateAnswer, forest_on_songs, logistic_on_songs
from core.model.calibration import FloatArray, sigmoid
from core.model.crossfit import Builder, CrossFit
from core.model.features import COLUMNS_OF, FloatMatrix, Group
from core.model.folds import N_FOLDS
from core.model.genres import GENRES
from core.model.measures import BoolArray, best_threshold, intervals, measure
from core.model.recipes import Budget, Run
from core.model.songs import TrainingSongs
from core.model.title_facts import album_facts
from core.model.views import VIEWS, Pattern, seen_under

FEWEST_TO_RANK: Final = 10
"""Fewest popular songs, and others, of a genre for which its ranking is measured."""

HALF: Final = 0.5
"""Threshold of answers that are all alike."""

IntArray = NDArray[np.int64]

DECIMALS: Final = 6
"""Decimals kept in ``metrics.json``, so that the last bits of a sum cannot change it."""


def baselines(budget: Budget) -> dict[str, Builder]:
    """Return the fitted baselines of the protocol ``songs_clean`` by the name of their view."""
    return {
        "baseline_genre_rate": lambda _seed, _vocabulary: GenreRateAnswer(),
        "baseline_logistic": logistic_on_songs,
        "baseline_forest": partial(forest_on_songs, trees=budget.forest_trees),
    }


def view_entry(
    probability: FloatArray,
    popular: BoolArray,
    artist: IntArray,
    threshold: float,
    *,
    seed: int,
    resamples: int,
    weight: FloatArray | None = None,
    bands: VerdictBands | None = None,
) -> dict[str, Any]:
    """Return what ``metrics.json`` says of one view: each metric, its interval, n, threshold and verdicts.

    Args:
        probability: Out-of-fold answers, shape (n,).
        popular: Labels, shape (n,).
        artist: Number of each song's artist; intervals come from drawing artists.
        threshold: Least probability answered with "popular".
        seed: Fixes the draws.
        resamples: Number of draws behind each interval.
        weight: Weight of each song; 1 each if not given.
        bands: Count how often each verdict was right, if given.
    """
    entry: dict[str, Any] = {"n": len(popular), "threshold": threshold}
    entry |= measure(probability, popular, threshold, weight)
    bounds = intervals(probability, popular, artist, threshold, weight=weight, seed=seed, resamples=resamples)
    entry |= {f"{name}_ci": list(ends) for name, ends in bounds.items()}
    if bands is not None:
        entry["verdicts"] = {
            str(record.verdict): {"share_popular": record.share_popular, "n": record.n_songs}
            for record in band_records(probability, popular, bands)
        }
    result: dict[str, Any] = rounded(entry)
    return result


def rounded(value: Any) -> Any:
    """Round every float within a structure to ``DECIMALS``."""
    if isinstance(value, Mapping):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
    if isinstance(value, (float, np.floating)):
        return round(float(value), DECIMALS)
    return int(value) if isinstance(value, np.integer) else value


def protocol_songs_clean(
    songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, bands: VerdictBands, run: Run
) -> dict[str, Any]:
    """Measure the catalogue's songs with labels that can be trusted, out of fold by artist: views, genres, baselines.

    The album is that of a release chosen without the label.
    """
    inside = np.flatnonzero(songs.in_catalogue & songs.labelled)
    popular, artist = songs.popular[inside], songs.artist[inside]
    answers = {name: sigmoid(_known_or_less(fitted, pattern)[inside]) for name, pattern in VIEWS.items()}
    answers["baseline_majority"] = np.zeros(len(inside))
    for name, build in baselines(run.budget).items():
        answers[name] = sigmoid(out_of_fold(build, songs, rows, inside, seed=run.seed, jobs=run.jobs))
        run.notify(f"songs_clean: {name}")
    entries = {}
    for name, p in answers.items():
        threshold = HALF if name == "baseline_majority" else best_threshold(p, popular)
        entries[name] = view_entry(
            p, popular, artist, threshold, seed=run.seed, resamples=run.budget.resamples, bands=bands
        )
    run.notify("songs_clean: intervals")
    threshold = entries["full"]["threshold"]
    return {"views": entries, "genres": _per_genre(songs, inside, answers["full"], threshold)}


def protocol_songs(
    songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, bands: VerdictBands, run: Run
) -> dict[str, Any]:
    """Measure the catalogue's songs as earlier versions did: by their greatest popularity and the album of that row.

    These figures flatter: the album was chosen by the label, and re-releases stand as unpopular where the model can
    learn that of a compilation. Kept beside ``songs_clean`` for one version.
    """
    inside = np.flatnonzero(songs.in_catalogue)
    seen = rows[inside]
    for row, place, album in zip(seen, inside, songs.albums_of_greatest, strict=True):
        song = songs.songs[place]
        row[list(COLUMNS_OF[Group.ALBUM])] = album_facts(album, song.title, song.artist)
    entries = {}
    for name in ("full", "live", "artist"):
        p = sigmoid(fitted.answers(seen_under(seen, VIEWS[name]), songs.fold[inside]))
        entries[name] = view_entry(
            p, songs.greatest, songs.artist[inside], best_threshold(p, songs.greatest),
            seed=run.seed, resamples=run.budget.resamples, bands=bands,
        )  # fmt: skip
    run.notify("songs")
    return {"views": entries}


def _known_or_less(fitted: CrossFit, pattern: Pattern) -> FloatArray:
    """Return the answers under a pattern; where a song lacks one of its blocks, those under what it does know."""
    answer = fitted.base[pattern].copy()
    for place in range(len(pattern)):
        for fewer in combinations(pattern, len(pattern) - 1 - place):
            answer = np.where(np.isnan(answer), fitted.base[fewer], answer)
    return answer


def _per_genre(
    songs: TrainingSongs, inside: NDArray[np.intp], probability: FloatArray, threshold: float
) -> dict[str, dict[str, Any]]:
    """Measure each genre alone; ranking metrics are left out where fewer than ``FEWEST_TO_RANK`` are popular or not."""
    found: dict[str, dict[str, Any]] = {}
    for genre in GENRES:
        which = np.array([genre in songs.songs[place].genres for place in inside])
        popular = songs.popular[inside][which]
        if not which.any():
            continue
        entry: dict[str, Any] = {"n": int(which.sum()), "base_rate": float(popular.mean())}
        if min(popular.sum(), (~popular).sum()) >= FEWEST_TO_RANK:
            metrics = measure(probability[which], popular, threshold)
            entry |= {name: metrics[name] for name in ("roc_auc", "average_precision", "f1", "brier", "ece")}
        found[genre] = rounded(entry)
    return found


def out_of_fold(
    build: Builder, songs: TrainingSongs, rows: FloatMatrix, inside: NDArray[np.intp], *, seed: int, jobs: int
) -> FloatArray:
    """Return the log odds that songs get from the estimator that never saw their artist, shape (n_inside,)."""
    fold, popular = songs.fold[inside], songs.popular[inside]
    seen = rows[inside]

    def answer(number: int) -> FloatArray:
        held_out = fold == number
        fitted = build(seed + number, songs.vocabulary).fit(seen[~held_out], popular[~held_out])
        return np.asarray(fitted.decision_function(seen[held_out]), dtype=np.float64)

    logit = np.full(len(inside), np.nan)
    for number, found in enumerate(Parallel(n_jobs=jobs)(delayed(answer)(number) for number in range(N_FOLDS))):
        logit[fold == number] = found
    return logit


def band_records(probability: FloatArray, popular: BoolArray, bands: VerdictBands) -> tuple[BandRecord, ...]:
    """Count how often each verdict turned out popular."""
    verdicts = np.array([bands.verdict(float(p)) for p in probability])
    return tuple(
        BandRecord(verdict, float(popular[verdicts == verdict].mean()), int((verdicts == verdict).sum()))
        for verdict in Verdict
        if (verdicts == verdict).any()
    )
