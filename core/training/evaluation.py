"""The protocols: what is measured, on which songs, and in which form it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import combinations, pairwise
from typing import Any, Final, cast

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from core.domain import POPULAR_FROM, BandRecord, Block, Verdict, VerdictBands
from core.lookup.normalise import artist_key, song_key
from core.model.ensemble import AGE_YEARS, FloatArray, GenreRates, sigmoid
from core.model.features import (
    COLUMN,
    COLUMNS_OF,
    GROUPS_OF_BLOCK,
    N_FOLDS,
    VIEWS,
    FloatMatrix,
    Group,
    Pattern,
    base_matrix,
    hide,
    mask_groups,
)
from core.model.genres import GENRES, TAGS_SEEN, tag_columns
from core.model.text_features import album_facts
from core.tables import AUDIO_COLUMNS, CREDIT_SEPARATOR
from core.training.crossfit import LIVE_VIEWS, Builder, CrossFit, without_blank_columns
from core.training.data import CATALOGUE_LABELLED, RawTables, TrainingSongs, artist_figures, song_of_row
from core.training.metrics import BoolArray, best_threshold, intervals, measure
from core.training.recipes import Budget, GenreRateAnswer, Run, forest_on_songs, logistic_on_songs, predecessor_forest

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
        p = sigmoid(fitted.answers(mask_groups(seen, VIEWS[name]), songs.fold[inside]))
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


SONGS_TO_RANK: Final = 150
"""Fewest songs of a collection for which its own ranking is measured."""

TAGS_ASKED: Final[dict[str, int]] = {"teotu2024": 3, "mattsandy2019": 5, "hetrec2011": 5, "adammertel": 5}
"""Collections of artists' tags and how many of the strongest are taken: as many as a live answer brings."""

CHART_RATE: Final = 0.85
"""Share of popular songs from which a collection counts as one of chart songs."""


def protocol_live(songs: TrainingSongs, fitted: CrossFit, bands: VerdictBands, run: Run) -> dict[str, Any]:
    """Measure the songs with figures of their own, of all collections, as they are asked for live.

    A song that stands in several collections counts in each, with that collection's label. ``roc_auc_within`` is the
    mean of the ROC-AUC inside each collection with ``SONGS_TO_RANK`` songs and both labels, which no difference
    between collections can flatter.
    """
    places = fitted.live["live"].places
    asked = [songs.songs[place] for place in places]
    scores = {name: sigmoid(fitted.live[name].after) for name in LIVE_VIEWS}
    trivial = {
        "plays_alone": np.array([float(song.playcount or 0) for song in asked]),
        "listeners_alone": np.array([float(song.listeners or 0) for song in asked]),
    }
    popular, artist, collection = songs.popular[places], songs.artist[places], songs.collection[places]
    views: dict[str, Any] = {}
    for name, p in scores.items():
        views[name] = view_entry(
            p, popular, artist, best_threshold(p, popular),
            seed=run.seed, resamples=run.budget.resamples, bands=bands,
        )  # fmt: skip
    for name, score in trivial.items():
        views[name] = _ranking(score, popular)
    for name, score in (scores | trivial).items():
        views[name] |= rounded(_within(score, popular, collection))
    run.notify("live")
    return {
        "views": views,
        "sources": _sources(songs, scores["live"], trivial["plays_alone"], popular, collection),
        "groups": _groups(scores["live"], popular, collection),
        "by_listeners": _by_listeners(scores["live"], trivial["listeners_alone"], popular),
        "calibration": _calibration(scores["live"], popular),
    }


def protocol_artist_figures(songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, run: Run) -> dict[str, Any]:
    """Measure all songs whose artist has figures, asked for live but without figures of their own."""
    places = np.flatnonzero(songs.labelled & np.array([bool(song.artist_listeners) for song in songs.songs]))
    seen = hide(_with_artist_tags(songs, rows, places, None), _hidden(Block.GENRES, Block.AUDIO))
    p = sigmoid(fitted.answers(seen, songs.fold[places]))
    audience = np.array([float(songs.songs[place].artist_listeners or 0) for place in places])
    popular, collection = songs.popular[places], songs.collection[places]
    live = view_entry(
        p, popular, songs.artist[places], best_threshold(p, popular), seed=run.seed, resamples=run.budget.resamples
    )
    run.notify("artist figures")
    return {
        "views": {
            "live": live | rounded(_within(p, popular, collection)),
            "artist_listeners_alone": _ranking(audience, popular) | rounded(_within(audience, popular, collection)),
        }
    }


def protocol_real_tags(songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, run: Run) -> dict[str, Any]:
    """Measure the catalogue's songs with the real tags of one collection and without any; genres and audio unknown."""
    views: dict[str, Any] = {}
    for name, n_tags in TAGS_ASKED.items():
        has = np.array([name in tags for tags in songs.artist_tags])
        places = np.flatnonzero(has & songs.labelled & songs.in_catalogue)
        popular, artist, fold = songs.popular[places], songs.artist[places], songs.fold[places]
        if not len(places) or popular.all() or not popular.any():
            continue
        for view, tags in ((name, n_tags), (f"{name}_without_tags", 0)):
            seen = hide(
                _with_artist_tags(songs, rows, places, (name, tags)), _hidden(Block.GENRES, Block.AUDIO, Block.AGE)
            )
            p = sigmoid(fitted.answers(seen, fold))
            views[view] = view_entry(
                p, popular, artist, best_threshold(p, popular), seed=run.seed, resamples=run.budget.resamples
            )
    run.notify("real tags")
    return {"views": views}


def age_curve(songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit) -> list[dict[str, float]]:
    """Return the mean answer to songs with figures, were each released so many years ago, all else as it is."""
    live = fitted.live["live"]
    curve = []
    column = list(COLUMNS_OF[Group.AGE])
    drawn = live.places[:: max(1, len(live.places) // 2000)]
    seen = hide(_with_artist_tags(songs, rows, drawn, None), _hidden(Block.GENRES, Block.AUDIO))
    for years in AGE_YEARS:
        seen[:, column] = years
        answers = fitted.answers_of_age(songs, drawn, seen, years)
        curve.append({"age_years": years, "mean_probability": float(sigmoid(answers).mean())})
    found: list[dict[str, float]] = rounded(curve)
    return found


def _with_artist_tags(
    songs: TrainingSongs, rows: FloatMatrix, places: NDArray[np.intp], source: tuple[str, int] | None
) -> FloatMatrix:
    """Return rows with the strongest tags of one collection, or else the song's own or its artist's first."""
    seen = rows[places]
    for place, row in zip(places, seen, strict=True):
        of_artist = songs.artist_tags[place]
        if source is not None:
            tags = of_artist[source[0]][: source[1]]
        else:
            tags = songs.songs[place].tags or next(iter(of_artist.values()), ())[:5]
        row[COLUMN["tag_1"] : COLUMN["tag_1"] + TAGS_SEEN] = tag_columns(tags)
    return seen


def _hidden(*blocks: Block) -> list[Group]:
    return [group for block in blocks for group in GROUPS_OF_BLOCK[block]]


def _ranking(score: FloatArray, popular: BoolArray) -> dict[str, Any]:
    """Measure a figure that ranks songs but is no probability."""
    ranked = measure(np.argsort(np.argsort(score)) / len(score), popular, 0.5)
    kept: dict[str, Any] = rounded({name: ranked[name] for name in ("roc_auc", "average_precision", "base_rate")})
    # Equal figures have equal ranks.
    return kept | {"n": len(popular), "roc_auc": rounded(float(roc_auc_score(popular, score)))}


def _within(score: FloatArray, popular: BoolArray, collection: NDArray[np.int64]) -> dict[str, float]:
    found = []
    for number in np.unique(collection):
        inside = collection == number
        if inside.sum() >= SONGS_TO_RANK and 0 < popular[inside].mean() < 1:
            found.append(float(roc_auc_score(popular[inside], score[inside])))
    return {"roc_auc_within": float(np.mean(found)), "n_collections": len(found)} if found else {}


def _sources(
    songs: TrainingSongs, live: FloatArray, plays: FloatArray, popular: BoolArray, collection: NDArray[np.int64]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, name in enumerate(songs.collections):
        inside = collection == number
        labels = popular[inside]
        if not inside.any():
            continue
        entry: dict[str, Any] = {"n": int(inside.sum()), "base_rate": float(labels.mean())}
        entry["mean_probability"] = float(live[inside].mean())
        if 0 < labels.mean() < 1:
            entry["ece"] = measure(live[inside], labels, 0.5)["ece"]
            entry["live"] = float(roc_auc_score(labels, live[inside]))
            entry["plays_alone"] = float(roc_auc_score(labels, plays[inside]))
        found[name] = rounded(entry)
    return found


def _groups(live: FloatArray, popular: BoolArray, collection: NDArray[np.int64]) -> dict[str, Any]:
    """Measure the calibration on collections of chart songs and on the others."""
    rate = np.array([popular[collection == number].mean() for number in collection])
    found: dict[str, Any] = {}
    for name, inside in (("charts", rate >= CHART_RATE), ("others", rate < CHART_RATE)):
        if inside.any() and 0 < popular[inside].mean() < 1:
            metrics = measure(live[inside], popular[inside], 0.5)
            found[name] = rounded({"n": int(inside.sum())} | {k: metrics[k] for k in ("base_rate", "roc_auc", "ece")})
    return found


def _by_listeners(live: FloatArray, listeners: FloatArray, popular: BoolArray) -> list[dict[str, Any]]:
    """Measure what is said and what is so, by the number of listeners."""
    steps = (0.0, 1e3, 1e4, 1e5, 1e6, np.inf)
    found = []
    for low, high in pairwise(steps):
        inside = (listeners >= low) & (listeners < high)
        if inside.any():
            said, so = float(live[inside].mean()), float(popular[inside].mean())
            found.append({"from": int(low), "n": int(inside.sum()), "mean_probability": said, "base_rate": so})
    kept: list[dict[str, Any]] = rounded(found)
    return kept


CALIBRATION_STEPS: Final = 10
CALIBRATION_SHARE_MIN: Final = 0.002
"""Points of the curve, and the least share of all songs behind one of them."""


def _calibration(live: FloatArray, popular: BoolArray) -> list[dict[str, Any]]:
    """Measure what is said and what is so around every full tenth, as :class:`core.domain.CalibrationPoint` has it."""
    tenth = np.rint(live * CALIBRATION_STEPS)
    found = []
    for step in np.unique(tenth):
        inside = tenth == step
        if inside.mean() >= CALIBRATION_SHARE_MIN:
            said, so = float(live[inside].mean()), float(popular[inside].mean())
            found.append({"said": said, "popular": so, "n_songs": int(inside.sum())})
    kept: list[dict[str, Any]] = rounded(found)
    return kept


def live_records(songs: TrainingSongs, fitted: CrossFit, bands: VerdictBands) -> tuple[Any, ...]:
    """Count how often each verdict on a song asked for live turned out right."""
    live = fitted.live["live"]
    return band_records(sigmoid(live.after), songs.popular[live.places], bands)


SPLIT_SEED: Final = 42
TEST_SHARE: Final = 0.2

BOOSTING: Final[dict[str, Any]] = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 63,
    "min_samples_leaf": 20,
    "l2_regularization": 2.0,
    "max_features": 0.4,
    "early_stopping": False,
}
"""Deeper than what is served: this split rewards memory."""


def protocol_predecessor(tables: RawTables, run: Run) -> dict[str, Any]:
    """Measure the predecessor's forest and ours on its split, rows as they are, threshold 0.5 for both."""
    popular = (tables.spotify["popularity"] >= POPULAR_FROM).to_numpy()
    first = tables.spotify["artists"].str.split(CREDIT_SEPARATOR, n=1).str[0]
    artist = np.unique([artist_key(name) for name in first], return_inverse=True)[1].astype(np.int64)
    train, test = train_test_split(
        np.arange(len(popular)), test_size=TEST_SHARE, stratify=popular, random_state=SPLIT_SEED
    )
    audio = tables.spotify[list(AUDIO_COLUMNS)].to_numpy()
    forest = predecessor_forest(SPLIT_SEED, trees=run.budget.forest_trees, jobs=run.jobs).fit(
        audio[train], popular[train]
    )
    answers = {"predecessor": forest.predict_proba(audio[test])[:, 1]}
    run.notify("predecessor: its forest")
    answers["full"] = _ours(
        row_matrix(tables), popular, train, test, seed=run.seed, rounds=run.budget.predecessor_rounds
    )
    answers["baseline_majority"] = np.zeros(len(test))
    run.notify("predecessor: ours")
    return {
        "views": {
            name: view_entry(p, popular[test], artist[test], HALF, seed=run.seed, resamples=run.budget.resamples)
            for name, p in answers.items()
        }
    }


def row_matrix(tables: RawTables) -> FloatMatrix:
    """Return base columns of every row, genres those of the song in all its rows, shape (n_rows, n_columns)."""
    spotify = tables.spotify
    first = spotify["artists"].str.split(CREDIT_SEPARATOR, n=1).str[0]
    keys = [song_key(title, artist) for title, artist in zip(spotify["track_name"], first, strict=True)]
    genres: dict[str, set[str]] = {}
    for key, genre in zip(keys, spotify["track_genre"], strict=True):
        genres.setdefault(key, set()).add(genre)
    figures = artist_figures(tables.artists)
    rows = cast("list[dict[str, Any]]", spotify.assign(first_artist=first, song=keys).to_dict("records"))
    songs = [song_of_row(row, tuple(sorted(genres[row["song"]])), figures, {}) for row in rows]
    return base_matrix(songs, CATALOGUE_LABELLED)


def _ours(
    rows: FloatMatrix, popular: BoolArray, train: IntArray, test: IntArray, *, seed: int, rounds: int
) -> FloatArray:
    rates = GenreRates().fit(rows[train], popular[train], np.ones(len(train)))
    seen = without_blank_columns(np.hstack([rows[:, : COLUMN["tag_1"]], rates.transform(rows)]))
    boosting = HistGradientBoostingClassifier(**BOOSTING, max_iter=rounds, random_state=seed).fit(
        seen[train], popular[train]
    )
    return np.asarray(boosting.predict_proba(seen[test])[:, 1], dtype=np.float64)
