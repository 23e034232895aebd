from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import AudioFeatures, Block, Song
from core.model.features import BASE, COLUMN, COLUMNS_OF, Group, base_row, known_blocks, schema_hash
from core.model.genres import GENRES, genres_from_tags, genres_of
from core.model.title_facts import title_facts
from core.model.views import PATTERNS, VIEWS, seen_under

AUDIO = AudioFeatures(
    danceability=0.5, energy=0.6, loudness=-5.0, speechiness=0.1, acousticness=0.2, instrumentalness=0.0,
    liveness=0.1, valence=0.4, tempo=0.0,
)  # fmt: skip
WHOLE = Song(
    title="A Title", artist="A Name", credits=("A Name", "B"), album="An Album", artist_listeners=10,
    artist_playcount=0, genres=("pop",), duration_ms=1000, explicit=False, audio=AUDIO,
)  # fmt: skip


def test_columns_are_named_once_and_match_the_groups() -> None:
    assert len({feature.key for feature in BASE}) == len(BASE) == sum(map(len, COLUMNS_OF.values()))
    assert not COLUMNS_OF[Group.TRACK]


def test_unknown_is_not_nought() -> None:
    row = base_row(Song(title="A", artist="B"))
    for group in (Group.ARTIST, Group.TAGS, Group.AUDIO, Group.DURATION, Group.EXPLICIT, Group.CREDITS, Group.ALBUM):
        assert np.isnan(row[list(COLUMNS_OF[group])]).all()
    known = base_row(WHOLE)
    assert known[COLUMN["artist_playcount"]] == 0
    assert known[COLUMN["explicit"]] == 0
    assert math.isnan(known[COLUMN["tempo"]])
    assert known[COLUMN["genre_pop"]] == 1
    assert known[COLUMN["genre_rock"]] == 0


def test_catalogue_genres_are_preferred_to_tags() -> None:
    assert genres_of(Song(title="A", artist="B", genres=("pop",), tags=("rock",))) == ("pop",)
    assert genres_of(Song(title="A", artist="B", genres=("no such",), tags=("rock",))) == ("rock",)


@pytest.mark.parametrize(
    ("tag", "genre"),
    [("Hip Hop", "hip-hop"), ("R&B", "r-n-b"), ("rnb", "r-n-b"), ("synthpop", "synth-pop"), ("kpop", "k-pop"),
     ("Drum & Bass", "drum-and-bass"), ("Bollywood", "indian"), ("alternative rock", "alt-rock")],
)  # fmt: skip
def test_tags_map_to_genres(tag: str, genre: str) -> None:
    assert genres_from_tags([tag]) == (genre,)


def test_jokes_and_years_map_to_nothing() -> None:
    assert genres_from_tags(["seen live", "2010s", "myspotigrambot", ""]) == ()
    assert len(GENRES) == 114


def test_known_blocks() -> None:
    assert known_blocks(WHOLE) == (Block.ARTIST, Block.TAGS, Block.AUDIO)
    assert known_blocks(replace(WHOLE, listeners=0, playcount=0)) == (Block.ARTIST, Block.TAGS, Block.AUDIO)
    assert known_blocks(Song(title="A", artist="B", listeners=5, playcount=9)) == (Block.TRACK,)


def test_views_hide_whole_groups() -> None:
    rows = base_row(WHOLE)[None]
    hidden = seen_under(rows, VIEWS["live"])
    for group in (Group.AUDIO, Group.CREDITS, Group.EXPLICIT):
        assert np.isnan(hidden[:, list(COLUMNS_OF[group])]).all()
    for group in (Group.ARTIST, Group.TAGS, Group.ALBUM, Group.NAMES):
        columns = list(COLUMNS_OF[group])
        np.testing.assert_array_equal(hidden[:, columns], rows[:, columns])
    assert len(set(PATTERNS)) == 8
    assert set(VIEWS.values()) < set(PATTERNS)


def test_the_schema_hash_notices_other_rules() -> None:
    assert schema_hash() == schema_hash()
    assert schema_hash([WHOLE]) != schema_hash([replace(WHOLE, title="B Title")])


@given(st.text(max_size=60), st.text(max_size=60), st.one_of(st.none(), st.text(max_size=60)))
def test_any_text_gives_a_row_of_numbers(title: str, artist: str, album: str | None) -> None:
    row = base_row(Song(title=title, artist=artist, album=album, credits=(artist, title)))
    assert row.shape == (len(BASE),)
    assert not np.isinf(row).any()


def test_title_facts_read_scripts_and_versions() -> None:
    plain, live, kana = title_facts("Song"), title_facts("Song - Live"), title_facts("夜に駆ける")
    assert plain != live
    assert plain != kana
