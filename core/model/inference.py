"""Answers for one song: probability, verdict, figures with percentiles, reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from threadpoolctl import ThreadpoolController

from core.domain import Assessment, BandRecord, Block, FeatureValue, ModelReport, Song, VerdictBands
from core.model.artifact import load
from core.model.calibration import FloatArray, sigmoid
from core.model.explain import assess_with_reasons
from core.model.features import COLUMN, FEATURES, Feature, FloatMatrix, Group, base_matrix, base_row, known_blocks
from core.model.folds import fold_of
from core.model.report import model_report
from core.model.served import ServedModel, genres_from_tags_alone, track_figures
from core.model.views import Pattern, pattern_of

_BLOCK_OF = {Group(block.value): block for block in Block}


class HitModel:
    """The trained model, ready to answer; safe to use from several threads."""

    def __init__(self, model: ServedModel, trained_at: datetime) -> None:
        """Take a verified model; most callers want :meth:`load`."""
        self._model = model
        self.trained_at = trained_at
        # One row is quicker on one thread, and the other cores stay free for drawing.
        self._threads = ThreadpoolController()

    @classmethod
    def load(cls, models_dir: Path) -> Self:
        """Load and verify the model of a folder.

        Raises:
            ModelMissing: There is none.
            ModelRejected: It is damaged, tampered with or made by other versions.
        """
        loaded = load(models_dir)
        return cls(loaded.model, loaded.trained_at)

    @property
    def base_rate(self) -> float:
        """Share of popular songs among all training songs, 0 to 1."""
        return self._model.base_rate

    @property
    def bands(self) -> VerdictBands:
        """Least probabilities of the verdicts."""
        return self._model.bands

    @property
    def metrics(self) -> Mapping[str, Any]:
        """The content of ``metrics.json``."""
        return cast("Mapping[str, Any]", self._model.metrics)

    def assess(self, song: Song) -> Assessment:
        """Answer for one song, in a few milliseconds of one core; call it off the event loop."""
        row = base_row(song)
        blocks = known_blocks(song)
        figures = track_figures([song]) if song.listeners and song.playcount else None
        fold = self._model.folds[fold_of(song.artist)]
        with self._threads.limit(limits=1, user_api="openmp"):
            log_odds, reasons = assess_with_reasons(self._model, fold, song, row, pattern_of(blocks), figures)
        probability = float(sigmoid(np.array([log_odds]))[0])
        verdict = self._model.bands.verdict(probability)
        record: BandRecord | None = next((r for r in self._model.records if r.verdict is verdict), None)
        return Assessment(
            probability=probability,
            verdict=verdict,
            features=tuple(self._features(song, row)),
            reasons=reasons,
            view=blocks,
            bands=self._model.bands,
            base_rate=self._model.base_rate,
            trained_at=self.trained_at,
            record=record,
        )

    def probabilities(self, songs: Sequence[Song], as_of: Sequence[date] | date | None = None) -> FloatArray:
        """Return the probability of each song, shape (n_songs,), without reasons; the quick way for many songs.

        Args:
            songs: What is known of each.
            as_of: Day for which to predict, one for all or one for each song. This model learned nothing of age, so
                the day makes no difference to it.
        """
        if not songs:
            return np.empty(0)
        rows, figures = base_matrix(songs), track_figures(songs)
        alike: dict[tuple[int, bool, Pattern], list[int]] = {}
        for place, song in enumerate(songs):
            blocks = known_blocks(song)
            alike.setdefault((fold_of(song.artist), Block.TRACK in blocks, pattern_of(blocks)), []).append(place)
        from_tags = np.array([genres_from_tags_alone(song) for song in songs])
        log_odds = np.empty(len(songs))
        with self._threads.limit(limits=1, user_api="openmp"):
            for (fold, weigh, pattern), places in alike.items():
                which = np.zeros(len(songs), dtype=bool)
                which[places] = True
                own = figures.of(which) if weigh else None
                log_odds[which] = self._model.folds[fold].log_odds(rows[which], pattern, own, from_tags[which])
        return sigmoid(log_odds)

    def report(self) -> ModelReport:
        """Return how good the model is on artists it never saw."""
        return model_report(self.metrics, self.trained_at, self._model.records)

    def _features(self, song: Song, row: FloatMatrix) -> list[FeatureValue]:
        return [
            FeatureValue(
                key=feature.key,
                label=feature.label,
                value=value,
                unit=feature.unit,
                display=feature.show(value),
                percentile=self._percentile(feature, value),
                block=_BLOCK_OF.get(feature.group),
            )
            for feature in FEATURES
            if feature.show is not None and not math.isnan(value := self._value(feature, song, row))
        ]

    @staticmethod
    def _value(feature: Feature, song: Song, row: FloatMatrix) -> float:
        return feature.value(song) if feature.value is not None else float(row[COLUMN[feature.key]])

    def _percentile(self, feature: Feature, value: float) -> float | None:
        known = self._model.percentiles.get(feature.key)
        if known is None:
            return None
        return float(np.searchsorted(known, value, side="left") / len(known) * 100)
