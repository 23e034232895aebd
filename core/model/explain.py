"""Why an answer came out as it did: what each figure pushes, by replacing it with a usual one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.domain import Block, Reason, Song
from core.model.features import COLUMN, COLUMNS_OF, FloatMatrix, Group
from core.model.genres import genres_of
from core.model.served import FoldModel, ServedModel, genres_from_tags_alone
from core.model.title_words import TITLE_WORDS
from core.model.track_stage import TrackFigures
from core.model.views import Pattern

MOST_REASONS: Final = 3
"""Reasons given in each direction."""

LEAST_PUSH: Final = 0.05
"""Pushes smaller than this, in log odds, are not worth a word."""

LABEL_MAX_TAGS: Final = 2

_SOUND: Final = {
    "danceability": ("danceable", "hard to dance to"),
    "energy": ("energetic", "calm"),
    "valence": ("cheerful", "gloomy"),
    "tempo": ("fast", "slow"),
    "loudness": ("loud", "quiet"),
    "acousticness": ("acoustic", "hardly acoustic"),
    "instrumentalness": ("instrumental", "sung"),
    "speechiness": ("spoken words", "few spoken words"),
    "liveness": ("sounds live", "studio sound"),
}
"""How a sound feature is called when it is above and below the usual."""

_VERSION_COLUMNS: Final = tuple(COLUMN[key] for key in TITLE_WORDS)
_NAME_COLUMNS: Final = tuple(c for c in COLUMNS_OF[Group.NAMES] if c not in _VERSION_COLUMNS)


@dataclass(frozen=True, slots=True)
class _Swap:
    """One replacement: these columns become usual, or take ``values``, or the song's own figures become usual."""

    key: str
    label: str
    columns: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    listeners: bool = False
    loyalty: bool = False
    label_up: str | None = None


def assess_with_reasons(
    model: ServedModel, fold: FoldModel, song: Song, row: FloatMatrix, pattern: Pattern, figures: TrackFigures | None
) -> tuple[float, tuple[Reason, ...]]:
    """Return the log odds of one song and its reasons, from a single batched call of the base model.

    Args:
        model: Gives what is usual.
        fold: The model of the song's fold.
        song: The song, for the words of the labels.
        row: Its base columns, shape (n_columns,).
        pattern: Its known base blocks.
        figures: Its own figures, arrays of shape (1,); None if unknown.
    """
    swaps = _swaps(model, song, row, figures is not None)
    batch = np.tile(row, (len(swaps) + 1, 1))
    for place, swap in enumerate(swaps, start=1):
        columns = list(swap.columns)
        batch[place, columns] = swap.values or model.typical[columns]
    own_figures = None if figures is None else _swapped_figures(model, figures, swaps)
    # The row without tags is shrunk as the others are: the push is what these tags tell beside usual ones.
    from_tags = np.full(len(batch), genres_from_tags_alone(song))
    answers = fold.log_odds(batch, pattern, own_figures, from_tags)
    own = float(answers[0])
    found = [_reason(swap, own - float(answer)) for swap, answer in zip(swaps, answers[1:], strict=True)]
    strong = sorted((r for r in found if abs(r.push) >= LEAST_PUSH), key=lambda r: -abs(r.push))
    ups = [r for r in strong if r.push > 0][:MOST_REASONS]
    downs = [r for r in strong if r.push < 0][:MOST_REASONS]
    return own, tuple(sorted((*ups, *downs), key=lambda r: -abs(r.push)))


def _reason(swap: _Swap, push: float) -> Reason:
    return Reason(swap.key, swap.label_up if push > 0 and swap.label_up else swap.label, push)


def _swapped_figures(model: ServedModel, figures: TrackFigures, swaps: list[_Swap]) -> TrackFigures:
    """Repeat the song's figures for each row of the batch, with usual ones where a swap says so."""
    n = len(swaps) + 1
    usual_listeners, usual_loyalty = model.typical_track
    listeners = np.repeat(figures.listeners, n)
    loyalty = np.repeat(figures.playcount / figures.listeners, n)
    # The artist's audience stays as it is here even where it is swapped in the base model: beside a usual artist the
    # song's own listeners would look miraculous, and a large audience would seem to speak against the song.
    artist = np.repeat(figures.artist_listeners, n)
    for place, swap in enumerate(swaps, start=1):
        if swap.listeners:
            listeners[place] = usual_listeners
        if swap.loyalty:
            loyalty[place] = usual_loyalty
    return TrackFigures(listeners, listeners * loyalty, artist)


def _swaps(model: ServedModel, song: Song, row: FloatMatrix, has_figures: bool) -> list[_Swap]:
    typical = model.typical

    def known(group: Group) -> bool:
        return not bool(np.isnan(row[list(COLUMNS_OF[group])]).all())

    swaps: list[_Swap] = []
    if has_figures:
        swaps += [
            _Swap("listeners", "listeners", listeners=True),
            _Swap("plays_per_listener", "plays per listener", loyalty=True),
        ]
    if known(Group.ARTIST):
        swaps += _artist_swaps(typical, row)
    if known(Group.TAGS):
        names = (song.genres and genres_of(song)) or song.tags
        label = f"{'genres' if song.genres else 'tags'}: {', '.join(names[:LABEL_MAX_TAGS])}"
        swaps.append(_Swap(Block.TAGS, label, COLUMNS_OF[Group.TAGS]))
    if known(Group.DURATION):
        long = row[COLUMN["duration_ms"]] > typical[COLUMN["duration_ms"]]
        label = "long for a hit" if long else "short for a hit"
        swaps.append(_Swap("duration_ms", label, COLUMNS_OF[Group.DURATION], label_up="its length"))
    if known(Group.ALBUM):
        label = "released as a single" if row[COLUMN["album_is_title"]] > 0 else "the album"
        swaps.append(_Swap("album", label, COLUMNS_OF[Group.ALBUM]))
    if known(Group.CREDITS):
        label = "guest artists" if len(song.credits) > 1 else "no guest artists"
        swaps.append(_Swap("credits", label, COLUMNS_OF[Group.CREDITS]))
    if known(Group.EXPLICIT):
        label = "explicit words" if song.explicit else "no explicit words"
        swaps.append(_Swap("explicit", label, COLUMNS_OF[Group.EXPLICIT]))
    if row[list(_VERSION_COLUMNS)].any():
        swaps.append(_Swap("version", "the kind of version", _VERSION_COLUMNS))
    swaps.append(_Swap("names", "the title and the name", _NAME_COLUMNS))
    for key, (above, below) in _SOUND.items():
        value = row[COLUMN[key]]
        if not math.isnan(value):
            swaps.append(_Swap(key, above if value > typical[COLUMN[key]] else below, (COLUMN[key],)))
    return swaps


def _artist_swaps(typical: FloatMatrix, row: FloatMatrix) -> list[_Swap]:
    """Replace the artist's audience and, apart from it, how often a listener plays the artist.

    They are told apart since they often pull in different directions; the plays follow, so that both rows are possible.
    """
    columns = tuple(COLUMN[key] for key in ("artist_listeners", "artist_playcount", "artist_plays_per_listener"))
    listeners, _, loyalty = (float(row[column]) for column in columns)
    usual_listeners, _, usual_loyalty = (float(typical[column]) for column in columns)
    often = (
        "fans who play the artist often" if loyalty > usual_loyalty else "few plays for each of the artist's listeners"
    )
    audience = (usual_listeners, usual_listeners * loyalty, loyalty)
    plays = (listeners, listeners * usual_loyalty, usual_loyalty)
    swaps = [_Swap(Block.ARTIST, "the artist's audience", columns, audience)]
    return swaps if math.isnan(loyalty) else [*swaps, _Swap("artist_plays_per_listener", often, columns, plays)]
