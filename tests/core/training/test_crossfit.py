"""Cross-fitting: who answers whom, and the songs by small artists that the second stage sees beside the others."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.ensemble import AGE_YEARS, RISING, sigmoid
from core.model.features import PATTERNS, VIEWS, FloatMatrix
from core.model.hit_model import HitModel
from core.training.crossfit import LIVE_VIEWS, SMALL_ARTIST, small_artists
from core.training.data import TrainingSongs
from core.training.train import Trained


def test_every_labelled_row_is_answered_and_no_other(trained: Trained, songs: TrainingSongs) -> None:
    assert set(trained.fitted.base) == set(PATTERNS)
    answered = ~np.isnan(trained.fitted.base[VIEWS["names"]])
    np.testing.assert_array_equal(answered, songs.labelled & (songs.weight > 0))


def test_every_live_view_answers_all_songs_with_figures(trained: Trained, songs: TrainingSongs) -> None:
    asked = np.flatnonzero(songs.has_track_figures & songs.labelled)
    assert set(trained.fitted.live) == set(LIVE_VIEWS)
    for live in trained.fitted.live.values():
        np.testing.assert_array_equal(live.places, asked)
        assert np.isfinite(live.before).all()
        assert np.isfinite(live.after).all()


def test_live_answers_of_songs_with_tags_of_their_own_are_those_that_are_served(
    trained: Trained, songs: TrainingSongs, hit_model: HitModel
) -> None:
    live = trained.fitted.live["live_with_catalogue"]
    known = set(songs.vocabulary)
    own = [n for n, place in enumerate(live.places) if songs.songs[place].tags and songs.songs[place].tags[0] in known]
    asked = live.places[own]
    served = hit_model.probabilities(
        [songs.songs[place] for place in asked], as_of=[songs.labelled_on[place] for place in asked]
    )
    assert len(own) > 50
    np.testing.assert_allclose(served, sigmoid(live.after[own]), atol=1e-9)


def test_the_second_stage_of_every_fold_only_rises(trained: Trained) -> None:
    for fold in trained.model.folds:
        assert (fold.second_stage.weights[:, RISING] >= 0).all()


def test_songs_by_small_artists_are_made_up_within_what_can_be(songs: TrainingSongs) -> None:
    places, figures = small_artists(songs, np.random.default_rng(0))
    assert len(places) > 0
    assert len(set(places)) == len(places)
    assert songs.labelled[places].all()
    assert not songs.in_catalogue[places].any()
    assert not songs.has_track_figures[places].any()
    assert (figures.artist_listeners < SMALL_ARTIST).all()
    assert (figures.listeners <= np.maximum(figures.artist_listeners, 1)).all()
    assert (figures.playcount >= figures.listeners).all()


def test_the_curve_of_age_covers_every_knot_and_new_songs_lead(trained: Trained) -> None:
    """The files make newer songs more popular."""
    curve = trained.metrics["age_curve"]
    assert [point["age_years"] for point in curve] == list(AGE_YEARS)
    assert curve[0]["mean_probability"] > curve[AGE_YEARS.index(10.0)]["mean_probability"]


def test_answering_for_an_age_moves_songs_to_that_age(
    trained: Trained, songs: TrainingSongs, rows: FloatMatrix
) -> None:
    places = trained.fitted.live["live"].places[:40]
    young, old = (trained.fitted.answers_of_age(songs, places, rows[places], years) for years in (0.1, 20.0))
    assert np.isfinite(young).all()
    assert young.mean() != pytest.approx(old.mean())
