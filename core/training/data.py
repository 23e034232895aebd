"""Reads the training tables and joins them into the songs that are learnt from, with labels that have a date."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.domain import POPULAR_FROM, AudioFeatures, Song
from core.errors import DataError
from core.lookup.dataset import RECORDED_ON, album_key, compilations, draw
from core.lookup.lastfm_parse import music_tags
from core.lookup.normalise import artist_key, song_key
from core.model.ensemble import FloatArray
from core.model.features import N_FOLDS, fold_of
from core.model.genres import vocabulary
from core.tables import CREDIT_SEPARATOR, FALSE_WORDS, SPOTIFY_NUMBERS, TAG_SEPARATOR, TRUE_WORDS
from core.text import parse_release_date

SPOTIFY_TEXT: Final = ("artists", "album_name", "track_name", "track_genre")
ARTIST_NUMBERS: Final = {"lastfm_listeners": (0, 1e9), "lastfm_playcount": (0, 1e12)}
TRACK_NUMBERS: Final = {"listeners": (0, 1e9), "playcount": (0, 1e12)}
TAG_TEXT: Final = ("artist", "source", "tag")
TAG_NUMBERS: Final = {"rank": (1, 1e6)}
DATED_TEXT: Final = ("track", "artist", "album", "release_date", "label_date", "duration_ms", "explicit", "source")
DATED_NUMBERS: Final = {"popularity": (0, 100)}


@dataclass(frozen=True, slots=True)
class RawTables:
    """The tables as read and checked; all but the first are empty if there is no such file.

    Attributes:
        spotify: One row per track and genre, in the file's order; numbers are float, ``explicit`` is bool.
        artists: ``artist, lastfm_listeners, lastfm_playcount``.
        tracks: ``artist, track, listeners, playcount, tags``.
        artist_tags: ``artist, source, rank, tag``, one row a tag; rank 1 is the strongest of a source.
        dated: ``track, artist, album, release_date, popularity, label_date, duration_ms, explicit, source``: popularity
            at a known month, one row a source and song. Text but for the popularity; blanks mean unknown.
        fingerprints: SHA-256 of each file's uncompressed content, by file name without ``.gz``.
    """

    spotify: pd.DataFrame
    artists: pd.DataFrame
    tracks: pd.DataFrame
    artist_tags: pd.DataFrame
    dated: pd.DataFrame
    fingerprints: dict[str, str]


def load_tables(folder: Path) -> RawTables:
    """Read the training tables of a folder, plain or .gz.

    They are ``spotify_tracks*.csv`` (or ``dataset.csv``), ``lastfm_artists*.csv``, ``lastfm_tracks*.csv``,
    ``lastfm_artist_tags*.csv`` and ``dated_popularity*.csv``. Several files of one kind are read one after the other.

    Raises:
        DataError: The folder or a needed file is missing, or a value cannot be right.
    """
    if not folder.is_dir():
        raise _fault(f"There is no folder {folder}.")
    spotify = _files(folder, "spotify_tracks") or _files(folder, "dataset")
    if not spotify:
        raise _fault(f"{folder} holds no spotify_tracks*.csv or dataset.csv (.gz too).")
    artists, tracks = _files(folder, "lastfm_artists"), _files(folder, "lastfm_tracks")
    tags, dated = _files(folder, "lastfm_artist_tags"), _files(folder, "dated_popularity")
    return RawTables(
        spotify=pd.concat([_spotify(path) for path in spotify], ignore_index=True),
        artists=_joined([_numbers(path, ("artist",), ARTIST_NUMBERS) for path in artists], ("artist", *ARTIST_NUMBERS)),
        tracks=_joined(
            [_numbers(path, ("artist", "track", "tags"), TRACK_NUMBERS) for path in tracks],
            ("artist", "track", "tags", *TRACK_NUMBERS),
        ),
        artist_tags=_joined([_numbers(path, TAG_TEXT, TAG_NUMBERS) for path in tags], (*TAG_TEXT, *TAG_NUMBERS)),
        dated=_joined([_dated(path) for path in dated], (*DATED_TEXT, *DATED_NUMBERS)),
        fingerprints={
            path.name.removesuffix(".gz"): _sha256(path) for path in (*spotify, *artists, *tracks, *tags, *dated)
        },
    )


def _fault(sentence: str) -> DataError:
    return DataError(sentence, user_message=sentence)


def _files(folder: Path, stem: str) -> list[Path]:
    """List files by stem; of a file that is there plain and packed, the plain one."""
    by_name = {path.name.removesuffix(".gz"): path for path in sorted(folder.glob(f"{stem}*.csv.gz"))}
    by_name |= {path.name: path for path in folder.glob(f"{stem}*.csv")}
    return [by_name[name] for name in sorted(by_name)]


def _joined(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({column: [] for column in columns})


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read named columns as text; "NA", "None" and "Null" are names of artists and stay so."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except pd.errors.EmptyDataError:
        raise _fault(f"{path.name} is empty.") from None
    except UnicodeDecodeError as error:
        raise _fault(f"{path.name} is not UTF-8 text (byte {error.start}).") from None
    except (pd.errors.ParserError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _fault(f"{path.name} cannot be read as CSV: {str(error).strip()}.") from None
    for column in columns:
        if column not in frame.columns:
            raise _fault(f"{path.name} has no column {column!r}; it has: {', '.join(map(repr, frame.columns[:30]))}.")
    if frame.empty:
        raise _fault(f"{path.name} has a header but no rows.")
    return frame[list(columns)]


def _number(path: Path, frame: pd.DataFrame, column: str, bounds: tuple[float, float]) -> pd.Series[float]:
    text = frame[column]
    values = pd.to_numeric(text, errors="coerce")
    wrong = values.isna() | (values < bounds[0]) | (values > bounds[1])
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise _fault(
            f"{path.name}, column {column!r}, row {place + 2}: {text.iloc[place][:40]!r} is not a number "
            f"from {bounds[0]:g} to {bounds[1]:g}."
        )
    return values.astype("float64")


def _numbers(path: Path, text: tuple[str, ...], numbers: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    frame = _read(path, (*text, *numbers))
    return frame.assign(**{column: _number(path, frame, column, bounds) for column, bounds in numbers.items()})


def _dated(path: Path) -> pd.DataFrame:
    frame = _numbers(path, DATED_TEXT, DATED_NUMBERS)
    wrong = frame["label_date"].map(parse_release_date).isna()
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise _fault(
            f"{path.name}, column 'label_date', row {place + 2}: {frame['label_date'].iloc[place][:40]!r} is no month "
            "like 2022-10."
        )
    return frame


def _spotify(path: Path) -> pd.DataFrame:
    frame = _read(path, (*SPOTIFY_TEXT, "explicit", *SPOTIFY_NUMBERS))
    words = frame["explicit"].str.lower()
    wrong = ~words.isin(TRUE_WORDS | FALSE_WORDS)
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise _fault(
            f"{path.name}, column 'explicit', row {place + 2}: {frame['explicit'].iloc[place][:40]!r} is neither "
            "True nor False."
        )
    numbers = {column: _number(path, frame, column, bounds) for column, bounds in SPOTIFY_NUMBERS.items()}
    return frame.assign(explicit=words.isin(TRUE_WORDS), **numbers)


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


def corrected_popularity(rows: pd.DataFrame) -> FloatArray:
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
        labelled: Which rows have a label that can be trusted, see :mod:`core.training.data`.
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
    popularity = corrected_popularity(labels)
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
