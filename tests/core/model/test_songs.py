from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from core.errors import DataError
from core.model.songs import build_songs
from core.model.tables import RawTables


def test_a_song_takes_its_greatest_popularity_and_the_genres_of_all_rows(tables: RawTables) -> None:
    songs = build_songs(tables)
    assert len(songs.songs) == 320 * 5
    song = next(song for song in songs.songs if song.title == "Song 0 of 7")
    place = songs.songs.index(song)
    rows = tables.spotify[tables.spotify["track_name"] == "Song 0 of 7"]
    assert len(rows) == 2
    assert set(song.genres) == set(rows["track_genre"])
    assert songs.popular[place] == (rows["popularity"].max() >= 60)
    best = rows.loc[rows["popularity"].idxmax()]
    assert song.album == best["album_name"]


def test_names_such_as_na_and_null_are_names(tables: RawTables) -> None:
    odd = tables.spotify.iloc[[0]].assign(artists="NA", track_name="Null", album_name="None", popularity=99.0)
    songs = build_songs(replace(tables, spotify=pd.concat([tables.spotify, odd], ignore_index=True)))
    assert any((song.artist, song.title, song.album) == ("NA", "Null", "None") for song in songs.songs)


def test_rows_without_names_are_left_out(tables: RawTables) -> None:
    nameless = tables.spotify.iloc[[0]].assign(artists="", track_name="", popularity=99.0)
    songs = build_songs(replace(tables, spotify=pd.concat([tables.spotify, nameless], ignore_index=True)))
    assert len(songs.songs) == 320 * 5


def test_the_most_heard_record_of_a_song_counts(tables: RawTables) -> None:
    ghost = tables.tracks.iloc[[0]].assign(listeners=2.0, playcount=3.0, tags="x")
    songs = build_songs(replace(tables, tracks=pd.concat([tables.tracks, ghost], ignore_index=True)))
    name = tables.tracks["track"].iloc[0]
    song = next(song for song in songs.songs if song.title == name)
    assert song.listeners == int(tables.tracks["listeners"].iloc[0])


def test_without_track_figures_the_reason_is_said(tables: RawTables) -> None:
    with pytest.raises(DataError, match=r"Too few songs have Last\.fm figures of their own"):
        build_songs(replace(tables, tracks=tables.tracks.iloc[:10]))
