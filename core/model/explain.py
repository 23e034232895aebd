"""Why an answer came out as it did: what each figure pushes, by replacing it with a usual one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from core.domain import Block, Reason, Song
from core.language import mark
from core.lookup.normalise import visible
from core.model.ensemble import FoldModel, ServedModel, TrackFigures
from core.model.features import COLUMN, COLUMNS_OF, FloatMatrix, Group, Pattern
from core.model.genres import genres_of

MOST_REASONS: Final = 3
"""Reasons given in each direction."""

LEAST_PUSH: Final = 0.05
"""Pushes smaller than this, in log odds, are not worth a word."""

LABEL_MAX_TAGS: Final = 2
LABEL_TAG_MAX_CHARS: Final = 30

NEW_YEARS: Final = 2.0
"""Up to this age people say how long ago a song came out, then in which year."""

# Translators: a reason, as are all that follow; on the card three of them share a line: at most 24 letters.
_SOUND: Final = {
    "danceability": (mark("danceable"), mark("hard to dance to")),
    "energy": (mark("energetic"), mark("calm")),
    "valence": (mark("cheerful"), mark("gloomy")),
    "tempo": (mark("fast"), mark("slow")),
    # Translators: how a song sounds.
    "loudness": (mark("loud"), mark("quiet")),
    "acousticness": (mark("acoustic"), mark("hardly acoustic")),
    # Translators: a song in which nobody sings, and one in which somebody does.
    "instrumentalness": (mark("instrumental"), mark("sung")),
    "speechiness": (mark("spoken words"), mark("few spoken words")),
    # Translators: as if played before an audience.
    "liveness": (mark("sounds live"), mark("studio sound")),
}
"""How a sound feature is called when it is above and below the usual."""

_VERSIONS: Final = {
    "title_remix": mark("a remix"),
    "title_live": mark("a live version"),
    "title_acoustic": mark("an acoustic or piano version"),
    "title_remaster": mark("a remaster"),
    "title_tempo": mark("sped up, slowed or lo-fi"),
    "title_cover": mark("a cover, karaoke or instrumental version"),
    "title_screen": mark("from a film or show"),
    "title_classical": mark("a classical piece"),
    # Translators: Christmas and the like.
    "title_season": mark("a song of the season"),
    "title_part": mark("an intro, interlude or part"),
}
"""What a title's words tell of the kind of recording; the first that applies is named."""

_VERSION_COLUMNS: Final = tuple(COLUMN[key] for key in _VERSIONS)


@dataclass(frozen=True, slots=True)
class _Swap:
    """One replacement: these columns become usual, and with ``figures`` so do those of the second stage.

    Attributes:
        reason: What is told of it, its push yet to be measured.
        columns: Base columns replaced.
        unknown: The block that is unknown once they are.
        figures: What the second stage sees instead, by field of :class:`TrackFigures`.
        other: What is told instead when the push is downwards.
    """

    reason: Reason
    columns: tuple[int, ...] = ()
    unknown: Block | None = None
    figures: dict[str, float] = field(default_factory=dict)
    other: Reason | None = None


def assess_with_reasons(
    model: ServedModel, fold: FoldModel, song: Song, row: FloatMatrix, pattern: Pattern, figures: TrackFigures | None
) -> tuple[float, tuple[Reason, ...]]:
    """Return the log odds of one song and its reasons, from a single batched call of the base model.

    A reason's push is this answer's log odds less those of the same song with the usual figure instead, both as served.

    Args:
        model: Gives what is usual.
        fold: The model of the song's fold.
        song: The song, for what the labels speak of; of its tags only the known ones.
        row: Its base columns, shape (n_columns,).
        pattern: Its known base blocks.
        figures: Its own figures, arrays of shape (1,); None if unknown.
    """
    swaps = _swaps(model, song, row, figures)
    batch = np.tile(row, (len(swaps) + 1, 1))
    for place, swap in enumerate(swaps, start=1):
        columns = list(swap.columns)
        batch[place, columns] = np.nan if swap.unknown is not None else model.typical[columns]
    patterns = [pattern, *(tuple(block for block in pattern if block is not swap.unknown) for swap in swaps)]
    raw = fold.base.decision_function(batch)
    answers = np.array([fold.calibration[known](value) for known, value in zip(patterns, raw, strict=True)])
    if figures is not None:
        answers = fold.second_stage(answers, _swapped_figures(figures, swaps))
    own = float(answers[0])
    found = [_reason(swap, own - float(answer)) for swap, answer in zip(swaps, answers[1:], strict=True)]
    strong = sorted((r for r in found if abs(r.push) >= LEAST_PUSH), key=lambda r: -abs(r.push))
    ups = [r for r in strong if r.push > 0][:MOST_REASONS]
    downs = [r for r in strong if r.push < 0][:MOST_REASONS]
    return own, tuple(sorted((*ups, *downs), key=lambda r: -abs(r.push)))


def _reason(swap: _Swap, push: float) -> Reason:
    return replace(swap.other if swap.other is not None and push < 0 else swap.reason, push=push)


def _swapped_figures(figures: TrackFigures, swaps: list[_Swap]) -> TrackFigures:
    """Repeat the song's figures for each row of the batch, with usual ones where a swap says so."""
    columns = {
        name: np.repeat(getattr(figures, name), len(swaps) + 1)
        for name in ("listeners", "playcount", "artist_listeners", "age_years")
    }
    for place, swap in enumerate(swaps, start=1):
        for name, value in swap.figures.items():
            columns[name][place] = value
    return TrackFigures(**columns)


def _swaps(model: ServedModel, song: Song, row: FloatMatrix, figures: TrackFigures | None) -> list[_Swap]:
    typical = model.typical

    def known(group: Group) -> bool:
        return not bool(np.isnan(row[list(COLUMNS_OF[group])]).all())

    swaps: list[_Swap] = []
    if figures is not None:
        swaps.append(_track_swap(model, song))
    if song.artist_listeners is not None and known(Group.ARTIST):
        usual = float(typical[COLUMN["artist_listeners"]])
        label = _BIG_ARTIST if song.artist_listeners > usual else _SMALL_ARTIST
        reason = Reason("artist_listeners", label, 0, song.artist_listeners, "listeners")
        swaps.append(_Swap(reason, COLUMNS_OF[Group.ARTIST], figures={"artist_listeners": usual}))
    if known(Group.AGE):
        age = COLUMN["age_years"]
        reason = _released(song, float(row[age]))
        swaps.append(_Swap(reason, (age,), figures={"age_years": float(typical[age])}))
    if known(Group.TAGS):
        reason = _named(Block.TAGS, _TAGS, song.tags)
        swaps.append(_Swap(reason, COLUMNS_OF[Group.TAGS], unknown=Block.TAGS))
    if known(Group.GENRES):
        reason = _named(Block.GENRES, _GENRES, genres_of(song))
        swaps.append(_Swap(reason, COLUMNS_OF[Group.GENRES], unknown=Block.GENRES))
    if known(Group.DURATION):
        length = float(row[COLUMN["duration_ms"]])
        label = _LONG if length > typical[COLUMN["duration_ms"]] else _SHORT
        swaps.append(_Swap(Reason("duration_ms", label, 0, length, "ms"), COLUMNS_OF[Group.DURATION]))
    if known(Group.ALBUM) and row[COLUMN["album_is_title"]] > 0:
        swaps.append(_Swap(Reason("album", _SINGLE, 0), COLUMNS_OF[Group.ALBUM]))
    if known(Group.CREDITS):
        label = _GUESTS if len(song.credits) > 1 else _NO_GUESTS
        swaps.append(_Swap(Reason("credits", label, 0), COLUMNS_OF[Group.CREDITS]))
    if known(Group.EXPLICIT):
        label = _EXPLICIT if song.explicit else _NOT_EXPLICIT
        swaps.append(_Swap(Reason("explicit", label, 0), COLUMNS_OF[Group.EXPLICIT]))
    version = next((label for key, label in _VERSIONS.items() if row[COLUMN[key]] > 0), None)
    if version is not None:
        swaps.append(_Swap(Reason("version", version, 0), _VERSION_COLUMNS))
    for key, (above, below) in _SOUND.items():
        value = row[COLUMN[key]]
        if not math.isnan(value):
            label = above if value > typical[COLUMN[key]] else below
            swaps.append(_Swap(Reason(key, label, 0), (COLUMN[key],)))
    return swaps


_MANY_LISTENERS: Final = mark("many listeners")
_FEW_LISTENERS: Final = mark("few listeners")
# Translators: plays of a song on Last.fm.
_MANY_PLAYS: Final = mark("many plays")
_FEW_PLAYS: Final = mark("few plays")
_BIG_ARTIST: Final = mark("big artist")
_SMALL_ARTIST: Final = mark("small artist")
# Translators: how long a song lasts.
_LONG: Final = mark("long")
# Translators: how long a song lasts.
_SHORT: Final = mark("short")
_SINGLE: Final = mark("released as a single")
_GUESTS: Final = mark("with guest artists")
_NO_GUESTS: Final = mark("no guest artists")
_EXPLICIT: Final = mark("explicit words")
_NOT_EXPLICIT: Final = mark("no explicit words")
# Translators: {ago} is "3 weeks ago" or "today".
_RELEASED_AGO: Final = mark("released {ago}")
_RELEASED_IN: Final = mark("released in {year}")
# Translators: for one name, and for several.
_TAGS: Final = (mark("tag: {names}"), mark("tags: {names}"))
# Translators: for one name, and for several.
_GENRES: Final = (mark("genre: {names}"), mark("genres: {names}"))


def _track_swap(model: ServedModel, song: Song) -> _Swap:
    """Replace the song's listeners and plays together; the one further to the side of the push is named."""
    usual_listeners, usual_plays = model.typical_track
    far = []
    for key, unit, many, few, count, usual in (
        ("listeners", "listeners", _MANY_LISTENERS, _FEW_LISTENERS, float(song.listeners or 1), usual_listeners),
        ("playcount", "plays", _MANY_PLAYS, _FEW_PLAYS, float(song.playcount or 1), usual_plays),
    ):
        far.append((math.log(count / usual), Reason(key, many if count > usual else few, 0, count, unit)))
    (_, fewest), (_, most) = sorted(far, key=lambda one: one[0])
    return _Swap(most, figures={"listeners": usual_listeners, "playcount": usual_plays}, other=fewest)


def _released(song: Song, age: float) -> Reason:
    if song.released is not None and age > NEW_YEARS:
        return Reason("age_years", _RELEASED_IN, 0, song.released.year, "year")
    return Reason("age_years", _RELEASED_AGO, 0, age, "years ago")


def _named(block: Block, labels: tuple[str, str], names: tuple[str, ...]) -> Reason:
    shown = tuple(visible(name)[:LABEL_TAG_MAX_CHARS] for name in names[:LABEL_MAX_TAGS])
    return Reason(block, labels[len(shown) > 1], 0, names=shown)
