from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from distributed import LocalCluster
from threadpoolctl import threadpool_limits

from core.model.artifact import MANIFEST, load
from core.training.crossfit import BaseModel
from core.training.promotion import PREVIOUS
from core.training.recipes import RECIPES, Budget, Recipe, forest_on_songs
from scripts.train import main
from tests.fakes.training_files import write_training_files

LITTLE = Budget(forest_trees=5, predecessor_rounds=5, resamples=10, reason_songs=20)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(autouse=True)
def _small_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Recipe("default", lambda seed, known: BaseModel(known, seed=seed, max_iter=15))
    monkeypatch.setitem(RECIPES, "default", small)
    forest = Recipe("forest", partial(forest_on_songs, trees=5), servable=False)
    monkeypatch.setitem(RECIPES, "forest", forest)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_training_files(tmp_path_factory.mktemp("data"))


def run(*arguments: object) -> int:
    return main([*map(str, arguments), "--jobs", "1"], budget=LITTLE)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def artifact(found: dict[str, bytes]) -> tuple[str, bytes]:
    ((name, body),) = ((name, body) for name, body in found.items() if name.endswith(".joblib"))
    return name, body


def test_a_model_is_written_whole_and_the_same_seed_gives_the_same_metrics(data: Path, tmp_path: Path) -> None:
    assert run("--data", data, "--out", tmp_path / "a") == 0
    assert run("--data", data, "--out", tmp_path / "b") == 0
    first, second = files(tmp_path / "a"), files(tmp_path / "b")
    assert first["metrics.json"] == second["metrics.json"]
    assert artifact(first) == artifact(second)
    assert {"MODEL_CARD.md", "calibration.png", "precision_recall.png", MANIFEST} < set(first)
    assert not list((tmp_path / "a").glob(".staging-*"))
    metrics = json.loads(first["metrics.json"])
    assert set(metrics["protocols"]) == {
        "predecessor", "songs", "songs_clean", "live", "artist_figures", "real_tags",
    }  # fmt: skip
    for protocol in metrics["protocols"].values():
        view = next(protocol["views"][name] for name in ("full", "live", "teotu2024") if name in protocol["views"])
        for metric in ("roc_auc", "average_precision", "f1", "precision", "recall", "accuracy", "brier", "ece"):
            low, high = view[f"{metric}_ci"]
            assert low <= high
            assert 0 <= view[metric] <= 1
        assert {"n", "base_rate"} <= set(view)
    assert load(tmp_path / "a").model.metrics == metrics


def test_the_model_before_is_kept_and_can_be_put_back(data: Path, tmp_path: Path) -> None:
    assert run("--data", data, "--out", tmp_path) == 0
    before = files(tmp_path)
    assert run("--data", data, "--out", tmp_path, "--seed", 5) == 0
    after = files(tmp_path)
    assert after["metrics.json"] != before["metrics.json"]
    assert len(list(tmp_path.glob("model-*.joblib"))) == 1
    assert files(tmp_path / PREVIOUS) == before
    assert main(["--rollback", "--out", str(tmp_path)]) == 0
    assert files(tmp_path) == before
    assert files(tmp_path / PREVIOUS) == after


def test_nothing_to_roll_back_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rollback", "--out", str(tmp_path)]) == 2
    assert "There is no earlier model" in capsys.readouterr().err


def test_a_challenger_that_misses_a_gate_is_not_promoted(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--data", data, "--out", tmp_path) == 0
    before = files(tmp_path)
    assert run("--data", data, "--out", tmp_path, "--promote") == 1
    after = files(tmp_path)
    record = json.loads(after.pop("promotions.jsonl"))
    assert after == before
    assert record["promoted"] is False
    assert any("not better beyond doubt" in reason for reason in record["reasons"])
    assert any("Gate missed" in reason for reason in record["reasons"])
    assert "stays" in capsys.readouterr().err


def test_the_forest_is_measured_and_never_served(data: Path, tmp_path: Path) -> None:
    assert run("--data", data, "--out", tmp_path) == 0
    before = files(tmp_path)
    assert run("--data", data, "--out", tmp_path, "--recipe", "forest") == 0
    after = files(tmp_path)
    assert json.loads(after.pop("metrics-forest.json"))["recipe"] == "forest"
    assert after == before


def test_a_dask_cluster_gives_what_local_processes_give(data: Path, tmp_path: Path) -> None:
    assert run("--data", data, "--out", tmp_path / "local") == 0
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, worker_dashboard_address=None
    ) as cluster:
        assert run("--data", data, "--out", tmp_path / "dask", "--dask", cluster.scheduler_address) == 0
    local, dask = files(tmp_path / "local"), files(tmp_path / "dask")
    assert local["metrics.json"] == dask["metrics.json"]
    assert artifact(local) == artifact(dask)


def packed(folder: Path, stem: str) -> Path:
    return next(folder.glob(f"{stem}*.csv.gz"))


def without_column(folder: Path) -> None:
    path = packed(folder, "spotify_tracks")
    body = gzip.decompress(path.read_bytes()).replace(b"popularity", b"popular", 1)
    path.write_bytes(gzip.compress(body))


def empty(folder: Path) -> None:
    packed(folder, "lastfm_tracks").write_bytes(gzip.compress(b""))


def header_alone(folder: Path) -> None:
    packed(folder, "lastfm_artists").write_bytes(gzip.compress(b"artist,lastfm_listeners,lastfm_playcount\n"))


def not_a_number(folder: Path) -> None:
    packed(folder, "lastfm_artists").write_bytes(
        gzip.compress(b"artist,lastfm_listeners,lastfm_playcount\nA,1,2\nB,many,3\n")
    )


def neither_true_nor_false(folder: Path) -> None:
    path = packed(folder, "spotify_tracks")
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    lines[3] = lines[3].replace(b"False", b"perhaps").replace(b"True", b"perhaps")
    path.write_bytes(gzip.compress(b"\n".join(lines)))


def cut_short(folder: Path) -> None:
    path = packed(folder, "spotify_tracks")
    path.write_bytes(path.read_bytes()[:2000])


def unpopular(folder: Path) -> None:
    path = packed(folder, "spotify_tracks")
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    path.write_bytes(gzip.compress(b"\n".join(lines[:40])))


def gone(folder: Path) -> None:
    packed(folder, "spotify_tracks").unlink()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (without_column, "spotify_tracks_test.csv.gz has no column 'popularity'"),
        (empty, "lastfm_tracks_test.csv.gz is empty"),
        (header_alone, "lastfm_artists_test.csv.gz has a header but no rows"),
        (not_a_number, "lastfm_artists_test.csv.gz, column 'lastfm_listeners', row 3: 'many' is not a number"),
        (neither_true_nor_false, "column 'explicit', row 4: 'perhaps' is neither True nor False"),
        (cut_short, "spotify_tracks_test.csv.gz cannot be read as CSV"),
        (unpopular, "Too few songs to learn from"),
        (gone, "holds no spotify_tracks"),
    ],
)
def test_bad_data_gets_a_sentence_and_touches_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: object, sentence: str
) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    assert callable(spoil)
    spoil(folder)
    assert run("--data", folder, "--out", tmp_path / "models") == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "models").exists()


def test_the_data_folder_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "--data DIR is needed" in capsys.readouterr().err
