"""The model as plain data: what is stored of it, and how each figure is checked when it is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.domain import BandRecord, Verdict, VerdictBands
from core.model.calibration import Calibration, FloatArray
from core.model.features import BASE, BY_KEY, COLUMN
from core.model.folds import N_FOLDS
from core.model.genres import GENRES
from core.model.plain_data import Plain
from core.model.quick_trees import BoostedTrees, TreeNodes
from core.model.rates import GENRE_RATES, GenreRates, TagRates
from core.model.served import BoostedBase, FoldModel, ServedModel
from core.model.track_stage import KINDS, RISING, TrackWeighing
from core.model.views import PATTERNS

MAX_TAGS: Final = 5_000
"""Most tags the model knows."""

MAX_TREES: Final = 5_000
MAX_NODES: Final = 500_000
MAX_PERCENTILES: Final = 10_000

MAX_AMOUNT: Final = 1e6
"""Greatest amount of a rate, slope, intercept or weight, so that no answer made of them is infinite."""

MAX_COUNT: Final = 2**53
"""Greatest count: all whole numbers up to here are floats."""


def to_plain(model: ServedModel) -> Plain:
    """Return the model as plain data.

    Raises:
        TypeError: Its base models cannot be stored.
    """
    return {
        "folds": [_fold_to_plain(fold) for fold in model.folds],
        "vocabulary": list(model.vocabulary),
        "typical": model.typical,
        "typical_track": {"listeners": model.typical_track[0], "playcount": model.typical_track[1]},
        "percentiles": dict(model.percentiles),
        "base_rate": model.base_rate,
        "bands": {"medium": model.bands.medium, "popular": model.bands.popular},
        "records": _records_to_plain(model.records),
        "records_without_figures": _records_to_plain(model.records_without_figures),
        "threshold": model.threshold,
        "metrics": _as_json(model.metrics),
    }


def from_plain(stored: Plain) -> ServedModel:
    """Build the model once every array and number of its stored form is known to be what it has to be.

    Raises:
        ValueError: Something is missing, of another kind, or out of range; it is named.
    """
    root = _Entries(stored, "the model")
    vocabulary = root.texts("vocabulary", MAX_TAGS)
    medium, popular = (root.entries("bands").number(name, 0, 1) for name in ("medium", "popular"))
    if not medium < popular:
        raise ValueError("the bands overlap")
    folds = root.items("folds", N_FOLDS)
    if len(folds) != N_FOLDS:
        raise ValueError(f"there are {len(folds)} folds instead of {N_FOLDS}")
    typical = root.array("typical", np.float32, (len(BASE),))
    if np.isinf(typical).any():
        raise ValueError("typical is infinite")
    metrics = root.value("metrics")
    if type(metrics) is not dict:
        raise ValueError("metrics is no table")
    typical_track = root.entries("typical_track")
    return ServedModel(
        folds=tuple(_fold(fold, vocabulary) for fold in folds),
        vocabulary=vocabulary,
        typical=typical,
        typical_track=(
            typical_track.number("listeners", 1, MAX_COUNT),
            typical_track.number("playcount", 1, MAX_COUNT),
        ),
        percentiles=_percentiles(root.entries("percentiles")),
        base_rate=root.number("base_rate", 0, 1),
        bands=VerdictBands(medium=medium, popular=popular),
        records=_records(root, "records"),
        records_without_figures=_records(root, "records_without_figures"),
        threshold=root.number("threshold", 0, 1),
        metrics=metrics,
    )


class _Entries:
    """A stored table whose entries are asked for with what they have to be."""

    def __init__(self, stored: Any, name: str) -> None:
        if type(stored) is not dict:
            raise ValueError(f"{name} is no table")
        self.stored: dict[str, Any] = stored
        self.name = name

    def value(self, key: str) -> Any:
        if key not in self.stored:
            raise ValueError(f"{self.name} has no {key}")
        return self.stored[key]

    def entries(self, key: str) -> _Entries:
        return _Entries(self.value(key), key)

    def items(self, key: str, n_max: int) -> list[Any]:
        found = self.value(key)
        if type(found) is not list or len(found) > n_max:
            raise ValueError(f"{key} is no list of at most {n_max}")
        return found

    def texts(self, key: str, n_max: int) -> tuple[str, ...]:
        found = self.items(key, n_max)
        if not all(type(text) is str for text in found) or len(set(found)) != len(found):
            raise ValueError(f"{key} is no list of different texts")
        return tuple(found)

    def number(self, key: str, least: float, most: float) -> float:
        return _number(self.value(key), key, least, most)

    def array(self, key: str, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return an array of exactly this shape."""
        found = self.value(key)
        if type(found) is not np.ndarray or found.dtype != dtype or found.shape != shape:
            raise ValueError(f"{key} is no array of {np.dtype(dtype)} of the shape {shape}")
        return found

    def vector(self, key: str, dtype: type[np.generic], n_max: int) -> NDArray[Any]:
        """Return an array of one dimension, of 1 to ``n_max`` numbers."""
        found = self.value(key)
        if type(found) is not np.ndarray or found.ndim != 1 or not 0 < len(found) <= n_max:
            raise ValueError(f"{key} is no array of 1 to {n_max:,} numbers")
        return self.array(key, dtype, (len(found),))

    def amounts(self, key: str, dtype: type[np.generic], shape: tuple[int, ...]) -> NDArray[Any]:
        """Return an array of this shape, of finite numbers that are not too large to be added up."""
        found = self.array(key, dtype, shape)
        # Written so that NaN fails too; an empty array has nothing to be checked.
        if found.size and not np.abs(found).max() <= MAX_AMOUNT:
            raise ValueError(f"{key} holds a number beyond {MAX_AMOUNT:g}")
        return found


def _number(value: Any, key: str, least: float, most: float) -> float:
    if type(value) not in (int, float) or not least <= value <= most:
        raise ValueError(f"{key} is no number from {least:g} to {most:g}")
    return float(value)


def _fold_to_plain(fold: FoldModel) -> Plain:
    if not isinstance(fold.base, BoostedBase):
        raise TypeError(f"a {type(fold.base).__name__} cannot be stored")
    nodes = fold.base.trees.nodes
    return {
        "genre_rates": fold.base.genre_rates.log_odds_,
        "tag_rates": fold.base.tag_rates.log_odds_,
        "n_marked_tags": fold.base.tag_rates.n_marked,
        "trees": {
            "baseline": nodes.baseline,
            "tree_sizes": nodes.tree_sizes,
            "column": nodes.column,
            "threshold": nodes.threshold,
            "unknown_left": nodes.unknown_left,
            "left": nodes.left,
            "right": nodes.right,
            "value": nodes.value,
        },
        "calibration": {
            "slope": np.array([fold.calibration[pattern].slope for pattern in PATTERNS]),
            "intercept": np.array([fold.calibration[pattern].intercept for pattern in PATTERNS]),
        },
        "second_stage": {"intercepts": fold.weighing.intercepts, "weights": fold.weighing.weights},
    }


def _fold(stored: Any, vocabulary: tuple[str, ...]) -> FoldModel:
    fold = _Entries(stored, "a fold")
    calibration, second_stage = fold.entries("calibration"), fold.entries("second_stage")
    slopes = calibration.amounts("slope", np.float64, (len(PATTERNS),)).tolist()
    intercepts = calibration.amounts("intercept", np.float64, (len(PATTERNS),)).tolist()
    tag_rates = TagRates(
        vocabulary,
        fold.amounts("tag_rates", np.float32, (len(vocabulary),)),
        n_marked=int(fold.number("n_marked_tags", 0, len(vocabulary))),
    )
    return FoldModel(
        base=BoostedBase(
            genre_rates=GenreRates(fold.amounts("genre_rates", np.float32, (len(GENRES),))),
            tag_rates=tag_rates,
            trees=_trees(fold.entries("trees"), COLUMN["tag_1"] + GENRE_RATES + tag_rates.columns),
        ),
        calibration=dict(zip(PATTERNS, map(Calibration, slopes, intercepts), strict=True)),
        weighing=TrackWeighing(
            second_stage.amounts("intercepts", np.float64, (KINDS,)),
            second_stage.amounts("weights", np.float64, (KINDS, len(RISING))),
        ),
    )


def _trees(stored: _Entries, n_columns: int) -> BoostedTrees:
    column = stored.vector("column", np.int16, MAX_NODES)
    shape = column.shape
    nodes = TreeNodes(
        baseline=stored.number("baseline", -MAX_AMOUNT, MAX_AMOUNT),
        tree_sizes=stored.vector("tree_sizes", np.int32, MAX_TREES),
        column=column,
        threshold=stored.array("threshold", np.float64, shape),
        unknown_left=stored.array("unknown_left", np.uint8, shape),
        left=stored.array("left", np.int32, shape),
        right=stored.array("right", np.int32, shape),
        value=stored.array("value", np.float64, shape),
    )
    return BoostedTrees.of(nodes, n_columns)


def _percentiles(stored: _Entries) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    for key in stored.stored:
        if key not in BY_KEY:
            raise ValueError("there are percentiles of what is no feature")
        values = stored.vector(key, np.float64, MAX_PERCENTILES)
        if not (np.isfinite(values).all() and (np.diff(values) >= 0).all()):
            raise ValueError(f"the percentiles of {key} do not rise")
        found[key] = values
    return found


def _records_to_plain(records: Iterable[BandRecord]) -> Plain:
    return [
        {"verdict": record.verdict.value, "share_popular": record.share_popular, "n_songs": record.n_songs}
        for record in records
    ]


def _records(root: _Entries, key: str) -> tuple[BandRecord, ...]:
    records = []
    for item in root.items(key, len(Verdict)):
        record = _Entries(item, key)
        # An unknown verdict is a ValueError of the enumeration's own.
        verdict = Verdict(record.value("verdict"))
        n_songs = record.number("n_songs", 0, MAX_COUNT)
        records.append(BandRecord(verdict, record.number("share_popular", 0, 1), int(n_songs)))
    return tuple(records)


def _as_json(value: Any) -> Plain:
    """Return the metrics as reading ``metrics.json`` would give them: tuples become lists."""
    if isinstance(value, Mapping):
        return {str(key): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"a {type(value).__name__} is no figure")
