"""The predecessor's own protocol: its exact random row split, its forest, and our model on the same rows.

The same song stands on both sides of this split, so that it rewards memory: figures here say nothing about new songs.
They are kept to be compared with what the predecessor published.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split

from core.domain import POPULAR_FROM
from core.lookup.normalise import artist_key, song_key
from core.model.baselines import predecessor_forest
from core.model.boosting import without_blank_columns
from core.model.calibration import FloatArray
from core.model.evaluation import HALF, IntArray, view_entry
from core.model.features import COLUMN, FloatMatrix, base_matrix
from core.model.measures import BoolArray
from core.model.rates import GenreRates
from core.model.recipes import Run
from core.model.songs import CATALOGUE_LABELLED, artist_figures, song_of_row
from core.model.tables import RawTables
from core.tables import AUDIO_COLUMNS, CREDIT_SEPARATOR

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
