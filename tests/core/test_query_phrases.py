from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.query import Pair, channel_artist, pair_of, video_question, without_phrases

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
    assert without_phrases(text) == song


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
    assert any(c.isalnum() for c in without_phrases(text)) == said
    pair = pair_of(text)
    assert pair is None or all(any(c.isalnum() for c in side) for side in (pair.first, pair.second))
    video_question(text, text)


@pytest.mark.parametrize("unit", ["videoclip", "mp3 download ", "video clip ", "lyrics "])
def test_a_row_of_words_that_can_be_read_in_two_ways_is_read_once(unit: str) -> None:
    """Were every way tried, this would not end."""
    row = f"Halo ({unit * 40}!"
    assert without_phrases(row) == row
    assert without_phrases(f"Halo ({unit * 40})") == "Halo"
