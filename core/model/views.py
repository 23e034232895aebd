"""Which groups of figures are known: the patterns a song is answered under, and how figures are hidden."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from core.domain import Block
from core.model.features import COLUMNS_OF, FloatMatrix, Group

Pattern = tuple[Block, ...]
"""Blocks known to the base model, in the order of :class:`core.domain.Block`; never holds ``Block.TRACK``."""

BASE_BLOCKS: Final = (Block.ARTIST, Block.TAGS, Block.AUDIO)

PATTERNS: Final[tuple[Pattern, ...]] = tuple(
    tuple(block for bit, block in enumerate(BASE_BLOCKS) if number >> bit & 1) for number in range(8)
)
"""All eight combinations of base blocks."""

VIEWS: Final[dict[str, Pattern]] = {
    "full": (Block.ARTIST, Block.TAGS, Block.AUDIO),
    "live": (Block.ARTIST, Block.TAGS),
    "no_tags": (Block.ARTIST, Block.AUDIO),
    "artist": (Block.ARTIST,),
    "tags": (Block.TAGS,),
    "audio": (Block.AUDIO,),
    "names": (),
}
"""Views that are reported, by name; what the title tells is known in all of them."""

GROUPS_OF_BLOCK: Final[dict[Block, tuple[Group, ...]]] = {
    Block.ARTIST: (Group.ARTIST,),
    Block.TAGS: (Group.TAGS,),
    Block.AUDIO: (Group.AUDIO, Group.CREDITS, Group.EXPLICIT),
}
"""Groups hidden with a block. Credits and the explicit mark come from the catalogue, as the audio features do."""


def pattern_of(blocks: Iterable[Block]) -> Pattern:
    """Return the base blocks among ``blocks``, in their fixed order."""
    known = set(blocks)
    return tuple(block for block in BASE_BLOCKS if block in known)


def hide(rows: FloatMatrix, groups: Iterable[Group]) -> FloatMatrix:
    """Return a copy of ``rows``, shape (n, n_columns), with whole groups set to NaN."""
    hidden = rows.copy()
    for group in groups:
        hidden[:, list(COLUMNS_OF[group])] = np.nan
    return hidden


def seen_under(rows: FloatMatrix, pattern: Pattern) -> FloatMatrix:
    """Return a copy of ``rows`` as they look when only the blocks of ``pattern`` are known."""
    return hide(rows, [g for block in BASE_BLOCKS if block not in pattern for g in GROUPS_OF_BLOCK[block]])
