"""What can be trained: our model, and the baselines it must beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from core.model.ensemble import FloatArray, GenreRates
from core.model.features import COLUMN, FloatMatrix
from core.tables import AUDIO_COLUMNS
from core.training.crossfit import BaseModel, Builder, Notify

FOREST: Final[dict[str, Any]] = {
    "max_depth": 20,
    "min_samples_split": 5,
    "min_samples_leaf": 2,
    "class_weight": "balanced_subsample",
}
"""The predecessor's settings beside its 400 trees; they give the figures it published on its own split."""

LOGARITHMIC: Final = ("artist_listeners", "artist_playcount", "duration_ms", "album_chars", "title_chars")
"""Columns that logistic regression sees as logarithms."""


def predecessor_forest(seed: int, *, trees: int = 400, jobs: int = 1) -> Pipeline:
    """Build the predecessor's scaled forest over its nine audio features, given as the nine columns themselves."""
    forest = RandomForestClassifier(**FOREST, n_estimators=trees, random_state=seed, n_jobs=jobs)
    return make_pipeline(StandardScaler(), forest)


def audio_columns(rows: FloatMatrix) -> FloatMatrix:
    """Return the nine audio features of base rows, shape (n, 9); an unknown tempo is 0, as in the data."""
    return np.nan_to_num(rows[:, [COLUMN[key] for key in AUDIO_COLUMNS]])


class _GenreColumns(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Replaces the tags' fingerprints, which mean nothing to a linear model, by the rates of the genres."""

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_]) -> Self:
        """Learn the rates."""
        self.rates_ = GenreRates().fit(rows, popular, np.ones(len(rows)))
        return self

    def transform(self, rows: FloatMatrix) -> FloatMatrix:
        """Return the base columns without tags, and the rates behind them."""
        return np.hstack([rows[:, : COLUMN["tag_1"]], self.rates_.transform(rows)])


class LogOdds(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Gives any probabilistic pipeline a ``decision_function`` in log odds, so that it can be cross-fitted."""

    def __init__(self, pipeline: Any) -> None:
        """Take the unfitted pipeline."""
        self.pipeline = pipeline

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray | None = None) -> Self:
        """Fit the pipeline; its last step takes the weights, shape (n_rows,), 1 each if not given."""
        self.classes_ = np.array([False, True])
        last, step = self.pipeline.steps[-1]
        if isinstance(step, Pipeline):
            last = f"{last}__{step.steps[-1][0]}"
        self.pipeline.fit(rows, popular, **{f"{last}__sample_weight": weight})
        return self

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return log odds, shape (n,), kept finite."""
        p = np.clip(self.pipeline.predict_proba(rows)[:, 1], 1e-6, 1 - 1e-6)
        return np.asarray(np.log(p / (1 - p)), dtype=np.float64)


def _logarithms(rows: FloatMatrix) -> FloatMatrix:
    changed = rows.copy()
    columns = [COLUMN[key] for key in LOGARITHMIC]
    changed[:, columns] = np.log1p(np.maximum(changed[:, columns], 0))
    return changed


def logistic(seed: int) -> Pipeline:
    """Build logistic regression over all base columns, unknown figures at their mean with a mark beside them."""
    return make_pipeline(
        _GenreColumns(),
        FunctionTransformer(_logarithms),
        SimpleImputer(strategy="mean", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(C=0.1, max_iter=1000, random_state=seed),
    )


def forest_on_songs(seed: int, _vocabulary: Sequence[str] = (), *, trees: int = 400) -> LogOdds:
    """Build the predecessor's forest over base rows; it looks at the nine audio features alone."""
    return LogOdds(make_pipeline(FunctionTransformer(audio_columns), predecessor_forest(seed, trees=trees)))


def logistic_on_songs(seed: int, _vocabulary: Sequence[str] = ()) -> LogOdds:
    """Build logistic regression over base rows."""
    return LogOdds(logistic(seed))


class GenreRateAnswer(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Answers with the mean rate of a song's genres, in log odds."""

    def fit(self, rows: FloatMatrix, popular: NDArray[np.bool_], weight: FloatArray | None = None) -> Self:
        """Learn the rates; ``weight`` has shape (n_rows,), 1 each if not given."""
        self.classes_ = np.array([False, True])
        self.rates_ = GenreRates().fit(rows, popular, np.ones(len(rows)) if weight is None else weight)
        return self

    def decision_function(self, rows: FloatMatrix) -> FloatArray:
        """Return the mean log odds of each row's genres, shape (n,)."""
        return self.rates_.transform(rows)[:, 0].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A way to train the base model.

    Attributes:
        name: Its name on the command line.
        build: Builds the unfitted base model from a seed and the known tags.
        servable: Whether it can be stored, as :class:`core.model.ensemble.BoostedBase` can.
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
