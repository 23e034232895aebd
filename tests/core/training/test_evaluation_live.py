from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.model.ensemble import sigmoid
from core.training.data import TrainingSongs
from core.training.evaluation import SONGS_TO_RANK, _within
from core.training.train import Trained


def test_plays_alone_is_the_ranking_by_plays(trained: Trained, songs: TrainingSongs) -> None:
    places = trained.fitted.live["live"].places
    plays = [songs.songs[place].playcount for place in places]
    views = trained.metrics["protocols"]["live"]["views"]
    assert views["plays_alone"]["roc_auc"] == pytest.approx(roc_auc_score(songs.popular[places], plays), abs=1e-6)
    assert "ece" not in views["plays_alone"]


def test_within_is_the_mean_over_collections_that_are_large_enough(trained: Trained, songs: TrainingSongs) -> None:
    live = trained.fitted.live["live"]
    p, popular, collection = sigmoid(live.after), songs.popular[live.places], songs.collection[live.places]
    found = [
        roc_auc_score(popular[collection == number], p[collection == number])
        for number in np.unique(collection)
        if (collection == number).sum() >= 150 and 0 < popular[collection == number].mean() < 1
    ]
    view = trained.metrics["protocols"]["live"]["views"]["live"]
    assert view["n_collections"] == len(found) > 0
    assert view["roc_auc_within"] == pytest.approx(np.mean(found), abs=1e-6)


def test_real_tags_are_measured_beside_none(trained: Trained) -> None:
    views = trained.metrics["protocols"]["real_tags"]["views"]
    for name in ("teotu2024", "mattsandy2019", "hetrec2011", "adammertel"):
        assert views[name]["n"] == views[f"{name}_without_tags"]["n"] > 0
        assert views[name]["roc_auc"] > views[f"{name}_without_tags"]["roc_auc"]


def test_each_collection_is_looked_at_by_itself(trained: Trained, songs: TrainingSongs) -> None:
    sources = trained.metrics["protocols"]["live"]["sources"]
    assert set(sources) == set(songs.collections)
    assert sum(found["n"] for found in sources.values()) == len(trained.fitted.live["live"].places)
    assert sources["charts_2025"]["base_rate"] > sources["playlists_2023"]["base_rate"]


def test_small_collections_and_those_of_one_class_are_not_ranked() -> None:
    rng = np.random.default_rng(0)
    collection = np.repeat([0, 1, 2, 3], [SONGS_TO_RANK, SONGS_TO_RANK - 1, 200, 200])
    popular = rng.random(len(collection)) < 0.5
    popular[collection == 2] = True
    score = rng.random(len(collection))
    score[collection == 1] = popular[collection == 1]  # perfect, but too small to count
    found = _within(score, popular, collection)
    ranked = [roc_auc_score(popular[collection == number], score[collection == number]) for number in (0, 3)]
    assert found == {"roc_auc_within": pytest.approx(np.mean(ranked)), "n_collections": 2}
    assert _within(score, popular, np.arange(len(score))) == {}


def test_what_differs_between_collections_alone_ranks_nothing_within() -> None:
    collection = np.repeat([0, 1], 300)
    popular = np.random.default_rng(1).random(600) < np.where(collection == 1, 0.9, 0.1)
    flattered = collection.astype(float)
    assert roc_auc_score(popular, flattered) > 0.8
    assert _within(flattered, popular, collection)["roc_auc_within"] == 0.5


def test_the_calibration_curve_counts_songs_around_each_tenth(trained: Trained, songs: TrainingSongs) -> None:
    live = trained.fitted.live["live"]
    p, popular = sigmoid(live.after), songs.popular[live.places]
    points = trained.metrics["protocols"]["live"]["calibration"]
    assert 0.95 * len(p) < sum(point["n_songs"] for point in points) <= len(p)
    assert [point["said"] for point in points] == sorted(point["said"] for point in points)
    point = max(points, key=lambda point: point["n_songs"])
    around = np.rint(p * 10) == round(point["said"] * 10)
    assert point["n_songs"] == around.sum()
    assert point["popular"] == pytest.approx(popular[around].mean(), abs=1e-6)
