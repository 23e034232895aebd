"""What is measured on: the data set's songs or made-up ones of the same shape, and questions that misspell them."""

from __future__ import annotations

import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import log
from pathlib import Path
from typing import Final

from core.domain import Song
from core.lookup.catalogue_build import write_catalogue
from core.lookup.dataset import CatalogueEntry, read_dataset
from core.lookup.normalise import song_key

SONGS_OF_THE_DATA_SET: Final = 77_000
MADE_UP: Final = "made-up songs"
DATA_SET: Final = "Spotify Tracks Dataset"

SECOND_KIND_CHANCE: Final = 0.3
"""Share of the questions that have a second kind of noise on top."""

GUESTS: Final = ("Maya Lind", "DJ Orbit", "The Harbour Choir", "K-Ro")
"""Guests that no song has, for songs without one of their own."""

KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTERS_FOR_TWO_TYPOS: Final = 12
"""A text of at least so many letters takes two typos."""

WORDS_TO_MISS_ONE: Final = 4
"""A question of fewer words leaves none out: what is left would name other songs as well."""

_PLAIN_NAME: Final = re.compile("[A-Za-z]{3,}(?: [A-Za-z]{2,})+")
_ACCENTED: Final = {"a": "á", "e": "é", "i": "í", "o": "ö", "u": "ü", "n": "ñ", "c": "ç"}
_SEPARATORS: Final = (" - ", " ", " by ", " – ")

# What made-up names are made of, as counted in the data set's 80,058 songs after normalising.

_ONSETS: Final = "t s r l n d m c p b h f g v w st tr k ch th sh j br pr y qu cr fl gr sp z bl cl dr fr pl sk sl sn sw"
_NUCLEI: Final = "e a o i u ea ai y ou ee ie oo io ia au oa ue ei oi"
_CODAS: Final = "n s r t l d m ng st nd nt ck p k ll ss sh ch th rt rd x ns ts mp"
"""Parts of syllables, the common ones first."""

_SYLLABLES: Final = (20, 50, 25, 5)
_TITLE_WORDS: Final = (235, 246, 209, 134, 73, 41, 23, 13, 10, 16)
_ARTIST_WORDS: Final = (31, 53, 12, 4)
"""How often a word has 1, 2, ... syllables, and a name 1, 2, ... words."""

_WORDS: Final = 100_000
"""Words that as many songs as the data set's choose from: two thirds of those that a title has occur in it alone."""

_VOCABULARY_GROWTH: Final = 0.68
"""Twice as many songs have 2 ** 0.68 as many words (Heaps' law)."""

_LENGTH_NOISE: Final = 2.5
"""Letters by which a word may be longer than one that is rarer; else the common ones are the short ones."""

_LONE_LETTERS: Final = 4
"""Least letters of a word that is a name by itself."""

_RANKS_FILLING, _RANKS_TELLING, _RANKS_LONE = 2, 100, 300
"""By how many ranks the commonest words are held back (Zipf and Mandelbrot): those that fill a title ("the"), the one
that tells it from others ("love"), and the one that stands alone ("paradise")."""

_ARTIST_STEEPNESS: Final = 0.8
_ARTIST_REORDERED: Final = 2.0
"""Artists are named with the same words in another order of frequency: by so much their ranks' logarithms differ."""

_SONGS_PER_ARTIST: Final = 4.1
_SONGS_STEEPNESS: Final = 0.75
"""Few artists have a hundred songs, most have one or two: the exponent of an artist's rank."""

_VARIANTS: Final = 0.15
"""Share of the titles that differ by one word from another one of their artist."""


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
    """Invent ``count`` songs with distinct names; same seed, same songs.

    Lengths, frequencies of words, namesakes and songs alike of one artist are those of the data set, so that a
    misspelt name is as hard to tell from others.
    """
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    words = _words(round(_WORDS * (count / SONGS_OF_THE_DATA_SET) ** _VOCABULARY_GROWTH), rng)
    lone = [word for word in words if len(word) >= _LONE_LETTERS]
    filling, telling, alone = _zipf(words, _RANKS_FILLING), _zipf(words, _RANKS_TELLING), _zipf(lone, _RANKS_LONE)
    artists = _artists(max(1, round(count / _SONGS_PER_ARTIST)), words, rng)
    prolific = _zipf(artists, 10, _SONGS_STEEPNESS)
    lengths = range(1, len(_TITLE_WORDS) + 1)
    titles: dict[str, list[list[str]]] = defaultdict(list)
    entries: dict[str, CatalogueEntry] = {}
    while len(entries) < count:
        (artist,) = rng.choices(artists, cum_weights=prolific)
        (length,) = rng.choices(lengths, _TITLE_WORDS)
        if titles[artist] and rng.random() < _VARIANTS:
            title = list(rng.choice(titles[artist]))
            place = rng.randrange(len(title)) if len(title) > 1 else 1
            title[place : place + 1] = rng.choices(words, cum_weights=telling)
        elif length == 1:
            title = rng.choices(lone, cum_weights=alone)
        else:
            title = rng.choices(words, cum_weights=filling, k=length - 1) + rng.choices(words, cum_weights=telling)
        key = song_key(" ".join(title), artist)
        if key not in entries:
            titles[artist].append(title)
            guests = rng.choices(artists, cum_weights=prolific, k=rng.random() < 0.2)
            entries[key] = _entry(" ".join(title).capitalize(), tuple(dict.fromkeys((artist, *guests))), rng)
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


def _words(count: int, rng: random.Random) -> list[str]:
    """Invent ``count`` words, the common ones first."""
    onsets, nuclei, codas = (parts.split() for parts in (_ONSETS, _NUCLEI, _CODAS))
    common_onsets, common_nuclei, common_codas = (_zipf(parts, 1) for parts in (onsets, nuclei, codas))
    words: dict[str, None] = {}
    while len(words) < count:
        word = ""
        for _ in range(rng.choices(range(1, len(_SYLLABLES) + 1), _SYLLABLES)[0]):
            if word or rng.random() < 0.8:
                word += rng.choices(onsets, cum_weights=common_onsets)[0]
            word += rng.choices(nuclei, cum_weights=common_nuclei)[0]
            if rng.random() < 0.45:
                word += rng.choices(codas, cum_weights=common_codas)[0]
        words[word] = None
    return sorted(words, key=lambda word: len(word) + rng.gauss(0, _LENGTH_NOISE))


def _artists(count: int, words: Sequence[str], rng: random.Random) -> list[str]:
    """Invent about ``count`` artists."""
    ranks = sorted(range(len(words)), key=lambda rank: log(rank + 5) + rng.gauss(0, _ARTIST_REORDERED))
    names = [words[rank] for rank in ranks]
    lone = [name for name in names if len(name) >= _LONE_LETTERS]
    usual, alone = _zipf(names, 3, _ARTIST_STEEPNESS), _zipf(lone, _RANKS_LONE, _ARTIST_STEEPNESS)
    artists = []
    for length in rng.choices(range(1, len(_ARTIST_WORDS) + 1), _ARTIST_WORDS, k=count):
        name = rng.choices(lone, cum_weights=alone) if length == 1 else rng.choices(names, cum_weights=usual, k=length)
        artists.append(" ".join(name).title())
    return list(dict.fromkeys(artists))


def _zipf(items: Sequence[str], held_back: int, steepness: float = 1.0) -> list[float]:
    """Return how often items in order of their rank occur, summed up as :func:`random.choices` takes it."""
    return list(accumulate((rank + held_back) ** -steepness for rank in range(1, len(items) + 1)))


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


class Noise(StrEnum):
    """Ways to ask for a song other than by its name."""

    SWAPPED = "swapped order"
    TYPOS = "typos"
    MISSING = "missing words"
    ACCENTS = "accents"
    FEAT = "feat."


@dataclass(frozen=True, slots=True)
class NoisyQuestion:
    """A question, the song it means and what was done to it."""

    text: str
    song: Song
    kinds: tuple[Noise, ...]


def noisy_questions(songs: Sequence[Song], count: int, seed: int) -> tuple[NoisyQuestion, ...]:
    """Draw ``count`` songs and ask for each, every kind of noise equally often; same seed, same questions.

    Raises:
        ValueError: There are fewer songs than questions.
    """
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    kinds = tuple(Noise)
    questions = []
    for number, song in enumerate(rng.sample(songs, count)):
        chosen = [kinds[number % len(kinds)]]
        if rng.random() < SECOND_KIND_CHANCE:
            chosen.append(rng.choice([kind for kind in kinds if kind is not chosen[0]]))
        questions.append(NoisyQuestion(_ask(song, chosen, rng), song, tuple(chosen)))
    return tuple(questions)


def _ask(song: Song, kinds: Sequence[Noise], rng: random.Random) -> str:
    title, artist = song.title, song.artist
    if Noise.FEAT in kinds:
        guest = song.credits[1] if len(song.credits) > 1 else rng.choice(GUESTS)
        title = f"{title} {rng.choice(('feat.', 'ft.', 'featuring'))} {guest}"
    if Noise.ACCENTS in kinds:
        title, artist = other_accents(title, rng), other_accents(artist, rng)
    if Noise.MISSING in kinds:
        title = without_a_word(title, artist, rng)
    if Noise.TYPOS in kinds:
        title = mistyped(title, rng)
        if rng.random() < 0.5:
            artist = mistyped(artist, rng)
    separator = rng.choice(_SEPARATORS)
    if Noise.SWAPPED in kinds:
        return f"{artist}{' ' if separator == ' by ' else separator}{title}"
    return f"{title}{separator}{artist}"


def mistyped(text: str, rng: random.Random) -> str:
    """Make one typo, or two in longer texts: two letters changed over, one left out, doubled or hit beside its key."""
    for _ in range(1 + (sum(map(str.isalpha, text)) >= LETTERS_FOR_TWO_TYPOS)):
        places = [i for i, char in enumerate(text) if char.isalpha()]
        if len(places) < 2:
            return text
        place = rng.choice(places)
        before, char, after = text[:place], text[place], text[place + 1 :]
        way = rng.randrange(4)
        if way == 0 and after[:1].isalpha():
            text = before + after[0] + char + after[1:]
        elif way == 1:
            text = before + after
        elif way == 2:
            text = before + char + char + after
        else:
            text = before + _beside(char, rng) + after
    return text


def _beside(char: str, rng: random.Random) -> str:
    for row in KEYBOARD:
        place = row.find(char.casefold())
        if place >= 0:
            return rng.choice(row[max(0, place - 1) : place] + row[place + 1 : place + 2])
    return char


def without_a_word(title: str, artist: str, rng: random.Random) -> str:
    """Leave one word of the title out, if title and artist have enough words together."""
    words = title.split()
    if len(words) < 2 or len(words) + len(artist.split()) < WORDS_TO_MISS_ONE:
        return title
    words.pop(rng.randrange(len(words)))
    return " ".join(words)


def other_accents(text: str, rng: random.Random) -> str:
    """Take the accents off a text that has some, else put one on."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if bare != unicodedata.normalize("NFKD", text):
        return unicodedata.normalize("NFC", bare)
    places = [i for i, char in enumerate(text) if char.casefold() in _ACCENTED]
    if not places:
        return text
    place = rng.choice(places)
    accented = _ACCENTED[text[place].casefold()]
    return text[:place] + (accented.upper() if text[place].isupper() else accented) + text[place + 1 :]
