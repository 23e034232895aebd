"""Loads the stored model only if nothing about it is in doubt.

A folder of models holds ``manifest.json`` and the artifact it names; :mod:`core.model.saving` writes both.

The manifest guards against accidents: a damaged or half-copied file, an artifact swapped without its manifest, features
made by other rules than the model's own. It binds the model to no version of any library: the artifact holds numbers,
texts and arrays alone.

Whoever can write both files can make the bot give wrong answers, and no more than that. The artifact is a pickle, but
Python's unpickler never sees it: :mod:`core.model.plain_data` reads it, which knows plain data alone, calls nothing
that a file names, and bounds what it takes; :mod:`core.model.stored_model` then checks each shape, dtype and range, so
that every answer comes to an end and is a number.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import ModelMissing, ModelRejected
from core.model.features import schema_hash
from core.model.plain_data import load_plain
from core.model.served import ServedModel
from core.model.stored_model import from_plain

FORMAT: Final = 3
"""Raised when the shape of what :func:`core.model.stored_model.to_plain` gives changes."""

ARTIFACT_MAX_BYTES: Final = 8_000_000
"""Largest artifact written or read."""

MANIFEST_MAX_BYTES: Final = 100_000
"""Largest manifest read."""

MANIFEST: Final = "manifest.json"
ARTIFACT_NAME: Final = re.compile(r"model-[0-9a-f]{12}\.joblib")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified model and when it was trained."""

    model: ServedModel
    trained_at: datetime


def load(folder: Path) -> Loaded:
    """Load the model of a folder once its manifest, size, SHA-256, feature rules and every figure have been checked.

    Raises:
        ModelMissing: There is no manifest, or the artifact it names is not there.
        ModelRejected: Anything differs from the manifest or from what this program needs.
    """
    manifest = read_manifest(folder)
    if manifest.get("format") != FORMAT:
        raise ModelRejected(
            f"{folder / MANIFEST} is of format {manifest.get('format')!r}; {FORMAT} is needed. Retrain."
        )
    if manifest.get("features") != schema_hash():
        raise ModelRejected("The model was trained on features made by other rules than the present ones. Retrain.")
    try:
        entry = manifest["artifact"]
        name, size, digest = str(entry["file"]), int(entry["bytes"]), str(entry["sha256"])
        trained_at = datetime.fromisoformat(str(manifest["trained_at"]))
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelRejected(f"{folder / MANIFEST} lacks or garbles {error}.") from None
    if not ARTIFACT_NAME.fullmatch(name) or trained_at.tzinfo is None:
        raise ModelRejected(f"{folder / MANIFEST} names no artifact of ours or no time zone.")
    path = folder / name
    if not path.is_file():
        raise ModelMissing(f"{path} is missing, though {MANIFEST} names it.")
    if path.stat().st_size != size or size > ARTIFACT_MAX_BYTES:
        raise ModelRejected(f"{path} has {path.stat().st_size:,} bytes; {size:,} are expected.")
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != digest:
        raise ModelRejected(f"{path} does not have the SHA-256 that {MANIFEST} states: it is damaged or was changed.")
    try:
        return Loaded(from_plain(load_plain(body)), trained_at)
    except ValueError as error:
        raise ModelRejected(f"{path} holds no model of ours: {error}.") from None


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder, none of its entries checked.

    Raises:
        ModelMissing: There is none.
        ModelRejected: It cannot be read, or is no manifest.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            body = file.read(MANIFEST_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ModelMissing(f"There is no model in {folder}. Train one: python scripts/train.py --data DIR") from None
    except OSError as error:
        raise ModelRejected(f"{path} cannot be read: {type(error).__name__}.") from None
    if len(body) > MANIFEST_MAX_BYTES:
        raise ModelRejected(f"{path} has more than {MANIFEST_MAX_BYTES:,} bytes.")
    try:
        manifest = json.loads(body)
    except (RecursionError, ValueError) as error:
        raise ModelRejected(f"{path} cannot be read: {type(error).__name__}.") from None
    if not isinstance(manifest, dict):
        raise ModelRejected(f"{path} holds no manifest.")
    return manifest
