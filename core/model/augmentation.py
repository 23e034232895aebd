"""What the base model is shown of each training song: as it is, with groups hidden, and as a live question looks.

So one model answers whatever is known and stays calibrated for each. That a group is unknown is never a sign by
itself, because it is hidden at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.model.calibration import FloatArray
from core.model.features import COLUMN, COLUMNS_OF, FloatMatrix, Group
from core.model.measures import BoolArray
from core.model.songs import ArtistTags, TrainingSongs
from core.model.tags import TAGS_SEEN, tag_columns

HIDING: Final[dict[Group, float]] = {
    Group.ARTIST: 0.3,
    Group.TAGS: 0.5,
    Group.GENRES: 0.35,
    Group.AGE: 0.1,
    Group.AUDIO: 0.6,
    Group.ALBUM: 0.4,
    Group.DURATION: 0.3,
}
"""Chance that a group is hidden in the second copy of a training song. No song of the catalogue has a date, so hiding
few dates of the others is enough, and what tags say without one is learnt from the catalogue."""

HIDING_WITH_AUDIO: Final[dict[Group, float]] = {Group.CREDITS: 0.85, Group.EXPLICIT: 0.85}
"""Chance that a group is hidden when audio is: both come from the catalogue, the explicit mark from shops too."""

LIVE_HIDDEN: Final = (Group.GENRES, Group.AUDIO, Group.CREDITS)
"""Groups that a live question does not bring."""

LIVE_HIDING: Final[dict[Group, float]] = {Group.AGE: 0.1, Group.ALBUM: 0.4, Group.EXPLICIT: 0.5, Group.DURATION: 0.2}
"""Chance that a group is hidden in the live copy: shops do not know every song, or not in time."""

LIVE_COPIES: Final = 2
"""Live copies of each song, each with tags and hidden groups of its own: with one, tags told the model less."""

LIVE_TAGS: Final = (3, 8)
"""Fewest and most tags of a live question."""

TAGGED_WEIGHT: Final = 2 / 3
"""Weight of each copy of a song with tags, which is shown twice as often, against 1 of each copy of another."""

CATALOGUE_LIVE_WEIGHT: Final = 1.5
"""How much more the live copies of the catalogue's songs count: dated collections hold more hits."""

ROWS_MAX: Final = 12_000
"""Rows drawn of one dated collection: more of one table teach little, and take time."""

_TAG_COLUMNS: Final = slice(COLUMN["tag_1"], COLUMN["tag_1"] + TAGS_SEEN)


@dataclass(frozen=True, slots=True)
class Examples:
    """What an estimator is fitted on: rows of shape (n, n_columns), labels and weights of shape (n,)."""

    rows: FloatMatrix
    popular: BoolArray
    weight: FloatArray


def examples(songs: TrainingSongs, rows: FloatMatrix, which: BoolArray, rng: np.random.Generator) -> Examples:
    """Make the training examples of the labelled songs among ``which``, each shown two or four times.

    Args:
        songs: The training songs.
        rows: Their base columns, shape (n_rows, n_columns).
        which: Rows that may be learnt from, shape (n_rows,).
        rng: Draws rows of large collections, tags and what is hidden.
    """
    places, weight = drawn(songs, which, rng)
    whole = _tagged(songs, rows, places, rng)
    hidden = whole.copy()
    _hide_at_random(hidden, HIDING, rng)
    without_audio = np.isnan(hidden[:, COLUMN["energy"]])
    for group, chance in HIDING_WITH_AUDIO.items():
        _hide(hidden, group, without_audio & (rng.random(len(hidden)) < chance))
    tags_known = np.array([bool(songs.songs[place].tags or songs.artist_tags[place]) for place in places])
    live = _tagged(songs, rows, np.tile(places[tags_known], LIVE_COPIES), rng)
    for group in LIVE_HIDDEN:
        _hide(live, group, np.ones(len(live), dtype=bool))
    _hide_at_random(live, LIVE_HIDING, rng)
    shown = np.concatenate([places, places, np.tile(places[tags_known], LIVE_COPIES)])
    shared = np.where(tags_known, weight * TAGGED_WEIGHT, weight)
    live_weight = (shared * np.where(songs.in_catalogue[places], CATALOGUE_LIVE_WEIGHT, 1.0))[tags_known]
    return Examples(
        rows=np.vstack([whole, hidden, live]),
        popular=songs.popular[shown],
        weight=np.concatenate([shared, shared, np.tile(live_weight, LIVE_COPIES)]),
    )


def _tagged(songs: TrainingSongs, rows: FloatMatrix, places: NDArray[np.intp], rng: np.random.Generator) -> FloatMatrix:
    """Return rows with some of the tags of their songs, shape (n_places, n_columns)."""
    tagged = rows[places]
    for place, row in zip(places, tagged, strict=True):
        row[_TAG_COLUMNS] = tag_columns(some_tags(songs, int(place), rng))
    return tagged


def drawn(songs: TrainingSongs, which: BoolArray, rng: np.random.Generator) -> tuple[NDArray[np.intp], FloatArray]:
    """Return the places of the rows that are learnt from and their weights; drawn rows stand for those left out."""
    kept, weights = [], []
    for number in range(len(songs.collections)):
        places = np.flatnonzero(which & (songs.weight > 0) & (songs.collection == number))
        n = len(places)
        if number and n > ROWS_MAX:
            places = np.sort(rng.choice(places, ROWS_MAX, replace=False))
        kept.append(places)
        weights.append(songs.weight[places] * (n / max(len(places), 1)))
    return np.concatenate(kept), np.concatenate(weights)


def some_tags(songs: TrainingSongs, place: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return tags as Last.fm would give them: the song's own, or those of one collection at random; 3 to 8 of them."""
    return drawn_tags(songs.songs[place].tags, songs.artist_tags[place], rng)


def drawn_tags(own: tuple[str, ...], of_artist: ArtistTags, rng: np.random.Generator) -> tuple[str, ...]:
    """Return some of the tags of one source, drawn at random; none if no source has any."""
    sources = [*([own] if own else []), *of_artist.values()]
    if not sources:
        return ()
    return sources[rng.integers(len(sources))][: rng.integers(LIVE_TAGS[0], LIVE_TAGS[1] + 1)]


def _hide_at_random(rows: FloatMatrix, chances: dict[Group, float], rng: np.random.Generator) -> None:
    for group, chance in chances.items():
        _hide(rows, group, rng.random(len(rows)) < chance)


def _hide(rows: FloatMatrix, group: Group, which: BoolArray) -> None:
    rows[np.ix_(np.flatnonzero(which), np.array(COLUMNS_OF[group]))] = np.nan
