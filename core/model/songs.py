"""Builds training songs, one per recording and collection, from the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.domain import POPULAR_FROM, AudioFeatures, Song
from core.errors import DataError
from core.lookup.dataset import RECORDED_ON, draw
from core.lookup.lastfm_parse import music_tags
from core.lookup.normalise import artist_key, song_key
from core.model.calibration import FloatArray
from core.model.folds import N_FOLDS, fold_of
from core.model.labels import collection_weights, is_rerelease, mended_popularity
from core.model.tables import RawTables
from core.model.tags import vocabulary
from core.tables import CREDIT_SEPARATOR, FALSE_WORDS, TAG_SEPARATOR, TRUE_WORDS
from core.text import parse_release_date

FEWEST_PER_FOLD: Final = 20
"""Fewest popular songs, and as many others, in each fold for which figures mean anything."""

CATALOGUE: Final = "spotify_tracks_114k"
"""Name of the collection that the Spotify Tracks Dataset makes, the reference for how common popular songs are."""

CATALOGUE_LABELLED: Final = RECORDED_ON
"""When its popularity was taken, about."""

ArtistTags = Mapping[str, tuple[str, ...]]
"""An artist's tags by the collection that they come from, the strongest first."""


@dataclass(frozen=True, slots=True)
class TrainingSongs:
    """Songs with their labels, one row a song and collection, all arrays of shape (n_rows,).

    The rows of the catalogue come first. Its songs carry no release date: for those that have one in another table the
    date would give the answer away, since that table holds hits; they are learnt from as rows of that table.

    Attributes:
        songs: Each with what is known of it: artist figures, genres, audio, release date, and the song's own figures
            and tags on Last.fm for those that have them.
        popular: Whether the popularity is at least ``POPULAR_FROM``; False where there is no label.
        labelled: Which rows have a label that can be trusted, see :mod:`core.model.labels`.
        labelled_on: The day of each row's label.
        collection: Number of each row's collection, an index of ``collections``.
        collections: Names; ``CATALOGUE`` is the first.
        weight: How much each row counts in training, 0 without a label.
        fold: Fold of the first artist, 0 to 4.
        artist: Number of the first artist, for resampling by artist.
        artist_tags: What Last.fm's users call the artist, empty where unknown.
        vocabulary: Plain names of the tags that enough artists bear.
        greatest: Whether the greatest popularity among a catalogue song's rows is at least ``POPULAR_FROM``, shape
            (n_catalogue,): the label of earlier versions.
        albums_of_greatest: The album of that row, shape (n_catalogue,): chosen by the label, as earlier versions did.
    """

    songs: tuple[Song, ...]
    popular: NDArray[np.bool_]
    labelled: NDArray[np.bool_]
    labelled_on: tuple[date, ...]
    collection: NDArray[np.int64]
    collections: tuple[str, ...]
    weight: FloatArray
    fold: NDArray[np.int64]
    artist: NDArray[np.int64]
    artist_tags: tuple[ArtistTags, ...]
    vocabulary: tuple[str, ...]
    greatest: NDArray[np.bool_]
    albums_of_greatest: tuple[str | None, ...]

    @property
    def has_track_figures(self) -> NDArray[np.bool_]:
        """Which rows have figures of their own on Last.fm."""
        return np.array([bool(song.listeners and song.playcount) for song in self.songs])

    @property
    def in_catalogue(self) -> NDArray[np.bool_]:
        """Which rows are the catalogue's."""
        return np.asarray(self.collection == 0)

    @property
    def base_rate(self) -> float:
        """Share of popular songs among the labelled ones of the catalogue, 0 to 1."""
        return float(self.popular[self.in_catalogue & self.labelled].mean())


@dataclass(frozen=True, slots=True)
class _LastFm:
    """What the tables of Last.fm tell, by exact name or key of the artist and by key of the song."""

    artists: dict[str, tuple[int, int]]
    tracks: dict[str, tuple[int, int, tuple[str, ...]]]
    tags: dict[str, ArtistTags]


def build_songs(tables: RawTables) -> TrainingSongs:
    """Make a row of every song of the catalogue and of every song of each dated collection.

    A catalogue song has the genres of all its rows and else the facts of one release, chosen without its label: one
    that is no compilation, the first by a hash of name and album. Songs of dated collections that the catalogue holds
    carry its genres, audio and credits, as they do in an answer.

    Raises:
        DataError: A fold, or the songs with Last.fm figures or tags, hold too few popular songs or too few others.
    """
    lastfm = _LastFm(artist_figures(tables.artists), _track_figures(tables.tracks), _artist_tags(tables.artist_tags))
    spotify, dated = _keyed_spotify(tables.spotify), _keyed_dated(tables.dated)
    best = spotify.sort_values("popularity", ascending=False, kind="stable").drop_duplicates("song").sort_index()
    chosen = spotify.sort_values(["rerelease", "draw"], kind="stable").drop_duplicates("song").sort_index()
    best = best.set_index("song").loc[chosen["song"]]
    genres: dict[str, set[str]] = {}
    for song, genre in zip(spotify["song"], spotify["track_genre"], strict=True):
        genres.setdefault(song, set()).add(genre)
    known = {
        row["song"]: song_of_row(row, tuple(sorted(genres[row["song"]])), lastfm.artists, lastfm.tracks)
        for row in cast("list[dict[str, Any]]", chosen.to_dict("records"))
    }
    first_dates = _first_dates(dated)
    songs = (
        *known.values(),
        *(
            _dated_song(row, known.get(row["song"]), first_dates.get(row["song"]), lastfm)
            for row in cast("list[dict[str, Any]]", dated.to_dict("records"))
        ),
    )
    trusted = spotify.sort_values("popularity", ascending=False, kind="stable").sort_values("rerelease", kind="stable")
    labels = pd.concat(
        [trusted.drop_duplicates("song").set_index("song").loc[chosen["song"]].reset_index(), dated], ignore_index=True
    )[["song", "popularity", "rerelease", "day", "collection"]]
    popularity = mended_popularity(labels)
    popular, labelled = popularity >= POPULAR_FROM, ~np.isnan(popularity)
    collections = (CATALOGUE, *sorted(dated["collection"].unique()))
    collection = labels["collection"].map({name: number for number, name in enumerate(collections)}).to_numpy(np.int64)
    fold = np.array([fold_of(song.artist) for song in songs], dtype=np.int64)
    keys = [artist_key(song.artist) for song in songs]
    artist, _ = pd.factorize(pd.Series(keys))
    # The catalogue tells how common popular songs are, so it must hold enough of both kinds by itself.
    own = labelled & (collection == 0)
    _check(popular[own], fold[own])
    built = TrainingSongs(
        songs=songs,
        popular=popular,
        labelled=labelled,
        labelled_on=tuple(map(date.fromordinal, labels["day"])),
        collection=collection,
        collections=collections,
        weight=collection_weights(popular, labelled, collection, 0),
        fold=fold,
        artist=artist.astype(np.int64),
        artist_tags=tuple(lastfm.tags.get(key, {}) for key in keys),
        vocabulary=vocabulary(_tags_by_artist(lastfm, songs).values()),
        greatest=(best["popularity"] >= POPULAR_FROM).to_numpy(),
        albums_of_greatest=tuple(name or None for name in best["album_name"]),
    )
    _check_figures(popular[labelled & built.has_track_figures])
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
    """Build a song from a row of the Spotify table with ``first_artist`` and ``song`` (its key) added.

    The album of a re-release (``rerelease``, if the row has it) is left out: it is not the song's.
    """
    credits_ = tuple(filter(None, row["artists"].split(CREDIT_SEPARATOR)))
    artist = row["first_artist"]
    artist_listeners, artist_playcount = _figures_of(artist, figures)
    listeners, playcount, tags = tracks.get(row["song"], (None, None, ()))
    return Song(
        title=row["track_name"],
        artist=artist,
        credits=credits_,
        album=None if row.get("rerelease") else row["album_name"] or None,
        listeners=listeners,
        playcount=playcount,
        artist_listeners=artist_listeners,
        artist_playcount=artist_playcount,
        tags=music_tags(tags, row["track_name"], artist),
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


def _figures_of(artist: str, figures: dict[str, tuple[int, int]]) -> tuple[int | None, int | None]:
    return figures.get(artist) or figures.get(artist_key(artist)) or (None, None)


def _keyed_spotify(spotify: pd.DataFrame) -> pd.DataFrame:
    """Leave out unnamed rows and add the song's key, the first artist and what choosing and labelling need."""
    first_artist = _first_artist(spotify["artists"])
    kept = (first_artist != "") & (spotify["track_name"] != "")
    named, first_artist = spotify[kept], first_artist[kept]
    return named.assign(
        song=[song_key(title, artist) for title, artist in zip(named["track_name"], first_artist, strict=True)],
        first_artist=first_artist,
        rerelease=is_rerelease(named["album_name"], first_artist.map(artist_key)),
        draw=[draw(name, album) for name, album in zip(named["track_name"], named["album_name"], strict=True)],
        day=CATALOGUE_LABELLED.toordinal(),
        collection=CATALOGUE,
    )


def _first_artist(credits_: pd.Series[str]) -> pd.Series[str]:
    """Return the first name of each list of credits, "" where it has none; empty credits are passed over."""
    return credits_.str.strip(CREDIT_SEPARATOR).str.split(CREDIT_SEPARATOR, n=1).str[0]


def _keyed_dated(dated: pd.DataFrame) -> pd.DataFrame:
    """Leave out unnamed rows and add the song's key, the first artist, days as numbers and what labelling needs."""
    first_artist = _first_artist(dated["artist"])
    kept = (first_artist != "") & (dated["track"] != "")
    named, first_artist = dated[kept], first_artist[kept]
    keyed = named.assign(
        song=[song_key(title, artist) for title, artist in zip(named["track"], first_artist, strict=True)],
        first_artist=first_artist,
        day=named["label_date"].map({text: _day(text) for text in named["label_date"].unique()}),
        released=named["release_date"].map({text: parse_release_date(text) for text in named["release_date"].unique()}),
        collection=named["source"],
        rerelease=False,
    )
    for _, rows in keyed.groupby("collection"):
        keyed.loc[rows.index, "rerelease"] = is_rerelease(rows["album"], rows["first_artist"].map(artist_key))
    return keyed


def _day(text: str) -> int:
    day = parse_release_date(text)
    if day is None:  # the table was checked when it was read
        raise DataError(f"{text!r} is no date")
    return day.toordinal()


def _first_dates(dated: pd.DataFrame) -> dict[str, date]:
    """Return the earliest known release of each song over all collections."""
    first: dict[str, date] = {}
    for song, released in zip(dated["song"], dated["released"], strict=True):
        if isinstance(released, date) and (song not in first or released < first[song]):
            first[song] = released
    return first


def _dated_song(row: dict[str, Any], known: Song | None, released: date | None, lastfm: _LastFm) -> Song:
    artist_listeners, artist_playcount = _figures_of(row["first_artist"], lastfm.artists)
    listeners, playcount, tags = lastfm.tracks.get(row["song"], (None, None, ()))
    word = row["explicit"].lower()
    explicit = word in TRUE_WORDS if word in TRUE_WORDS | FALSE_WORDS else None
    return Song(
        title=row["track"],
        artist=row["first_artist"],
        credits=known.credits if known is not None else (),
        album=None if row["rerelease"] else row["album"] or None,
        released=released,
        listeners=listeners,
        playcount=playcount,
        artist_listeners=artist_listeners,
        artist_playcount=artist_playcount,
        tags=music_tags(tags, row["track"], row["first_artist"]),
        genres=known.genres if known is not None else (),
        duration_ms=_milliseconds(row["duration_ms"]) or (known.duration_ms if known is not None else None),
        explicit=known.explicit if explicit is None and known is not None else explicit,
        audio=known.audio if known is not None else None,
    )


def _milliseconds(text: str) -> int | None:
    return int(float(text)) or None if text.replace(".", "", 1).isdecimal() else None


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


def _artist_tags(rows: pd.DataFrame) -> dict[str, ArtistTags]:
    """Index the tags of artists by key and collection, the strongest first, without those about the listener."""
    found: dict[str, dict[str, list[str]]] = {}
    ranked = rows.sort_values("rank", kind="stable")
    for artist, source, tag in zip(ranked["artist"], ranked["source"], ranked["tag"], strict=True):
        found.setdefault(artist_key(artist), {}).setdefault(source, []).append(tag)
    music = {
        artist: {source: music_tags(tuple(tags), "", artist) for source, tags in sources.items()}
        for artist, sources in found.items()
    }
    return {artist: {source: tags for source, tags in sources.items() if tags} for artist, sources in music.items()}


def _tags_by_artist(lastfm: _LastFm, songs: tuple[Song, ...]) -> dict[str, list[str]]:
    """Gather all that any table calls an artist or one of its songs."""
    gathered = {artist: [tag for tags in sources.values() for tag in tags] for artist, sources in lastfm.tags.items()}
    for song in songs:
        if song.tags:
            gathered.setdefault(artist_key(song.artist), []).extend(song.tags)
    return gathered


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


def _check_figures(popular: NDArray[np.bool_]) -> None:
    if min(popular.sum(), (~popular).sum()) < FEWEST_PER_FOLD:
        sentence = (
            f"Too few songs have Last.fm figures of their own: {popular.size}, of which {int(popular.sum())} are "
            f"popular; at least {FEWEST_PER_FOLD} such songs and {FEWEST_PER_FOLD} others are needed. They come from "
            "lastfm_tracks*.csv."
        )
        raise DataError(sentence, user_message=sentence)
