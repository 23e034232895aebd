"""Which groups of figures are known: the patterns a song is answered under, and how figures are hidden."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.domain import Block
from core.model.features import COLUMNS_OF, FloatMatrix, Group

Pattern = tuple[Block, ...]
"""Blocks known to the base model, in the order of :class:`core.domain.Block`; never holds ``Block.TRACK``."""

BASE_BLOCKS: Final = tuple(block for block in Block if block is not Block.TRACK)

PATTERNS: Final[tuple[Pattern, ...]] = tuple(
    tuple(block for bit, block in enumerate(BASE_BLOCKS) if number >> bit & 1)
    for number in range(2 ** len(BASE_BLOCKS))
)
"""All combinations of base blocks."""

VIEWS: Final[dict[str, Pattern]] = {
    "full": (Block.ARTIST, Block.TAGS, Block.GENRES, Block.AUDIO),
    "no_tags": (Block.ARTIST, Block.GENRES, Block.AUDIO),
    "no_audio": (Block.ARTIST, Block.TAGS, Block.GENRES),
    "live": (Block.ARTIST, Block.TAGS),
    "catalogue": (Block.GENRES, Block.AUDIO),
    "artist": (Block.ARTIST,),
    "audio": (Block.AUDIO,),
    "names": (),
}
"""Views of the catalogue's songs that are reported, by name; what the title tells is known in all of them."""

GROUPS_OF_BLOCK: Final[dict[Block, tuple[Group, ...]]] = {
    Block.ARTIST: (Group.ARTIST,),
    Block.TAGS: (Group.TAGS,),
    Block.GENRES: (Group.GENRES,),
    Block.AUDIO: (Group.AUDIO, Group.CREDITS),
    Block.AGE: (Group.AGE,),
}
"""Groups hidden with a block. Credits come from the catalogue alone, as the audio features do."""


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


def within(pattern: Pattern, rows: FloatMatrix) -> NDArray[np.bool_]:
    """Return which rows know something of every block of ``pattern``, shape (n,)."""
    known = np.ones(len(rows), dtype=bool)
    for block in pattern:
        known &= ~np.isnan(rows[:, list(COLUMNS_OF[GROUPS_OF_BLOCK[block][0]])]).all(axis=1)
    return known


def patterns_of_rows(rows: FloatMatrix) -> list[Pattern]:
    """Return for each row the blocks of which it knows anything, audio by its audio features alone."""
    seen = [~np.isnan(rows[:, list(COLUMNS_OF[GROUPS_OF_BLOCK[block][0]])]).all(axis=1) for block in BASE_BLOCKS]
    return [tuple(b for b, has in zip(BASE_BLOCKS, row, strict=True) if has) for row in np.column_stack(seen)]
