from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.model.features import COLUMNS_OF, FloatMatrix, Group
from core.training.crossfit import (
    CATALOGUE_LIVE_WEIGHT,
    LIVE_COPIES,
    LIVE_HIDDEN,
    LIVE_TAGS,
    TAGGED_WEIGHT,
    drawn,
    drawn_tags,
    examples,
)
from core.training.data import TrainingSongs


def test_songs_with_tags_are_shown_twice_as_often_as_others(songs: TrainingSongs, rows: FloatMatrix) -> None:
    songs = replace(
        songs,
        songs=tuple(replace(song, tags=()) if place % 3 == 0 else song for place, song in enumerate(songs.songs)),
        artist_tags=tuple({} if place % 3 == 0 else tags for place, tags in enumerate(songs.artist_tags)),
    )
    shown = examples(songs, rows, songs.fold != 1, np.random.default_rng(0))
    places, weight = drawn(songs, songs.fold != 1, np.random.default_rng(0))
    tagged = np.array([bool(songs.songs[place].tags or songs.artist_tags[place]) for place in places])
    assert 0 < tagged.mean() < 1
    assert len(shown.rows) == 2 * len(places) + LIVE_COPIES * tagged.sum()
    twice = 2 * weight[~tagged].sum() + 2 * TAGGED_WEIGHT * weight[tagged].sum()
    live = np.where(songs.in_catalogue[places], CATALOGUE_LIVE_WEIGHT, 1) * TAGGED_WEIGHT * weight
    assert np.isclose(shown.weight.sum(), twice + LIVE_COPIES * live[tagged].sum())


def test_songs_without_a_label_and_of_the_fold_are_never_shown(songs: TrainingSongs) -> None:
    places, weight = drawn(songs, songs.fold != 1, np.random.default_rng(0))
    assert songs.labelled[places].all()
    assert not (songs.fold[places] == 1).any()
    assert (weight > 0).all()


def test_live_copies_know_tags_and_neither_genres_nor_audio(songs: TrainingSongs, rows: FloatMatrix) -> None:
    shown = examples(songs, rows, songs.fold != 1, np.random.default_rng(0)).rows
    places, _ = drawn(songs, songs.fold != 1, np.random.default_rng(0))
    live = shown[2 * len(places) :]
    for group in LIVE_HIDDEN:
        assert np.isnan(live[:, list(COLUMNS_OF[group])]).all()
    assert not np.isnan(live[:, COLUMNS_OF[Group.TAGS][0]]).any()
    age = np.isnan(live[:, list(COLUMNS_OF[Group.AGE])])
    assert age.any()
    assert not age.all()


def test_the_same_seed_shows_the_same(songs: TrainingSongs, rows: FloatMatrix) -> None:
    ours, theirs = (examples(songs, rows, songs.fold != 1, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(ours.rows, theirs.rows)


def test_tags_are_of_one_source_in_its_order() -> None:
    rng = np.random.default_rng(0)
    sources = {"a": tuple(f"a{n}" for n in range(15)), "b": ("b0", "b1")}
    for _ in range(50):
        tags = drawn_tags(("own0", "own1", "own2", "own3"), sources, rng)
        assert any(tags == known[: len(tags)] for known in (*sources.values(), ("own0", "own1", "own2", "own3")))
        assert 2 <= len(tags) <= LIVE_TAGS[1]
    assert drawn_tags((), {}, rng) == ()


def test_three_to_eight_tags_are_drawn_where_a_source_has_as_many() -> None:
    rng = np.random.default_rng(1)
    sources = {"a": tuple(f"a{n}" for n in range(15)), "b": tuple(f"b{n}" for n in range(15))}
    counts = {len(drawn_tags((), sources, rng)) for _ in range(400)}
    assert counts == {3, 4, 5, 6, 7, 8}


def test_labels_of_songs_that_may_not_be_learnt_from_change_nothing(songs: TrainingSongs, rows: FloatMatrix) -> None:
    which = songs.fold != 1
    other = replace(songs, popular=np.where(which & songs.labelled, songs.popular, ~songs.popular))
    ours, theirs = (examples(known, rows, which, np.random.default_rng(0)) for known in (songs, other))
    np.testing.assert_array_equal(ours.rows, theirs.rows)
    np.testing.assert_array_equal(ours.popular, theirs.popular)
    np.testing.assert_array_equal(ours.weight, theirs.weight)
