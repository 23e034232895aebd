"""Trains a model and measures it: from songs to what is served and what is published."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from core.domain import VerdictBands
from core.model.calibration import FloatArray, sigmoid
from core.model.crossfit import CrossFit, Notify, cross_fit
from core.model.evaluation import band_records, protocol_songs, rounded
from core.model.features import BASE, FEATURES, FloatMatrix, Group, base_matrix
from core.model.gates import Gate, metric_gates, sense_gates
from core.model.inference import HitModel
from core.model.measures import best_threshold
from core.model.predecessor import protocol_predecessor
from core.model.recipes import FULL, RECIPES, Budget, Recipe, Run
from core.model.served import ServedModel, track_figures
from core.model.songs import TrainingSongs
from core.model.tables import RawTables
from core.model.track_protocols import protocol_tags, protocol_track_figures
from core.model.track_stage import population_weights
from core.model.views import VIEWS

STEPS: Final = 26
"""Steps that ``notify`` is told of: features, folds, baselines, views, protocols."""

PERCENTILE_STEPS: Final = 1000
"""Values kept of each ranked feature."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model with what is known about it."""

    model: ServedModel
    metrics: dict[str, Any]
    fitted: CrossFit
    songs: TrainingSongs
    gates: tuple[Gate, ...]


def train(
    tables: RawTables,
    songs: TrainingSongs,
    *,
    seed: int = 0,
    jobs: int = 1,
    recipe: Recipe = RECIPES["default"],
    budget: Budget = FULL,
    notify: Notify = lambda _: None,
) -> Trained:
    """Cross-fit, measure and assemble the served model.

    Args:
        tables: For their fingerprints.
        songs: The training songs.
        seed: As the others, see :class:`core.model.recipes.Run`.
        jobs: Processes.
        recipe: How the base model is trained.
        budget: For the evaluation.
        notify: Told of each finished step.
    """
    run = Run(seed, jobs, budget, notify)
    rows = base_matrix(songs.songs)
    notify("features")
    fitted = cross_fit(songs, rows, recipe.build, seed=seed, jobs=jobs, notify=notify)
    bands = VerdictBands()
    full = sigmoid(fitted.base[VIEWS["full"]])
    records = band_records(full, songs.popular, bands)
    metrics = rounded(
        {
            "recipe": recipe.name,
            "seed": seed,
            "data": {
                "files": tables.fingerprints,
                "n_rows": len(tables.spotify),
                "n_songs": len(songs.songs),
                "n_artists": int(songs.artist.max()) + 1,
                "n_with_track_figures": int(songs.has_track_figures.sum()),
                "base_rate": float(songs.popular.mean()),
            },
            "bands": {
                str(record.verdict): {"share_popular": record.share_popular, "n": record.n_songs} for record in records
            },
            "protocols": _protocols(tables, songs, rows, fitted, bands, run),
        }
    )
    track_weight = population_weights(fitted.base[VIEWS["full"]], songs.popular, songs.has_track_figures)
    model = ServedModel(
        folds=fitted.folds,
        typical=_typical(rows),
        typical_track=_typical_track(songs, track_weight),
        percentiles=_percentiles(songs, rows, track_weight),
        base_rate=float(songs.popular.mean()),
        bands=bands,
        records=records,
        threshold=best_threshold(full, songs.popular),
        metrics=metrics,
    )
    gates = (*metric_gates(metrics), *sense_gates(HitModel(model, datetime.now(UTC))))
    metrics["gates"] = rounded([asdict(gate) for gate in gates])
    return Trained(model, metrics, fitted, songs, gates)


def _protocols(
    tables: RawTables, songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, bands: VerdictBands, run: Run
) -> dict[str, Any]:
    on_songs = protocol_songs(songs, rows, fitted, bands, run)
    threshold = float(on_songs["views"]["full"]["threshold"])
    resamples = run.budget.resamples
    found = {
        "predecessor": protocol_predecessor(tables, run),
        "songs": on_songs,
        "track_figures": protocol_track_figures(songs, fitted, threshold, seed=run.seed, resamples=resamples),
    }
    run.notify("track figures")
    found["tags"] = protocol_tags(songs, fitted, threshold, seed=run.seed, resamples=resamples)
    run.notify("tags")
    return found


def _typical(rows: FloatMatrix) -> FloatMatrix:
    """Return the median of each column; tags, album and credits as a whole are usual when unknown."""
    typical = np.nanmedian(rows, axis=0).astype(np.float32)
    for column, feature in enumerate(BASE):
        if feature.group in (Group.TAGS, Group.ALBUM, Group.CREDITS):
            typical[column] = np.nan
    return typical


def _typical_track(songs: TrainingSongs, weight: FloatArray) -> tuple[float, float]:
    figures, joined = track_figures(songs.songs), songs.has_track_figures
    listeners, plays = figures.listeners[joined], figures.playcount[joined]
    return (
        float(_quantiles(listeners, weight, 2)[1]),
        float(_quantiles(plays / listeners, weight, 2)[1]),
    )


def _percentiles(songs: TrainingSongs, rows: FloatMatrix, track_weight: FloatArray) -> dict[str, FloatArray]:
    """Return for each shown feature its values at evenly spaced shares of songs, the track figures weighed."""
    joined = songs.has_track_figures
    found: dict[str, FloatArray] = {}
    for feature in FEATURES:
        if feature.show is None:
            continue
        if feature.group is Group.TRACK and feature.value is not None:
            values = np.array([feature.value(song) for song, has in zip(songs.songs, joined, strict=True) if has])
            weight = track_weight
        else:
            values = rows[:, BASE.index(feature)].astype(np.float64)
            weight = np.ones(len(values))
        known = ~np.isnan(values)
        found[feature.key] = _quantiles(values[known], weight[known], PERCENTILE_STEPS)
    return found


def _quantiles(values: FloatArray, weight: FloatArray, steps: int) -> FloatArray:
    """Return the values at the shares 0, 1/steps, ... of the total weight, shape (steps + 1,)."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    places = np.searchsorted(reached, np.linspace(0, 1, steps + 1) * reached[-1])
    return np.asarray(values[order][np.minimum(places, len(values) - 1)], dtype=np.float64)
