from __future__ import annotations

from pathlib import Path

from core.lookup.catalogue import Catalogue
from core.lookup.normalise import song_key
from scripts.benchmarks.songs import data_set, made_up
from tests.fakes.spotify_rows import write_csv


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
