from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain import SongName
from core.errors import DataError
from core.lookup.catalog import Catalogue
from core.lookup.catalog_build import Step, build_catalogue
from core.lookup.catalog_schema import grams, song_text
from tests.fakes.spotify_rows import SONGS, row, write_csv


def test_a_song_is_one_row_with_the_best_of_its_rows(tmp_path: Path) -> None:
    rows = (
        row("Song (feat. X)", "The Artist;X", 0, "rock", danceability=0.1, album_name="Old"),
        row("SONG - 2011 Remaster", "Artist", 70, "pop", danceability=0.9, album_name="New"),
        row("Song", "The Artist", 70, "dance", danceability=0.2, album_name="Third"),
        row("Song - Live", "The Artist", 10, "live"),
    )
    out = tmp_path / "catalogue.sqlite"
    report = build_catalogue(write_csv(tmp_path / "d.csv", rows), out, source="test")
    assert (report.rows_read, report.rows_unnamed, report.songs) == (4, 0, 2)
    assert report.size_bytes == out.stat().st_size
    with closing(Catalogue.open(out)) as catalogue:
        song = catalogue.find(SongName("song", "artist"))
    assert song is not None
    assert (song.title, song.album, song.genres) == ("SONG", "New", ("rock", "pop", "dance"))
    assert song.audio is not None
    assert song.audio.danceability == 0.9


def test_unnamed_rows_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "d.csv", (*SONGS, row("", ""), row("x", "")))
    report = build_catalogue(path, tmp_path / "c.sqlite", source="test")
    assert report.rows_read == len(SONGS) + 2
    assert report.rows_unnamed == 2


def test_the_source_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "c.sqlite"
    build_catalogue(write_csv(tmp_path / "d.csv"), out, source="by hand")
    with closing(sqlite3.connect(out)) as db:
        meta = dict(db.execute("SELECT name, value FROM meta"))
    assert meta["source"] == "by hand"
    assert meta["rows_read"] == str(len(SONGS))
    assert int(meta["songs"]) == len(SONGS) - 1


def test_a_failed_build_leaves_the_old_catalogue_and_no_litter(tmp_path: Path) -> None:
    out = tmp_path / "c.sqlite"
    build_catalogue(write_csv(tmp_path / "d.csv"), out, source="test")
    before = out.read_bytes()
    bad = write_csv(tmp_path / "bad.csv", (*SONGS, row("a", "b", popularity=500)))
    with pytest.raises(DataError):
        build_catalogue(bad, out, source="test")
    with pytest.raises(RuntimeError, match="stopped"):
        build_catalogue(tmp_path / "d.csv", out, source="test", progress=stop_when_written)
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.csv", "c.sqlite", "d.csv"]


def stop_when_written(step: Step, done: int, total: int | None) -> None:
    if step is Step.WRITING:
        raise RuntimeError("stopped")


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cut off"):
        build_catalogue(write_csv(tmp_path / "d.csv"), tmp_path / "c.sqlite", source="test", rows_least=1_000)
    with pytest.raises(DataError, match="no songs"):
        build_catalogue(write_csv(tmp_path / "e.csv", (row("", ""),)), tmp_path / "c.sqlite", source="test")


def test_progress_ends_with_everything_done(tmp_path: Path) -> None:
    told: list[tuple[Step, int, int | None]] = []
    build_catalogue(
        write_csv(tmp_path / "d.csv"), tmp_path / "c.sqlite", source="test", progress=lambda *news: told.append(news)
    )
    assert told == [(Step.READING, 18, 18), (Step.WRITING, 17, 17)]


def test_names_are_framed_so_that_short_ones_have_trigrams() -> None:
    text = song_text("사랑 (feat. X)", ("The Weeknd", "U2"))
    assert text == " 사랑  the weeknd  u2 "
    assert {" 사랑", "사랑 ", " u2", "u2 ", "wee"} <= grams(text)
    assert all("  " not in gram for gram in grams(text))
