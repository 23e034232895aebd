"""The recipes that can be trained, and with how much computing they are evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.model.baselines import forest_on_songs, logistic_on_songs
from core.model.boosting import BaseModel
from core.model.crossfit import Builder, Notify


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to train the base model.

    Attributes:
        name: Its name on the command line.
        build: Builds the unfitted base model from a seed and the known tags.
        servable: Whether it can be stored, as :class:`core.model.served.BoostedBase` can.
    """

    name: str
    build: Builder
    servable: bool = True


@dataclass(frozen=True, slots=True)
class Budget:
    """How much computing an evaluation may take.

    Attributes:
        forest_trees: Trees of the predecessor's forest; it had 400.
        predecessor_rounds: Rounds of our boosting on the predecessor's split.
        resamples: Bootstrap resamples behind each interval.
        reason_songs: Songs whose reasons are checked one by one.
    """

    forest_trees: int = 400
    predecessor_rounds: int = 250
    resamples: int = 400
    reason_songs: int = 500


FULL: Final = Budget()
"""What published figures are measured with."""


@dataclass(frozen=True, slots=True)
class Run:
    """How one training is run.

    Attributes:
        seed: Fixes every random choice; the same seed gives the same metrics, byte for byte.
        jobs: Processes.
        budget: How much computing the evaluation may take.
        notify: Told of each finished step.
    """

    seed: int
    jobs: int
    budget: Budget
    notify: Notify


RECIPES: Final[dict[str, Recipe]] = {
    "default": Recipe("default", lambda seed, vocabulary: BaseModel(vocabulary, seed=seed)),
    "logistic": Recipe("logistic", logistic_on_songs, servable=False),
    "forest": Recipe("forest", forest_on_songs, servable=False),
}
"""By name; the forest, the predecessor's, and the logistic regression are baselines."""
