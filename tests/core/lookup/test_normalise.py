from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.lookup.normalise import (
    artist_key,
    asked_versions,
    base_title,
    first_artist,
    normalize,
    plain_title,
    short_title,
    song_key,
    title_key,
    version_words,
    visible,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Beyoncé!", "beyonce"),
        ("ＢＥＹＯＮＣＥ", "beyonce"),
        ("Straße", "strasse"),
        ("Sigur Rós", "sigur ros"),
        ("Ørsted Łódź Æther", "orsted lodz aether"),
        ("İstanbul ısı", "istanbul isi"),
        ("Don’t I Can´t", "dont i cant"),
        ("Simon & Garfunkel", "simon and garfunkel"),
        ("AC/DC", "ac dc"),
        ("A$AP Ke$ha P!nk", "asap kesha pink"),
        ("$5 for 10$", "5 for 10"),
        ("!!!", "!!!"),
        ("÷", "÷"),
        ("Ёлка", "елка"),
        ("Έλενας", "ελενασ"),
        ("が", "が"),
        ("ﾊﾛｰ", "ハロー"),
        ("사랑", "사랑"),
        ("चम्मक छल्लो", "चम्मक छल्लो"),
        ("ที่รัก", "ที่รัก"),
        ("أَحْمَد", "احمد"),
        ("שָׁלוֹם", "שלום"),
        ("", ""),
        ("\u200b\u202e", ""),
    ],
)
def test_spellings_become_equal(text: str, folded: str) -> None:
    assert normalize(text) == folded


@pytest.mark.parametrize(
    ("title", "key", "base"),
    [
        ("Song (feat. X)", "song", "song"),
        ("Song feat. X - Live", "song live", "song"),
        ("Song - 2011 Remaster", "song", "song"),
        ("Song (Remastered 2011) [Bonus Track]", "song", "song"),
        ("Song - Radio Edit", "song", "song"),
        ("Song - Mono Version", "song", "song"),
        ('Song (From "Film")', "song", "song"),
        ("Song (with Someone)", "song", "song"),
        ("Song - Live, 2011 Remaster", "song live 2011 remaster", "song"),
        ("Song (Someone Remix)", "song someone remix", "song"),
        ("Song - Ao Vivo", "song ao vivo", "song"),
        ("Song (Taylor's Version)", "song taylors version", "song"),
        ("Live Forever", "live forever", "live forever"),
        ("(Everything I Do) I Do It for You", "everything i do i do it for you", "everything i do i do it for you"),
        ("The Beatles - With a Little Help", "the beatles with a little help", "the beatles with a little help"),
        ("(feat. X)", "feat x", "feat x"),
    ],
)
def test_titles_lose_decoration_and_in_the_base_their_version(title: str, key: str, base: str) -> None:
    assert title_key(title) == key
    assert base_title(title) == base


def test_plain_title_keeps_the_spelling() -> None:
    assert plain_title("Bébé (feat. X) - 2011 Remaster") == "Bébé"
    assert plain_title("(feat. X)") == "(feat. X)"


def test_short_title_drops_brackets_but_never_everything() -> None:
    assert short_title("Snow (Hey Oh) - Live") == "snow"
    assert short_title("(Intro)") == "intro"


@pytest.mark.parametrize(
    ("artists", "first", "key"),
    [
        ("Akon;Hamsika Iyer", "Akon", "akon"),
        ("The Weeknd", "The Weeknd", "weeknd"),
        ("The The", "The The", "the"),
        ("Drake feat. Rihanna", "Drake", "drake"),
        ("Drake (ft. Rihanna)", "Drake", "drake"),
        ("Simon & Garfunkel", "Simon & Garfunkel", "simon and garfunkel"),
        ("NA", "NA", "na"),
    ],
)
def test_the_first_artist_is_the_key(artists: str, first: str, key: str) -> None:
    assert first_artist(artists) == first
    assert artist_key(artists) == key


def test_equal_songs_have_equal_keys() -> None:
    assert song_key("Blinding Lights", "The Weeknd") == song_key("BLINDING LIGHTS (2020 Remaster)", "weeknd;Rosalía")
    assert song_key("Blinding Lights", "The Weeknd") != song_key("Blinding Lights - Remix", "The Weeknd")
    assert song_key("a\tb", "c") == song_key("a b", "c")
    assert song_key("b", "a c") != song_key("c b", "a")


@pytest.mark.parametrize(
    ("title", "artist", "words"),
    [
        ("Song", "", set()),
        ("Song (Live) - X Remix", "", {"live", "remix"}),
        ("Live Forever", "", set()),
        ("Piano Man", "", set()),
        ("Song Remix", "", {"remix"}),
        ("Remix", "", set()),
        ("Song (feat. Live)", "", set()),
        ("Song - Radio Edit", "", set()),
        ("Song (Taylor's Version)", "", set()),
        ("Song - Sped Up", "", {"sped up"}),
        ("Song", "Party Tyme Karaoke", {"karaoke"}),
        ("Song", "The Hit Crew", {"karaoke"}),
        ("Song", "Billboard Baby Lullabies", {"karaoke"}),
        ("Song", "lullaboy", set()),
        ("Song - En Vivo", "", {"live"}),
    ],
)
def test_version_words_are_found_in_brackets_and_behind_dashes(title: str, artist: str, words: set[str]) -> None:
    assert version_words(title, artist) == words


def test_asked_versions_are_found_anywhere() -> None:
    assert asked_versions("blinding lights remix live") == {"remix", "live"}
    assert asked_versions("alive and remixology") == set()


def test_visible_drops_what_cannot_be_seen() -> None:
    assert visible(" a\u202eb\u200b\x00c\n\td\ud800 ") == "abc d"


@given(st.text(max_size=120), st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_keys_are_stable_and_safe_for_any_text(title: str, artist: str) -> None:
    for key in (normalize(title), title_key(title), base_title(title), short_title(title), artist_key(artist)):
        assert normalize(key) == key
        assert "\t" not in key
        key.encode()
    assert song_key(title, artist).count("\t") == 1
    version_words(title, artist)


@pytest.mark.parametrize("unit", ["(", " feat. ", "a - ", "\u202e", "é ", "$!", "[(", "remaster "])
def test_a_megabyte_is_cut(unit: str) -> None:
    assert len(song_key(unit * 200_000, unit * 200_000)) < 4_000
