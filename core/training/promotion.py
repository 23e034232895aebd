"""Decides whether a newly trained model is better beyond doubt, and writes it with its figures and its card."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from core.errors import ModelError, ModelMissing, ModelRejected
from core.lookup.recorded import RecordedFigures
from core.model.artifact import (
    ARTIFACT_MAX_BYTES,
    ARTIFACT_NAME,
    DTYPES,
    FORMAT,
    MANIFEST,
    PROTOCOL,
    Plain,
    from_plain,
    load,
    load_plain,
    read_manifest,
    to_plain,
)
from core.model.ensemble import FloatArray, ServedModel, sigmoid
from core.model.features import schema_hash
from core.model.hit_model import HitModel
from core.render.calibration import draw_calibration
from core.training.data import TrainingSongs
from core.training.metrics import BoolArray, artist_draws
from core.training.model_card import (
    CALIBRATION_PNG,
    PRECISION_RECALL_PNG,
    KnownSong,
    model_card,
    precision_recall_picture,
)
from core.training.train import Trained
from core.words import reason_with_figure

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


DRAWS: Final = 200
"""Resamples of artists behind the interval of the paired difference."""


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """Whether the challenger is promoted, and the sentences that say why or why not."""

    promoted: bool
    reasons: tuple[str, ...]


def decide_promotion(
    challenger: Trained, champion: ServedModel | None, *, seed: int, draws: int = DRAWS
) -> PromotionDecision:
    """Compare average precision on songs with figures of their own, asked for live, artist by artist; check all gates.

    Both models answer every song from the fold that never saw its artist, so that the comparison is fair to a champion
    trained on other data as well.

    Args:
        challenger: The newly trained model.
        champion: The model in place; None if there is none.
        seed: Fixes the draws.
        draws: Resamples of artists.
    """
    missed = [
        f"Gate missed: {gate.name} is {gate.found:.4f}, asked {gate.demand}."
        for gate in challenger.gates
        if not gate.passed
    ]
    if champion is None:
        return PromotionDecision(not missed, (*missed, "There is no champion to compare with."))
    songs = challenger.songs
    places = challenger.fitted.live["live"].places
    ours, theirs = (answers_of(model, songs, places) for model in (challenger.model, champion))
    low, middle, high = paired_difference(
        ours, theirs, songs.popular[places], songs.artist[places], seed=seed, draws=draws
    )
    better = low > 0
    found = (
        f"Average precision of live answers differs by {middle:+.4f} (95 % interval {low:+.4f} to {high:+.4f}): "
        f"{'better beyond doubt' if better else 'not better beyond doubt'}."
    )
    return PromotionDecision(better and not missed, (found, *missed))


def answers_of(model: ServedModel, songs: TrainingSongs, places: NDArray[np.intp]) -> FloatArray:
    """Return a model's out-of-fold probabilities for songs as they stand in the tables, shape (n_places,)."""
    return HitModel(model, datetime.now(UTC)).probabilities(
        [songs.songs[place] for place in places], as_of=[songs.labelled_on[place] for place in places]
    )


def paired_difference(
    ours: FloatArray, theirs: FloatArray, popular: BoolArray, artist: NDArray[np.int64], *, seed: int, draws: int
) -> tuple[float, float, float]:
    """Return the 2.5 %, 50 % and 97.5 % points of the difference in average precision over drawn artists."""
    differences = [
        average_precision_score(popular, ours, sample_weight=counts)
        - average_precision_score(popular, theirs, sample_weight=counts)
        for counts in artist_draws(artist, draws, seed)
    ]
    low, middle, high = np.percentile(differences, (2.5, 50, 97.5))
    return float(low), float(middle), float(high)


METRICS: Final = "metrics.json"
CARD: Final = "MODEL_CARD.md"
RECORD: Final = "promotions.jsonl"

REASONS_SHOWN: Final = 3
"""Reasons told of each song in the model card."""

_PICTURED: Final = {
    "live": "asked for live",
    "live_without_date": "without a release date",
    "live_without_tags": "without tags",
}
"""Views of the protocol ``live`` that are drawn, and what they are called."""


def metrics_bytes(metrics: dict[str, Any]) -> bytes:
    """Return the content of ``metrics.json``; it holds no date, so that the same seed gives the same bytes."""
    return (json.dumps(metrics, indent=2, ensure_ascii=False) + "\n").encode()


def known_songs(trained: Trained, demo_songs: Path, trained_at: datetime) -> tuple[KnownSong, ...]:
    """Answer the recorded songs that are examples of a kind, in the order of the file; none if there is no file.

    Raises:
        DataError: The recorded figures are damaged.
    """
    if not demo_songs.is_file():
        return ()
    model = HitModel(trained.model, trained_at)
    known = []
    for recorded in RecordedFigures.load(demo_songs).recorded:
        song = recorded.found.song
        if recorded.kind:
            answer = model.assess(song, as_of=trained_at.date())
            arrows = tuple(
                f"{'▲' if reason.push > 0 else '▼'} {reason_with_figure(reason)}"
                for reason in answer.reasons[:REASONS_SHOWN]
            )
            known.append(
                KnownSong(
                    str(song.name), recorded.kind, song.listeners, song.released, answer.probability,
                    answer.verdict.value, arrows,
                )
            )  # fmt: skip
    return tuple(sorted(known, key=lambda song: song.kind))


def publish(trained: Trained, folder: Path, *, trained_at: datetime, demo_songs: Path | None = None) -> Path:
    """Write model, metrics, card and pictures at once and return the artifact's path.

    Args:
        trained: What was trained.
        folder: Folder of models.
        trained_at: When, with a time zone.
        demo_songs: The recorded figures, for the card's table of songs that everybody can judge.

    Raises:
        ModelRejected: The artifact is too large; nothing was written.
        OSError: The folder cannot be written.
    """
    live = trained.fitted.live
    judged = () if demo_songs is None else known_songs(trained, demo_songs, trained_at)
    answers = {label: sigmoid(live[view].after) for view, label in _PICTURED.items()}
    popular = trained.songs.popular[live["live"].places]
    model = replace(trained.model, metrics=trained.metrics)
    return save(
        model,
        folder,
        trained_at=trained_at,
        recipe=str(trained.metrics["recipe"]),
        extras={
            METRICS: metrics_bytes(trained.metrics),
            CARD: model_card(trained.metrics, trained_at, judged).encode(),
            CALIBRATION_PNG: draw_calibration(HitModel(model, trained_at).report()),
            PRECISION_RECALL_PNG: precision_recall_picture(answers, popular),
        },
    )


def decide_and_record(trained: Trained, folder: Path, *, seed: int, decided_at: datetime) -> PromotionDecision:
    """Compare a challenger with the model in ``folder``, and append the decision to ``promotions.jsonl`` there.

    A champion that this version cannot load is no champion; the decision says so.
    """
    champion: ServedModel | None = None
    note: tuple[str, ...] = ()
    try:
        champion = load(folder).model
    except ModelError as error:
        note = (str(error),)
    decision = decide_promotion(trained, champion, seed=seed)
    decision = PromotionDecision(decision.promoted, (*note, *decision.reasons))
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "at": decided_at.isoformat(timespec="seconds"),
        "recipe": trained.metrics["recipe"],
        "promoted": decision.promoted,
        "reasons": decision.reasons,
    }
    with (folder / RECORD).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return decision
