from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.model.ensemble import KINDS, RISING, SecondStage, sigmoid
from core.model.hit_model import HitModel
from core.training.gates import metric_gates, reason_gates, sense_gates
from core.training.promotion import answers_of, decide_promotion, paired_difference
from core.training.train import Trained
from tests.fakes.training_files import TRAINED_AT

SHIPPED = Path(__file__).parents[3] / "models"


def test_more_listeners_never_lower_the_confidence(hit_model: HitModel) -> None:
    drops = [gate for gate in sense_gates(hit_model) if gate.name.startswith("greatest drop")]
    assert len(drops) == 6
    assert all(gate.passed and gate.found <= 1e-9 for gate in drops)


def test_the_shipped_model_has_sense() -> None:
    for gate in sense_gates(HitModel.load(SHIPPED)):
        assert gate.passed, gate


def test_the_shipped_metrics_reach_every_gate() -> None:
    model = HitModel.load(SHIPPED)
    for gate in metric_gates(model.metrics):
        assert gate.passed, gate


def test_a_metric_on_the_wrong_side_misses_its_gate(trained: Trained) -> None:
    gates = {gate.name: gate for gate in metric_gates(trained.metrics)}
    views = trained.metrics["protocols"]["songs_clean"]["views"]
    assert gates["songs_clean full ece"].passed is (views["full"]["ece"] <= 0.010)
    assert gates["songs_clean full roc_auc"].passed is (views["full"]["roc_auc"] >= 0.942)
    metrics = copy.deepcopy(trained.metrics)
    metrics["protocols"]["songs_clean"]["views"]["full"] |= {"roc_auc": 0.95, "ece": 0.001}
    better = {gate.name: gate for gate in metric_gates(metrics)}
    assert better["songs_clean full roc_auc"].passed
    assert better["songs_clean full ece"].passed


def test_a_champion_answers_from_the_fold_that_never_saw_the_artist(trained: Trained) -> None:
    songs, places = trained.songs, trained.fitted.live["live"].places[:50]
    found = answers_of(trained.model, songs, places)
    model = HitModel(trained.model, TRAINED_AT)
    expected = [model.assess(songs.songs[place], as_of=songs.labelled_on[place]).probability for place in places]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def passed(trained: Trained) -> Trained:
    return replace(trained, gates=tuple(replace(gate, passed=True) for gate in trained.gates))


def test_an_equal_challenger_is_not_promoted(trained: Trained) -> None:
    decision = decide_promotion(passed(trained), trained.model, seed=0, draws=20)
    assert not decision.promoted
    assert "not better beyond doubt" in decision.reasons[0]


def test_a_better_challenger_is_promoted_only_through_every_gate(trained: Trained) -> None:
    blind = tuple(
        replace(fold, second_stage=SecondStage(np.zeros(KINDS), np.zeros((KINDS, len(RISING)))))
        for fold in trained.model.folds
    )
    champion = replace(trained.model, folds=blind)
    assert decide_promotion(passed(trained), champion, seed=0, draws=20).promoted
    missed = decide_promotion(
        replace(trained, gates=(replace(trained.gates[0], passed=False),)), champion, seed=0, draws=20
    )
    assert not missed.promoted
    assert any("Gate missed" in reason for reason in missed.reasons)


def test_without_a_champion_the_gates_decide(trained: Trained) -> None:
    assert decide_promotion(passed(trained), None, seed=0).promoted
    assert not decide_promotion(
        replace(trained, gates=(replace(trained.gates[0], passed=False),)), None, seed=0
    ).promoted


def test_the_difference_of_a_model_with_itself_is_nought(trained: Trained) -> None:
    live = trained.fitted.live["live"]
    p, popular, artist = sigmoid(live.after), trained.songs.popular[live.places], trained.songs.artist[live.places]
    assert paired_difference(p, p, popular, artist, seed=1, draws=10) == pytest.approx((0, 0, 0))


def test_reasons_have_the_sign_of_the_swap(trained: Trained, hit_model: HitModel) -> None:
    (gate,) = reason_gates(hit_model, trained.songs, 60)
    assert gate.passed
    assert gate.found == 0


def test_a_missing_figure_misses_its_gate_and_a_missing_collection_asks_nothing(trained: Trained) -> None:
    metrics = copy.deepcopy(trained.metrics)
    del metrics["protocols"]["live"]["views"]["live"]["roc_auc_within"]
    del metrics["protocols"]["real_tags"]["views"]["hetrec2011"]
    gates = {gate.name: gate for gate in metric_gates(metrics)}
    assert not gates["live live roc_auc_within"].passed
    assert not gates["live live roc_auc_within ahead of plays_alone"].passed
    assert not any("hetrec2011" in name for name in gates)


def test_one_large_collection_may_fall_behind_plays_and_two_may_not(trained: Trained) -> None:
    metrics = copy.deepcopy(trained.metrics)
    behind, small = ({"n": n, "live": 0.70, "plays_alone": 0.75} for n in (500, 499))
    for sources, passes in (({"a": behind, "b": small}, True), ({"a": behind, "b": behind}, False)):
        metrics["protocols"]["live"]["sources"] = sources
        (gate,) = (g for g in metric_gates(metrics) if g.name == "collections where plays alone rank better")
        assert gate.passed is passes
