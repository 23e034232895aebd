"""The protocols that look as a live question does: what people get, beside what ranking by one Last.fm figure gives."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from core.domain import Block, VerdictBands
from core.model.calibration import FloatArray, sigmoid
from core.model.crossfit import LIVE_VIEWS, CrossFit
from core.model.evaluation import band_records, rounded, view_entry
from core.model.features import COLUMN, COLUMNS_OF, FloatMatrix, Group
from core.model.measures import BoolArray, best_threshold, measure
from core.model.recipes import Run
from core.model.songs import TrainingSongs
from core.model.tags import TAGS_SEEN, tag_columns
from core.model.track_stage import AGE_YEARS
from core.model.views import GROUPS_OF_BLOCK, hide

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


def live_records(songs: TrainingSongs, fitted: CrossFit, bands: VerdictBands) -> tuple[Any, ...]:
    """Count how often each verdict on a song asked for live turned out right."""
    live = fitted.live["live"]
    return band_records(sigmoid(live.after), songs.popular[live.places], bands)
