"""Reads plain data as joblib writes it: dicts, lists, strings, numbers and numeric arrays, and nothing else.

joblib writes a pickle with the bytes of each array behind its description. A pickle is a program: whoever writes it
names functions that the usual reader then calls. The reader here is another one. It knows the two dozen instructions
and the three names that joblib needs for plain data, gives each name a meaning of its own, and refuses everything else
before anything is built. What comes out is a tree: nothing in it can be met twice, so that a small file cannot stand
for a large value. Nothing here imports joblib, whose import brings its process pools along.
"""

from __future__ import annotations

import io
import math
import pickletools
import zlib
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

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
