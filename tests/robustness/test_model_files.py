"""Model files: killed in writing, missing, truncated, of another version, tampered with, unable to answer."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import joblib
import pytest

from bot.messages import COMMANDS
from bot.reply import ResultCode
from bot.service import SongService
from core.assembly import build_predictor
from core.errors import ModelError, ModelMissing, ModelRejected
from core.model.artifact import load, to_plain
from core.settings import ROOT, Settings
from core.training.promotion import dump_plain
from tests.fakes.chain import ARTISTS, HIT, SONGS
from tests.fakes.command import command
from tests.fakes.lastfm_server import FakeLastFm

MODEL_WRITER = """
    # Saves a model again and again, and each time kills itself one file operation later.
    import os, pathlib, shutil, signal, sys
    from dataclasses import replace
    from datetime import UTC, datetime
    sys.path.insert(0, sys.argv[1])
    import numpy as np
    from core.model.artifact import load
    from core.model.ensemble import LEAF, BoostedTrees, TreeNodes
    from core.training.promotion import save
    folder = pathlib.Path(sys.argv[2])
    one, none = np.ones(1, np.int32), np.zeros(1, np.int32)
    leaf = TreeNodes(0.0, one, np.full(1, LEAF, np.int16), np.zeros(1), np.zeros(1, np.uint8), none, none, np.zeros(1))
    def small(fold):  # the same but for its trees, so that writing is quick
        return replace(fold, base=replace(fold.base, trees=BoostedTrees.of(leaf, fold.base.trees.n_columns)))
    old = load(folder).model
    old = replace(old, folds=tuple(map(small, old.folds)))
    left = [0]
    def deadly(operation):
        def run(*args, **kwargs):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*args, **kwargs)
        return run
    for owner, name in ((os, "fsync"), (os, "mkdir"), (shutil, "copy2"), (shutil, "rmtree"),
                        (pathlib.Path, "replace"), (pathlib.Path, "unlink")):
        setattr(owner, name, deadly(getattr(owner, name)))
    trained_at = datetime(2026, 1, 1, tzinfo=UTC)
    save_on = left.__setitem__
    save_on(0, 10**9)
    save(old, folder, trained_at=trained_at, extras={"metrics.json": b"{}"}, recipe="first")
    step = 0
    while True:
        child = os.fork()
        if child == 0:
            left[0] = step
            new = replace(old, threshold=(step + 1) / 1000)
            save(new, folder, trained_at=trained_at.replace(year=2027), extras={"metrics.json": b"{}"}, recipe="new")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        left[0] = 10**9
        assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL), status
        found = load(folder)
        print(step, os.waitstatus_to_exitcode(status), found.trained_at.year, flush=True)
        if os.waitstatus_to_exitcode(status) == 0:
            break
        save(old, folder, trained_at=trained_at, extras={"metrics.json": b"{}"}, recipe="old again")
        assert load(folder).trained_at.year == 2026
        step += 1
    save(old, folder, trained_at=trained_at, extras={"metrics.json": b"{}"}, recipe="last")
"""


def copy_of_models(folder: Path) -> Path:
    shutil.copytree(ROOT / "models", folder, ignore=shutil.ignore_patterns("previous", ".staging-*", "*.png"))
    return folder


def test_a_kill_at_any_step_of_a_model_write_leaves_the_old_model_or_the_new(tmp_path: Path) -> None:
    folder = copy_of_models(tmp_path / "models")
    done = subprocess.run(  # noqa: S603 - our own code
        command(MODEL_WRITER, str(folder)), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    steps = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(steps) > 5
    assert {year for _, code, year in steps if code} >= {2026}
    assert steps[-1][1:] == (0, 2027)
    assert load(folder).trained_at.year == 2026
    left = [path.name for path in folder.iterdir() if path.name.startswith(".staging-")]
    assert left == [], "what a kill left behind is cleared by the next write"


def truncated(folder: Path) -> None:
    (artifact,) = folder.glob("*.joblib")
    artifact.write_bytes(artifact.read_bytes()[:-1000])


def tampered(folder: Path) -> None:
    (artifact,) = folder.glob("*.joblib")
    body = bytearray(artifact.read_bytes())
    body[len(body) // 2] ^= 1
    artifact.write_bytes(bytes(body))


def another_version(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] = 2
    (folder / "manifest.json").write_text(json.dumps(manifest))


def missing_artifact(folder: Path) -> None:
    for artifact in folder.glob("*.joblib"):
        artifact.unlink()


def missing_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def garbled_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff\x00{")


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def unable_to_answer(folder: Path) -> None:
    """Forge an artifact that passes every check and cannot answer."""
    put(folder, dump_plain(to_plain(replace(load(folder).model, metrics={}))))


def booby_trapped(folder: Path) -> None:
    """Forge an artifact and its manifest so that an unpickler would make a folder beside them."""
    buffer = io.BytesIO()
    joblib.dump({"folds": Bomb(folder.parent / "exploded")}, buffer, compress=("zlib", 9))
    put(folder, buffer.getvalue())


def put(folder: Path, body: bytes) -> None:
    """Put a body in place with a manifest that fits it."""
    digest = hashlib.sha256(body).hexdigest()
    missing_artifact(folder)
    (folder / f"model-{digest[:12]}.joblib").write_bytes(body)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifact"] = {"file": f"model-{digest[:12]}.joblib", "bytes": len(body), "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(manifest))


BROKEN_MODELS = {
    truncated: ModelRejected,
    tampered: ModelRejected,
    another_version: ModelRejected,
    missing_artifact: ModelMissing,
    missing_folder: ModelMissing,
    garbled_manifest: ModelRejected,
    unable_to_answer: ModelRejected,
    booby_trapped: ModelRejected,
}


@pytest.mark.parametrize("harm", BROKEN_MODELS, ids=lambda harm: harm.__name__)
async def test_a_broken_model_is_refused_at_the_start_and_by_a_reload(
    harm: Callable[[Path], None], settings_for: Callable[..., Settings], tmp_path: Path
) -> None:
    folder = copy_of_models(tmp_path / "models")
    async with FakeLastFm(SONGS, ARTISTS) as fake:
        settings = settings_for(fake.url, models_dir=folder)
        predictor = build_predictor(settings).predictor
        service = SongService(predictor)
        try:
            before = await service.predict(HIT)
            harm(folder)
            refused = await service.run_command(COMMANDS["reload"], is_admin=True)
            assert refused.code is ResultCode.REFUSED
            after = await service.predict(HIT)
            assert before.prediction is not None
            assert after.prediction is not None
            assert after.prediction.assessment.probability == before.prediction.assessment.probability
        finally:
            await predictor.aclose()
        with pytest.raises(BROKEN_MODELS[harm]) as raised:
            build_predictor(settings)
    assert raised.value.user_message == ModelError.user_message
    assert not (tmp_path / "exploded").exists()
