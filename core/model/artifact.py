"""Loads the stored model only if nothing about it is in doubt.

A folder of models holds ``manifest.json`` and the artifact it names; :mod:`core.training.promotion` writes both.

The manifest guards against accidents: a damaged or half-copied file, an artifact swapped without its manifest, features
made by other rules than the model's own. It binds the model to no version of any library: the artifact holds numbers,
texts and arrays alone.

Whoever can write both files can make the bot give wrong answers, and no more than that. The artifact is a pickle, but
Python's unpickler never sees it: :mod:`core.model.artifact` reads it, which knows plain data alone, calls nothing
that a file names, and bounds what it takes; :mod:`core.model.artifact` then checks each shape, dtype and range, so
that every answer comes to an end and is a number.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickletools
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.domain import BandRecord, Verdict, VerdictBands
from core.errors import ModelMissing, ModelRejected
from core.model.ensemble import (
    GENRE_RATES,
    KINDS,
    RISING,
    BoostedBase,
    BoostedTrees,
    Calibration,
    FloatArray,
    FoldModel,
    GenreRates,
    SecondStage,
    ServedModel,
    TagRates,
    TreeNodes,
)
from core.model.features import BASE, BY_KEY, COLUMN, N_FOLDS, PATTERNS, schema_hash
from core.model.genres import GENRES

Plain = dict[str, "Plain"] | list["Plain"] | str | int | float | bool | None | NDArray[Any]
"""What can be written and read."""

PROTOCOL: Final = 4
"""Version of the pickle format that is written; later ones add nothing that is needed."""

MAX_UNPACKED_BYTES: Final = 32_000_000
"""Longest body once it is unpacked: several times a model's."""

MAX_INSTRUCTIONS: Final = 100_000
"""Most instructions followed, each of which makes at most one value: several times a model's."""

MAX_NESTING: Final = 32
"""Deepest nesting of dicts and lists."""

MAX_PADDING_BYTES: Final = 16
"""Longest filling before the bytes of an array; joblib aligns them to so many."""

DTYPES: Final = frozenset({"f8", "f4", "i8", "i4", "i2", "u1"})
"""Kinds of arrays, by numpy's codes."""


class _Name(Enum):
    """What a body may name, each by its module and name; none of them is imported or called."""

    WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
    ARRAY = ("numpy", "ndarray")
    DTYPE = ("numpy", "dtype")


class _Pending:
    """An array that is described next."""


_MARKED: Final = frozenset({"APPENDS", "SETITEMS", "TUPLE"})
_CONSTANTS: Final = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS: Final = frozenset({
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE",
})  # fmt: skip
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DESCRIPTION: Final = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"})
_SCALARS: Final = (str, int, float, bool, type(None))


def load_plain(packed: bytes) -> Plain:
    """Read what ``joblib.dump(..., compress=("zlib", n))`` made of plain data.

    Raises:
        ValueError: It is anything else, or larger than any model; nothing of it has been run.
    """
    try:
        return _Reader(_unpacked(packed)).read()
    except (IndexError, KeyError, OverflowError, TypeError) as error:
        raise ValueError(f"it is garbled: {type(error).__name__}") from None


def _unpacked(packed: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(packed, MAX_UNPACKED_BYTES)
    except zlib.error:
        raise ValueError("it is not packed by zlib") from None
    if not stream.eof or stream.unused_data:
        raise ValueError(f"it is cut off, has something behind its end, or has more than {MAX_UNPACKED_BYTES:,} bytes")
    return body


class _Reader:
    """Follows the instructions of one body."""

    def __init__(self, body: bytes) -> None:
        self._stream = io.BytesIO(body)
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: list[Any] = []

    def read(self) -> Plain:
        # The generator reads one instruction at a time, so that arrays can be read from between them.
        for number, (code, argument, _) in enumerate(pickletools.genops(self._stream)):
            if number >= MAX_INSTRUCTIONS:
                raise ValueError(f"it has more than {MAX_INSTRUCTIONS:,} instructions")
            self._follow(code.name, argument)
        (value,) = self._stack
        if self._marks or self._stream.read(1):
            raise ValueError("something is left over")
        _check_plain(value)
        return value  # type: ignore[no-any-return]

    def _follow(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _LITERALS:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == "MEMOIZE":
            self._memo.append(stack[-1])
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._remembered(argument))
        elif name == "MARK":
            self._marks.append(len(stack))
        elif name in _MARKED:
            self._gather(name)
        elif name in _TUPLES:
            items = tuple(self._pop(_TUPLES[name]))
            stack.append(items)
        elif name == "EMPTY_DICT":
            stack.append({})
        elif name == "EMPTY_LIST":
            stack.append([])
        elif name in ("APPEND", "SETITEM"):
            self._fill(self._pop(1 if name == "APPEND" else 2))
        elif name == "STACK_GLOBAL":
            stack.append(_named(*self._pop(2)))
        elif name == "NEWOBJ":
            if self._pop(2) != [_Name.WRAPPER, ()]:
                raise ValueError("it makes something else than an array")
            stack.append(_Pending())
        elif name == "REDUCE":
            stack.append(_dtype(*self._pop(2)))
        elif name == "BUILD":
            self._build(*self._pop(1))
        elif name not in ("PROTO", "FRAME", "STOP"):
            raise ValueError(f"its instruction {name} is not for plain data")

    def _pop(self, n: int) -> list[Any]:
        """Take the last ``n`` values from the stack, none from before a mark."""
        start = len(self._stack) - n
        if start < (self._marks[-1] if self._marks else 0):
            raise ValueError("an instruction lacks its values")
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _remembered(self, number: int) -> Any:
        value = self._memo[number]
        # Containers are never shared: that way lie cycles, and small files that stand for huge values.
        if isinstance(value, str | _Name | np.dtype):
            return value
        raise ValueError("it refers to a value a second time")

    def _gather(self, name: str) -> None:
        items = self._pop(len(self._stack) - self._marks[-1])
        self._marks.pop()
        if name == "TUPLE":
            self._stack.append(tuple(items))
        else:
            self._fill(items)

    def _fill(self, items: list[Any]) -> None:
        """Put items into the list or dict that is last on the stack."""
        filled = self._stack[-1]
        if type(filled) is list:
            filled.extend(items)
            return
        if type(filled) is not dict:
            raise ValueError("it fills neither a list nor a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Checked before it is hashed: nested tuples would take for ever.
            if type(key) is not str or key in filled:
                raise ValueError("a key is no text, or stands twice")
            filled[key] = value

    def _build(self, state: Any) -> None:
        described = self._stack[-1]
        if isinstance(described, _Pending):
            self._stack[-1] = self._array(state)
        elif not isinstance(described, np.dtype) or state != (3, described.str[0], None, None, None, -1, -1, 0):
            raise ValueError("it describes something else than an array")

    def _array(self, state: Any) -> NDArray[Any]:
        """Read the bytes of an array, which stand behind its description."""
        if type(state) is not dict or set(state) != _DESCRIPTION:
            raise ValueError("an array is not described as it should be")
        shape, dtype = state["shape"], state["dtype"]
        if state["subclass"] is not _Name.ARRAY or state["order"] != "C" or not isinstance(dtype, np.dtype):
            raise ValueError("an array is of another class, order or dtype")
        if type(shape) is not tuple or not shape or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError("an array has no shape")
        n_bytes = math.prod(shape) * dtype.itemsize
        if n_bytes > MAX_UNPACKED_BYTES:
            raise ValueError("an array is longer than the body")
        (padding,) = self._stream.read(1)
        if padding > MAX_PADDING_BYTES or len(self._stream.read(padding)) != padding:
            raise ValueError("an array is cut off")
        data = self._stream.read(n_bytes)
        if len(data) != n_bytes:
            raise ValueError("an array is cut off")
        return np.frombuffer(data, dtype=dtype).reshape(shape)


def _named(module: Any, name: Any) -> _Name:
    if type(module) is not str or type(name) is not str:
        raise ValueError("a name is no text")
    try:
        return _Name((module, name))
    except ValueError:
        raise ValueError(f"it names {module[:80]}.{name[:80]}, which is not for plain data") from None


def _dtype(called: Any, arguments: Any) -> np.dtype[Any]:
    if called is not _Name.DTYPE:
        raise ValueError("it calls something")
    code, *rest = arguments
    if type(code) is not str or code not in DTYPES or rest != [False, True]:
        raise ValueError("an array's dtype is not numeric")
    return np.dtype(f"<{code}")


def _check_plain(value: Any) -> None:
    """Refuse what belongs into the description of an array alone, and nesting that later readers would trip over."""
    level, nesting = [value], 0
    while level:
        if nesting > MAX_NESTING:
            raise ValueError(f"it is nested deeper than {MAX_NESTING} times")
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                below += item.values()
            elif type(item) is list:
                below += item
            elif type(item) is not np.ndarray and type(item) not in _SCALARS:
                raise ValueError(f"it holds a {type(item).__name__}")
        level, nesting = below, nesting + 1


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
        "second_stage": {"intercepts": fold.second_stage.intercepts, "weights": fold.second_stage.weights},
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
        second_stage=SecondStage(
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


FORMAT: Final = 3
"""Raised when the shape of what :func:`core.model.artifact.to_plain` gives changes."""

ARTIFACT_MAX_BYTES: Final = 8_000_000
"""Largest artifact written or read."""

MANIFEST_MAX_BYTES: Final = 100_000
"""Largest manifest read."""

MANIFEST: Final = "manifest.json"
ARTIFACT_NAME: Final = re.compile(r"model-[0-9a-f]{12}\.joblib")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A verified model and when it was trained."""

    model: ServedModel
    trained_at: datetime


def load(folder: Path) -> Loaded:
    """Load the model of a folder once its manifest, size, SHA-256, feature rules and every figure have been checked.

    Raises:
        ModelMissing: There is no manifest, or the artifact it names is not there.
        ModelRejected: Anything differs from the manifest or from what this program needs.
    """
    manifest = read_manifest(folder)
    if manifest.get("format") != FORMAT:
        raise ModelRejected(
            f"{folder / MANIFEST} is of format {manifest.get('format')!r}; {FORMAT} is needed. Retrain."
        )
    if manifest.get("features") != schema_hash():
        raise ModelRejected("The model was trained on features made by other rules than the present ones. Retrain.")
    try:
        entry = manifest["artifact"]
        name, size, digest = str(entry["file"]), int(entry["bytes"]), str(entry["sha256"])
        trained_at = datetime.fromisoformat(str(manifest["trained_at"]))
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise ModelRejected(f"{folder / MANIFEST} lacks or garbles {error}.") from None
    if not ARTIFACT_NAME.fullmatch(name) or trained_at.tzinfo is None:
        raise ModelRejected(f"{folder / MANIFEST} names no artifact of ours or no time zone.")
    path = folder / name
    if not path.is_file():
        raise ModelMissing(f"{path} is missing, though {MANIFEST} names it.")
    if path.stat().st_size != size or size > ARTIFACT_MAX_BYTES:
        raise ModelRejected(f"{path} has {path.stat().st_size:,} bytes; {size:,} are expected.")
    body = path.read_bytes()
    if hashlib.sha256(body).hexdigest() != digest:
        raise ModelRejected(f"{path} does not have the SHA-256 that {MANIFEST} states: it is damaged or was changed.")
    try:
        return Loaded(from_plain(load_plain(body)), trained_at)
    except ValueError as error:
        raise ModelRejected(f"{path} holds no model of ours: {error}.") from None


def manifest_digest(folder: Path) -> str | None:
    """Tell one stored model from another by its manifest, which is written last; None if there is none to read."""
    try:
        with (folder / MANIFEST).open("rb") as manifest:
            return hashlib.sha256(manifest.read(MANIFEST_MAX_BYTES)).hexdigest()
    except OSError:
        return None


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a folder, none of its entries checked.

    Raises:
        ModelMissing: There is none.
        ModelRejected: It cannot be read, or is no manifest.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            body = file.read(MANIFEST_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ModelMissing(f"There is no model in {folder}. Train one: python scripts/train.py --data DIR") from None
    except OSError as error:
        raise ModelRejected(f"{path} cannot be read: {type(error).__name__}.") from None
    if len(body) > MANIFEST_MAX_BYTES:
        raise ModelRejected(f"{path} has more than {MANIFEST_MAX_BYTES:,} bytes.")
    try:
        manifest = json.loads(body)
    except (RecursionError, ValueError) as error:
        raise ModelRejected(f"{path} cannot be read: {type(error).__name__}.") from None
    if not isinstance(manifest, dict):
        raise ModelRejected(f"{path} holds no manifest.")
    return manifest
