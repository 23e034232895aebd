"""Puts a trained model in place together with its metrics, card and pictures, and keeps the record of promotions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import ModelError
from core.model.artifact import load, save
from core.model.calibration import sigmoid
from core.model.model_card import CALIBRATION_PNG, PRECISION_RECALL_PNG, model_card
from core.model.pictures import calibration_picture, precision_recall_picture
from core.model.promotion import Ruling, rule
from core.model.served import ServedModel
from core.model.training import Trained
from core.model.views import VIEWS

METRICS: Final = "metrics.json"
CARD: Final = "MODEL_CARD.md"
RECORD: Final = "promotions.jsonl"

_PICTURED: Final = {
    "full": "everything known",
    "live": "live, no audio",
    "artist": "artist figures and title",
    "audio": "audio and title",
}


def metrics_bytes(metrics: dict[str, Any]) -> bytes:
    """Return the content of ``metrics.json``; it holds no date, so that the same seed gives the same bytes."""
    return (json.dumps(metrics, indent=2, ensure_ascii=False) + "\n").encode()


def publish(trained: Trained, folder: Path, *, trained_at: datetime) -> Path:
    """Write model, metrics, card and pictures at once and return the artifact's path.

    Raises:
        ModelRejected: The artifact is too large; nothing was written.
        OSError: The folder cannot be written.
    """
    answers = {label: sigmoid(trained.fitted.base[VIEWS[view]]) for view, label in _PICTURED.items()}
    popular = trained.songs.popular
    return save(
        replace(trained.model, metrics=trained.metrics),
        folder,
        trained_at=trained_at,
        recipe=str(trained.metrics["recipe"]),
        extras={
            METRICS: metrics_bytes(trained.metrics),
            CARD: model_card(trained.metrics, trained_at).encode(),
            CALIBRATION_PNG: calibration_picture(answers, popular),
            PRECISION_RECALL_PNG: precision_recall_picture(answers, popular),
        },
    )


def rule_on(trained: Trained, folder: Path, *, seed: int, ruled_at: datetime) -> Ruling:
    """Compare a challenger with the model in ``folder``, and append the ruling to ``promotions.jsonl`` there.

    A champion that this version cannot load is no champion; the ruling says so.
    """
    champion: ServedModel | None = None
    note: tuple[str, ...] = ()
    try:
        champion = load(folder).model
    except ModelError as error:
        note = (str(error),)
    ruling = rule(trained, champion, seed=seed)
    ruling = Ruling(ruling.promoted, (*note, *ruling.reasons))
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "at": ruled_at.isoformat(timespec="seconds"),
        "recipe": trained.metrics["recipe"],
        "promoted": ruling.promoted,
        "reasons": ruling.reasons,
    }
    with (folder / RECORD).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return ruling
