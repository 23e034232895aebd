from __future__ import annotations

import numpy as np
import pytest

from core.model.ensemble import RISING, TrackFigures, track_terms
from core.training.crossfit import fit_second_stage

RNG = np.random.default_rng(11)


def made_up(n: int = 4000, *, helps: float = 1.5) -> tuple[np.ndarray, np.ndarray, TrackFigures]:
    logit = RNG.normal(-2, 2, n)
    listeners = 10 ** RNG.uniform(2, 6.5, n)
    popular = RNG.random(n) < 1 / (1 + np.exp(-(logit + helps * (np.log10(listeners) - 4.5))))
    return logit, popular, TrackFigures(listeners, listeners * 9, 10 ** RNG.uniform(4, 7, n), RNG.uniform(0, 50, n))


@pytest.mark.parametrize("helps", [1.5, -1.5])
def test_more_listeners_never_lower_an_answer(helps: float) -> None:
    logit, popular, figures = made_up(helps=helps)
    second_stage = fit_second_stage(logit, figures, popular, np.ones(len(logit)))
    assert (second_stage.weights[:, RISING] >= 0).all()
    listeners = np.geomspace(1, 1e8, 200)
    some = np.full(200, 2e5)
    for other in (np.nan, 0.0, 30.0):
        ages = np.full(200, other)
        for figures in (
            TrackFigures(listeners, some, some, ages),
            TrackFigures(some, listeners, some, ages),
            TrackFigures(some, some, listeners, ages),
            TrackFigures(listeners, listeners * 7, listeners * 3, ages),
        ):
            assert np.diff(second_stage(np.zeros(200), figures)).min() >= -1e-9


def test_songs_of_one_class_leave_the_base_answer_as_it_is() -> None:
    logit, popular, figures = made_up(50)
    second_stage = fit_second_stage(logit, figures, np.ones_like(popular), np.ones(50))
    np.testing.assert_allclose(second_stage(logit, figures), logit)


def test_terms_are_finite_for_whatever_comes() -> None:
    figures = TrackFigures(
        np.array([1.0, 1e9]), np.array([1.0, 1e12]), np.array([np.nan, 0.0]), np.array([np.nan, 400.0])
    )
    terms = track_terms(np.array([-30.0, 30.0]), figures)
    assert np.isfinite(terms).all()
    assert terms.shape == (2, len(RISING))


def test_kinds_tell_what_is_known_beside_the_songs_own_figures() -> None:
    known, unknown = np.ones(4), np.array([np.nan, 1.0, np.nan, 1.0])
    figures = TrackFigures(known, known, unknown, np.array([np.nan, np.nan, 1.0, 1.0]))
    assert figures.kind.tolist() == [0, 1, 2, 3]
    assert figures.without(artist=True, age=False).kind.tolist() == [0, 0, 2, 2]
    assert figures.without(artist=False, age=True).kind.tolist() == [0, 1, 0, 1]


def test_each_kind_is_answered_by_its_own_line() -> None:
    logit, popular, figures = made_up()
    hidden = figures.without(artist=False, age=True)
    both = TrackFigures(
        *(np.concatenate([getattr(part, name) for part in (figures, hidden)])
          for name in ("listeners", "playcount", "artist_listeners", "age_years"))
    )  # fmt: skip
    # In the second half hits are common whatever the figures: only the kind tells the halves apart.
    common = RNG.random(len(logit)) < 0.95
    second_stage = fit_second_stage(np.tile(logit, 2), both, np.concatenate([popular, common]), np.ones(2 * len(logit)))
    assert np.corrcoef(second_stage(logit, figures), popular)[0, 1] > 0.4
    assert second_stage(logit, hidden).mean() > second_stage(logit, figures).mean() + 1
