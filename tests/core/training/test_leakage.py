"""What must not leak: artists across folds, labels into features, the mere presence of Last.fm figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.lookup.normalise import artist_key
from core.model.ensemble import GenreRates, TagRates
from core.model.features import COLUMN, N_FOLDS, VIEWS, FloatMatrix, base_matrix, fold_of
from core.training.crossfit import BaseModel, cross_fit, examples
from core.training.data import CATALOGUE_LABELLED, RawTables, TrainingSongs, build_songs
from core.training.train import Trained


def tiny_model(seed: int, vocabulary: Sequence[str]) -> BaseModel:
    return BaseModel(vocabulary, seed=seed, max_iter=15)


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


def test_one_row_per_song_and_collection(songs: TrainingSongs) -> None:
    seen = {(song.title, song.artist, int(number)) for song, number in zip(songs.songs, songs.collection, strict=True)}
    assert len(seen) == len(songs.songs)


def test_what_is_fitted_for_a_fold_does_not_see_its_labels(songs: TrainingSongs, rows: FloatMatrix) -> None:
    held_out = songs.fold == 2
    flipped = replace(songs, popular=np.where(held_out, ~songs.popular, songs.popular))
    ours, theirs = (examples(known, rows, known.fold != 2, np.random.default_rng(1)) for known in (songs, flipped))
    np.testing.assert_array_equal(ours.rows, theirs.rows)
    np.testing.assert_array_equal(ours.popular, theirs.popular)


def test_labels_of_a_fold_do_not_reach_its_answers(songs: TrainingSongs, rows: FloatMatrix) -> None:
    """The base models see them where they answer others; calibration, tags and second stage of the fold do not."""
    held_out = songs.fold == 2
    flipped = replace(songs, popular=np.where(held_out, ~songs.popular, songs.popular))
    ours, theirs = (cross_fit(known, rows, tiny_model, seed=0, jobs=1) for known in (songs, flipped))
    song = int(np.flatnonzero(held_out & songs.in_catalogue & songs.labelled)[0])
    one = rows[[song]]
    np.testing.assert_array_equal(
        ours.folds[2].base.decision_function(one), theirs.folds[2].base.decision_function(one)
    )


def test_popularity_never_changes_a_row(tables: RawTables, rows: FloatMatrix) -> None:
    """Shuffle the labels of both tables: what the base model sees of each song stays as it is."""
    spotify, dated = (
        table.assign(popularity=table["popularity"].sample(frac=1, random_state=2).to_numpy())
        for table in (tables.spotify, tables.dated)
    )
    shuffled = build_songs(replace(tables, spotify=spotify, dated=dated))
    np.testing.assert_array_equal(base_matrix(shuffled.songs, shuffled.labelled_on), rows)


def test_no_release_date_stands_on_a_catalogue_row(songs: TrainingSongs, rows: FloatMatrix) -> None:
    age = np.isnan(rows[:, COLUMN["age_years"]])
    assert age[songs.in_catalogue].all()
    assert not age[~songs.in_catalogue].all()


def test_rates_see_training_rows_only(songs: TrainingSongs, rows: FloatMatrix) -> None:
    train = songs.fold != 0
    for rates in (GenreRates, lambda: TagRates(songs.vocabulary)):
        fitted = rates().fit(rows[train], songs.popular[train], np.ones(train.sum()))
        everything = rates().fit(rows, songs.popular, np.ones(len(rows)))
        assert not np.array_equal(fitted.log_odds_, everything.log_odds_)


def test_shuffled_labels_teach_nothing(songs: TrainingSongs, rows: FloatMatrix) -> None:
    shuffled = replace(songs, popular=np.random.default_rng(5).permutation(songs.popular))
    fitted = cross_fit(shuffled, rows, tiny_model, seed=0, jobs=1)
    inside = songs.in_catalogue & songs.labelled
    for view in ("no_tags", "artist", "names"):
        logit = fitted.base[VIEWS[view]][inside]
        assert roc_auc_score(shuffled.popular[inside], logit) == pytest.approx(0.5, abs=0.06)


def test_true_labels_teach_something(trained: Trained) -> None:
    assert trained.metrics["protocols"]["songs_clean"]["views"]["full"]["roc_auc"] > 0.75
    assert trained.metrics["protocols"]["live"]["views"]["live"]["roc_auc"] > 0.75


def test_having_track_figures_is_no_feature(songs: TrainingSongs) -> None:
    some = songs.songs[:400]
    without = [replace(song, listeners=None, playcount=None) for song in some]
    np.testing.assert_array_equal(base_matrix(without, CATALOGUE_LABELLED), base_matrix(some, CATALOGUE_LABELLED))


def test_songs_with_and_without_track_figures_cannot_be_told_apart(songs: TrainingSongs, rows: FloatMatrix) -> None:
    """Figures are missing at random in these files, so a model asked to guess must fail."""
    asked = replace(songs, popular=songs.has_track_figures)
    fitted = cross_fit(asked, rows, tiny_model, seed=0, jobs=1)
    inside = songs.in_catalogue & songs.labelled
    logit = fitted.base[VIEWS["no_tags"]][inside]
    assert roc_auc_score(asked.popular[inside], logit) == pytest.approx(0.5, abs=0.06)
