from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.model.calibration import sigmoid
from core.model.gates import metric_gates, sense_gates
from core.model.inference import HitModel
from core.model.promotion import answers_of, paired_difference, rule
from core.model.training import Trained
from core.model.views import VIEWS

SHIPPED = Path(__file__).parents[3] / "models"


def test_more_listeners_never_lower_the_confidence(hit_model: HitModel) -> None:
    drop = sense_gates(hit_model)[0]
    assert drop.passed
    assert drop.found <= 1e-9


def test_the_shipped_model_has_sense() -> None:
    for gate in sense_gates(HitModel.load(SHIPPED)):
        assert gate.passed, gate


def test_the_shipped_metrics_reach_every_gate() -> None:
    model = HitModel.load(SHIPPED)
    for gate in metric_gates(model.metrics):
        assert gate.passed, gate


def test_a_metric_on_the_wrong_side_misses_its_gate(trained: Trained) -> None:
    gates = {gate.name: gate for gate in metric_gates(trained.metrics)}
    views = trained.metrics["protocols"]["songs"]["views"]
    gate = gates["songs full ece"]
    assert gate.passed is (views["full"]["ece"] <= 0.015)
    assert gates["songs full roc_auc"].passed is (views["full"]["roc_auc"] >= 0.938)


def test_a_champion_answers_as_it_was_measured(trained: Trained) -> None:
    expected = sigmoid(trained.fitted.base[VIEWS["full"]])
    np.testing.assert_allclose(answers_of(trained.model, trained.songs), expected, atol=1e-9)


def passed(trained: Trained) -> Trained:
    return replace(trained, gates=tuple(replace(gate, passed=True) for gate in trained.gates))


def test_an_equal_challenger_is_not_promoted(trained: Trained) -> None:
    ruling = rule(passed(trained), trained.model, seed=0, draws=20)
    assert not ruling.promoted
    assert "not better beyond doubt" in ruling.reasons[0]


def test_a_better_challenger_is_promoted_only_through_every_gate(trained: Trained) -> None:
    popular = trained.songs.popular
    better = dict(trained.fitted.base)
    better[VIEWS["full"]] = better[VIEWS["full"]] + np.where(popular, 2.0, -2.0)
    strong = replace(trained, fitted=replace(trained.fitted, base=better))
    assert rule(passed(strong), trained.model, seed=0, draws=20).promoted
    missed = rule(replace(strong, gates=(replace(strong.gates[0], passed=False),)), trained.model, seed=0, draws=20)
    assert not missed.promoted
    assert any("Gate missed" in reason for reason in missed.reasons)


def test_without_a_champion_the_gates_decide(trained: Trained) -> None:
    assert rule(passed(trained), None, seed=0).promoted
    assert not rule(replace(trained, gates=(replace(trained.gates[0], passed=False),)), None, seed=0).promoted


def test_the_difference_of_a_model_with_itself_is_nought(trained: Trained) -> None:
    p = sigmoid(trained.fitted.base[VIEWS["full"]])
    assert paired_difference(p, p, trained.songs, seed=1, draws=10) == pytest.approx((0, 0, 0))
