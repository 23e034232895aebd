"""Writes the model into its folder, keeps the one before, and puts that one back.

The manifest is replaced last and in one step, so that a crash at any moment leaves either the old model or the new one.
The folder ``previous`` inside keeps the model that was replaced. The same model always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np

from core.errors import ModelMissing, ModelRejected
from core.model.artifact import ARTIFACT_MAX_BYTES, ARTIFACT_NAME, FORMAT, MANIFEST, load, read_manifest
from core.model.features import schema_hash
from core.model.plain_data import DTYPES, PROTOCOL, Plain, load_plain
from core.model.served import ServedModel
from core.model.stored_model import from_plain, to_plain

PREVIOUS: Final = "previous"


def save(model: ServedModel, folder: Path, *, trained_at: datetime, extras: dict[str, bytes], recipe: str) -> Path:
    """Write a model and what goes with it, keep the one before in ``previous``, and return the artifact's path.

    Args:
        model: What to store.
        folder: Folder of models; made if missing.
        trained_at: When the model was trained, with a time zone.
        extras: Further files by name, such as ``metrics.json``.
        recipe: Name of the recipe, for the manifest.

    Raises:
        ModelRejected: The artifact would be larger than ``ARTIFACT_MAX_BYTES``, or could not be loaded.
        TypeError: The model is of a recipe that cannot be stored.
        OSError: The folder cannot be written; the model in it stays as it was.
    """
    body = dump_plain(to_plain(model))
    if len(body) > ARTIFACT_MAX_BYTES:
        raise ModelRejected(f"The artifact would have {len(body):,} bytes; {ARTIFACT_MAX_BYTES:,} are allowed.")
    try:
        from_plain(load_plain(body))
    except ValueError as error:
        raise ModelRejected(f"The artifact could not be loaded: {error}.") from None
    digest = hashlib.sha256(body).hexdigest()
    name = f"model-{digest[:12]}.joblib"
    manifest = {
        "format": FORMAT,
        "artifact": {"file": name, "bytes": len(body), "sha256": digest},
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


def dump_plain(value: Plain) -> bytes:
    """Write plain data with joblib, packed by zlib; equal values give equal bytes.

    Raises:
        TypeError: It holds something else, such as an array of objects.
    """
    buffer = io.BytesIO()
    joblib.dump(_canonical(value), buffer, compress=("zlib", 9), protocol=PROTOCOL)
    return buffer.getvalue()


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


def _canonical(value: Any) -> Plain:
    """Copy plain data so that its value alone makes the pickle; which objects are one and the same would show too."""
    if type(value) is dict:
        return {sys.intern(key): _canonical(item) for key, item in value.items()}
    if type(value) is list:
        return [_canonical(item) for item in value]
    if type(value) is str:
        return sys.intern(value)
    if type(value) is np.ndarray and value.ndim and value.dtype.str[1:] in DTYPES:
        return value.astype(np.dtype(f"<{value.dtype.str[1:]}"), order="C", copy=True)
    if value is None or type(value) in (bool, int, float):
        return value  # type: ignore[no-any-return]
    raise TypeError(f"a {type(value).__name__} is not plain data")


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
        named = read_manifest(folder).get("artifact", {}).get("file", "")
        for path in folder.iterdir():
            if path.is_file() and (not ARTIFACT_NAME.fullmatch(path.name) or path.name == named):
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
        if ARTIFACT_NAME.fullmatch(path.name) and path.name not in names:
            path.unlink()
