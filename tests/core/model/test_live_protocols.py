from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.model.calibration import sigmoid
from core.model.songs import TrainingSongs
from core.model.training import Trained


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
