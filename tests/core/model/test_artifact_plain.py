from __future__ import annotations

import contextlib
import io
import os
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model import artifact as plain_data
from core.model.artifact import DTYPES, Plain, load_plain
from core.training.promotion import dump_plain

SAMPLE: Plain = {
    "texts": ["pop", "夜", "", "pop", "shape", "C"],
    "numbers": [0, -1, 300, 70_000, 2**40, -(2**70), 0.1, 1e-300, float("inf")],
    "others": [True, False, None, {}, [], {"a": {"b": [[]]}}],
    "arrays": [np.arange(12, dtype=f"<{code}").reshape(3, 4) for code in sorted(DTYPES)],
    "empty": np.empty((0, 3)),
}


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def packed(value: object, **options: Any) -> bytes:
    """Write anything at all as the artifact is written."""
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=("zlib", 9), **options)
    return buffer.getvalue()


def same(left: Any, right: Any) -> bool:
    """Compare type by type and bit by bit."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()
    return repr(left) == repr(right)


def test_what_is_written_is_read_by_us_and_by_joblib() -> None:
    assert same(load_plain(dump_plain(SAMPLE)), SAMPLE)
    assert same(joblib.load(io.BytesIO(dump_plain(SAMPLE))), SAMPLE)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(plain)
def test_any_plain_value_comes_back(value: Any) -> None:
    assert same(load_plain(dump_plain(value)), value)


def test_equal_values_give_equal_bytes_however_they_were_made() -> None:
    built = {
        "texts": ["".join(list(text)) if isinstance(text, str) else text for text in SAMPLE["texts"]],
        "numbers": [float(repr(n)) if isinstance(n, float) else int(str(n)) for n in SAMPLE["numbers"]],
        "others": [True, False, None, {}, [], {"a": {"b": [[]]}}],
        # Read back, an array has a dtype object and memory of its own; so has one in another order.
        "arrays": [np.asfortranarray(array) for array in load_plain(dump_plain(SAMPLE))["arrays"]],
        "empty": np.empty((0, 3)).T.copy().T,
    }
    assert dump_plain(built) == dump_plain(SAMPLE)


@pytest.mark.parametrize(
    "value",
    [("tuple",), {1: 2}, {"a": {"set"}}, [b"bytes"], [np.float64(1)], np.array(["text"]), np.array([None]),
     np.array(1.0), np.array([True]), [Path()]],
    ids=repr,
)  # fmt: skip
def test_nothing_else_is_written(value: Any) -> None:
    with pytest.raises(TypeError):
        dump_plain(value)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "around",
    [lambda bomb: bomb, lambda bomb: {"metrics": [1, bomb]}, lambda bomb: np.array([bomb]), lambda bomb: {bomb: 1}],
    ids=["bare", "inside", "in an array of objects", "as a key"],
)
def test_code_in_a_file_does_not_run(around: Callable[[Bomb], object], protocol: int, tmp_path: Path) -> None:
    mark = tmp_path / "exploded"
    body = packed(around(Bomb(mark)), protocol=protocol)
    with pytest.raises(ValueError, match=r"not for plain data|dtype|instruction"):
        load_plain(body)
    assert not mark.exists()
    # It is a real one: joblib runs it.
    with contextlib.suppress(TypeError):  # what mkdir returns can be no array
        joblib.load(io.BytesIO(body))
    assert mark.exists()


def written(*parts: bytes) -> bytes:
    return zlib.compress(b"".join((pickle.PROTO, b"\x04", *parts, pickle.STOP)))


def name(module: bytes, attribute: bytes) -> bytes:
    return text(module) + text(attribute) + pickle.STACK_GLOBAL


def text(body: bytes) -> bytes:
    return pickle.SHORT_BINUNICODE + bytes([len(body)]) + body


DTYPE = name(b"numpy", b"dtype") + text(b"f8") + pickle.NEWFALSE + pickle.NEWTRUE + pickle.TUPLE3 + pickle.REDUCE
WRAPPER = name(b"joblib.numpy_pickle", b"NumpyArrayWrapper") + pickle.EMPTY_TUPLE + pickle.NEWOBJ


def array(shape: bytes, **changes: bytes) -> bytes:
    """Describe an array of no more than these entries; nothing stands behind it."""
    entries = {
        "subclass": name(b"numpy", b"ndarray"),
        "shape": shape,
        "order": text(b"C"),
        "dtype": DTYPE,
        "allow_mmap": pickle.NEWFALSE,
        "numpy_array_alignment_bytes": pickle.BININT1 + b"\x10",
    } | changes
    filled = b"".join(text(key.encode()) + value for key, value in entries.items())
    return WRAPPER + pickle.EMPTY_DICT + pickle.MARK + filled + pickle.SETITEMS + pickle.BUILD


HUGE = pickle.LONG1 + b"\x08" + (2**62).to_bytes(8, "little") + pickle.TUPLE1
LISTS = pickle.EMPTY_LIST + pickle.MEMOIZE
DOUBLED = (
    pickle.EMPTY_LIST + pickle.MEMOIZE + pickle.MARK + pickle.BINGET + b"%c" + pickle.BINGET + b"%c" + pickle.APPENDS
)

MALICIOUS = {
    "a name of ours": (written(name(b"core.model.ensemble", b"ServedModel")), "not for plain data"),
    "a name of numpy's": (written(name(b"numpy", b"load")), "not for plain data"),
    "a name below a name": (written(name(b"numpy", b"ndarray.fromfile")), "not for plain data"),
    "an old-fashioned name": (written(b"cposix\nsystem\n"), "instruction GLOBAL"),
    "an instance": (written(b"(iposix\nsystem\n"), "instruction INST"),
    "a registered name": (written(pickle.EXT1 + b"\x01"), "instruction EXT1"),
    "a persistent id": (written(b"Pid\n"), "instruction PERSID"),
    "a name in a list": (written(pickle.EMPTY_LIST + pickle.EMPTY_LIST + pickle.STACK_GLOBAL), "no text"),
    "the array's class, by itself": (written(name(b"numpy", b"ndarray")), "holds a _Name"),
    "a call of the array's class": (
        written(name(b"numpy", b"ndarray") + pickle.BININT1 + b"\x01" + pickle.TUPLE1 + pickle.REDUCE),
        "calls something",
    ),
    "a dtype, by itself": (written(DTYPE), "holds a "),
    "objects": (written(DTYPE.replace(b"f8", b"O8")), "not numeric"),
    "a tuple": (written(pickle.EMPTY_TUPLE), "holds a tuple"),
    "an array that is never described": (written(WRAPPER), "holds a _Pending"),
    "an array of nothing": (written(array(pickle.EMPTY_TUPLE)), "no shape"),
    "an array of any shape": (written(array(pickle.BININT + b"\xff\xff\xff\xff" + pickle.TUPLE1)), "no shape"),
    "an array of the first class": (written(array(HUGE, subclass=text(b"ndarray"))), "another class"),
    "an array without its end": (written(array(pickle.BININT1 + b"\x09" + pickle.TUPLE1), b""), "cut off"),
    "an array of all memory": (written(array(HUGE)), "longer than the body"),
    "an array of more entries": (written(array(HUGE, buffer=pickle.NONE)), "not described"),
    "a list in itself": (written(LISTS, pickle.BINGET, b"\x00", pickle.APPEND), "a second time"),
    "a small file for a huge value": (
        written(LISTS, *(DOUBLED % (n, n) for n in range(40))), "a second time"
    ),
    "a memo of 32 GB": (written(pickle.NONE, pickle.LONG_BINPUT, b"\xff\xff\xff\xff"), "instruction LONG_BINPUT"),
    "a text of 16 EB": (written(pickle.BINUNICODE8, b"\xff" * 8, b"x"), "."),
    "a text of 4 GB": (written(pickle.BINUNICODE, b"\xff\xff\xff\x7f", b"x"), "."),
    "a number of 2 GB": (written(pickle.LONG4, b"\xff\xff\xff\x7f"), "."),
    "deep lists": (written(pickle.EMPTY_LIST * 40_000 + pickle.APPEND * 39_999), "nested deeper"),
    "deep keys": (
        written(pickle.EMPTY_DICT + pickle.NONE + pickle.TUPLE1 * 90_000 + pickle.NONE + pickle.SETITEM),
        "key is no text",
    ),
    "a key twice": (
        written(pickle.EMPTY_DICT + (text(b"a") + pickle.NONE + pickle.SETITEM) * 2), "stands twice"
    ),
    "half an entry": (written(pickle.EMPTY_DICT + pickle.MARK + text(b"a") + pickle.SETITEMS), "."),
    "a full list": (written(pickle.MARK + pickle.NONE + pickle.APPENDS), "."),
    "no mark": (written(pickle.EMPTY_LIST + pickle.APPENDS), "garbled"),
    "values from before a mark": (
        written(pickle.EMPTY_LIST + pickle.NONE + pickle.MARK + pickle.APPEND), "lacks its values"
    ),
    "nothing": (written(), "."),
    "two values": (written(pickle.NONE, pickle.NONE), "."),
    "something behind the end": (zlib.compress(pickle.dumps(None) + b"."), "left over"),
    "no end": (zlib.compress(pickle.NONE), "."),
    "not packed": (pickle.dumps({}), "not packed"),
    "packed twice over": (written(pickle.NONE) + b"x", "behind its end"),
    "cut off": (dump_plain(SAMPLE)[:-9], "cut off"),
    "too many values": (written(pickle.EMPTY_LIST, (pickle.NONE + pickle.APPEND) * 60_000), "more than 100,000"),
    "a bomb of zeros": (zlib.compress(bytes(100_000_000)), "more than 32,000,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", MALICIOUS)
def test_what_is_not_plain_data_is_refused(case: str) -> None:
    body, match = MALICIOUS[case]
    with pytest.raises(ValueError, match=match):
        load_plain(body)


def test_a_packed_bomb_is_not_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_data, "MAX_UNPACKED_BYTES", len(zlib.decompress(dump_plain(SAMPLE))))
    assert same(load_plain(dump_plain(SAMPLE)), SAMPLE)
    monkeypatch.setattr(plain_data, "MAX_UNPACKED_BYTES", plain_data.MAX_UNPACKED_BYTES - 1)
    with pytest.raises(ValueError, match="cut off"):
        load_plain(dump_plain(SAMPLE))


BODY = zlib.decompress(dump_plain(SAMPLE))


@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_changed_body_is_plain_data_or_refused(changes: list[tuple[int, int]]) -> None:
    body = bytearray(BODY)
    for place, byte in changes:
        body[place] = byte
    try:
        value = load_plain(zlib.compress(bytes(body), 1))
    except ValueError:
        return
    assert type(value) in (dict, list, str, int, float, bool, type(None), np.ndarray)
