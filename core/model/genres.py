"""The genre vocabulary of the model: the catalogue's."""

from __future__ import annotations

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
