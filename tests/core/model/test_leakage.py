"""What must not leak: artists across folds, labels into features, the mere presence of Last.fm figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.lookup.normalise import artist_key
from core.model.boosting import GenreRates
from core.model.crossfit import cross_fit, fit_fold
from core.model.features import base_matrix
from core.model.folds import N_FOLDS, fold_of
from core.model.songs import TrainingSongs
from core.model.training import Trained
from core.model.views import VIEWS
from tests.core.model.conftest import small_pipeline


def test_no_artist_stands_on_both_sides(songs: TrainingSongs) -> None:
    by_artist: dict[str, set[int]] = {}
    for song, fold in zip(songs.songs, songs.fold, strict=True):
        by_artist.setdefault(artist_key(song.artist), set()).add(int(fold))
    assert all(len(folds) == 1 for folds in by_artist.values())
    assert set(songs.fold) == set(range(N_FOLDS))


def test_spellings_of_an_artist_share_a_fold() -> None:
    assert fold_of("The Weeknd") == fold_of("THE WEEKND") == fold_of("Weeknd feat. X")
    assert fold_of("Beyoncé") == fold_of("beyonce")


def test_folds_are_the_same_in_every_version() -> None:
    assert [fold_of(name) for name in ("Adele", "BTS", "Queen", "宇多田ヒカル")] == [3, 1, 4, 1]


def test_one_row_per_song(songs: TrainingSongs) -> None:
    assert len({(song.title, song.artist) for song in songs.songs}) == len(songs.songs)


def test_what_is_fitted_for_a_fold_does_not_see_its_labels(songs: TrainingSongs) -> None:
    rows = base_matrix(songs.songs)
    held_out = songs.fold == 2
    flipped = np.where(held_out, ~songs.popular, songs.popular)
    _, answers = fit_fold(small_pipeline(1), rows, songs.popular, held_out)
    _, others = fit_fold(small_pipeline(1), rows, flipped, held_out)
    for pattern, logit in answers.items():
        np.testing.assert_array_equal(logit, others[pattern])


def test_genre_rates_see_training_rows_only(songs: TrainingSongs) -> None:
    rows = base_matrix(songs.songs)
    train = songs.fold != 0
    fitted = GenreRates().fit(rows[train], songs.popular[train])
    everything = GenreRates().fit(rows, songs.popular)
    assert not np.array_equal(fitted.log_odds_, everything.log_odds_)


def test_shuffled_labels_teach_nothing(songs: TrainingSongs) -> None:
    shuffled = replace(songs, popular=np.random.default_rng(5).permutation(songs.popular))
    fitted = cross_fit(shuffled, base_matrix(songs.songs), small_pipeline, seed=0, jobs=1)
    for view in ("full", "live", "artist"):
        assert roc_auc_score(shuffled.popular, fitted.base[VIEWS[view]]) == pytest.approx(0.5, abs=0.06)


def test_true_labels_teach_something(trained: Trained) -> None:
    assert trained.metrics["protocols"]["songs"]["views"]["full"]["roc_auc"] > 0.75


def test_having_track_figures_is_no_feature(songs: TrainingSongs) -> None:
    without = [replace(song, listeners=None, playcount=None, tags=()) for song in songs.songs]
    np.testing.assert_array_equal(base_matrix(without), base_matrix(songs.songs))


def test_songs_with_and_without_track_figures_cannot_be_told_apart(songs: TrainingSongs) -> None:
    """Figures are missing at random in these files, so a model asked to guess must fail."""
    asked = replace(songs, popular=songs.has_track_figures)
    fitted = cross_fit(asked, base_matrix(songs.songs), small_pipeline, seed=0, jobs=1)
    assert roc_auc_score(songs.has_track_figures, fitted.base[VIEWS["full"]]) == pytest.approx(0.5, abs=0.06)
