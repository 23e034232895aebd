from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.training.data import (
    COLLECTION_SCALE,
    MENDING_DAYS,
    SUSPECT_POPULARITY,
    collection_weights,
    corrected_popularity,
    is_rerelease,
)


def test_an_album_of_three_artists_is_a_compilation_whatever_its_case() -> None:
    album = pd.Series(["Hits", "hits ", "HITS", "Duo", "Duo", "", "", ""])
    artist = pd.Series(["a", "b", "c", "a", "b", "a", "b", "c"])
    assert is_rerelease(album, artist).tolist() == [True, True, True, False, False, False, False, False]


def rows(*values: tuple[str, float, bool, int]) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["song", "popularity", "rerelease", "day"])


def test_another_table_near_in_time_mends_a_rerelease_and_a_suspect_row_upwards_only() -> None:
    labels = rows(
        ("x", 0, True, 1000), ("x", 70, False, 1500),  # mended
        ("y", 3, False, 1000), ("y", 50, False, 9000),  # too far away
        ("z", 4, False, 1000), ("z", 1, False, 1000),  # 1 becomes 4, never the other way
        ("v", 80, True, 1000),  # a compilation alone: no label, however popular
        ("w", 40, False, 1000), ("w", 90, False, 1000),  # not suspect
        ("u", 30, True, 1000), ("u", 8, False, 1000), ("u", 9, False, 900),  # a re-release's own figure never counts
    )  # fmt: skip
    found = corrected_popularity(labels)
    np.testing.assert_array_equal(found, [70, 70, 3, 50, 4, 4, np.nan, 40, 90, 9, 8, 9])


def test_each_collection_shows_the_reference_rate_and_counts_by_the_root_of_its_size() -> None:
    rng = np.random.default_rng(3)
    collection = np.repeat([0, 1, 2], [4000, 20_000, 50])
    popular = rng.random(len(collection)) < np.array([0.1, 0.8, 0.5])[collection]
    labelled = rng.random(len(collection)) < 0.9
    weight = collection_weights(popular, labelled, collection, 0)
    assert (weight[~labelled] == 0).all()
    rate = popular[labelled & (collection == 0)].mean()
    for number in range(3):
        inside = collection == number
        assert np.average(popular[inside], weights=weight[inside]) == pytest.approx(rate)
    n = int((labelled & (collection == 1)).sum())
    assert weight[collection == 1].sum() == pytest.approx(COLLECTION_SCALE * np.sqrt(n))
    assert weight[collection == 2].sum() == pytest.approx((labelled & (collection == 2)).sum())


def test_a_collection_of_hits_alone_teaches_nothing() -> None:
    popular = np.array([True, False, True, True])
    weight = collection_weights(popular, np.ones(4, dtype=bool), np.array([0, 0, 1, 1]), 0)
    assert weight.tolist() == [1.0, 1.0, 0.0, 0.0]


def test_two_years_are_near_and_a_day_more_is_not() -> None:
    labels = rows(
        ("x", 0, True, 1000), ("x", 70, False, 1000 + MENDING_DAYS),
        ("y", 0, True, 1000), ("y", 70, False, 1001 + MENDING_DAYS),
    )  # fmt: skip
    np.testing.assert_array_equal(corrected_popularity(labels), [70, 70, np.nan, 70])


def test_only_suspect_rows_are_mended_and_never_by_a_rerelease() -> None:
    labels = rows(
        ("x", SUSPECT_POPULARITY, False, 0), ("x", 90, False, 0),
        ("y", SUSPECT_POPULARITY + 1, False, 0), ("y", 90, False, 0),
        ("z", 0, False, 0), ("z", 90, True, 0),
    )  # fmt: skip
    np.testing.assert_array_equal(corrected_popularity(labels), [90, 90, 6, 90, 0, 0])
