"""Puts a trained model in place together with its metrics, card and pictures, and keeps the record of promotions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import ModelError
from core.lookup.demo import RecordedFigures
from core.model.artifact import load, save
from core.model.calibration import sigmoid
from core.model.inference import HitModel
from core.model.model_card import CALIBRATION_PNG, PRECISION_RECALL_PNG, KnownSong, model_card
from core.model.pictures import calibration_picture, precision_recall_picture
from core.model.promotion import Ruling, rule
from core.model.served import ServedModel
from core.model.training import Trained

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
                f"{'▲' if reason.push > 0 else '▼'} {reason.text}" for reason in answer.reasons[:REASONS_SHOWN]
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
    return save(
        replace(trained.model, metrics=trained.metrics),
        folder,
        trained_at=trained_at,
        recipe=str(trained.metrics["recipe"]),
        extras={
            METRICS: metrics_bytes(trained.metrics),
            CARD: model_card(trained.metrics, trained_at, judged).encode(),
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
