"""Stores the trained model and loads it only if nothing about it is in doubt.

A folder of models holds ``manifest.json`` and the artifact it names. The manifest is replaced last and in one step, so
that a crash at any moment leaves either the old model or the new one. The folder ``previous`` inside keeps the model
that was replaced.

What the check protects against: a damaged or half-copied file, an artifact swapped without its manifest, another
version of scikit-learn or joblib, features made by other rules than the model's own. What it does not: someone who can
write both files. The artifact is a pickle, and loading a pickle runs what it says; the SHA-256 is therefore compared
before a byte is unpickled, but whoever can forge the manifest as well can run code here. Load models only from folders
that nobody else can write to.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import sklearn

from core.errors import ModelMissing, ModelRejected
from core.model.features import schema_hash
from core.model.served import ServedModel

FORMAT: Final = 2
"""Raised when the shape of :class:`core.model.served.ServedModel` changes."""

ARTIFACT_MAX_BYTES: Final = 15_000_000
"""Largest artifact written or read."""

MANIFEST: Final = "manifest.json"
PREVIOUS: Final = "previous"
_ARTIFACT_NAME: Final = re.compile(r"model-[0-9a-f]{12}\.joblib")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified model and when it was trained."""

    model: ServedModel
    trained_at: datetime


def versions() -> dict[str, str]:
    """Return what an artifact depends on: it is good for these versions alone."""
    return {
        "scikit-learn": sklearn.__version__,
        "joblib": joblib.__version__,
        "numpy major": np.__version__.split(".", 1)[0],
    }


def save(model: ServedModel, folder: Path, *, trained_at: datetime, extras: dict[str, bytes], recipe: str) -> Path:
    """Write a model and what goes with it, keep the one before in ``previous``, and return the artifact's path.

    Args:
        model: What to store.
        folder: Folder of models; made if missing.
        trained_at: When the model was trained, with a time zone.
        extras: Further files by name, such as ``metrics.json``.
        recipe: Name of the recipe, for the manifest.

    Raises:
        ModelRejected: The artifact would be larger than ``ARTIFACT_MAX_BYTES``.
        OSError: The folder cannot be written; the model in it stays as it was.
    """
    buffer = io.BytesIO()
    joblib.dump(model, buffer, compress=("zlib", 9))
    body = buffer.getvalue()
    if len(body) > ARTIFACT_MAX_BYTES:
        raise ModelRejected(f"The artifact would have {len(body):,} bytes; {ARTIFACT_MAX_BYTES:,} are allowed.")
    digest = hashlib.sha256(body).hexdigest()
    name = f"model-{digest[:12]}.joblib"
    manifest = {
        "format": FORMAT,
        "artifact": {"file": name, "bytes": len(body), "sha256": digest},
        "versions": versions(),
        "features": schema_hash(),
        "trained_at": trained_at.isoformat(timespec="seconds"),
        "recipe": recipe,
    }
    folder.mkdir(parents=True, exist_ok=True)
    _clear_staging(folder)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=folder))
    try:
        for file, content in {name: body, **extras}.items():
            _write(staging / file, content)
        _write(staging / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
        _keep_previous(folder)
        _publish(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder / name


def load(folder: Path) -> Loaded:
    """Load the model of a folder once its manifest, size, SHA-256, versions and feature rules have been checked.

    Raises:
        ModelMissing: There is no manifest, or the artifact it names is not there.
        ModelRejected: Anything differs from the manifest or from what this program needs.
    """
    manifest = _read_manifest(folder)
    if manifest.get("format") != FORMAT:
        raise ModelRejected(
            f"{folder / MANIFEST} is of format {manifest.get('format')!r}; {FORMAT} is needed. Retrain."
        )
    made_with = manifest.get("versions")
    if made_with != versions():
        raise ModelRejected(f"The model was made with {made_with}, this is {versions()}. Retrain, or install those.")
    if manifest.get("features") != schema_hash():
        raise ModelRejected("The model was trained on features made by other rules than the present ones. Retrain.")
    try:
        entry = manifest["artifact"]
        name, size, digest = str(entry["file"]), int(entry["bytes"]), str(entry["sha256"])
        trained_at = datetime.fromisoformat(str(manifest["trained_at"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRejected(f"{folder / MANIFEST} lacks or garbles {error}.") from None
    if not _ARTIFACT_NAME.fullmatch(name) or trained_at.tzinfo is None:
        raise ModelRejected(f"{folder / MANIFEST} names no artifact of ours or no time zone.")
    path = folder / name
    if not path.is_file():
        raise ModelMissing(f"{path} is missing, though {MANIFEST} names it.")
    if path.stat().st_size != size or size > ARTIFACT_MAX_BYTES:
        raise ModelRejected(f"{path} has {path.stat().st_size:,} bytes; {size:,} are expected.")
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != digest:
        raise ModelRejected(f"{path} does not have the SHA-256 that {MANIFEST} states: it is damaged or was changed.")
    model = joblib.load(io.BytesIO(body))
    if not isinstance(model, ServedModel):
        raise ModelRejected(f"{path} holds a {type(model).__name__}, not a model of ours.")
    return Loaded(model, trained_at)


def roll_back(folder: Path) -> datetime:
    """Put the model in ``previous`` back in its place, the present one into ``previous``; return when it was trained.

    Raises:
        ModelMissing: Nothing was kept.
        ModelRejected: What was kept cannot be used.
    """
    kept = folder / PREVIOUS
    if not (kept / MANIFEST).is_file():
        raise ModelMissing(f"There is no earlier model in {kept}.")
    trained_at = load(kept).trained_at
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=folder))
    try:
        for path in kept.iterdir():
            shutil.copy2(path, staging / path.name)
        _keep_previous(folder)
        _publish(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return trained_at


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelMissing(f"There is no model in {folder}. Train one: python scripts/train.py --data DIR") from None
    except (OSError, ValueError) as error:
        raise ModelRejected(f"{path} cannot be read: {type(error).__name__}.") from None
    if not isinstance(manifest, dict):
        raise ModelRejected(f"{path} holds no manifest.")
    return manifest


def _clear_staging(folder: Path) -> None:
    """Drop what a write left behind that was killed; two writers at one time are not meant to be."""
    for path in folder.glob(".staging-*"):
        shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_previous(folder: Path) -> None:
    """Copy the present model into ``previous``, whole or not at all."""
    if not (folder / MANIFEST).is_file():
        return
    fresh = Path(tempfile.mkdtemp(prefix=".staging-", dir=folder))
    try:
        named = _read_manifest(folder).get("artifact", {}).get("file", "")
        for path in folder.iterdir():
            if path.is_file() and (not _ARTIFACT_NAME.fullmatch(path.name) or path.name == named):
                shutil.copy2(path, fresh / path.name)
        kept = folder / PREVIOUS
        shutil.rmtree(kept, ignore_errors=True)
        fresh.replace(kept)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _publish(staging: Path, folder: Path) -> None:
    """Move files into place, the manifest last; then drop artifacts that no manifest names."""
    files = sorted(staging.iterdir(), key=lambda path: path.name == MANIFEST)
    for path in files:
        path.replace(folder / path.name)
    names = {path.name for path in files}
    for path in folder.iterdir():
        if _ARTIFACT_NAME.fullmatch(path.name) and path.name not in names:
            path.unlink()
