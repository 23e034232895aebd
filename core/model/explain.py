"""Why an answer came out as it did: what each figure pushes, by replacing it with a usual one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from core import text
from core.domain import Block, Reason, Song
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

_VERSIONS: Final = {
    "title_remix": "a remix",
    "title_live": "a live version",
    "title_acoustic": "an acoustic or piano version",
    "title_remaster": "a remaster",
    "title_tempo": "sped up, slowed or lo-fi",
    "title_cover": "a cover, karaoke or instrumental version",
    "title_screen": "from a film or show",
    "title_classical": "a classical piece",
    "title_season": "a song of the season",
    "title_part": "an intro, interlude or part",
}
"""What a title's words tell of the kind of recording; the first that applies is named."""

_VERSION_COLUMNS: Final = tuple(COLUMN[key] for key in _VERSIONS)


@dataclass(frozen=True, slots=True)
class _Swap:
    """One replacement: these columns become usual, and with ``figures`` so do those of the second stage.

    Attributes:
        key: The feature named, or the block or group where none is.
        label: What the figure is, for people.
        figure: The figure itself, where the label does not say it.
        columns: Base columns replaced.
        unknown: The block that is unknown once they are.
        figures: What the second stage sees instead, by field of :class:`TrackFigures`.
        other: Key, label and figure that are told instead when the push is downwards.
    """

    key: str
    label: str
    columns: tuple[int, ...] = ()
    figure: str = ""
    unknown: Block | None = None
    figures: dict[str, float] = field(default_factory=dict)
    other: tuple[str, str, str] | None = None


def assess_with_reasons(
    model: ServedModel, fold: FoldModel, song: Song, row: FloatMatrix, pattern: Pattern, figures: TrackFigures | None
) -> tuple[float, tuple[Reason, ...]]:
    """Return the log odds of one song and its reasons, from a single batched call of the base model.

    A reason's push is this answer's log odds less those of the same song with the usual figure instead, both as served.

    Args:
        model: Gives what is usual.
        fold: The model of the song's fold.
        song: The song, for the words of the labels; of its tags only the known ones.
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
    own = (swap.key, swap.label, swap.figure)
    key, label, figure = swap.other if swap.other is not None and push < 0 else own
    return Reason(key, label, push, figure)


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
        size = "big" if song.artist_listeners > usual else "small"
        figure = f"{text.short_count(song.artist_listeners)} listeners"
        figures_then = {"artist_listeners": usual}
        swaps.append(
            _Swap("artist_listeners", f"{size} artist", COLUMNS_OF[Group.ARTIST], figure, figures=figures_then)
        )
    if known(Group.AGE):
        age = COLUMN["age_years"]
        swaps.append(
            _Swap("age_years", _released(song, float(row[age])), (age,), figures={"age_years": float(typical[age])})
        )
    if known(Group.TAGS):
        swaps.append(_Swap(Block.TAGS, _named("tag", song.tags), COLUMNS_OF[Group.TAGS], unknown=Block.TAGS))
    if known(Group.GENRES):
        genres = _named("genre", genres_of(song))
        swaps.append(_Swap(Block.GENRES, genres, COLUMNS_OF[Group.GENRES], unknown=Block.GENRES))
    if known(Group.DURATION):
        length = "long" if row[COLUMN["duration_ms"]] > typical[COLUMN["duration_ms"]] else "short"
        figure = text.clock(float(row[COLUMN["duration_ms"]]))
        swaps.append(_Swap("duration_ms", length, COLUMNS_OF[Group.DURATION], figure))
    if known(Group.ALBUM) and row[COLUMN["album_is_title"]] > 0:
        swaps.append(_Swap("album", "released as a single", COLUMNS_OF[Group.ALBUM]))
    if known(Group.CREDITS):
        label = "with guest artists" if len(song.credits) > 1 else "no guest artists"
        swaps.append(_Swap("credits", label, COLUMNS_OF[Group.CREDITS]))
    if known(Group.EXPLICIT):
        label = "explicit words" if song.explicit else "no explicit words"
        swaps.append(_Swap("explicit", label, COLUMNS_OF[Group.EXPLICIT]))
    version = next((label for key, label in _VERSIONS.items() if row[COLUMN[key]] > 0), None)
    if version is not None:
        swaps.append(_Swap("version", version, _VERSION_COLUMNS))
    for key, (above, below) in _SOUND.items():
        value = row[COLUMN[key]]
        if not math.isnan(value):
            swaps.append(_Swap(key, above if value > typical[COLUMN[key]] else below, (COLUMN[key],)))
    return swaps


def _track_swap(model: ServedModel, song: Song) -> _Swap:
    """Replace the song's listeners and plays together; the one further to the side of the push is named."""
    usual_listeners, usual_plays = model.typical_track
    far = []
    for key, name, count, usual in (
        ("listeners", "listeners", float(song.listeners or 1), usual_listeners),
        ("playcount", "plays", float(song.playcount or 1), usual_plays),
    ):
        label = f"{'many' if count > usual else 'few'} {name}"
        far.append((math.log(count / usual), (key, label, text.short_count(count))))
    (_, fewest), (_, (key, label, figure)) = sorted(far)
    return _Swap(
        key, label, figure=figure, figures={"listeners": usual_listeners, "playcount": usual_plays}, other=fewest
    )


def _released(song: Song, age: float) -> str:
    if song.released is not None and age > NEW_YEARS:
        return f"released in {song.released.year}"
    return f"released {text.age_years(age)}"


def _named(kind: str, names: tuple[str, ...]) -> str:
    shown = [visible(name)[:LABEL_TAG_MAX_CHARS] for name in names[:LABEL_MAX_TAGS]]
    return f"{kind if len(shown) == 1 else kind + 's'}: {', '.join(shown)}"
