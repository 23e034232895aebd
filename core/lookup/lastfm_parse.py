r"""Last.fm's answers as values: every shape it is known to send, and nothing it could make up.

Counts come as strings, numbers or null; one item comes as an object instead of a list, none as ``[]``, ``""`` or
``"\n"``; durations are milliseconds in track.getInfo and seconds in the charts; an unknown song can come as a record
of its own, and so can somebody's misspelling. All functions are pure. A body that lacks what its method must hold
raises :class:`UpstreamGarbled`.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from core.domain import Candidate, Song, SongName
from core.errors import UpstreamGarbled
from core.lookup.normalise import names_nobody, normalize

MISSPELLING_LISTENERS: Final = 20
"""A bare record with fewer listeners than this is somebody's misspelling, not a song."""
MISSPELLING_SHARE: Final = 5_000
"""The same for fewer than one in this many of the artist's listeners, up to ``MISSPELLING_LISTENERS_MAX``."""
MISSPELLING_LISTENERS_MAX: Final = 500

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


@dataclass(frozen=True, slots=True)
class ArtistTracks:
    """An artist's most heard records, each as title, listeners and plays; compact, since fifty of them are kept."""

    artist: str
    tracks: tuple[tuple[str, int | None, int | None], ...]


def is_misspelling(track: TrackInfo, artist: ArtistInfo | None) -> bool:
    """Return whether a record is a misspelling: bare, with a handful of listeners, or few for so large an artist."""
    if not track.is_bare:
        return False
    audience = (artist.listeners if artist else None) or 0
    return (track.listeners or 0) < min(
        max(MISSPELLING_LISTENERS, audience // MISSPELLING_SHARE), MISSPELLING_LISTENERS_MAX
    )


def music_tags(tags: tuple[str, ...], title: str, artist: str) -> tuple[str, ...]:
    """Keep the tags that describe the music: neither names of song or artist, nor words about the listener."""
    idle = {normalize(title), normalize(artist)} | LISTENER_TAGS
    return tuple(tag for tag in tags if normalize(tag) and normalize(tag) not in idle)


Payload = Mapping[str, object]

TEXT_MAX_CHARS: Final = 300
"""Longest name kept; Last.fm itself allows about 1,000 characters, none of them a song's."""

TAGS_MAX: Final = 20
"""Most tags kept of one record; track.getInfo sends five."""

COUNT_MAX: Final = 10**13
"""More plays than Last.fm has ever recorded; a larger figure is an error."""

DURATION_MAX_MS: Final = 24 * 3600 * 1000
"""Longer than any track; a larger figure is an error of unit."""

STAR_IMAGE: Final = "2a96cbd8b46e442fc41c2b86b821562f"
"""Part of the address of the grey star that stands for "no picture"."""

_SIZES: Final = ("mega", "extralarge", "large", "medium", "small")
_NOT_TEXT: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%\[\]-]{1,1000}")
_SECURE_ADDRESS: Final = re.compile(rf"(?=https://){_ADDRESS.pattern}")
_XML_ERROR: Final = re.compile(r"<error\s+code=\"(\d{1,3})\"")


def parse_body(body: bytes) -> Payload:
    """Decode an answer's body, whatever its status and content type said.

    An XML error, which a failing Last.fm sends in spite of ``format=json``, is returned as its JSON would be.

    Raises:
        UpstreamGarbled: The body is not a JSON object.
    """
    try:
        payload = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, dict):
        return payload
    head = body[:1000].decode("utf-8", errors="replace")
    if found := _XML_ERROR.search(head):
        return {"error": int(found[1])}
    raise UpstreamGarbled(f"{_kind_of_body(head)} of {len(body)} bytes in place of a JSON object")


def error_code(payload: Payload) -> int | None:
    """Read the error code of an answer; None if it is no error, 0 if it is one without a readable code."""
    if "error" not in payload:
        return None
    return parse_count(payload["error"]) or 0


def parse_track(payload: Payload) -> TrackInfo:
    """Read an answer of track.getInfo.

    Raises:
        UpstreamGarbled: There is no track with a title and an artist in it.
    """
    track = _mapping(payload.get("track"))
    title, artist = parse_text(track.get("name")), _artist_name(track.get("artist"))
    if not title or not artist:
        raise UpstreamGarbled("track.getInfo: no title or artist in the answer")
    album = _mapping(track.get("album"))
    return TrackInfo(
        title=title,
        artist=artist,
        album=parse_text(album.get("title")) or parse_text(album.get("#text")) or None,
        listeners=parse_count(track.get("listeners")),
        playcount=parse_count(track.get("playcount")),
        duration_ms=_duration_ms(track.get("duration"), unit_ms=1),
        tags=parse_tags(track.get("toptags")),
        cover_url=_largest_image(album.get("image")),
        url=parse_page_url(track.get("url")),
        artist_url=parse_page_url(_mapping(track.get("artist")).get("url")),
    )


def parse_artist(payload: Payload) -> ArtistInfo:
    """Read an answer of artist.getInfo.

    Raises:
        UpstreamGarbled: There is no artist with a name in it.
    """
    artist = _mapping(payload.get("artist"))
    name = parse_text(artist.get("name"))
    if not name:
        raise UpstreamGarbled("artist.getInfo: no name in the answer")
    stats = _mapping(artist.get("stats"))
    return ArtistInfo(
        name=name,
        listeners=parse_count(stats.get("listeners")),
        playcount=parse_count(stats.get("playcount")),
        tags=parse_tags(artist.get("tags")),
        similar=tuple(filter(None, (parse_text(a.get("name")) for a in _items(artist.get("similar"), "artist")))),
        url=parse_page_url(artist.get("url")),
    )


def song_from(track: TrackInfo, artist: ArtistInfo | None, tags: tuple[str, ...]) -> Song:
    """Put the song together; Last.fm's album is left out, since for many hits it is a compilation."""
    return Song(
        title=track.title,
        artist=track.artist,
        listeners=track.listeners,
        playcount=track.playcount,
        artist_listeners=artist.listeners if artist else None,
        artist_playcount=artist.playcount if artist else None,
        tags=tags,
        duration_ms=track.duration_ms,
        cover_url=track.cover_url,
        url=track.url,
        artist_url=(artist.url if artist else None) or track.artist_url,
    )


def parse_top_tags(payload: Payload) -> tuple[str, ...]:
    """Read an answer of artist.getTopTags or track.getTopTags, the strongest tag first.

    Raises:
        UpstreamGarbled: It holds no list of tags, not even an empty one.
    """
    if "toptags" not in payload:
        raise UpstreamGarbled("getTopTags: no tags in the answer")
    return parse_tags(payload["toptags"])


def parse_search(payload: Payload) -> tuple[Candidate, ...]:
    """Read an answer of track.search in its own order, with a score of 0: ranking is not its business.

    Raises:
        UpstreamGarbled: It holds no list of matches, not even an empty one.
    """
    results = payload.get("results")
    if not isinstance(results, Mapping):
        raise UpstreamGarbled("track.search: no results in the answer")
    candidates = []
    for hit in _items(results.get("trackmatches"), "track"):
        title, artist = parse_text(hit.get("name")), _artist_name(hit.get("artist"))
        if title and artist and not names_nobody(artist):
            candidates.append(Candidate(SongName(title, artist), 0.0, listeners=parse_count(hit.get("listeners"))))
    return tuple(candidates)


def parse_top_tracks(payload: Payload) -> TopTracks:
    """Read an answer of chart, geo, tag or artist.getTopTracks.

    Raises:
        UpstreamGarbled: It holds no list of tracks, not even an empty one.
    """
    listing = payload.get("tracks", payload.get("toptracks"))
    if not isinstance(listing, Mapping):
        raise UpstreamGarbled("getTopTracks: no tracks in the answer")
    tracks = []
    for item in _items(listing, "track"):
        title, artist = parse_text(item.get("name")), _artist_name(item.get("artist"))
        if title and artist and not names_nobody(artist):
            tracks.append(
                TopTrack(
                    title=title,
                    artist=artist,
                    listeners=parse_count(item.get("listeners")),
                    playcount=parse_count(item.get("playcount")),
                    duration_ms=_duration_ms(item.get("duration"), unit_ms=1000),
                )
            )
    return TopTracks(tuple(tracks), parse_count(_mapping(listing.get("@attr")).get("totalPages")) or 0)


def parse_artist_tracks(payload: Payload, most: int) -> ArtistTracks | None:
    """Read an answer of artist.getTopTracks, ``most`` records of it at most; None if it lists none.

    The artist's name is the one that Last.fm resolved. Records of other names, which it never sends, are left out.

    Raises:
        UpstreamGarbled: It holds no list of tracks, not even an empty one.
    """
    listed = parse_top_tracks(payload).tracks
    if not listed:
        return None
    artist = listed[0].artist
    own = [track for track in listed if normalize(track.artist) == normalize(artist)]
    return ArtistTracks(artist, tuple((track.title, track.listeners, track.playcount) for track in own[:most]))


def parse_text(value: object) -> str:
    """Read a name: one line of at most ``TEXT_MAX_CHARS``, without control characters or such as force a direction."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    kept = (c for c in str(value) if c.isspace() or not (c in _DIRECTION or unicodedata.category(c) in _NOT_TEXT))
    return " ".join("".join(kept).split())[:TEXT_MAX_CHARS].rstrip()


def parse_count(value: object) -> int | None:
    """Read a count that may be a string, an int, a whole float or null; None if it is none of these."""
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isdigit() and len(value) <= len(str(COUNT_MAX))):
            return None
        value = int(value)
    if isinstance(value, float):
        if not (math.isfinite(value) and value.is_integer()):
            return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= COUNT_MAX else None


def parse_tags(container: object) -> tuple[str, ...]:
    """Read the tags of ``toptags`` or ``tags``, each once, in order."""
    names: dict[str, str] = {}
    for tag in _items(container, "tag"):
        name = parse_text(tag.get("name"))
        if name:
            names.setdefault(name.casefold(), name)
    return tuple(names.values())[:TAGS_MAX]


def parse_page_url(value: object) -> str | None:
    """Read the address of a Last.fm page, always https; None for any other host or a malformed address."""
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        return None
    try:
        parts = urlsplit(value)
        host, port = (parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or port is not None or "@" in parts.netloc:
        return None
    if host != "last.fm" and not host.endswith(".last.fm"):
        return None
    return parts._replace(scheme="https").geturl()


def _largest_image(images: object) -> str | None:
    by_size: dict[str, str] = {}
    for image in _items({"image": images}, "image"):
        address = image.get("#text")
        if isinstance(address, str) and _SECURE_ADDRESS.fullmatch(address) and STAR_IMAGE not in address:
            by_size.setdefault(parse_text(image.get("size")), address)
    return next((by_size[size] for size in _SIZES if size in by_size), None)


def _duration_ms(value: object, *, unit_ms: int) -> int | None:
    count = parse_count(value)
    if not count or count * unit_ms > DURATION_MAX_MS:
        return None
    return count * unit_ms


def _artist_name(value: object) -> str:
    if isinstance(value, Mapping):
        return parse_text(value.get("name")) or parse_text(value.get("#text"))
    return parse_text(value)


def _items(container: object, key: str) -> Iterator[Payload]:
    """Yield the objects under ``key``: a list of them, a single one, or none in any of the shapes of nothing."""
    inner = container.get(key) if isinstance(container, Mapping) else None
    for item in inner if isinstance(inner, list) else [inner]:
        if isinstance(item, Mapping):
            yield item


def _mapping(value: object) -> Payload:
    return value if isinstance(value, Mapping) else {}


def _kind_of_body(head: str) -> str:
    start = head.lstrip("\ufeff \t\r\n").lower()
    if not start:
        return "an empty body"
    if start.startswith(("<html", "<!doctype html", "<head", "<body")):
        return "HTML"
    return "XML" if start.startswith("<") else "text"
