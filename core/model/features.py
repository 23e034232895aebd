"""The one feature table: what the model sees of a song, what people are shown of it, and in which words.

Training, scoring, serving, cards and help texts all read :data:`FEATURES`. Columns are in natural units (listeners,
milliseconds, dB); NaN means unknown, never zero. The song's own Last.fm figures (group ``TRACK``) are weighed by the
second stage alone and are no columns of the base model: the songs that have them are chart songs, so that their mere
presence would give the answer away.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.domain import AudioFeatures, Block, Song
from core.language import mark
from core.lookup.normalise import artist_key
from core.model.genres import GENRES, TAGS_SEEN, genre_index, genres_of, tag_columns
from core.model.text_features import (
    ALBUM_FACTS,
    ARTIST_NAME_FACTS,
    CREDIT_FACTS,
    TITLE_FACTS,
    album_facts,
    artist_name_facts,
    credit_facts,
    title_facts,
)
from core.text import DAYS_PER_YEAR

N_FOLDS: Final = 5
"""Folds of training songs, disjoint in first artists."""


def fold_of(artist: str, n_folds: int = N_FOLDS) -> int:
    """Return the fold of an artist, 0 to ``n_folds`` - 1, from a hash that no process or version changes.

    All spellings that :func:`core.lookup.normalise.artist_key` makes equal share a fold. A song is answered by the
    model of its artist's fold, which never saw that artist.
    """
    digest = hashlib.blake2b(artist_key(artist).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % n_folds


NAN: Final = math.nan
FloatMatrix = NDArray[np.float32]


class Group(StrEnum):
    """Figures that become known together; each is hidden as a whole in training and explained as a whole."""

    TRACK = "track"
    ARTIST = "artist"
    TAGS = "tags"
    GENRES = "genres"
    AGE = "age"
    AUDIO = "audio"
    DURATION = "duration"
    EXPLICIT = "explicit"
    CREDITS = "credits"
    ALBUM = "album"
    NAMES = "names"


@dataclass(frozen=True, slots=True)
class Feature:
    """One figure of a song.

    Attributes:
        key: Its name in the table.
        label: Its name for people, marked for translation where it is shown.
        unit: Unit of the value, "" for shares and counts of nothing in particular; see :func:`core.text.figure`.
        group: With which figures it becomes known.
        value: Reads it off a song; NaN if unknown. None where a whole group is read at once.
        shown: Whether people are shown it by itself.
        monotone: 1 if more of it never lowers the answer, else 0.
    """

    key: str
    label: str
    unit: str
    group: Group
    value: Callable[[Song], float] | None = None
    shown: bool = False
    monotone: int = 0


def _known(value: float | None) -> float:
    return NAN if value is None or not math.isfinite(value) or value < 0 else float(value)


def _ratio(over: float | None, under: float | None) -> float:
    top, bottom = _known(over), _known(under)
    return top / bottom if bottom > 0 else NAN


def _audio(key: str, song: Song) -> float:
    value = None if song.audio is None else getattr(song.audio, key)
    return NAN if value is None or not math.isfinite(value) else float(value)


def _tempo(song: Song) -> float:
    return _audio("tempo", song) or NAN


def _duration(song: Song) -> float:
    return _known(song.duration_ms) or NAN


def _explicit(song: Song) -> float:
    return NAN if song.explicit is None else float(song.explicit)


def _audio_feature(key: str, label: str, unit: str = "", *, shown: bool = True) -> Feature:
    return Feature(key, label, unit, Group.AUDIO, partial(_audio, key), shown)


def _facts(group: Group, facts: dict[str, str]) -> tuple[Feature, ...]:
    return tuple(Feature(key, label, "", group) for key, label in facts.items())


FEATURES: Final[tuple[Feature, ...]] = (
    Feature("listeners", mark("Listeners"), "listeners", Group.TRACK, lambda s: _known(s.listeners), True, 1),
    Feature("playcount", mark("Plays"), "plays", Group.TRACK, lambda s: _known(s.playcount), True, 1),
    Feature(
        "plays_per_listener", mark("Plays per listener"), "plays per listener", Group.TRACK,
        lambda s: _ratio(s.playcount, s.listeners), True,
    ),
    # Translators: at most 22 letters; a row of the card.
    Feature(
        "artist_listeners", mark("Artist's listeners"), "listeners", Group.ARTIST,
        lambda s: _known(s.artist_listeners), True, 1,
    ),
    Feature(
        "artist_playcount", mark("Artist's plays"), "plays", Group.ARTIST,
        lambda s: _known(s.artist_playcount), True, 1,
    ),
    # Translators: heading of a figure such as "3 weeks ago".
    Feature("age_years", mark("Released"), "years ago", Group.AGE, shown=True),
    # Translators: heading of a figure such as "3:20", how long the song lasts.
    Feature("duration_ms", mark("Length"), "ms", Group.DURATION, _duration, True),
    _audio_feature("danceability", mark("Danceability")),
    _audio_feature("energy", mark("Energy")),
    # Translators: how cheerful a song sounds.
    _audio_feature("valence", mark("Positivity")),
    # Translators: how fast a song is.
    Feature("tempo", mark("Tempo"), "BPM", Group.AUDIO, _tempo, True),
    _audio_feature("loudness", mark("Loudness"), "dB"),
    # Translators: how likely it is that only instruments without electronics play.
    _audio_feature("acousticness", mark("Acousticness")),
    # Translators: how likely it is that nobody sings.
    _audio_feature("instrumentalness", mark("Instrumentalness")),
    # Translators: how much of a song is spoken words.
    _audio_feature("speechiness", mark("Speechiness")),
    # Translators: how much a song sounds as if it were played before an audience.
    _audio_feature("liveness", mark("Liveness")),
    _audio_feature("key", "Key", shown=False),
    _audio_feature("mode", "Mode", shown=False),
    _audio_feature("time_signature", "Time signature", shown=False),
    Feature("explicit", "Explicit words", "", Group.EXPLICIT, _explicit),
    *_facts(Group.CREDITS, CREDIT_FACTS),
    *_facts(Group.ALBUM, ALBUM_FACTS),
    *_facts(Group.NAMES, TITLE_FACTS),
    *_facts(Group.NAMES, ARTIST_NAME_FACTS),
    *(Feature(f"genre_{genre}", genre, "", Group.GENRES) for genre in GENRES),
    *(Feature(f"tag_{place}", f"tag {place}", "", Group.TAGS) for place in range(1, TAGS_SEEN + 1)),
)  # fmt: skip

BY_KEY: Final = {feature.key: feature for feature in FEATURES}
BASE: Final = tuple(feature for feature in FEATURES if feature.group is not Group.TRACK)
"""Columns of the base model, in order."""

COLUMN: Final = {feature.key: index for index, feature in enumerate(BASE)}
"""Column of each base feature."""

COLUMNS_OF: Final[dict[Group, tuple[int, ...]]] = {
    group: tuple(i for i, feature in enumerate(BASE) if feature.group is group) for group in Group
}
"""Columns of each group."""

_READ: Final = tuple((i, feature.value) for i, feature in enumerate(BASE) if feature.value is not None)
_FACT_COLUMNS: Final = tuple(COLUMN[key] for key in (*CREDIT_FACTS, *ALBUM_FACTS, *TITLE_FACTS, *ARTIST_NAME_FACTS))
_FIRST_GENRE: Final = COLUMN[f"genre_{GENRES[0]}"]
_FIRST_TAG: Final = COLUMN["tag_1"]

Dates = date | Sequence[date]
"""One day for all songs, or a day for each."""


def age_years(released: date | None, as_of: date) -> float:
    """Return the years from a release to ``as_of``; 0 for what is yet to come out, NaN if the release is unknown."""
    return NAN if released is None else max((as_of - released).days, 0) / DAYS_PER_YEAR


def base_row(song: Song, as_of: date) -> FloatMatrix:
    """Return what the base model sees of a song on a day, shape (n_columns,), NaN where unknown."""
    row = np.full(len(BASE), np.nan, dtype=np.float32)
    for column, read in _READ:
        row[column] = read(song)
    row[list(_FACT_COLUMNS)] = [
        *credit_facts(song.credits, song.title),
        *album_facts(song.album, song.title, song.artist),
        *title_facts(song.title),
        *artist_name_facts(song.artist),
    ]
    row[COLUMN["age_years"]] = age_years(song.released, as_of)
    genres = genres_of(song)
    if genres:
        row[_FIRST_GENRE : _FIRST_GENRE + len(GENRES)] = 0.0
        for genre in genres:
            row[_FIRST_GENRE + genre_index(genre)] = 1.0
    row[_FIRST_TAG : _FIRST_TAG + TAGS_SEEN] = tag_columns(song.tags)
    return row


def base_matrix(songs: Sequence[Song], as_of: Dates) -> FloatMatrix:
    """Return the rows of several songs, shape (n_songs, n_columns), each as seen on its day."""
    rows = [base_row(song, day) for song, day in zip(songs, days(as_of, len(songs)), strict=True)]
    return np.vstack(rows) if rows else np.empty((0, len(BASE)), dtype=np.float32)


def days(as_of: Dates, n: int) -> Sequence[date]:
    """Return a day for each of ``n`` songs."""
    return [as_of] * n if isinstance(as_of, date) else as_of


def known_blocks(song: Song) -> tuple[Block, ...]:
    """Name the blocks of figures known of a song, in the order of :class:`Block`."""
    known = {
        Block.TRACK: bool(song.listeners and song.playcount),
        Block.ARTIST: song.artist_listeners is not None and song.artist_playcount is not None,
        Block.TAGS: bool(song.tags),
        Block.GENRES: bool(genres_of(song)),
        Block.AUDIO: song.audio is not None,
        Block.AGE: song.released is not None,
    }
    return tuple(block for block in Block if known[block])


_PROBES: Final[tuple[Song, ...]] = (
    Song(title="Don't Stop (feat. Ana) - 2011 Remaster", artist="The Béars", album="Greatest Hits, Vol. 2 (Deluxe)"),
    Song(title="夜に駆ける", artist="しずく", album="夜に駆ける", tags=("j-pop", "R&B", "live"), duration_ms=261000),
    Song(title="Ночь - Live", artist="DJ Зима & Co", credits=("DJ Зима & Co", "Guest"), explicit=True,
         released=date(1958, 7, 1)),
    Song(title="दिल (From \"Film\")", artist="आशा", genres=("indian", "pop"), artist_listeners=10, artist_playcount=30),
    Song(title="!!!", artist="P!nk", playcount=4, listeners=2, audio=AudioFeatures(
        danceability=0.5, energy=0.5, loudness=-6.5, speechiness=0.1, acousticness=0.2, instrumentalness=0.0,
        liveness=0.1, valence=0.3, tempo=0.0, key=1, mode=0)),
)  # fmt: skip


_PROBED_ON: Final = date(2026, 1, 1)


def schema_hash(probes: Sequence[Song] = _PROBES) -> str:
    """Return a fingerprint of the table and of the rules behind it, SHA-256 in hex.

    Covers names, order and directions of the columns, and what they and the folds come out as for a few made-up songs,
    so that a model is never fed features made by other rules than its own.
    """
    digest = hashlib.sha256()
    for feature in FEATURES:
        digest.update(f"{feature.key} {feature.group} {feature.monotone}\n".encode())
    for song in probes:
        values = " ".join(f"{value:.9g}" for value in base_row(song, _PROBED_ON))
        digest.update(f"{fold_of(song.artist)} {values}\n".encode())
    return digest.hexdigest()


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


def mask_groups(rows: FloatMatrix, pattern: Pattern) -> FloatMatrix:
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
