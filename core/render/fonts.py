"""The fonts of the pictures and what they can draw.

FiraGO comes first; each following font fills in scripts that those before it lack: Noto Sans, Noto Sans CJK, Noto's
symbols, and Kurinto for some hundred further scripts and one-coloured emoji. Noto Sans CJK comes from a pinned package,
the others lie in ``typefaces``.
"""

from __future__ import annotations

import re
import sys
import threading
import unicodedata
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

import noto_cjk
from matplotlib.font_manager import get_font
from matplotlib.ft2font import FT2Font

_MARKS_MAX: Final = 4
"""Most combining marks kept on one letter; stacks of dozens are a prank that paints over its neighbours."""

_BOXED: Final = re.compile("[\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\u20e3\ufffc\ufffd\ufe00-\ufe0f]")
"""Skin tones, halves of flags, key caps, replacement signs and variant selectors: at best drawn as frames."""

_JOINERS: Final = "\u200c\u200d"
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_EMPTY_BRACKETS: Final = re.compile(r"\(\s*\)|\[\s*\]|\{\s*\}|（\s*）|【\s*】")


class Weight(StrEnum):
    """The two weights of type that are used."""

    REGULAR = "regular"
    BOLD = "bold"


_FOLDER: Final = Path(__file__).with_name("typefaces")
_LETTERS: Final = {
    Weight.REGULAR: ("FiraGO-Regular.ttf", "NotoSans-Regular.ttf"),
    Weight.BOLD: ("FiraGO-Bold.ttf", "NotoSans-Bold.ttf"),
}
# These have one weight only.
_SYMBOLS: Final = (
    "NotoSansSymbols-Regular.otf",
    "NotoSansSymbols2-Regular.otf",
    "NotoMusic-Regular.otf",
    "NotoSansMath-Regular.otf",
)
_FURTHER_SCRIPTS: Final = {Weight.REGULAR: "KurintoSans-Rg.ttf", Weight.BOLD: "KurintoSans-Bd.ttf"}
_local = threading.local()


def _files(weight: Weight) -> list[Path]:
    """List the font files in order of preference."""
    return [
        *(_FOLDER / name for name in _LETTERS[weight]),
        Path(noto_cjk.font_path("sans", "jp", weight.value)),
        *(_FOLDER / name for name in _SYMBOLS),
        _FOLDER / _FURTHER_SCRIPTS[weight],
    ]


def font(weight: Weight) -> FT2Font:
    """Return the font of ``weight`` with its fallbacks; each thread has its own, since a font holds the last text."""
    fonts: dict[Weight, FT2Font] = _local.__dict__.setdefault("fonts", {})
    if weight not in fonts:
        fonts[weight] = get_font(_files(weight))
    return fonts[weight]


@cache
def _covered(weight: Weight) -> bytes:
    """Mark with 1 the code points for which some font of ``weight`` has a glyph; a set of them takes megabytes more."""
    covered = bytearray(sys.maxunicode + 1)
    for path in _files(weight):
        for point in FT2Font(path).get_charmap():
            covered[point] = 1
    return bytes(covered)


@lru_cache(maxsize=1024)
def drawable(text: str, weight: Weight) -> str:
    """Leave out what cannot or must not be drawn: unknown glyphs, controls, direction overrides, stacked marks.

    White space becomes single spaces; brackets left empty go too. The result may be empty.
    """
    covered = _covered(weight)
    kept: list[str] = []
    marks = 0
    base_drawn = False
    for char in unicodedata.normalize("NFC", _BOXED.sub("", text)):
        if char.isspace():
            kept.append(" ")
            base_drawn = False
            continue
        category = unicodedata.category(char)
        if category.startswith("M"):
            marks += 1
            if base_drawn and marks <= _MARKS_MAX and covered[ord(char)]:
                kept.append(char)
            continue
        if category in _INVISIBLE:
            if char in _JOINERS and base_drawn and covered[ord(char)]:
                kept.append(char)
            continue
        marks = 0
        base_drawn = bool(covered[ord(char)])
        if base_drawn:
            kept.append(char)
    result = "".join(kept)
    return " ".join(_EMPTY_BRACKETS.sub(" ", result).split()).rstrip(_JOINERS)
