from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.domain import Song
from core.errors import DataError
from core.training.data import RawTables, TrainingSongs, build_songs


def catalogue(songs: TrainingSongs) -> tuple[Song, ...]:
    return tuple(song for song, own in zip(songs.songs, songs.in_catalogue, strict=True) if own)


def test_a_song_takes_its_greatest_popularity_and_the_genres_of_all_rows(tables: RawTables) -> None:
    songs = build_songs(replace(tables, dated=tables.dated.iloc[:0]))
    assert len(songs.songs) == 320 * 5
    song = next(song for song in songs.songs if song.title == "Song 0 of 7")
    place = songs.songs.index(song)
    rows = tables.spotify[tables.spotify["track_name"] == "Song 0 of 7"]
    assert len(rows) == 2
    assert set(song.genres) == set(rows["track_genre"])
    assert songs.popular[place] == (rows["popularity"].max() >= 60)
    best = rows.loc[rows["popularity"].idxmax()]
    assert song.album == best["album_name"] != "Party Hits 2020"


def test_a_song_that_stands_on_a_compilation_alone_has_no_label(tables: RawTables) -> None:
    spotify = tables.spotify[
        (tables.spotify["track_name"] != "Song 0 of 7") | (tables.spotify["album_name"] == "Party Hits 2020")
    ]
    songs = build_songs(replace(tables, spotify=spotify, dated=tables.dated.iloc[:0]))
    place = next(place for place, song in enumerate(songs.songs) if song.title == "Song 0 of 7")
    assert not songs.labelled[place]
    assert songs.weight[place] == 0
    assert songs.songs[place].album is None


def test_the_album_is_chosen_without_the_label(tables: RawTables) -> None:
    shuffled = tables.spotify.assign(popularity=tables.spotify["popularity"].to_numpy()[::-1])
    ours, theirs = (
        {song.name: song.album for song in catalogue(build_songs(replace(tables, spotify=spotify)))}
        for spotify in (tables.spotify, shuffled)
    )
    assert ours == theirs


def test_whether_a_row_is_trusted_never_depends_on_its_label(tables: RawTables) -> None:
    """Without other tables to mend it, a song has a label or not by its album alone."""
    alone = replace(tables, dated=tables.dated.iloc[:0], spotify=tables.spotify[tables.spotify.index % 7 != 0])
    shuffled = alone.spotify["popularity"].sample(frac=1, random_state=3).to_numpy()
    ours, theirs = build_songs(alone), build_songs(replace(alone, spotify=alone.spotify.assign(popularity=shuffled)))
    assert 0 < (~ours.labelled).sum() < len(ours.labelled)
    np.testing.assert_array_equal(ours.labelled, theirs.labelled)
    assert not np.array_equal(ours.popular, theirs.popular)


def test_dates_stand_on_dated_rows_alone_and_a_bare_year_is_its_first_of_july(tables: RawTables) -> None:
    songs = build_songs(tables)
    assert all(song.released is None for song in catalogue(songs))
    dated = [song for song, own in zip(songs.songs, songs.in_catalogue, strict=True) if not own]
    assert dated
    assert all(song.released is not None for song in dated)
    assert {(s.released.month, s.released.day) for s in dated if s.released and s.title.startswith("Song 1 of")} == {
        (7, 1)
    }


def test_dated_songs_of_the_catalogue_bring_its_genres_and_audio(tables: RawTables) -> None:
    songs = build_songs(tables)
    known = {song.name: song for song in catalogue(songs)}
    for song, own in zip(songs.songs, songs.in_catalogue, strict=True):
        if not own:
            assert (song.genres, song.audio) == (known[song.name].genres, known[song.name].audio)


def test_tags_of_single_artists_and_of_listeners_are_not_known(tables: RawTables) -> None:
    words = build_songs(tables).vocabulary
    assert {"pop", "popmusic", "chill"} <= set(words)
    assert not any(word.startswith("joke") or word == "favorites" for word in words)


def test_names_such_as_na_and_null_are_names(tables: RawTables) -> None:
    odd = tables.spotify.iloc[[0]].assign(artists="NA", track_name="Null", album_name="None", popularity=99.0)
    songs = build_songs(replace(tables, spotify=pd.concat([tables.spotify, odd], ignore_index=True)))
    assert any((song.artist, song.title, song.album) == ("NA", "Null", "None") for song in songs.songs)


def test_rows_without_names_are_left_out(tables: RawTables) -> None:
    nameless = tables.spotify.iloc[[0]].assign(artists="", track_name="", popularity=99.0)
    songs = build_songs(replace(tables, spotify=pd.concat([tables.spotify, nameless], ignore_index=True)))
    assert sum(songs.in_catalogue) == 320 * 5


def test_the_most_heard_record_of_a_song_counts(tables: RawTables) -> None:
    ghost = tables.tracks.iloc[[0]].assign(listeners=2.0, playcount=3.0, tags="x")
    songs = build_songs(replace(tables, tracks=pd.concat([tables.tracks, ghost], ignore_index=True)))
    name = tables.tracks["track"].iloc[0]
    song = next(song for song in songs.songs if song.title == name)
    assert song.listeners == int(tables.tracks["listeners"].iloc[0])


def test_without_track_figures_the_reason_is_said(tables: RawTables) -> None:
    with pytest.raises(DataError, match=r"Too few songs have Last\.fm figures of their own"):
        build_songs(replace(tables, tracks=tables.tracks.iloc[:10]))


def test_empty_credits_are_passed_over_and_nobodys_songs_left_out(tables: RawTables) -> None:
    spotify, dated = tables.spotify.iloc[[0, 0]], tables.dated.iloc[[0, 0]]
    odd = replace(
        tables,
        spotify=pd.concat(
            [tables.spotify, spotify.assign(artists=[";Foo", ";"], track_name="Odd Credit")], ignore_index=True
        ),
        dated=pd.concat([tables.dated, dated.assign(artist=[";Foo", ";"], track="Odd Credit")], ignore_index=True),
    )
    songs = build_songs(odd)
    found = [song for song in songs.songs if song.title == "Odd Credit"]
    assert [song.artist for song in found] == ["Foo", "Foo"]
    assert found[1].audio == found[0].audio is not None
