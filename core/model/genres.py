"""Genres of the catalogue and tags of Last.fm, as the model reads them."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from core.domain import Song

GENRES: Final[tuple[str, ...]] = (
    "acoustic", "afrobeat", "alt-rock", "alternative", "ambient", "anime", "black-metal", "bluegrass", "blues",
    "brazil", "breakbeat", "british", "cantopop", "chicago-house", "children", "chill", "classical", "club", "comedy",
    "country", "dance", "dancehall", "death-metal", "deep-house", "detroit-techno", "disco", "disney", "drum-and-bass",
    "dub", "dubstep", "edm", "electro", "electronic", "emo", "folk", "forro", "french", "funk", "garage", "german",
    "gospel", "goth", "grindcore", "groove", "grunge", "guitar", "happy", "hard-rock", "hardcore", "hardstyle",
    "heavy-metal", "hip-hop", "honky-tonk", "house", "idm", "indian", "indie", "indie-pop", "industrial", "iranian",
    "j-dance", "j-idol", "j-pop", "j-rock", "jazz", "k-pop", "kids", "latin", "latino", "malay", "mandopop", "metal",
    "metalcore", "minimal-techno", "mpb", "new-age", "opera", "pagode", "party", "piano", "pop", "pop-film",
    "power-pop", "progressive-house", "psych-rock", "punk", "punk-rock", "r-n-b", "reggae", "reggaeton", "rock",
    "rock-n-roll", "rockabilly", "romance", "sad", "salsa", "samba", "sertanejo", "show-tunes", "singer-songwriter",
    "ska", "sleep", "songwriter", "soul", "spanish", "study", "swedish", "synth-pop", "tango", "techno", "trance",
    "trip-hop", "turkish", "world-music",
)  # fmt: skip
"""The 114 genres of the Spotify Tracks Dataset."""

_INDEX: Final = {genre: index for index, genre in enumerate(GENRES)}


def genres_of(song: Song) -> tuple[str, ...]:
    """Return the genres that the catalogue gives a song, of the vocabulary; tags are never taken for genres."""
    return tuple(genre for genre in song.genres if genre in _INDEX)


def genre_index(genre: str) -> int:
    """Return the place of a genre in ``GENRES``."""
    return _INDEX[genre]


TAGS_SEEN: Final = 12
"""Strongest tags of a song that stand in its row."""

TAGS_READ: Final = 8
"""Strongest known tags among them that are read; weaker ones are mostly moods and jokes."""

ARTISTS_MIN: Final = 20
"""Artists that must bear a tag for the model to know it by name: fewer, and it may be one fan club's joke."""

_SIGNS: Final = re.compile(r"[\W_]+")
_FINGERPRINT_BITS: Final = 24
"""As many as a 32-bit float holds exactly. Among 500 known tags a stranger is taken for one of them once in 33,000."""


@lru_cache(maxsize=8192)
def plain_tag(tag: str) -> str:
    """Return the name under which a tag is known: "Hip-Hop", "hip hop" and "hiphop" are one, "R&B" and "rnb" too."""
    return _SIGNS.sub("", tag.casefold().replace("&", "n"))


@lru_cache(maxsize=8192)
def fingerprint(name: str) -> float:
    """Return the number that stands for a plain tag name in a row; the same in every process and version."""
    digest = hashlib.blake2b(name.encode("utf-8", errors="surrogatepass"), digest_size=8).digest()
    return float(int.from_bytes(digest, "big") >> (64 - _FINGERPRINT_BITS))


def tag_columns(tags: Iterable[str]) -> list[float]:
    """Return the fingerprints of a song's strongest tags, ``TAGS_SEEN`` numbers, NaN where there are fewer."""
    names = dict.fromkeys(name for name in map(plain_tag, tags) if name)
    found = [fingerprint(name) for name in list(names)[:TAGS_SEEN]]
    return found + [math.nan] * (TAGS_SEEN - len(found))


def vocabulary(tags_of_artists: Iterable[Iterable[str]], artists_min: int = ARTISTS_MIN) -> tuple[str, ...]:
    """Return the plain names of the tags that enough artists bear, the commonest first.

    Labels are not looked at.

    Args:
        tags_of_artists: For each artist all tags that any source gives it.
        artists_min: Artists that must bear a tag.
    """
    bearers = Counter(name for tags in tags_of_artists for name in dict.fromkeys(map(plain_tag, tags)) if name)
    return tuple(name for name, count in sorted(bearers.items(), key=lambda item: (-item[1], item[0]))
                 if count >= artists_min)  # fmt: skip


def known_tags(tags: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """Return the tags that the model knows by name, as written, the strongest first, each once."""
    named: dict[str, str] = {}
    for tag in tags:
        if plain_tag(tag) in known:
            named.setdefault(plain_tag(tag), tag)
    return tuple(named.values())
