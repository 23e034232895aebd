from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from core.domain import AudioFeatures, Song
from core.lookup.catalogue_build import write_catalogue
from core.lookup.dataset import CatalogueEntry
from core.model.ensemble import FloatArray
from core.model.hit_model import HitModel
from core.settings import ROOT
from core.tables import AUDIO_COLUMNS
from core.training import score as scoring
from core.training.crossfit import BaseModel
from core.training.data import build_songs, load_tables
from core.training.promotion import save
from core.training.recipes import Budget, Recipe
from core.training.score import NEEDED, OPTIONAL, song_from_row
from core.training.train import train
from scripts.score import main
from tests.fakes.training_files import TRAINED_AT, write_training_files

HEADER = ["id", "track", "artist", "listeners", "playcount", "artist_listeners", "artist_playcount", "tags", "explicit"]
GOOD = ["1", "Song", "Someone", "1000", "5000.0", "20000", "90000", "pop|rock", "true"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tables = load_tables(write_training_files(tmp_path_factory.mktemp("data")))
    recipe = Recipe("default", lambda seed, known: BaseModel(known, seed=seed, max_iter=10))
    budget = Budget(forest_trees=2, predecessor_rounds=2, resamples=2, reason_songs=5)
    trained = train(tables, build_songs(tables), recipe=recipe, budget=budget)
    folder = tmp_path_factory.mktemp("models")
    save(trained.model, folder, trained_at=TRAINED_AT, extras={}, recipe="default")
    return folder


def write(path: Path, *rows: list[str], header: list[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def run(source: Path, target: Path, models: Path, jobs: int = 1, catalogue: Path | str = "off") -> int:
    options = ["--models", str(models), "--jobs", str(jobs), "--catalogue", str(catalogue)]
    return main([str(source), str(target), *options])


def test_rows_keep_order_and_columns_and_gain_results(tmp_path: Path, models: Path) -> None:
    unknown = ["2", "Other", "Nobody", *[""] * 6]
    rows = read_back(tmp_path, models, GOOD, unknown)
    assert [row["id"] for row in rows] == ["1", "2"]
    assert list(rows[0]) == [*HEADER, "probability", "confidence", "verdict", "view", "error"]
    assert [row["view"] for row in rows] == ["track+artist+tags", "names"]
    assert all(0 <= float(row["probability"]) <= 1 and not row["error"] for row in rows)
    assert float(rows[0]["confidence"]) == pytest.approx(float(rows[0]["probability"]) * 100, abs=0.06)


def read_back(tmp_path: Path, models: Path, *rows: list[str]) -> list[dict[str, str]]:
    target = tmp_path / "out.csv"
    assert run(write(tmp_path / "in.csv", *rows), target, models) == 0
    return read(target)


def test_a_row_scores_as_the_same_song_asked_alone(tmp_path: Path, models: Path) -> None:
    row = read_back(tmp_path, models, GOOD)[0]
    song = song_from_row(dict(zip(HEADER, GOOD, strict=True)))
    assert float(row["probability"]) == pytest.approx(HitModel.load(models).assess(song).probability, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"track": " "}, "track is blank"),
        ({"artist": ""}, "artist is blank"),
        ({"listeners": "many"}, "listeners is 'many', not a number"),
        ({"playcount": "-3"}, "playcount is '-3', not a number"),
        ({"artist_listeners": "nan"}, "artist_listeners is 'nan', not a number"),
        ({"artist_playcount": "1e999"}, "artist_playcount is '1e999', not a number"),
        ({"explicit": "perhaps"}, "explicit is 'perhaps', neither true nor false"),
        ({"track": "x" * 1001}, "a name has more than 1000 characters"),
    ],
)
def test_a_bad_row_gets_its_reason_and_the_run_goes_on(
    tmp_path: Path, models: Path, changes: dict[str, str], reason: str
) -> None:
    bad = [changes.get(name, value) for name, value in zip(HEADER, GOOD, strict=True)]
    rows = read_back(tmp_path, models, GOOD, bad, GOOD)
    assert reason in rows[1]["error"]
    assert [rows[1][name] for name in ("probability", "confidence", "verdict", "view")] == [""] * 4
    assert rows[0]["probability"] == rows[2]["probability"] != ""


DATES = ["track", "artist", "released", "as_of"]


def dates_asked(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, *rows: list[str], options: tuple[str, ...] = ()
) -> tuple[list[tuple[Song, date]], list[dict[str, str]]]:
    """Score a table with dates; return what the model was asked, song by song, and the rows written."""
    asked: list[tuple[Song, date]] = []
    probabilities = HitModel.probabilities

    def noted(self: HitModel, songs: Sequence[Song], as_of: Sequence[date]) -> FloatArray:
        asked.extend(zip(songs, as_of, strict=True))
        return probabilities(self, songs, as_of)

    monkeypatch.setattr(HitModel, "probabilities", noted)
    source, target = write(tmp_path / "in.csv", *rows, header=DATES), tmp_path / "out.csv"
    assert main([str(source), str(target), "--models", str(models), "--jobs", "1", "--catalogue", "off", *options]) == 0
    return asked, read(target)


def test_each_row_is_scored_for_its_day(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, rows = dates_asked(
        tmp_path,
        models,
        monkeypatch,
        ["A", "X", "1975-10-31", "2023"],
        ["B", "X", "1975-10-31x", "2023-06-15"],
        ["C", "X", " 1975-10 ", "2023-06"],
        ["D", "X", "1975", ""],
        ["E", "X", "", "2023-06-15"],
        options=("--as-of", "2024-02-29"),
    )
    assert [(song.title, song.released, day) for song, day in asked] == [
        ("A", date(1975, 10, 31), date(2023, 7, 1)),
        ("C", date(1975, 10, 1), date(2023, 6, 1)),
        ("D", date(1975, 7, 1), date(2024, 2, 29)),
        ("E", None, date(2023, 6, 15)),
    ]
    assert [bool(row["probability"]) for row in rows] == [True, False, True, True, True]


def test_a_row_without_a_day_is_scored_for_today(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_today", lambda: date(2026, 11, 25))
    ((_, day),), _ = dates_asked(tmp_path, models, monkeypatch, ["A", "X", "", ""])
    assert day == date(2026, 11, 25)


@pytest.mark.parametrize("name", ["released", "as_of"])
@pytest.mark.parametrize(
    "text", ["soon", "31.10.1975", "1859", "0000-00-00", "2021-02-30", "2021-13", "9999", "1975-10-31T07:00:00Z", "'75"]
)
def test_a_date_that_cannot_be_is_the_rows_error(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    bad = ["A", "X", *(text if column == name else "" for column in DATES[2:])]
    asked, (row, good) = dates_asked(tmp_path, models, monkeypatch, bad, ["B", "X", "", ""])
    assert row["error"] == f"{name} is {text!r}, not a date like 1975-10-31, 1975-10 or 1975"
    assert [song.title for song, _ in asked] == ["B"]
    assert not good["error"]


def test_an_unreadable_day_for_all_rows_is_said(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.csv", GOOD)
    with pytest.raises(SystemExit) as ended:
        main([str(source), str(tmp_path / "out.csv"), "--models", str(models), "--as-of", "yesterday"])
    assert ended.value.code == 2
    assert "'yesterday' is not a date like 2026-11-25" in capsys.readouterr().err


@pytest.mark.parametrize("row", [GOOD[:-1], [*GOOD, "extra"]])
def test_a_row_of_another_length_is_a_bad_row(tmp_path: Path, models: Path, row: list[str]) -> None:
    rows = read_back(tmp_path, models, row, GOOD)
    assert rows[0]["error"] == "the row has another number of cells than the header"
    assert rows[1]["error"] == ""


def test_audio_features_must_be_whole(tmp_path: Path, models: Path) -> None:
    header = ["track", "artist", *AUDIO_COLUMNS]
    whole = ["A", "B", "0.5", "0.5", "-6", "0.1", "0.1", "0", "0.1", "0.5", "120"]
    source = write(tmp_path / "in.csv", whole, [*whole[:-1], ""], header=header)
    assert run(source, tmp_path / "out.csv", models) == 0
    rows = read(tmp_path / "out.csv")
    assert rows[0]["view"] == "audio"
    assert rows[1]["error"] == "audio features are given in part: tempo blank"


def test_several_processes_give_what_one_gives(
    tmp_path: Path, models: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scoring, "CHUNK_ROWS", 7)
    rows = [[str(n), f"Song {n}", f"Artist {n}", str(n * 50), str(n * 200), *GOOD[5:]] for n in range(60)]
    source = write(tmp_path / "in.csv", *rows, GOOD, ["x", "Nothing", "Known", *[""] * 6])
    assert run(source, tmp_path / "one.csv", models, catalogue=catalogue) == 0
    one = capsys.readouterr().err.replace("one.csv", "two.csv").splitlines()[1:]
    assert run(source, tmp_path / "two.csv", models, jobs=2, catalogue=catalogue) == 0
    assert capsys.readouterr().err.splitlines()[1:] == one
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("catalogue") / "catalogue.sqlite"
    known = Song(
        title="Song",
        artist="Someone",
        credits=("Someone", "Guest"),
        album="Album",
        genres=("ambient",),
        duration_ms=201_000,
        explicit=True,
        audio=AudioFeatures(
            danceability=0.5, energy=0.5, loudness=-6, speechiness=0.1, acousticness=0.1, instrumentalness=0.0,
            liveness=0.1, valence=0.5, tempo=120,
        ),
    )  # fmt: skip
    write_catalogue([CatalogueEntry(known, 50)], out, source="test", rows_read=1)
    return out


def test_the_catalogue_fills_what_a_row_leaves_blank_and_nothing_else(
    tmp_path: Path, models: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Song] = []
    probabilities = HitModel.probabilities

    def noted(self: HitModel, songs: Sequence[Song], as_of: Sequence[date]) -> FloatArray:
        asked.extend(songs)
        return probabilities(self, songs, as_of)

    monkeypatch.setattr(HitModel, "probabilities", noted)
    header = ["track", "artist", "genres", "album", "duration_ms", "explicit"]
    source = write(
        tmp_path / "in.csv",
        ["song", "SOMEONE", "", "", "", ""],
        ["Song", "Someone;Other", "pop|rock", "Mine", "1000", "false"],
        ["Another", "Someone", "", "", "", ""],
        header=header,
    )
    assert run(source, tmp_path / "out.csv", models, catalogue=catalogue) == 0
    blank, given, unknown = asked
    assert (blank.title, blank.artist, blank.credits) == ("song", "SOMEONE", ("Someone", "Guest"))
    assert (blank.genres, blank.album, blank.duration_ms, blank.explicit) == (("ambient",), "Album", 201_000, True)
    assert blank.audio is not None
    assert (given.credits, given.genres, given.album) == (("Someone", "Other"), ("pop", "rock"), "Mine")
    assert (given.duration_ms, given.explicit) == (1000, False)
    assert unknown == Song(title="Another", artist="Someone")
    assert [row["view"] for row in read(tmp_path / "out.csv")] == ["genres+audio", "genres+audio", "names"]
    said = " ".join(capsys.readouterr().err.split())
    assert "2 were found in the catalogue" in said
    assert "1 of 3 rows had only names" in said


def test_rows_that_tell_more_than_names_are_not_warned_of(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = ["track", "artist", "album"]
    source = write(tmp_path / "in.csv", ["A", "B", "C"], ["", "B", ""], header=header)
    assert run(source, tmp_path / "out.csv", models) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "1 could not be scored." in said
    assert "only names" not in said


def test_the_catalogue_of_the_data_folder_is_used_unless_switched_off(
    tmp_path: Path, models: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(catalogue.parent))
    source, target = write(tmp_path / "in.csv", ["Song", "Someone"], header=["track", "artist"]), tmp_path / "out.csv"
    command = [str(source), str(target), "--models", str(models), "--jobs", "1"]
    assert main(command) == 0
    assert read(target)[0]["view"] == "genres+audio"
    assert main([*command, "--catalogue", "off"]) == 0
    assert read(target)[0]["view"] == "names"
    assert "No song catalogue" not in capsys.readouterr().err
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    assert main(command) == 0
    assert "No song catalogue to fill the blanks from" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_catalogue_that_cannot_be_used_is_said(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str], jobs: int
) -> None:
    (tmp_path / "broken.sqlite").write_bytes(b"no catalogue" * 100)
    source = write(tmp_path / "in.csv", GOOD)
    assert run(source, tmp_path / "out.csv", models, jobs, tmp_path / "broken.sqlite") == 2
    assert "broken.sqlite is damaged" in capsys.readouterr().err
    assert run(source, tmp_path / "out.csv", models, jobs, tmp_path / "absent.sqlite") == 2
    assert "no catalogue at absent.sqlite" in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


def test_help_and_documents_list_every_column(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    document = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for name in (*NEEDED, *OPTIONAL, *scoring.RESULTS):
        assert re.search(rf"\b{name}\b", shown), name
        assert f"`{name}`" in document, name


def test_a_missing_column_is_said_and_the_old_result_stays(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    assert run(write(tmp_path / "in.csv", ["a"], header=["track"]), target, models) == 2
    assert "in.csv has no column 'artist'" in capsys.readouterr().err
    assert target.read_text() == "old"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"", "has no column 'track'; it has: nothing"), (b"track,artist\n\xff\xfe,b\n", "is not UTF-8 text")],
)
def test_a_file_that_is_no_table_is_said(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str], body: bytes, sentence: str
) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(body)
    assert run(source, tmp_path / "out.csv", models) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_model_and_a_missing_file_are_said(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path / "in.csv", GOOD)
    assert run(source, tmp_path / "out.csv", tmp_path) == 2
    assert "There is no model" in capsys.readouterr().err
    assert run(tmp_path / "absent.csv", tmp_path / "out.csv", models) == 2
    assert "absent.csv" in capsys.readouterr().err
    assert run(source, source, models) == 2
    assert "the same file" in capsys.readouterr().err
