"""The recipes that can be trained, and how much computing their evaluation may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.model.baselines import forest_on_songs, logistic_on_songs
from core.model.boosting import base_pipeline
from core.model.crossfit import Builder


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to train the base model.

    Attributes:
        name: Its name on the command line.
        build: Builds the unfitted base model from a seed.
        servable: Whether its artifact is small enough to be served.
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
    """

    forest_trees: int = 400
    predecessor_rounds: int = 250
    resamples: int = 400


FULL: Final = Budget()
"""What published figures are measured with."""

RECIPES: Final[dict[str, Recipe]] = {
    "default": Recipe("default", base_pipeline),
    "logistic": Recipe("logistic", logistic_on_songs),
    "forest": Recipe("forest", forest_on_songs, servable=False),
}
"""By name; the forest is the predecessor's, kept as the baseline."""
