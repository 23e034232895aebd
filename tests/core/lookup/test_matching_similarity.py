from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain import Reading, SongQuery
from core.lookup.matching import (
    COMPLETION_SIMILARITY,
    FoldedName,
    beginning_similarity,
    folded_readings,
    similarity,
    text_similarity,
)


def alike(name: tuple[str, str], *readings: Reading) -> float:
    return similarity(folded_readings(SongQuery("", readings)), FoldedName.of(*name))[0]


@pytest.mark.parametrize(
    ("asked", "known", "least", "most"),
    [
        ("blinding lights", "blinding lights", 100, 100),
        ("blindng lihgts", "blinding lights", 88, 99),
        ("lights blinding", "blinding lights", 95, 99),
        ("blindinglights", "blinding lights", 95, 99),
        ("someone like", "someone like you", 80, 95),
        ("one", "someone like you", 0, 45),
        ("love", "love story", 65, 80),
        ("love story remix of doom", "love story", 0, 65),
        ("zoom jessi", "zoom zoom polo pan", 0, 70),
        ("", "abc", 0, 0),
    ],
)
def test_wording_is_compared_with_sense(asked: str, known: str, least: float, most: float) -> None:
    assert least <= text_similarity(asked, known) <= most


def test_title_and_artist_count_together() -> None:
    right = alike(("Hello", "Adele"), Reading("Hello", "Adele"))
    other_artist = alike(("Hello", "Lionel Richie"), Reading("Hello", "Adele"))
    other_title = alike(("Skyfall", "Adele"), Reading("Hello", "Adele"))
    assert right == 100
    assert other_artist < 70
    assert other_title < 60


def test_the_best_reading_counts() -> None:
    assert alike(("Hello", "Adele"), Reading("Adele", "Hello"), Reading("Hello", "Adele")) == 100


def test_a_guest_is_nearly_as_good_as_the_first_artist() -> None:
    name = FoldedName.of("Under Pressure", "Queen", ("Queen", "David Bowie"))
    readings = folded_readings(SongQuery("", (Reading("Under Pressure", "David Bowie"),)))
    assert 95 <= similarity(readings, name)[0] < 100


def test_a_title_is_known_without_its_brackets() -> None:
    assert 90 <= alike(("Snow (Hey Oh)", "Red Hot Chili Peppers"), Reading("Snow")) < 100


def test_loose_words_must_hold_title_and_artist() -> None:
    assert alike(("Blinding Lights", "The Weeknd"), Reading("blinding lights weeknd")) == 100
    assert alike(("Lo Siento", "Viva Suecia"), Reading("El Bien Viva Suecia")) < 84
    assert alike(("In for the Kill", "Dither"), Reading("In For The Kill La Roux")) < 84


def test_empty_readings_are_left_out() -> None:
    assert folded_readings(SongQuery("", (Reading("\u200b"), Reading("a"), Reading("A!")))) == folded_readings(
        SongQuery("", (Reading("a"),))
    )
    assert similarity((), FoldedName.of("a", "b")) == (0.0, 0.0)


def test_a_half_typed_name_is_like_its_beginning() -> None:
    name = FoldedName.of("Blinding Lights", "The Weeknd")
    assert beginning_similarity("blindng li", name) >= COMPLETION_SIMILARITY
    assert beginning_similarity("weeknd bli", name) >= COMPLETION_SIMILARITY
    assert beginning_similarity("zzzz", name) < COMPLETION_SIMILARITY


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60), st.one_of(st.none(), st.text(max_size=60)))
@settings(max_examples=200, deadline=None)
def test_similarity_is_a_percentage(title: str, artist: str, asked: str, by: str | None) -> None:
    best, mean = similarity(folded_readings(SongQuery("", (Reading(asked, by),))), FoldedName.of(title, artist))
    assert 0 <= mean <= best <= 100
