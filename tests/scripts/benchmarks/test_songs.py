from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from core.domain import Song
from core.lookup.catalogue import Catalogue
from core.lookup.normalise import normalize, song_key
from scripts.benchmarks.songs import (
    Noise,
    data_set,
    made_up,
    mistyped,
    noisy_questions,
    other_accents,
    without_a_word,
)
from tests.fakes.spotify_rows import write_csv

SONGS = tuple(Song(title=f"Song of the {n} winters", artist=f"Band {n}", credits=(f"Band {n}",)) for n in range(60))


def test_made_up_songs_are_distinct_and_the_same_each_time(tmp_path: Path) -> None:
    songs = made_up(400, seed=2)
    assert songs == made_up(400, seed=2)
    assert len({song_key(song.title, song.artist) for song in songs.songs}) == 400
    songs.build(tmp_path / "catalogue.sqlite")
    catalogue = Catalogue.open(tmp_path / "catalogue.sqlite")
    assert len(catalogue) == 400
    catalogue.close()


def test_the_data_set_gives_each_song_once_with_its_best_row(tmp_path: Path) -> None:
    songs = data_set(write_csv(tmp_path / "songs.csv"))
    (blinding,) = [
        entry for entry in songs.entries if (entry.song.title, entry.song.artist) == ("Blinding Lights", "The Weeknd")
    ]
    assert blinding.popularity == 91


def test_made_up_names_are_as_varied_as_real_ones() -> None:
    """Of 12,000 real songs: 12,733 words in titles, 72 % of them once; 47 % of the text are artists' words too."""
    songs = made_up(12_000, seed=2).songs
    words = Counter(word for song in songs for word in normalize(song.title).split())
    once = sum(times == 1 for times in words.values())
    artists = {word for song in songs for word in normalize(song.artist).split()}
    shared = sum(times for word, times in words.items() if word in artists)
    assert 9_500 < len(words) < 13_500
    assert 0.5 < once / len(words) < 0.75
    assert 0.35 < shared / words.total() < 0.5
    assert max(Counter(normalize(song.title) for song in songs).values()) < 10


def test_the_same_seed_asks_the_same_and_every_kind_equally_often() -> None:
    asked = noisy_questions(SONGS, 50, seed=3)
    assert asked == noisy_questions(SONGS, 50, seed=3)
    assert asked != noisy_questions(SONGS, 50, seed=4)
    assert Counter(one.kinds[0] for one in asked) == dict.fromkeys(Noise, 10)
    assert len({one.song for one in asked}) == 50
    assert all(len(set(one.kinds)) == len(one.kinds) for one in asked)


def test_each_kind_does_what_it_says() -> None:
    for one in noisy_questions(SONGS, 60, seed=1):
        if one.kinds == (Noise.SWAPPED,):
            assert one.text.startswith(one.song.artist)
        if one.kinds == (Noise.FEAT,):
            assert any(word in one.text for word in (" feat. ", " ft. ", " featuring "))
        if one.kinds in ((Noise.MISSING,), (Noise.TYPOS,)):
            assert one.song.title not in one.text
            assert one.song.title[:2] in one.text or one.song.title[-2:] in one.text


def test_more_questions_than_songs_are_refused() -> None:
    with pytest.raises(ValueError, match="larger than population"):
        noisy_questions(SONGS[:3], 4, seed=1)


@pytest.mark.parametrize("text", ["", "7", "!!!", "夜に駆ける", "a"])
def test_what_cannot_be_mistyped_stays_a_text(text: str) -> None:
    for seed in range(20):
        assert len(mistyped(text, random.Random(seed))) <= len(text) + 2
        other_accents(text, random.Random(seed))


def test_accents_are_taken_off_or_put_on_and_change_nothing_but_spelling() -> None:
    rng = random.Random(1)
    assert other_accents("Beyoncé", rng) == "Beyonce"
    accented = other_accents("Hello", rng)
    assert accented != "Hello"
    assert normalize(accented) == "hello"


def test_short_names_keep_all_their_words() -> None:
    rng = random.Random(1)
    assert without_a_word("Hello", "Lionel Richie Band", rng) == "Hello"
    assert without_a_word("Hey Jude", "Beatles", rng) == "Hey Jude"
    assert without_a_word("Hey Jude", "The Beatles", rng) in {"Hey", "Jude"}
