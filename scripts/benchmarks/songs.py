"""The songs that are measured on: the data set's, or made-up ones of the same number and shape."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from core.domain import Song
from core.lookup.catalogue_build import write_catalogue
from core.lookup.dataset import CatalogueEntry, read_dataset
from core.lookup.normalise import song_key

SONGS_OF_THE_DATA_SET: Final = 77_000
MADE_UP: Final = "made-up songs"
DATA_SET: Final = "Spotify Tracks Dataset"

_PLAIN_NAME: Final = re.compile("[A-Za-z]{3,}(?: [A-Za-z]{2,})+")
_STARTS: Final = ["b", "ch", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "sh", "t", "v", "w", "y", "z"]
_VOWELS: Final = ["a", "e", "i", "o", "u", "ai", "ee", "ou"]
_ENDS: Final = ["", "", "", "n", "r", "l", "s", "nd", "ng"]
_WORDS: Final = 12_000
_TITLE_WORDS: Final = ((1, 18), (2, 32), (3, 26), (4, 14), (5, 7), (6, 3))
"""Words of a title and how many of a hundred have so many."""

_COMMON: Final = 0.8
"""How steeply common words outnumber rare ones: the exponent of their rank."""

_SONGS_PER_ARTIST: Final = 4


@dataclass(frozen=True, slots=True)
class SongSet:
    """Songs with their popularity, each once, and what they are."""

    entries: tuple[CatalogueEntry, ...]
    label: str

    @property
    def songs(self) -> tuple[Song, ...]:
        """The songs alone."""
        return tuple(entry.song for entry in self.entries)

    def build(self, path: Path) -> None:
        """Write them as a catalogue."""
        write_catalogue(self.entries, path, source=self.label, rows_read=len(self.entries))


def data_set(csv_path: Path) -> SongSet:
    """Read the data set, the best known row of each song.

    Raises:
        DataError: As :func:`core.lookup.dataset.read_dataset` does.
    """
    best: dict[str, CatalogueEntry] = {}
    for entry in read_dataset(csv_path):
        if entry.song.title and entry.song.artist:
            key = song_key(entry.song.title, entry.song.artist)
            if key not in best or entry.popularity > best[key].popularity:
                best[key] = entry
    return SongSet(tuple(best.values()), DATA_SET)


def made_up(count: int, seed: int) -> SongSet:
    """Invent ``count`` songs with distinct names: titles of one to six words, common words common; same seed, same."""
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    words = list(dict.fromkeys("".join(_syllable(rng) for _ in range(rng.choice((1, 2, 2, 3)))) for _ in range(_WORDS)))
    weights = [1 / (rank + 3) ** _COMMON for rank in range(len(words))]
    cumulative = list(accumulate(weights))
    artists = [
        " ".join(rng.choices(words, cum_weights=cumulative, k=rng.choice((1, 2, 2, 3)))).title()
        for _ in range(max(1, count // _SONGS_PER_ARTIST))
    ]
    lengths, shares = zip(*_TITLE_WORDS, strict=True)
    entries: dict[str, CatalogueEntry] = {}
    while len(entries) < count:
        title = " ".join(rng.choices(words, cum_weights=cumulative, k=rng.choices(lengths, shares)[0])).capitalize()
        credited = tuple(dict.fromkeys(rng.choices(artists, k=1 + (rng.random() < 0.2))))
        entries.setdefault(song_key(title, credited[0]), _entry(title, credited, rng))
    return SongSet(tuple(entries.values()), MADE_UP)


def songs_of_few_artists(songs: Sequence[Song], count: int, each: int, seed: int) -> list[Song]:
    """Pick ``count`` songs by artists with at least ``each`` songs, so many of each artist; same seed, same songs.

    Songs and artists are picked whose names a question gives as they are: letters and spaces alone.
    """
    by_artist: dict[str, dict[str, Song]] = defaultdict(dict)
    for song in songs:
        if _PLAIN_NAME.fullmatch(song.title) and _PLAIN_NAME.fullmatch(song.artist):
            by_artist[song.artist].setdefault(song.title.casefold(), song)
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    artists = sorted(artist for artist, known in by_artist.items() if len(known) >= each)
    picked: dict[str, Song] = {}
    for artist in rng.sample(artists, len(artists)):
        fresh = [song for title, song in by_artist[artist].items() if title not in picked]
        if len(fresh) >= each:
            picked.update((song.title.casefold(), song) for song in fresh[:each])
        if len(picked) >= count:
            break
    return list(picked.values())[:count]


def _syllable(rng: random.Random) -> str:
    return rng.choice(_STARTS) + rng.choice(_VOWELS) + rng.choice(_ENDS)


def _entry(title: str, credited: tuple[str, ...], rng: random.Random) -> CatalogueEntry:
    song = Song(
        title=title,
        artist=credited[0],
        credits=credited,
        album=title,
        genres=("pop",),
        duration_ms=rng.randrange(90_000, 400_000),
        explicit=rng.random() < 0.1,
    )
    return CatalogueEntry(song, min(100, int(rng.expovariate(1 / 30))))
