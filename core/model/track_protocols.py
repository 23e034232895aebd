"""The protocols on songs that Last.fm knows: what their own figures add, and what real tags cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.model.calibration import FloatArray, sigmoid
from core.model.crossfit import LIVE, CrossFit
from core.model.evaluation import view_entry
from core.model.measures import BoolArray
from core.model.songs import TrainingSongs
from core.model.track_stage import population_weights
from core.model.views import VIEWS


def protocol_track_figures(
    songs: TrainingSongs, fitted: CrossFit, threshold: float, *, seed: int, resamples: int
) -> dict[str, Any]:
    """Measure the songs with figures of their own before and after these are weighed, out of fold by artist.

    The plain views count each song as much as all songs of its kind (population weights), the ``unweighted`` ones as it
    stands among the charts.
    """
    joined = songs.has_track_figures
    weight = population_weights(fitted.base[VIEWS["full"]], songs.popular, joined)
    answers = {
        "full": fitted.weighed[VIEWS["full"]],
        "before": fitted.base[VIEWS["full"]],
        "live": fitted.weighed[LIVE],
        "live_before": fitted.base[LIVE],
    }
    views = {}
    for name, logit in answers.items():
        views[name] = _entry(songs, sigmoid(logit[joined]), joined, threshold, weight, seed=seed, resamples=resamples)
        views[f"{name}_unweighted"] = _entry(
            songs, sigmoid(logit[joined]), joined, threshold, None, seed=seed, resamples=resamples
        )
    return {"views": views}


def protocol_tags(
    songs: TrainingSongs, fitted: CrossFit, threshold: float, *, seed: int, resamples: int
) -> dict[str, Any]:
    """Measure the view ``live`` with genres from real Last.fm tags, and the same songs with the data set's genres.

    ``artist`` is the same songs without either, as songs are answered whose tags map to no genre. Weights as for the
    track figures.
    """
    tagged = np.array([bool(song.tags) for song in songs.songs])
    weight = population_weights(fitted.base[LIVE], songs.popular, tagged)
    artist = fitted.base[VIEWS["artist"]]
    answers = {
        "live": np.where(np.isnan(fitted.from_tags), artist, fitted.from_tags)[tagged],
        "live_genres": fitted.base[LIVE][tagged],
        "artist": artist[tagged],
    }
    views = {}
    for name, logit in answers.items():
        views[name] = _entry(songs, sigmoid(logit), tagged, threshold, weight, seed=seed, resamples=resamples)
        views[f"{name}_unweighted"] = _entry(
            songs, sigmoid(logit), tagged, threshold, None, seed=seed, resamples=resamples
        )
    return {"views": views}


def _entry(
    songs: TrainingSongs,
    probability: FloatArray,
    which: BoolArray,
    threshold: float,
    weight: FloatArray | None,
    *,
    seed: int,
    resamples: int,
) -> dict[str, Any]:
    return view_entry(
        probability, songs.popular[which], songs.artist[which], threshold, seed=seed, resamples=resamples, weight=weight
    )
