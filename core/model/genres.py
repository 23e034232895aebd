"""The genre vocabulary of the model, and how Last.fm tags and catalogue genres are mapped to it."""

from __future__ import annotations

import re
from collections.abc import Iterable
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

_SIGNS: Final = re.compile(r"[\W_]+")


def _bare(tag: str) -> str:
    return _SIGNS.sub("", tag.casefold().replace("&", "n"))


_BY_BARE_NAME: Final = {_bare(genre): genre for genre in GENRES}

_ALSO: Final[dict[str, tuple[str, ...]]] = {
    "alt-rock": ("alternative rock",),
    "alternative": ("alternative pop", "alt pop"),
    "afrobeat": ("afrobeats", "afropop", "afro"),
    "ambient": ("dark ambient", "drone"),
    "anime": ("anison", "anime soundtrack"),
    "black-metal": ("atmospheric black metal", "symphonic black metal"),
    "blues": ("blues rock",),
    "brazil": ("brazilian", "brasil", "bossa nova", "brazilian music", "funk carioca"),
    "british": ("britpop", "uk", "english", "british pop"),
    "cantopop": ("cantonese", "hong kong"),
    "children": ("childrens music", "children's music"),
    "chill": ("chillout", "chill out", "downtempo", "lofi", "lo-fi"),
    "classical": ("classical music", "baroque", "romantic period", "orchestral", "composer", "composers"),
    "club": ("club music",),
    "country": ("country pop", "modern country", "outlaw country"),
    "dance": ("dance-pop", "dance pop", "eurodance"),
    "death-metal": ("melodic death metal", "technical death metal", "brutal death metal"),
    "drum-and-bass": ("drum n bass", "dnb", "drum & bass", "liquid funk", "jungle"),
    "edm": ("big room", "future bass", "festival progressive house"),
    "electro": ("electro house", "electro pop", "electropop"),
    "electronic": ("electronica", "electronic music"),
    "emo": ("screamo", "emo rap", "midwest emo"),
    "folk": ("indie folk", "folk rock"),
    "french": ("chanson", "chanson francaise", "french pop", "francais", "variete francaise"),
    "german": ("deutsch", "deutschrap", "neue deutsche harte", "neue deutsche haerte", "schlager", "german rap"),
    "gospel": ("worship", "christian"),
    "goth": ("gothic", "gothic rock", "darkwave", "gothic metal"),
    "guitar": ("instrumental guitar", "guitar virtuoso"),
    "hard-rock": ("hardrock",),
    "hardcore": ("hardcore punk", "post-hardcore"),
    "hip-hop": ("hip hop", "rap", "trap", "pop rap", "gangsta rap", "hiphop", "hip-hop/rap", "cloud rap"),
    "indian": ("bollywood", "hindi", "india", "punjabi", "tamil", "desi", "telugu", "filmi"),
    "indie": ("indie rock",),
    "indie-pop": ("bedroom pop", "dream pop"),
    "industrial": ("industrial metal", "industrial rock", "ebm"),
    "iranian": ("persian", "iran", "farsi"),
    "j-idol": ("idol", "japanese idol"),
    "j-pop": ("japanese", "japan", "city pop", "jpop"),
    "j-rock": ("visual kei",),
    "jazz": ("vocal jazz", "smooth jazz", "swing", "bebop"),
    "k-pop": ("korean", "korea", "kpop", "k pop"),
    "kids": ("kids music", "nursery rhymes"),
    "latin": ("latin pop", "latin music"),
    "latino": ("urbano latino", "latin urban", "latinoamerica"),
    "malay": ("malaysia", "malaysian", "indonesian", "indonesia", "pop melayu"),
    "mandopop": ("c-pop", "chinese", "taiwan", "taiwanese", "mandarin", "cpop"),
    "metal": ("nu metal", "alternative metal", "thrash metal", "progressive metal", "power metal"),
    "metalcore": ("deathcore",),
    "mpb": ("musica popular brasileira",),
    "new-age": ("meditation", "relaxation", "healing"),
    "piano": ("neoclassical", "solo piano", "modern classical"),
    "pop": ("art pop", "teen pop", "synthwave pop"),
    "pop-film": ("film", "filmi pop"),
    "psych-rock": ("psychedelic rock", "psychedelic", "psychedelic pop"),
    "punk": ("pop punk",),
    "r-n-b": ("rnb", "r&b", "rhythm and blues", "contemporary rnb", "alternative rnb", "neo-soul", "neo soul"),
    "reggaeton": ("perreo", "urbano"),
    "rock": ("classic rock", "pop rock", "soft rock"),
    "rock-n-roll": ("rock and roll", "oldies", "50s"),
    "romance": ("love songs", "romantic"),
    "sad": ("melancholic", "melancholy", "sad songs"),
    "sertanejo": ("sertanejo universitario",),
    "show-tunes": ("musical", "broadway", "musicals", "musical theatre", "show tunes"),
    "singer-songwriter": ("singer songwriter", "singer/songwriter"),
    "sleep": ("white noise", "sleep music", "asmr"),
    "soul": ("motown", "neo soul"),
    "spanish": ("espanol", "spain", "spanish pop", "rock en espanol"),
    "swedish": ("sweden", "svenska", "svensk"),
    "synth-pop": ("synthpop", "new wave", "synthwave"),
    "turkish": ("turk", "turkce", "turkey", "turkce pop"),
    "world-music": ("world", "worldbeat", "ethnic"),
}

_BY_TAG: Final[dict[str, tuple[str, ...]]] = {}
for _genre, _tags in _ALSO.items():
    for _tag in _tags:
        _BY_TAG[_bare(_tag)] = tuple(dict.fromkeys((*_BY_TAG.get(_bare(_tag), ()), _genre)))
for _name, _genre in _BY_BARE_NAME.items():
    _BY_TAG[_name] = (_genre,)

_INDEX: Final = {genre: index for index, genre in enumerate(GENRES)}
TAGS_READ: Final = 8
"""Strongest tags that are mapped; weaker ones are mostly moods, years and jokes."""


def genres_from_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Map Last.fm tags, strongest first, to genres of the vocabulary; unknown tags say nothing."""
    found: dict[str, None] = {}
    for tag in list(tags)[:TAGS_READ]:
        found.update(dict.fromkeys(_BY_TAG.get(_bare(tag), ())))
    return tuple(found)


def genres_of(song: Song) -> tuple[str, ...]:
    """Return the genres of a song: those of the catalogue if it has any, else those its tags map to."""
    known = tuple(genre for genre in song.genres if genre in _INDEX)
    return known or genres_from_tags(song.tags)


def genre_index(genre: str) -> int:
    """Return the place of a genre in ``GENRES``."""
    return _INDEX[genre]
