from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain import AudioFeatures, Block, Song
from core.model.features import (
    BASE,
    COLUMN,
    COLUMNS_OF,
    PATTERNS,
    VIEWS,
    Group,
    base_matrix,
    base_row,
    known_blocks,
    mask_groups,
    schema_hash,
)
from core.model.genres import GENRES, TAGS_SEEN, genres_of
from core.model.text_features import title_facts

DAY = date(2026, 1, 1)
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
    row = base_row(Song(title="A", artist="B"), DAY)
    for group in set(Group) - {Group.TRACK, Group.NAMES}:
        assert np.isnan(row[list(COLUMNS_OF[group])]).all()
    known = base_row(WHOLE, DAY)
    assert known[COLUMN["artist_playcount"]] == 0
    assert known[COLUMN["explicit"]] == 0
    assert math.isnan(known[COLUMN["tempo"]])
    assert known[COLUMN["genre_pop"]] == 1
    assert known[COLUMN["genre_rock"]] == 0


def test_tags_are_never_taken_for_genres() -> None:
    assert genres_of(Song(title="A", artist="B", genres=("pop", "no such"), tags=("rock",))) == ("pop",)
    assert genres_of(Song(title="A", artist="B", tags=("rock",))) == ()
    assert len(GENRES) == 114


def test_age_is_counted_at_the_day_of_asking() -> None:
    song = Song(title="A", artist="B", released=date(2020, 2, 29))
    age = COLUMN["age_years"]
    assert base_row(song, date(2021, 2, 28))[age] == pytest.approx(365 / 365.25)
    assert base_row(song, date(2020, 2, 29))[age] == 0
    assert base_row(song, date(2020, 2, 1))[age] == 0
    assert math.isnan(base_row(replace(song, released=None), DAY)[age])
    each = base_matrix([song, song], [date(2020, 2, 29), date(2030, 2, 28)])[:, age]
    assert each.tolist() == [0, pytest.approx(10, abs=0.01)]


def test_tags_are_the_last_columns() -> None:
    assert COLUMNS_OF[Group.TAGS] == tuple(range(len(BASE) - TAGS_SEEN, len(BASE)))


def test_known_blocks() -> None:
    assert known_blocks(WHOLE) == (Block.ARTIST, Block.GENRES, Block.AUDIO)
    assert known_blocks(replace(WHOLE, listeners=0, playcount=0)) == (Block.ARTIST, Block.GENRES, Block.AUDIO)
    assert known_blocks(Song(title="A", artist="B", listeners=5, playcount=9)) == (Block.TRACK,)


def test_views_hide_whole_groups() -> None:
    rows = base_row(WHOLE, DAY)[None]
    hidden = mask_groups(rows, VIEWS["live"])
    for group in (Group.AUDIO, Group.CREDITS, Group.GENRES, Group.AGE):
        assert np.isnan(hidden[:, list(COLUMNS_OF[group])]).all()
    for group in (Group.ARTIST, Group.TAGS, Group.ALBUM, Group.NAMES, Group.EXPLICIT):
        columns = list(COLUMNS_OF[group])
        np.testing.assert_array_equal(hidden[:, columns], rows[:, columns])
    assert len(set(PATTERNS)) == 2**5
    assert set(VIEWS.values()) < set(PATTERNS)


def test_the_schema_hash_notices_other_rules() -> None:
    assert schema_hash() == schema_hash()
    assert schema_hash([WHOLE]) != schema_hash([replace(WHOLE, title="B Title")])


@given(st.text(max_size=60), st.text(max_size=60), st.one_of(st.none(), st.text(max_size=60)))
def test_any_text_gives_a_row_of_numbers(title: str, artist: str, album: str | None) -> None:
    row = base_row(Song(title=title, artist=artist, album=album, credits=(artist, title)), DAY)
    assert row.shape == (len(BASE),)
    assert not np.isinf(row).any()


def test_title_facts_read_scripts_and_versions() -> None:
    plain, live, kana = title_facts("Song"), title_facts("Song - Live"), title_facts("夜に駆ける")
    assert plain != live
    assert plain != kana
