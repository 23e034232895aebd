from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.phrases import Pair, channel_artist, pair_of, video_question, without_phrases

QUESTIONS = (
    "is",
    "will",
    "how popular",
    "predict",
    "vs",
    "official video",
    "lyrics",
    "(",
    "[",
    "sped up",
    "a hit?",
    "-",
    "1 hour",
)


@pytest.mark.parametrize(
    ("channel", "artist"),
    [
        ("QueenVEVO", "Queen"),
        ("TheWeekndVEVO", "The Weeknd"),
        ("Queen - Topic", "Queen"),
        ("Queen Official", "Queen"),
        ("Official", "Official"),
        ("Rick Astley", "Rick Astley"),
        ("", ""),
    ],
)
def test_a_channel_is_named_after_its_artist(channel: str, artist: str) -> None:
    assert channel_artist(channel) == artist


@pytest.mark.parametrize(
    ("title", "channel", "question"),
    [
        ("Hello", "AdeleVEVO", "Hello - Adele"),
        ("Stay - Acoustic", "Jonah Baker - Topic", "Stay - Acoustic - Jonah Baker"),
        ("Queen - One Vision", "Queen Official", "Queen - One Vision"),
        ("[MV] IU(아이유) _ Palette(팔레트)", "1theK", "IU - Palette"),
        ("(아이유)", "", "(아이유)"),
    ],
)
def test_a_video_is_asked_for_by_title_and_channel(title: str, channel: str, question: str) -> None:
    assert video_question(title, channel) == question


@pytest.mark.parametrize(
    ("text", "song"),
    [
        ("Halo sped up", "Halo (sped up)"),
        ("Halo slowed + reverb - Beyoncé", "Halo (slowed + reverb) - Beyoncé"),
        ("is Halo by Beyoncé a hit?", "Halo by Beyoncé"),
        ("Halo", "Halo"),
        ("lyrics", "lyrics"),
        ("is it", "is it"),
    ],
)
def test_what_is_around_a_song_is_taken_away(text: str, song: str) -> None:
    assert without_phrases(text).song == song


@pytest.mark.parametrize("text", ["Me vs Maradona vs Elvis", "vs", "hello vs", "versus", "compare", "Hello - Adele"])
def test_what_names_no_two_songs_is_no_comparison(text: str) -> None:
    assert pair_of(text) is None


def test_two_songs_keep_their_spelling() -> None:
    assert pair_of("Is Hello vs. Halo a hit?") == Pair("Hello", "Halo")


@given(st.lists(st.one_of(st.sampled_from(QUESTIONS), st.text(max_size=8)), max_size=25).map(" ".join))
@settings(max_examples=400, deadline=None)
def test_of_any_text_something_is_left(text: str) -> None:
    text = text[:200]
    said = any(c.isalnum() for c in text)
    assert any(c.isalnum() for c in without_phrases(text).song) == said
    pair = pair_of(text)
    assert pair is None or all(any(c.isalnum() for c in side) for side in (pair.first, pair.second))
    video_question(text, text)


@pytest.mark.parametrize("unit", ["videoclip", "mp3 download ", "video clip ", "lyrics "])
def test_a_row_of_words_that_can_be_read_in_two_ways_is_read_once(unit: str) -> None:
    """Were every way tried, this would not end."""
    row = f"Halo ({unit * 40}!"
    assert without_phrases(row).song == row
    assert without_phrases(f"Halo ({unit * 40})").song == "Halo"


@pytest.mark.parametrize(
    "text",
    [
        "is this a hit?", "is that song going to be a banger", "is it popular?", "wird das ein Hit?",
        "ist dieses Lied beliebt?", "¿esta canción es un éxito?", "isso é um hit?", "cette chanson est un tube ?",
        "क्या यह गाना हिट है?", "これは人気ですか？",
    ],
)  # fmt: skip
def test_a_question_may_point_at_a_song_without_naming_it(text: str) -> None:
    assert without_phrases(text).pointing


@pytest.mark.parametrize("text", ["this", "is halo a hit?", "is This Is Me a hit?", "wird Das Boot ein Hit?", "これ"])
def test_a_question_that_names_its_song_points_at_none(text: str) -> None:
    assert not without_phrases(text).pointing


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("Wie beliebt ist Hello von Adele?", ("Hello", "Adele")),
        ("¿qué tan popular es Despacito de Luis Fonsi?", ("Despacito", "Luis Fonsi")),
        ("Envolver da Anitta é um sucesso?", ("Envolver", "Anitta")),
        ("YOASOBIの夜に駆けるは人気ですか？", ("夜に駆ける", "YOASOBI")),
        ("Hello von Adele", None),
        ("is Hello von Adele a hit?", None),
    ],
)
def test_the_language_of_a_question_parts_title_and_artist(text: str, parted: tuple[str, str] | None) -> None:
    assert without_phrases(text).parted == parted


def test_a_title_may_begin_as_a_song_is_introduced() -> None:
    spoken = without_phrases("is The Song Remains the Same a hit?")
    assert (spoken.song, spoken.whole) == ("Remains the Same", "The Song Remains the Same")
    for text in ("is Song 2 a hit?", "is Single Ladies a hit?"):
        spoken = without_phrases(text)
        assert spoken.song == spoken.whole == text[3:-7]


def test_what_introduces_a_song_is_dropped_before_it_alone() -> None:
    assert without_phrases("est-ce que la chanson Halo est un tube ?").song == "Halo"
    assert without_phrases("est-ce que le titre Halo est un tube ?").song == "Halo"
    assert without_phrases("est-ce que Sans le titre Halo est un tube ?").song == "Sans le titre Halo"
    assert without_phrases("क्या गाना Kesariya हिट है?").song == "Kesariya"


def test_nobody_compares_a_song_with_itself() -> None:
    assert pair_of("Kramer vs. Kramer") is None
