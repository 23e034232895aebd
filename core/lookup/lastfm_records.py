"""Last.fm's records as values, and what they are worth: which is a ghost, which tags tell of the music."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.lookup.normalise import fold

GHOST_LISTENERS: Final = 20
"""A bare record with fewer listeners than this is somebody's misspelling, not a song."""
GHOST_SHARE: Final = 5_000
"""The same for fewer than one in this many of the artist's listeners, up to ``GHOST_LISTENERS_MAX``."""
GHOST_LISTENERS_MAX: Final = 500

LISTENER_TAGS: Final = frozenset(
    {
        "albums i own", "amazing", "awesome", "beautiful", "best", "check out", "favorite", "favorite song",
        "favorite songs", "favorites", "favourite", "favourite song", "favourite songs", "favourites", "good",
        "i love", "love", "love at first listen", "love it", "loved", "my favorite", "my favorites", "my favourite",
        "my favourites", "my music", "myspotigrambot", "playlist", "seen live", "spotify", "to listen",
    }
)  # fmt: skip
"""Tags that tell of the listener, not of the music, folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackInfo:
    """What track.getInfo says of a song; None or empty means unknown."""

    title: str
    artist: str
    album: str | None = None
    listeners: int | None = None
    playcount: int | None = None
    duration_ms: int | None = None
    tags: tuple[str, ...] = ()
    cover_url: str | None = None
    url: str | None = None
    artist_url: str | None = None

    @property
    def is_bare(self) -> bool:
        """Whether nothing but counts is known: so looks a misspelling that somebody once scrobbled."""
        return self.album is None and self.duration_ms is None and not self.tags


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistInfo:
    """What artist.getInfo says of an artist; None or empty means unknown."""

    name: str
    listeners: int | None = None
    playcount: int | None = None
    tags: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopTrack:
    """One line of a chart; charts by country give local listeners, charts by tag give no counts."""

    title: str
    artist: str
    listeners: int | None = None
    playcount: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class TopTracks:
    """One page of a chart and how many pages there are."""

    tracks: tuple[TopTrack, ...]
    total_pages: int


def is_ghost(track: TrackInfo, artist: ArtistInfo | None) -> bool:
    """Tell whether a record is a misspelling: bare, with a handful of listeners, or few for so large an artist."""
    if not track.is_bare:
        return False
    audience = (artist.listeners if artist else None) or 0
    return (track.listeners or 0) < min(max(GHOST_LISTENERS, audience // GHOST_SHARE), GHOST_LISTENERS_MAX)


def music_tags(tags: tuple[str, ...], title: str, artist: str) -> tuple[str, ...]:
    """Keep the tags that describe the music: neither names of song or artist, nor words about the listener."""
    idle = {fold(title), fold(artist)} | LISTENER_TAGS
    return tuple(tag for tag in tags if fold(tag) and fold(tag) not in idle)
