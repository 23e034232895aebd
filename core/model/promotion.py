"""Whether a challenger may replace the champion: better on the same songs beyond doubt, and through every gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from core.model.calibration import FloatArray
from core.model.inference import HitModel
from core.model.measures import BoolArray, artist_draws
from core.model.served import ServedModel
from core.model.songs import TrainingSongs
from core.model.training import Trained

DRAWS: Final = 200
"""Resamples of artists behind the interval of the paired difference."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether the challenger is promoted, and the sentences that say why or why not."""

    promoted: bool
    reasons: tuple[str, ...]


def rule(challenger: Trained, champion: ServedModel | None, *, seed: int, draws: int = DRAWS) -> Ruling:
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
        return Ruling(not missed, (*missed, "There is no champion to compare with."))
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
    return Ruling(better and not missed, (found, *missed))


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
