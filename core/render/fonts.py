"""The fonts of the pictures and what they can draw.

FiraGO comes first; each following font fills in scripts that those before it lack: Noto Sans, Noto Sans CJK, Noto's
symbols, and Kurinto for some hundred further scripts and one-coloured emoji. All come from pinned packages.
"""

from __future__ import annotations

import re
import tempfile
import threading
import unicodedata
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import noto_cjk
import pymupdf_fonts
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


# Names by which pymupdf-fonts knows its fonts; the symbol fonts have one weight only.
_BUNDLED: Final = {Weight.REGULAR: ("figo", "notos"), Weight.BOLD: ("figbo", "notosbo")}
_SYMBOLS: Final = ("symbol1", "symbol2", "music", "math")
_KURINTO_FOLDER: Final = "static/weblate_fonts/kurinto/ttf"
_KURINTO: Final = {
    Weight.REGULAR: f"{_KURINTO_FOLDER}/KurintoSans-Rg.ttf",
    Weight.BOLD: f"{_KURINTO_FOLDER}/KurintoSans-Bd.ttf",
}
_local = threading.local()


def _files(weight: Weight, folder: Path) -> list[Path]:
    """List the font files in order of preference; bundled bytes are written into ``folder``."""

    def unpacked(name: str) -> Path:
        path = folder / f"{name}.ttf"
        path.write_bytes(pymupdf_fonts.myfont(name))
        return path

    return [
        *(unpacked(name) for name in _BUNDLED[weight]),
        Path(noto_cjk.font_path("sans", "jp", weight.value)),
        *(unpacked(name) for name in _SYMBOLS),
        Path(str(files("weblate_fonts") / _KURINTO[weight])),
    ]


def font(weight: Weight) -> FT2Font:
    """Return the font of ``weight`` with its fallbacks; each thread has its own, since a font holds the last text."""
    fonts: dict[Weight, FT2Font] = _local.__dict__.setdefault("fonts", {})
    if weight not in fonts:
        # matplotlib opens every file at once and keeps it open, so the folder may go again.
        with tempfile.TemporaryDirectory(prefix="hitmeter-fonts-", ignore_cleanup_errors=True) as folder:
            fonts[weight] = get_font(_files(weight, Path(folder)))
    return fonts[weight]


@cache
def _covered(weight: Weight) -> frozenset[int]:
    """Collect the code points for which some font of ``weight`` has a glyph."""
    with tempfile.TemporaryDirectory(prefix="hitmeter-fonts-", ignore_cleanup_errors=True) as folder:
        return frozenset(point for path in _files(weight, Path(folder)) for point in FT2Font(path).get_charmap())


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
            if base_drawn and marks <= _MARKS_MAX and ord(char) in covered:
                kept.append(char)
            continue
        if category in _INVISIBLE:
            if char in _JOINERS and base_drawn and ord(char) in covered:
                kept.append(char)
            continue
        marks = 0
        base_drawn = ord(char) in covered
        if base_drawn:
            kept.append(char)
    result = "".join(kept)
    return " ".join(_EMPTY_BRACKETS.sub(" ", result).split()).rstrip(_JOINERS)
