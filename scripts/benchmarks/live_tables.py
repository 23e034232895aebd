"""The tables of the live measurement: what Last.fm knows, and how popular songs turned out to be."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.errors import DataError
from core.lookup.dataset import CatalogueEntry, album_key, compilations, read_dataset
from core.lookup.normalise import artist_key, first_artist, normalize, plain_title, song_key
from scripts.benchmarks.measurement import rows_of, whole
from tests.fakes.lastfm_files import load_songs
from tests.fakes.lastfm_server import FakeArtist, FakeSong

SPOTIFY_FILE: Final = "spotify_tracks_114k.csv.gz"
DATED_FILE: Final = "dated_popularity.csv.gz"
TRACKS_FILE: Final = "lastfm_tracks.csv.gz"
ARTISTS_FILE: Final = "lastfm_artists_17k.csv.gz"
TAGS_FILE: Final = "lastfm_artist_tags.csv.gz"

SPOTIFY: Final = "spotify_tracks_114k"
SPOTIFY_DATE: Final = "2022-10"
"""When the popularity of the Spotify Tracks Dataset was taken."""

POPULAR: Final = 60
"""Least popularity of a popular song."""

MAX_RE_RELEASE: Final = 5
"""Greatest popularity of a song on a compilation that counts as a mere re-release."""

TAG_SOURCES: Final = ("teotu2024", "mattsandy2019", "hetrec2011")
"""Collections of artists' tags, the one most like a live answer first."""

NO_ALBUM: Final = ("", "Unknown")
"""What stands in the tables for an album that Last.fm does not name."""

SPLIT_RATIO: Final = 3
"""The greatest record of a split song has more than so many times the listeners of another."""


@dataclass(frozen=True, slots=True)
class Label:
    """How popular a song was, 0 to 100, by one source at one time (YYYY-MM)."""

    source: str
    date: str
    popularity: int

    @property
    def popular(self) -> bool:
        """Whether that is popular."""
        return self.popularity >= POPULAR


@dataclass(frozen=True, slots=True)
class Labelled:
    """A song as people would name it, with what is known of its popularity: at most one label a group of sources."""

    key: str
    title: str
    artist: str
    labels: tuple[Label, ...]

    @property
    def latest(self) -> Label:
        """The newest label."""
        return max(self.labels, key=lambda label: label.date)


@dataclass(frozen=True, slots=True)
class Split:
    """A song that Last.fm keeps in several records, the greatest first."""

    title: str
    artist: str
    records: tuple[FakeSong, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is asked and served.

    Attributes:
        records: Every record that Last.fm tells apart.
        groups: The records of each song, the greatest first.
        artists: With figures and tags.
        spotify: Labels of the Spotify Tracks Dataset, without mere re-releases.
        dated: Labels of the dated tables.
        re_releases: Songs left out as such.
    """

    records: tuple[FakeSong, ...]
    groups: Mapping[str, tuple[FakeSong, ...]]
    artists: tuple[FakeArtist, ...]
    spotify: Mapping[str, Labelled]
    dated: Mapping[str, Labelled]
    re_releases: int

    @property
    def joined(self) -> tuple[Labelled, ...]:
        """Songs that Last.fm knows and whose popularity is known."""
        return joined(self.groups, self.spotify, self.dated)

    @property
    def split(self) -> tuple[Split, ...]:
        """Songs of several records."""
        return split_songs(self.groups)


def read_tables(folder: Path) -> Tables:
    """Read the tables.

    Raises:
        DataError: One is missing or cannot be read.
    """
    try:
        records = distinct_records(load_songs(folder / TRACKS_FILE))
        artists = artists_of(records, rows_of(folder / ARTISTS_FILE), rows_of(folder / TAGS_FILE))
        spotify, re_releases = spotify_labels(read_dataset(folder / SPOTIFY_FILE))
        dated = dated_labels(rows_of(folder / DATED_FILE))
    except (OSError, EOFError, KeyError, ValueError) as error:
        raise DataError(f"{folder} cannot be used: {error}") from error
    return Tables(records, by_song(records), artists, spotify, dated, re_releases)


def distinct_records(songs: Iterable[FakeSong]) -> tuple[FakeSong, ...]:
    """Merge what Last.fm takes for one record: the greatest figures, and the rest from the greatest that has it."""
    same: dict[tuple[str, str], list[FakeSong]] = defaultdict(list)
    for song in songs:
        # Last.fm tells records apart by neither case nor punctuation.
        same[_words(song.artist), _words(song.title)].append(song)
    return tuple(_merged(sorted(found, key=lambda song: -song.listeners)) for found in same.values())


def by_song(records: Iterable[FakeSong]) -> dict[str, tuple[FakeSong, ...]]:
    """Group records by the song they are of, the greatest first."""
    groups: dict[str, list[FakeSong]] = defaultdict(list)
    for record in records:
        groups[song_key(record.title, record.artist)].append(record)
    return {key: tuple(sorted(group, key=lambda one: -one.listeners)) for key, group in groups.items()}


def split_songs(groups: Mapping[str, Sequence[FakeSong]]) -> tuple[Split, ...]:
    """Find the songs whose greatest record has more than ``SPLIT_RATIO`` times the listeners of another."""
    return tuple(
        Split(plain_title(group[0].title), first_artist(group[0].artist), tuple(group))
        for group in groups.values()
        if group[0].listeners > SPLIT_RATIO * group[-1].listeners
    )


def artists_of(
    records: Sequence[FakeSong], figures: Iterable[Mapping[str, str]], tags: Iterable[Mapping[str, str]]
) -> tuple[FakeArtist, ...]:
    """Give every artist figures and tags, the least heard first.

    Args:
        records: Songs; an artist without figures gets twice the listeners and three times the plays of the greatest.
        figures: Rows with ``artist``, ``lastfm_listeners`` and ``lastfm_playcount``.
        tags: Rows with ``artist``, ``source``, ``rank`` and ``tag``; of the first of ``TAG_SOURCES`` that has any.
    """
    known: dict[str, tuple[int, int]] = {}
    spellings: dict[str, str] = {}
    for row in figures:
        count = (whole(row["lastfm_listeners"]), whole(row["lastfm_playcount"]))
        known[normalize(row["artist"])] = max(known.get(normalize(row["artist"]), (0, 0)), count)
        spellings.setdefault(row["artist"], normalize(row["artist"]))
    derived: dict[str, tuple[int, int]] = {}
    for record in records:
        name = spellings.setdefault(record.artist, normalize(record.artist))
        derived[name] = max(derived.get(name, (0, 0)), (record.listeners * 2, record.playcount * 3))
    tagged = _best_tags(tags)
    artists = [
        FakeArtist(spelling, *(known.get(name) or derived[name]), tagged.get(name, ()))
        for spelling, name in spellings.items()
    ]
    return tuple(sorted(artists, key=lambda artist: artist.listeners))


def spotify_labels(entries: Iterable[CatalogueEntry]) -> tuple[dict[str, Labelled], int]:
    """Label each song of the data set by its best row; return also how many were left out as mere re-releases."""
    best: dict[str, CatalogueEntry] = {}
    albums: list[tuple[str, str]] = []
    for entry in entries:
        if not entry.song.title or not entry.song.artist:
            continue
        key = song_key(entry.song.title, entry.song.artist)
        if key not in best or entry.popularity > best[key].popularity:
            best[key] = entry
        albums.append((entry.song.album or "", artist_key(entry.song.artist)))
    gathered = compilations(albums)
    labelled = {
        key: Labelled(key, song.title, song.artist, (Label(SPOTIFY, SPOTIFY_DATE, entry.popularity),))
        for key, entry in best.items()
        for song in [entry.song]
        if entry.popularity > MAX_RE_RELEASE or album_key(song.album or "") not in gathered
    }
    return labelled, len(best) - len(labelled)


def dated_labels(rows: Iterable[Mapping[str, str]]) -> dict[str, Labelled]:
    """Label each song by its newest row; of several as new by the most popular, as re-releases seem unpopular."""
    best: dict[str, Labelled] = {}
    for row in rows:
        title, artist = plain_title(row["track"]), first_artist(row["artist"])
        if not title or not artist or not row["popularity"]:
            continue
        key = song_key(title, artist)
        label = Label(row["source"], row["label_date"], whole(row["popularity"]))
        if key not in best or (best[key].latest.date, best[key].latest.popularity) < (label.date, label.popularity):
            best[key] = Labelled(key, title, artist, (label,))
    return best


def joined(keys: Iterable[str], *labelled: Mapping[str, Labelled]) -> tuple[Labelled, ...]:
    """Put the labels of each song of ``keys`` together, in the order of the keys; songs without any are left out."""
    songs = []
    for key in sorted(keys):
        known = [labels[key] for labels in labelled if key in labels]
        if known:
            labels = tuple(label for one in known for label in one.labels)
            songs.append(Labelled(key, known[0].title, known[0].artist, labels))
    return tuple(songs)


def even_sample(songs: Sequence[Labelled], limit: int | None, seed: int) -> tuple[Labelled, ...]:
    """Draw ``limit`` songs with every source's share as in the whole; same seed, same songs. None draws all."""
    if limit is None or limit >= len(songs):
        return tuple(songs)
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    shuffled = sorted(songs, key=lambda song: (song.latest.source, song.latest.popular, rng.random()))
    return tuple(shuffled[place * len(songs) // limit] for place in range(limit))


def _best_tags(rows: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["source"] in TAG_SOURCES:
            found[normalize(row["artist"])][row["source"]].append((whole(row["rank"]), row["tag"]))
    return {
        name: tuple(tag for _, tag in sorted(next(sources[one] for one in TAG_SOURCES if one in sources)))
        for name, sources in found.items()
    }


def _merged(found: Sequence[FakeSong]) -> FakeSong:
    return replace(
        found[0],
        album=next((one.album for one in found if one.album not in NO_ALBUM), ""),
        duration_ms=next((one.duration_ms for one in found if one.duration_ms), 0),
        tags=next((one.tags for one in found if one.tags), ()),
    )


def _words(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold().replace("'", "")).split()) or text
