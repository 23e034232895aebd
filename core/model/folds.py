"""Which fold an artist belongs to, the same at training and at every later answer."""

from __future__ import annotations

import hashlib
from typing import Final

from core.lookup.normalise import artist_key

N_FOLDS: Final = 5
"""Folds of training songs, disjoint in first artists."""


def fold_of(artist: str, n_folds: int = N_FOLDS) -> int:
    """Return the fold of an artist, 0 to ``n_folds`` - 1, from a hash that no process or version changes.

    All spellings that :func:`core.lookup.normalise.artist_key` makes equal share a fold. A song is answered by the
    model of its artist's fold, which never saw that artist.
    """
    digest = hashlib.blake2b(artist_key(artist).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % n_folds
