from __future__ import annotations

import math

import numpy as np
import pytest

from core.domain import Song
from core.model.ensemble import TAG_RATES, TagRates
from core.model.features import base_matrix
from core.model.genres import TAGS_READ, TAGS_SEEN, fingerprint, known_tags, plain_tag, tag_columns, vocabulary
from core.training.data import CATALOGUE_LABELLED


@pytest.mark.parametrize("tag", ["Hip-Hop", "hip hop", "HIPHOP", "hip_hop"])
def test_spellings_of_a_tag_are_one(tag: str) -> None:
    assert plain_tag(tag) == "hiphop"


def test_ampersands_read_as_people_say_them() -> None:
    assert plain_tag("R&B") == plain_tag("rnb") == "rnb"


def test_fingerprints_are_the_same_in_every_version_and_fit_a_float() -> None:
    assert (fingerprint("pop"), fingerprint("kpop")) == (13430579.0, 279024.0)
    assert all(float(np.float32(fingerprint(f"tag {n}"))) == fingerprint(f"tag {n}") for n in range(500))


def test_a_row_holds_the_strongest_tags_once() -> None:
    columns = tag_columns(["pop", "Pop", "!!!", *(f"t{n}" for n in range(30))])
    assert len(columns) == TAGS_SEEN
    assert columns[:2] == [fingerprint("pop"), fingerprint("t0")]
    assert all(math.isnan(column) for column in tag_columns([]))


def test_a_tag_is_known_once_enough_artists_bear_it() -> None:
    artists = [["Pop", "pop", f"fan club {n}"] for n in range(5)] + [["jazz"]] * 4
    assert vocabulary(artists, artists_min=5) == ("pop",)
    assert vocabulary(artists, artists_min=4) == ("pop", "jazz")


def test_only_known_tags_are_told_as_written_and_once() -> None:
    assert known_tags(["trolls", "Hip-Hop", "hip hop", "Pop"], frozenset({"hiphop", "pop"})) == ("Hip-Hop", "Pop")


def test_unknown_tags_say_nothing_and_known_ones_what_training_songs_say() -> None:
    songs = [Song(title="A", artist="B", tags=tags) for tags in [("good",)] * 300 + [("bad",)] * 300 + [("?",), ()]]
    rows = base_matrix(songs, CATALOGUE_LABELLED)
    popular = np.array([True] * 300 + [False] * 300 + [True, True])
    rates = TagRates(("good", "bad")).fit(rows, popular, np.ones(len(rows)))
    seen = rates.transform(rows)
    assert np.isnan(seen[-2:]).all()
    assert seen[0, 0] > 1 > -1 > seen[300, 0]
    assert seen[0, TAG_RATES:].tolist() == [1, 0]
    # A joke before a known tag changes nothing.
    joked = base_matrix([Song(title="A", artist="B", tags=("joke", "good"))], CATALOGUE_LABELLED)
    np.testing.assert_array_equal(rates.transform(joked)[0], seen[0])


def test_known_tags_come_first_and_in_their_order() -> None:
    songs = [Song(title="A", artist="B", tags=(tag,)) for tag in ["good"] * 300 + ["bad"] * 300]
    rates = TagRates(("good", "bad")).fit(base_matrix(songs, CATALOGUE_LABELLED), np.arange(600) < 300, np.ones(600))
    asked = [("good", "bad"), ("joke", "good", "joke 2", "bad"), ("bad", "good")]
    seen = rates.transform(base_matrix([Song(title="A", artist="B", tags=t) for t in asked], CATALOGUE_LABELLED))
    np.testing.assert_array_equal(seen[0], seen[1])
    # The mean knows no order; the mean weighed by rank leans to the strongest.
    assert seen[0, 0] == pytest.approx(seen[2, 0], abs=1e-6)
    assert seen[0, 3] > 0 > seen[2, 3]


def test_only_the_strongest_known_tags_are_read() -> None:
    names = [f"t{n}" for n in range(TAGS_READ + 1)]
    rates = TagRates(names).fit(
        base_matrix([Song(title="A", artist="B", tags=(name,)) for name in names], CATALOGUE_LABELLED),
        np.arange(len(names)) < 1,
        np.ones(len(names)),
    )
    all_of_them, read = (
        rates.transform(base_matrix([Song(title="A", artist="B", tags=tuple(t))], CATALOGUE_LABELLED))
        for t in (names, names[:TAGS_READ])
    )
    np.testing.assert_array_equal(all_of_them, read)
