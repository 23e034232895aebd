"""Loads the stored model and lets it answer once before it may serve.

The artifact's checks look at bytes, feature rules and each figure by itself. An artifact made by other training code
can pass them all and still fail at every answer; that shows here, where the model before it can go on serving.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from core.domain import AudioFeatures, Song
from core.errors import ModelError, ModelRejected
from core.model.inference import HitModel

_AUDIO: Final = AudioFeatures(
    danceability=0.6,
    energy=0.6,
    loudness=-7.0,
    speechiness=0.05,
    acousticness=0.2,
    instrumentalness=0.0,
    liveness=0.1,
    valence=0.5,
    tempo=120.0,
)

PROBES: Final = (
    Song(title="Probe", artist="Nobody"),
    Song(title="Probe", artist="Nobody", artist_listeners=10_000, artist_playcount=90_000, tags=("pop",)),
    Song(
        title="Probe",
        artist="Nobody",
        listeners=5_000,
        playcount=20_000,
        artist_listeners=10_000,
        artist_playcount=90_000,
        tags=("pop",),
        genres=("pop",),
        duration_ms=200_000,
        explicit=False,
        audio=_AUDIO,
    ),
)
"""Songs of which nothing, something and everything is known."""


def load_proved(models_dir: Path) -> HitModel:
    """Load the model of a folder and prove that it answers.

    Raises:
        ModelMissing: There is none.
        ModelRejected: It is damaged, tampered with, made by other rules, or cannot answer.
    """
    try:
        model = HitModel.load(models_dir)
        probabilities = [model.assess(song).probability for song in PROBES]
        model.report()
    except ModelError:
        raise
    except Exception as error:
        raise ModelRejected(f"The model in {models_dir} cannot answer: {type(error).__name__}: {error}") from error
    if not all(0.0 <= probability <= 1.0 for probability in probabilities):
        raise ModelRejected(f"The model in {models_dir} answers {probabilities}, which are no probabilities.")
    return model
