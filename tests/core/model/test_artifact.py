from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from core.errors import ModelMissing, ModelRejected
from core.model.artifact import MANIFEST, load, load_plain
from core.training import promotion as saving
from core.training.promotion import dump_plain, save
from core.training.train import Trained
from tests.fakes.training_files import TRAINED_AT


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(models_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(models_dir, tmp_path / "models"))


def stored(folder: Path) -> Path:
    return next(folder.glob("model-*.joblib"))


def pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=("zlib", 9))
    return buffer.getvalue()


def put(folder: Path, body: bytes) -> None:
    """Put a body in place with a manifest that fits it."""
    stored(folder).unlink()
    digest = hashlib.sha256(body).hexdigest()
    name = f"model-{digest[:12]}.joblib"
    (folder / name).write_bytes(body)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["artifact"] = {"file": name, "bytes": len(body), "sha256": digest}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_what_is_saved_is_loaded(folder: Path, trained: Trained) -> None:
    loaded = load(folder)
    assert loaded.trained_at == TRAINED_AT
    assert loaded.model.base_rate == trained.model.base_rate
    assert loaded.model.metrics == trained.model.metrics


def test_a_damaged_artifact_is_refused(folder: Path) -> None:
    path = stored(folder)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)
    with pytest.raises(ModelRejected, match="SHA-256"):
        load(folder)


def test_a_short_artifact_is_refused(folder: Path) -> None:
    path = stored(folder)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelRejected, match="bytes"):
        load(folder)


def test_a_swapped_artifact_is_never_unpickled(folder: Path, tmp_path: Path) -> None:
    path, mark = stored(folder), tmp_path / "exploded"
    bomb = pickled(Bomb(mark))
    path.write_bytes(bomb + b"\0" * (path.stat().st_size - len(bomb)))
    with pytest.raises(ModelRejected, match="SHA-256"):
        load(folder)
    assert not mark.exists()


def test_another_kind_of_artifact_is_refused(folder: Path) -> None:
    put(folder, pickled({"not": "a model"}))
    with pytest.raises(ModelRejected, match="holds no model of ours: the model has no"):
        load(folder)


def test_an_artifact_and_a_manifest_that_are_both_forged_run_no_code(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    body = load_plain(stored(folder).read_bytes())
    assert isinstance(body, dict)
    forged = pickled(body | {"metrics": Bomb(mark)})
    put(folder, forged)
    with pytest.raises(ModelRejected, match=r"posix\.mkdir, which is not for plain data"):
        load(folder)
    assert not mark.exists()
    joblib.load(io.BytesIO(forged))
    assert mark.exists(), "the forged file does run code where it can"


def test_an_artifact_of_endless_trees_is_refused(folder: Path) -> None:
    body = load_plain(stored(folder).read_bytes())
    assert isinstance(body, dict)
    trees = body["folds"][0]["trees"]
    trees["left"] = np.zeros_like(trees["left"])
    put(folder, dump_plain(body))
    with pytest.raises(ModelRejected, match="backwards"):
        load(folder)


def test_the_same_model_gives_the_same_bytes(folder: Path, trained: Trained, tmp_path: Path) -> None:
    names = set()
    for number, model in enumerate((trained.model, load(folder).model)):
        names.add(save(model, tmp_path / str(number), trained_at=TRAINED_AT, extras={}, recipe="default").name)
    assert names == {stored(folder).name}


def test_what_could_not_be_loaded_is_not_saved(folder: Path, trained: Trained) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ModelRejected, match="could not be loaded: base_rate"):
        save(replace(trained.model, base_rate=7.0), folder, trained_at=TRAINED_AT, extras={}, recipe="default")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_lost_artifact_is_said(folder: Path) -> None:
    stored(folder).unlink()
    with pytest.raises(ModelMissing, match="is missing, though"):
        load(folder)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 90_000, b" " * 200_000 + b"{}"])
def test_a_garbled_manifest_is_refused(folder: Path, body: bytes) -> None:
    (folder / MANIFEST).write_bytes(body)
    with pytest.raises(ModelRejected):
        load(folder)


def test_too_large_an_artifact_changes_nothing(folder: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr(saving, "ARTIFACT_MAX_BYTES", 1000)
    with pytest.raises(ModelRejected, match="1,000 are allowed"):
        save(trained.model, folder, trained_at=TRAINED_AT, extras={}, recipe="default")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("dies_at", range(1, 9))
def test_a_crash_at_any_write_leaves_a_model_that_loads(
    folder: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Let the n-th move of a file into place fail, as a full disk or a kill would."""
    moves = 0
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        nonlocal moves
        moves += 1
        if moves == dies_at:
            raise OSError("disk full")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    extras = dict.fromkeys(("a.txt", "b.txt", "metrics.json"), b"new")
    later = TRAINED_AT.replace(year=2030)
    try:
        save(trained.model, folder, trained_at=later, extras=extras, recipe="default")
        crashed = False
    except OSError:
        crashed = True
    assert crashed is (dies_at <= moves)
    assert load(folder).trained_at == (TRAINED_AT if crashed else later)
    assert not list(folder.glob(".staging-*"))
