"""Trains a model and measures it: from songs to what is served and what is published."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from core.domain import VerdictBands
from core.model.ensemble import FloatArray, ServedModel, sigmoid, track_figures
from core.model.features import BASE, COLUMN, FEATURES, VIEWS, FloatMatrix, Group, base_matrix
from core.model.hit_model import HitModel
from core.training.crossfit import CrossFit, Notify, cross_fit
from core.training.data import CATALOGUE_LABELLED, RawTables, TrainingSongs
from core.training.evaluation import (
    age_curve,
    band_records,
    live_records,
    protocol_artist_figures,
    protocol_live,
    protocol_predecessor,
    protocol_real_tags,
    protocol_songs,
    protocol_songs_clean,
    rounded,
)
from core.training.gates import Gate, metric_gates, reason_gates, sense_gates
from core.training.metrics import BoolArray
from core.training.recipes import FULL, RECIPES, Budget, Recipe, Run

STEPS: Final = 19
"""Steps that ``notify`` is told of: features, folds, calibration, second stage, protocols, baselines."""

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
        seed: As the others, see :class:`core.training.recipes.Run`.
        jobs: Processes.
        recipe: How the base model is trained.
        budget: For the evaluation.
        notify: Told of each finished step.
    """
    run = Run(seed, jobs, budget, notify)
    rows = base_matrix(songs.songs, songs.labelled_on)
    notify("features")
    fitted = cross_fit(songs, rows, recipe.build, seed=seed, jobs=jobs, notify=notify)
    bands = VerdictBands()
    protocols = _protocols(tables, songs, rows, fitted, bands, run)
    inside = songs.in_catalogue & songs.labelled
    full = np.where(np.isnan(fitted.base[VIEWS["full"]]), fitted.base[VIEWS["no_tags"]], fitted.base[VIEWS["full"]])
    known = inside & ~np.isnan(full)
    records = live_records(songs, fitted, bands)
    metrics = rounded(
        {
            "recipe": recipe.name,
            "seed": seed,
            "data": {
                "files": tables.fingerprints,
                "n_rows": len(tables.spotify),
                "n_songs": int(inside.sum()),
                "n_songs_unlabelled": int((songs.in_catalogue & ~songs.labelled).sum()),
                "n_artists": int(songs.artist.max()) + 1,
                "n_dated": int((~songs.in_catalogue & songs.labelled).sum()),
                "n_with_track_figures": int((songs.labelled & songs.has_track_figures).sum()),
                "n_tags": len(songs.vocabulary),
                "base_rate": songs.base_rate,
            },
            "bands": {
                str(record.verdict): {"share_popular": record.share_popular, "n": record.n_songs} for record in records
            },
            "age_curve": age_curve(songs, rows, fitted),
            "protocols": protocols,
        }
    )
    model = ServedModel(
        folds=fitted.folds,
        vocabulary=songs.vocabulary,
        typical=_typical(rows[inside]),
        typical_track=_typical_track(songs),
        percentiles=_percentiles(songs, rows, inside),
        base_rate=songs.base_rate,
        bands=bands,
        records=records,
        records_without_figures=band_records(sigmoid(full[known]), songs.popular[known], bands),
        threshold=float(metrics["protocols"]["live"]["views"]["live"]["threshold"]),
        metrics=metrics,
    )
    served = HitModel(model, datetime.now(UTC))
    gates = (*metric_gates(metrics), *sense_gates(served), *reason_gates(served, songs, budget.reason_songs))
    metrics["gates"] = rounded([asdict(gate) for gate in gates])
    return Trained(model, metrics, fitted, songs, gates)


def _protocols(
    tables: RawTables, songs: TrainingSongs, rows: FloatMatrix, fitted: CrossFit, bands: VerdictBands, run: Run
) -> dict[str, Any]:
    return {
        "live": protocol_live(songs, fitted, bands, run),
        "artist_figures": protocol_artist_figures(songs, rows, fitted, run),
        "real_tags": protocol_real_tags(songs, rows, fitted, run),
        "songs_clean": protocol_songs_clean(songs, rows, fitted, bands, run),
        "songs": protocol_songs(songs, rows, fitted, bands, run),
        "predecessor": protocol_predecessor(tables, run),
    }


USUALLY_UNKNOWN: Final = (Group.TAGS, Group.GENRES, Group.AGE, Group.ALBUM, Group.CREDITS)
"""Groups that a usual song is taken to lack: there is no usual tag, genre or album."""

TYPICAL_AGE_YEARS: Final = 5.0
"""Age of a usual song, for the reason that a release date gives."""


def _typical(rows: FloatMatrix) -> FloatMatrix:
    """Return the median of each column; tags, genres, album and credits as a whole are usual when unknown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column that is never known has no median
        typical = np.nanmedian(rows, axis=0).astype(np.float32)
    for column, feature in enumerate(BASE):
        if feature.group in USUALLY_UNKNOWN:
            typical[column] = np.nan
    typical[COLUMN["age_years"]] = TYPICAL_AGE_YEARS
    return typical


def _typical_track(songs: TrainingSongs) -> tuple[float, float]:
    """Return the median listeners and plays of the songs that people ask for."""
    places = np.flatnonzero(songs.labelled & songs.has_track_figures)
    figures = track_figures([songs.songs[place] for place in places], CATALOGUE_LABELLED)
    return float(np.median(figures.listeners)), float(np.median(figures.playcount))


def _percentiles(songs: TrainingSongs, rows: FloatMatrix, inside: BoolArray) -> dict[str, FloatArray]:
    """Return for each shown feature its values at evenly spaced shares of songs.

    Figures of the song's own are ranked among all songs that have some, all else among the catalogue's.
    """
    with_figures = np.flatnonzero(songs.labelled & songs.has_track_figures)
    found: dict[str, FloatArray] = {}
    for feature in FEATURES:
        if not feature.shown or feature.group is Group.AGE:
            continue
        if feature.group is Group.TRACK and feature.value is not None:
            values = np.array([feature.value(songs.songs[place]) for place in with_figures])
        else:
            values = rows[inside, BASE.index(feature)].astype(np.float64)
        known = values[~np.isnan(values)]
        found[feature.key] = _quantiles(known, np.ones(len(known)), PERCENTILE_STEPS)
    return found


def _quantiles(values: FloatArray, weight: FloatArray, steps: int) -> FloatArray:
    """Return the values at the shares 0, 1/steps, ... of the total weight, shape (steps + 1,)."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    places = np.searchsorted(reached, np.linspace(0, 1, steps + 1) * reached[-1])
    return np.asarray(values[order][np.minimum(places, len(values) - 1)], dtype=np.float64)
