from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain import SongName
from core.errors import DataError
from core.lookup.catalogue import Catalogue, grams, song_text
from core.lookup.catalogue_build import Step, build_catalogue
from core.lookup.dataset import CatalogueEntry, draw
from tests.fakes.spotify_rows import SONGS, row, write_csv


def test_a_song_is_one_row_with_the_facts_of_one_release(tmp_path: Path) -> None:
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
        entry = catalogue.find(SongName("song", "artist"))
    assert entry is not None
    first = min(rows[:3], key=lambda one: draw(str(one["track_name"]), str(one["album_name"])))
    assert (entry.full_title or entry.song.title, entry.song.album) == (first["track_name"], first["album_name"])
    assert entry.song.audio is not None
    assert entry.song.audio.danceability == first["danceability"]
    assert (entry.popularity, entry.song.genres) == (70, ("rock", "pop", "dance"))


def test_the_release_is_chosen_without_its_popularity_and_no_compilation_if_there_is_another(tmp_path: Path) -> None:
    def built(*popularity: int) -> list[CatalogueEntry | None]:
        rows = (
            row("Hit", "A", popularity[0], album_name="Hit"),
            row("Hit", "A", popularity[1], album_name="party hits"),
            row("Filler", "B", popularity[2], album_name="Party Hits "),
            row("Other", "C", 3, album_name="Party Hits"),
        )
        out = tmp_path / "catalogue.sqlite"
        build_catalogue(write_csv(tmp_path / "d.csv", rows), out, source="test")
        with closing(Catalogue.open(out)) as catalogue:
            return [catalogue.find(SongName("Hit", "A")), catalogue.find(SongName("Filler", "B"))]

    for popularity in ((70, 0, 50), (0, 70, 50)):
        hit, filler = built(*popularity)
        assert hit is not None
        assert filler is not None
        assert (hit.song.album, hit.popularity, hit.rerelease) == ("Hit", 70, False)
        assert (filler.song.album, filler.popularity, filler.rerelease) == (None, 50, True)


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
