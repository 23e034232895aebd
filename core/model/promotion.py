"""Whether a challenger may replace the champion: better on the same songs beyond doubt, and through every gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from sklearn.metrics import average_precision_score

from core.model.calibration import FloatArray, sigmoid
from core.model.features import base_matrix
from core.model.folds import N_FOLDS
from core.model.measures import artist_draws
from core.model.served import ServedModel
from core.model.songs import TrainingSongs
from core.model.training import Trained
from core.model.views import VIEWS

DRAWS: Final = 200
"""Resamples of artists behind the interval of the paired difference."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the challenger is promoted, and the sentences that say why or why not."""

    promoted: bool
    reasons: tuple[str, ...]


def rule(challenger: Trained, champion: ServedModel | None, *, seed: int, draws: int = DRAWS) -> Ruling:
    """Compare average precision in the view ``full`` of the protocol ``songs``, artist by artist, and check all gates.

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
        return Ruling(not missed, (*missed, "There is no champion to compare with."))
    songs = challenger.songs
    ours = sigmoid(challenger.fitted.base[VIEWS["full"]])
    theirs = answers_of(champion, songs)
    low, middle, high = paired_difference(ours, theirs, songs, seed=seed, draws=draws)
    better = low > 0
    found = (
        f"Average precision with everything known differs by {middle:+.4f} (95 % interval {low:+.4f} to {high:+.4f}): "
        f"{'better beyond doubt' if better else 'not better beyond doubt'}."
    )
    return Ruling(better and not missed, (found, *missed))


def answers_of(model: ServedModel, songs: TrainingSongs) -> FloatArray:
    """Return a model's out-of-fold probabilities for songs with everything known, shape (n_songs,)."""
    rows = base_matrix(songs.songs)
    log_odds = np.full(len(rows), np.nan)
    for number in range(N_FOLDS):
        inside = songs.fold == number
        log_odds[inside] = model.folds[number].log_odds(rows[inside], VIEWS["full"])
    return sigmoid(log_odds)


def paired_difference(
    ours: FloatArray, theirs: FloatArray, songs: TrainingSongs, *, seed: int, draws: int
) -> tuple[float, float, float]:
    """Return the 2.5 %, 50 % and 97.5 % points of the difference in average precision over drawn artists."""
    differences = [
        average_precision_score(songs.popular, ours, sample_weight=counts)
        - average_precision_score(songs.popular, theirs, sample_weight=counts)
        for counts in artist_draws(songs.artist, draws, seed)
    ]
    low, middle, high = np.percentile(differences, (2.5, 50, 97.5))
    return float(low), float(middle), float(high)
