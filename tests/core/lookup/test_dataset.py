from __future__ import annotations

from pathlib import Path

import pytest

from core.domain import AudioFeatures
from core.errors import DataError
from core.lookup.dataset import read_dataset
from tests.fakes.spotify_rows import HEADER, row, write_csv


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz"])
def test_rows_are_read_plain_and_packed(tmp_path: Path, name: str) -> None:
    path = write_csv(tmp_path / name, (row("Bébé (feat. X)", "A;B", 73, "pop", explicit=True),))
    (entry,) = read_dataset(path)
    song = entry.song
    assert entry.popularity == 73
    assert (song.title, song.artist, song.credits, song.genres) == ("Bébé", "A", ("A", "B"), ("pop",))
    assert (song.album, song.duration_ms, song.explicit) == ("Album of Bébé (feat. X)", 200_040, True)
    assert song.audio == AudioFeatures(
        **dict.fromkeys(
            ("danceability", "energy", "speechiness", "acousticness", "instrumentalness", "liveness", "valence"), 0.5
        ),
        loudness=-5.9,
        tempo=171.0,
        key=1,
        mode=1,
        time_signature=4,
    )


def test_names_that_look_missing_are_names(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "d.csv", (row("None", "NA"), row("Null", "nan")))
    assert [(e.song.title, e.song.artist) for e in read_dataset(path)] == [("None", "NA"), ("Null", "nan")]


def test_unknown_figures_are_unknown(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "d.csv", (row("", "", album_name="", duration_ms=0, key=-1, time_signature=0),))
    (entry,) = read_dataset(path)
    assert (entry.song.title, entry.song.artist, entry.song.album, entry.song.duration_ms) == ("", "", None, None)
    assert entry.song.audio is not None
    assert (entry.song.audio.key, entry.song.audio.time_signature) == (None, None)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("popularity", 101, "101 is not between 0 and 100"),
        ("popularity", "much", "'much' is not a number"),
        ("popularity", 1.5, "1.5 is not a whole number"),
        ("danceability", "nan", "nan is not between 0 and 1"),
        ("explicit", "maybe", "'maybe' is neither True nor False"),
        ("duration_ms", -1, "-1 is not between"),
    ],
)
def test_impossible_values_are_named(tmp_path: Path, column: str, value: object, what: str) -> None:
    path = write_csv(tmp_path / "d.csv", (row("a", "b"), row("c", "d", **{column: value})))
    with pytest.raises(DataError, match=rf"d\.csv, row 3, column {column}: {what}"):
        list(read_dataset(path))


def test_a_lacking_column_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "d.csv", header=tuple(name for name in HEADER if name != "tempo"))
    with pytest.raises(DataError, match=r"d\.csv lacks the column tempo"):
        list(read_dataset(path))


def test_a_short_row_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "d.csv", ())
    with path.open("a") as file:
        file.write("0,artist,album,title\n")
    with pytest.raises(DataError, match=r"row 2, column \w+: is missing"):
        list(read_dataset(path))


def test_files_that_end_early_or_are_no_text_are_refused(tmp_path: Path) -> None:
    packed = write_csv(tmp_path / "d.csv.gz").read_bytes()
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01" * 50)
    (tmp_path / "empty.csv").write_bytes(b"")
    for name in ("cut.csv.gz", "binary.csv", "empty.csv", "missing.csv"):
        with pytest.raises(DataError, match=name.replace(".", r"\.")):
            list(read_dataset(tmp_path / name))
