"""Questions as people misspell them, made from songs by a fixed seed."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.domain import Song

SECOND_KIND_CHANCE: Final = 0.3
"""Share of the questions that have a second kind of noise on top."""

GUESTS: Final = ("Maya Lind", "DJ Orbit", "The Harbour Choir", "K-Ro")
"""Guests that no song has, for songs without one of their own."""

KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
LETTERS_FOR_TWO_TYPOS: Final = 12
"""A text of at least so many letters takes two typos."""

WORDS_TO_MISS_ONE: Final = 4
"""A question of fewer words leaves none out: what is left would name other songs as well."""

_ACCENTED: Final = {"a": "á", "e": "é", "i": "í", "o": "ö", "u": "ü", "n": "ñ", "c": "ç"}
_SEPARATORS: Final = (" - ", " ", " by ", " – ")


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
