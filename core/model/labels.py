"""What a popularity in a table is worth as a label: re-releases, other tables, and the weight of each collection.

Spotify counts plays by release. Of a hit on somebody's compilation only the row of that compilation may stand in a
table, with popularity 0. Nothing here decides by the label itself whether it is trusted: that would make the answer.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.lookup.dataset import album_key, compilations
from core.model.calibration import FloatArray

SUSPECT_POPULARITY: Final = 5
"""Up to here another table's word on the same song counts for more; re-releases stand at 0 to 5."""

MENDING_DAYS: Final = 730
"""Greatest distance between the dates of two tables of which one mends the other. Rank correlation between tables falls
from .84 to .42 with time; two years keep it above .7."""

COLLECTION_SCALE: Final = 20.0
"""A collection of n rows counts as ``COLLECTION_SCALE`` times the square root of n rows, or as n if that is less."""


def is_rerelease(album: pd.Series[str], artist: pd.Series[str]) -> NDArray[np.bool_]:
    """Return which rows of one table stand on an album of several artists, shape (n_rows,).

    Args:
        album: Names of albums, "" where unknown; unknown albums are never re-releases.
        artist: Key of each row's first artist.
    """
    shared = compilations(zip(album, artist, strict=True))
    return np.array([album_key(name) in shared for name in album], dtype=bool)


def mended_popularity(rows: pd.DataFrame) -> FloatArray:
    """Return the popularity each row is labelled by, shape (n_rows,); NaN where nothing can be trusted.

    A re-release takes the greatest popularity that trusted rows of the song have within ``MENDING_DAYS``, whatever its
    own; without such a row it has no label. A trusted row of suspect popularity takes that of the others if it is more.

    Args:
        rows: ``song`` (its key), ``popularity``, ``rerelease``, ``day`` (of the label, as a number of days).
    """
    trusted = rows[~rows["rerelease"]]
    doubtful = rows[rows["rerelease"] | (rows["popularity"] <= SUSPECT_POPULARITY)]
    pairs = doubtful[["song", "day"]].reset_index(names="row").merge(trusted, on="song")
    near = pairs[(pairs["day_x"] - pairs["day_y"]).abs() <= MENDING_DAYS]
    own = rows["popularity"].where(~rows["rerelease"]).astype("float64")
    others = near.groupby("row")["popularity"].max().reindex(rows.index)
    return np.asarray(np.fmax(own.to_numpy(), others.to_numpy()))


def collection_weights(
    popular: NDArray[np.bool_], labelled: NDArray[np.bool_], collection: NDArray[np.int64], reference: int
) -> FloatArray:
    """Return how much each row counts when all collections teach one model, shape (n_rows,); 0 without a label.

    Within a collection popular and other rows are weighed so that the share of popular ones is that of the reference
    (label shift, Saerens, Latinne and Decaestecker 2002): a table of chart songs does not tell how common hits are.
    Over all its rows a collection counts by the square root of its size, so that none dictates the curve of age.

    Args:
        popular: Labels.
        labelled: Rows that have a label.
        collection: Number of each row's collection.
        reference: Number of the collection whose base rate is taken for the world's; each of its rows counts as one.
    """
    weight = np.zeros(len(popular))
    rate = float(popular[labelled & (collection == reference)].mean())
    for number in np.unique(collection):
        inside = labelled & (collection == number)
        own = float(popular[inside].mean()) if inside.any() else 0.0
        if not 0 < own < 1:
            continue
        total = inside.sum() if number == reference else min(inside.sum(), COLLECTION_SCALE * np.sqrt(inside.sum()))
        shift = np.where(popular[inside], rate / own, (1 - rate) / (1 - own))
        weight[inside] = shift * total / inside.sum()
    return weight
