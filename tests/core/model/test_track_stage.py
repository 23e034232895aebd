from __future__ import annotations

import numpy as np
import pytest

from core.model.track_stage import (
    NEVER_NEGATIVE,
    TrackFigures,
    fit_track_weighing,
    population_weights,
    track_terms,
)

RNG = np.random.default_rng(11)


def made_up(n: int = 4000, *, helps: float = 1.5) -> tuple[np.ndarray, np.ndarray, TrackFigures]:
    logit = RNG.normal(-2, 2, n)
    listeners = 10 ** RNG.uniform(2, 6.5, n)
    popular = RNG.random(n) < 1 / (1 + np.exp(-(logit + helps * (np.log10(listeners) - 4.5))))
    return logit, popular, TrackFigures(listeners, listeners * 9, 10 ** RNG.uniform(4, 7, n))


@pytest.mark.parametrize("helps", [1.5, -1.5])
def test_more_listeners_never_lower_an_answer(helps: float) -> None:
    logit, popular, figures = made_up(helps=helps)
    weighing = fit_track_weighing(logit, figures, popular, np.ones(len(logit)))
    assert all(weighing.weights[place] >= 0 for place in NEVER_NEGATIVE)
    listeners = np.geomspace(1, 1e8, 200)
    for artist in (np.nan, 1e3, 1e7):
        answers = weighing(np.zeros(200), TrackFigures(listeners, listeners * 7, np.full(200, artist)))
        assert np.diff(answers).min() >= -1e-9


def test_population_weights_give_each_class_its_share_and_its_usual_answers() -> None:
    logit, popular, _ = made_up(20000)
    joined = RNG.random(20000) < np.where(popular, 0.5, 0.1) / (1 + np.exp(-logit))
    weight = population_weights(logit, popular, joined)
    assert weight.mean() == pytest.approx(1)
    assert np.average(popular[joined], weights=weight) == pytest.approx(popular.mean(), abs=0.01)
    for label in (True, False):
        own = popular[joined] == label
        plain, usual = logit[joined][own].mean(), logit[popular == label].mean()
        assert abs(np.average(logit[joined][own], weights=weight[own]) - usual) < abs(plain - usual) / 3


def test_terms_are_finite_for_whatever_comes() -> None:
    figures = TrackFigures(np.array([1.0, 1e9]), np.array([1.0, 1e12]), np.array([np.nan, 0.0]))
    assert np.isfinite(track_terms(np.array([-30.0, 30.0]), figures)).all()


def test_stray_records_are_few_and_few_of_the_artists() -> None:
    figures = TrackFigures(np.array([644.0, 644.0, 644.0, 5000.0]), np.ones(4), np.array([2e6, 10_000.0, np.nan, 2e6]))
    assert figures.stray.tolist() == [True, False, False, False]
