"""Builds training songs, one per recording, from the tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.domain import AudioFeatures, Song
from core.errors import DataError
from core.lookup.normalise import artist_key, song_key
from core.model.columns import CREDIT_SEPARATOR, TAG_SEPARATOR
from core.model.folds import N_FOLDS, fold_of
from core.model.tables import RawTables

POPULAR_FROM: Final = 60
"""Least Spotify popularity, 0 to 100, that counts as popular; the predecessor's threshold."""

FEWEST_PER_FOLD: Final = 20
"""Fewest popular songs, and as many others, in each fold for which figures mean anything."""


@dataclass(frozen=True, slots=True)
class TrainingSongs:
    """Songs with their labels, all arrays of shape (n_songs,).

    Attributes:
        songs: Each with what is known of it: artist figures, genres, audio, and the song's own figures and tags on
            Last.fm for those few that have them.
        popular: Whether the greatest popularity among the song's rows is at least ``POPULAR_FROM``.
        fold: Fold of the first artist, 0 to 4.
        artist: Number of the first artist, for resampling by artist.
    """

    songs: tuple[Song, ...]
    popular: NDArray[np.bool_]
    fold: NDArray[np.int64]
    artist: NDArray[np.int64]

    @property
    def has_track_figures(self) -> NDArray[np.bool_]:
        """Which songs have figures of their own on Last.fm."""
        return np.array([bool(song.listeners and song.playcount) for song in self.songs])


def build_songs(tables: RawTables) -> TrainingSongs:
    """Merge the rows of each song: genres of all rows, all else of its most popular row.

    Re-releases of a song stand in the data with popularity 0 beside its true one; the row with the greatest
    popularity is the release that people play, the first of equals.

    Raises:
        DataError: A fold, or the songs with Last.fm figures or tags, hold too few popular songs or too few others.
    """
    spotify = tables.spotify
    named = spotify[(spotify["artists"] != "") & (spotify["track_name"] != "")]
    first_artist = named["artists"].str.split(CREDIT_SEPARATOR, n=1).str[0]
    keys = [song_key(title, artist) for title, artist in zip(named["track_name"], first_artist, strict=True)]
    named = named.assign(song=keys, first_artist=first_artist)
    genres: dict[str, set[str]] = {}
    for key, genre in zip(keys, named["track_genre"], strict=True):
        genres.setdefault(key, set()).add(genre)
    best = named.sort_values("popularity", ascending=False, kind="stable").drop_duplicates("song").sort_index()
    figures = artist_figures(tables.artists)
    tracks = _track_figures(tables.tracks)
    rows = cast("list[dict[str, Any]]", best.to_dict("records"))
    songs = tuple(song_of_row(row, tuple(sorted(genres[row["song"]])), figures, tracks) for row in rows)
    popular = (best["popularity"] >= POPULAR_FROM).to_numpy()
    fold = np.array([fold_of(song.artist) for song in songs], dtype=np.int64)
    _check(popular, fold)
    artist, _ = pd.factorize(pd.Series([artist_key(song.artist) for song in songs]))
    built = TrainingSongs(songs, popular, fold, artist.astype(np.int64))
    _check_figures("figures of their own", popular[built.has_track_figures])
    _check_figures("tags", popular[np.array([bool(song.tags) for song in songs])])
    return built


def audio_of(row: dict[str, Any]) -> AudioFeatures:
    """Read the audio features of a row of the Spotify table; key -1 and time signature 0 mean unknown."""
    key, signature = int(row["key"]), int(row["time_signature"])
    return AudioFeatures(
        danceability=row["danceability"],
        energy=row["energy"],
        loudness=row["loudness"],
        speechiness=row["speechiness"],
        acousticness=row["acousticness"],
        instrumentalness=row["instrumentalness"],
        liveness=row["liveness"],
        valence=row["valence"],
        tempo=row["tempo"],
        key=key if key >= 0 else None,
        mode=int(row["mode"]),
        time_signature=signature or None,
    )


def song_of_row(
    row: dict[str, Any],
    genres: tuple[str, ...],
    figures: dict[str, tuple[int, int]],
    tracks: dict[str, tuple[int, int, tuple[str, ...]]],
) -> Song:
    """Build a song from a row of the Spotify table with ``first_artist`` and ``song`` (its key) added."""
    credits_ = tuple(filter(None, row["artists"].split(CREDIT_SEPARATOR)))
    artist = row["first_artist"]
    artist_listeners, artist_playcount = figures.get(artist) or figures.get(artist_key(artist)) or (None, None)
    listeners, playcount, tags = tracks.get(row["song"], (None, None, ()))
    return Song(
        title=row["track_name"],
        artist=artist,
        credits=credits_,
        album=row["album_name"] or None,
        listeners=listeners,
        playcount=playcount,
        artist_listeners=artist_listeners,
        artist_playcount=artist_playcount,
        tags=tags,
        genres=genres,
        duration_ms=int(row["duration_ms"]) or None,
        explicit=bool(row["explicit"]),
        audio=audio_of(row),
    )


def artist_figures(artists: pd.DataFrame) -> dict[str, tuple[int, int]]:
    """Index artist figures by exact name and by key; of several records under one key, the most heard."""
    figures: dict[str, tuple[int, int]] = {}
    heard = artists.sort_values("lastfm_listeners", kind="stable")
    for name, listeners, plays in zip(
        heard["artist"], heard["lastfm_listeners"], heard["lastfm_playcount"], strict=True
    ):
        figures[artist_key(name)] = figures[name] = (int(listeners), int(plays))
    return figures


def _track_figures(tracks: pd.DataFrame) -> dict[str, tuple[int, int, tuple[str, ...]]]:
    """Index track figures by song; of several records of a song, the most heard."""
    figures: dict[str, tuple[int, int, tuple[str, ...]]] = {}
    heard = tracks[(tracks["listeners"] > 0) & (tracks["playcount"] > 0)].sort_values("listeners", kind="stable")
    for title, artist, listeners, plays, tags in zip(
        heard["track"], heard["artist"], heard["listeners"], heard["playcount"], heard["tags"], strict=True
    ):
        names = tuple(filter(None, tags.split(TAG_SEPARATOR)))
        key = song_key(title, artist)
        figures[key] = (int(listeners), int(plays), names or figures.get(key, (0, 0, ()))[2])
    return figures


def _check(popular: NDArray[np.bool_], fold: NDArray[np.int64]) -> None:
    for number in range(N_FOLDS):
        inside = popular[fold == number]
        if min(inside.sum(), (~inside).sum()) < FEWEST_PER_FOLD:
            sentence = (
                f"Too few songs to learn from: of {popular.size} songs {int(popular.sum())} have a popularity of "
                f"{POPULAR_FROM} or more, and each of {N_FOLDS} groups of artists needs {FEWEST_PER_FOLD} such "
                f"songs and {FEWEST_PER_FOLD} others."
            )
            raise DataError(sentence, user_message=sentence)


def _check_figures(what: str, popular: NDArray[np.bool_]) -> None:
    if min(popular.sum(), (~popular).sum()) < FEWEST_PER_FOLD:
        sentence = (
            f"Too few songs have Last.fm {what}: {popular.size}, of which {int(popular.sum())} are popular; at least "
            f"{FEWEST_PER_FOLD} such songs and {FEWEST_PER_FOLD} others are needed. They come from lastfm_tracks*.csv."
        )
        raise DataError(sentence, user_message=sentence)
