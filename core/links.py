"""What the address of a pasted link tells about a song, or what to ask for; nothing is opened here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, unquote_plus, urlsplit

from core.domain import Reading
from core.errors import LinkSaysNothing
from core.language import mark

_LINK: Final = re.compile(
    r"(?:https?://|www\.)[^\s<>\"|]+"
    r"|spotify:[a-z]+:[0-9A-Za-z]+"
    r"|(?<![\w./@-])(?:[a-z0-9-]+\.){0,3}"
    r"(?:last\.fm|spotify\.com|youtube\.com|youtu\.be|music\.apple\.com|itunes\.apple\.com|deezer\.com|soundcloud\.com"
    r"|tidal\.com|shazam\.com|bandcamp\.com|genius\.com|song\.link|spotify\.link)/[^\s<>\"|]*",
    re.IGNORECASE,
)
_SPOTIFY_ID: Final = re.compile("[0-9A-Za-z]{22}")
_VIDEO_ID: Final = re.compile("[0-9A-Za-z_-]{11}")
_DEEZER_ID: Final = re.compile("[1-9][0-9]{0,17}")
_SHORT: Final = re.compile("[0-9A-Za-z]{1,32}")
_ALBUM_PAGE: Final = mark("That is the page of an album, not of a song.")
_ARTIST_PAGE: Final = mark("That is the page of an artist, not of a song.")
_PLAYLIST_PAGE: Final = mark("That is the page of a playlist, not of a song.")
_PODCAST_PAGE: Final = mark("That is the page of a podcast, not of a song.")
_SPOTIFY_PAGES: Final = {
    "album": _ALBUM_PAGE, "playlist": _PLAYLIST_PAGE, "artist": _ARTIST_PAGE, "episode": _PODCAST_PAGE,
    "show": _PODCAST_PAGE,
}  # fmt: skip
_LEADS_NOWHERE: Final = mark("I could not find out which song that link leads to.")
_SILENT: Final = LinkSaysNothing.user_message
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}


class LinkKind(StrEnum):
    """Who is to be asked for the song of a link."""

    SPOTIFY_TRACK = "Spotify track"
    SPOTIFY = "Spotify"
    DEEZER_TRACK = "Deezer track"
    YOUTUBE = "YouTube"


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """What to ask for: the id of a track, or an address that was put together anew."""

    kind: LinkKind
    key: str


@dataclass(frozen=True, slots=True)
class LinkNews:
    """What a link tells.

    Attributes:
        reading: Title and artist, or the title alone, when the address names them.
        search: Free text to be read like a typed question, when the address holds that instead.
        target: What to ask for, when the address holds an id that leads to a song.
        silence: The sentence for people when neither tells a song, marked for translation.
    """

    reading: Reading | None = None
    search: str | None = None
    target: LinkTarget | None = None
    silence: str | None = None


def split_links(text: str) -> tuple[list[str], str]:
    """Part a text into the links in it and what stands around them."""
    links = [_trimmed(found) for found in _LINK.findall(text)]
    rest = text
    for link in links:
        rest = rest.replace(link, " ", 1)
    return links, " ".join(rest.split())


def _trimmed(link: str) -> str:
    """Drop the punctuation of the sentence around a link; brackets that the link itself opens stay."""
    while link and (
        link[-1] in ".,;:!?'*_~»”’>" or (link[-1] in _CLOSING and link.count(link[-1]) > link.count(_CLOSING[link[-1]]))
    ):
        link = link[:-1]
    return link


def read_link(link: str) -> LinkNews:
    """Read the address of a link; never raises and never connects."""
    if link[:8].casefold() == "spotify:":
        _, kind, name = link.split(":", 2)
        return _spotify_page(kind.casefold(), name)
    try:
        parts = urlsplit(link if "://" in link else f"https://{link}")
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return LinkNews(silence=_SILENT)
    for domain, reader in _SITES.items():
        if host == domain or host.endswith(f".{domain}"):
            return reader(parts) or LinkNews(silence=_SILENT)
    return LinkNews(silence=_SILENT)


def _led(kind: LinkKind, key: str) -> LinkNews:
    return LinkNews(target=LinkTarget(kind, key), silence=_LEADS_NOWHERE)


def _segments(parts: SplitResult) -> list[str]:
    return [segment for segment in parts.path.split("/") if segment]


def _lastfm(parts: SplitResult) -> LinkNews | None:
    """Read /music/Artist/_/Title and /music/Artist/Album/Title, also below a language or a user's library."""
    segments = _segments(parts)
    if "music" not in segments:
        return _searched(parts, "q")
    # Last.fm writes a plus for a space and escapes a real one twice.
    names = [unquote(unquote_plus(s)).strip() for s in segments[segments.index("music") + 1 :] if s[0] != "+"]
    if len(names) >= 3:
        return LinkNews(reading=Reading(names[2], names[0]))
    if names:
        return LinkNews(silence=_ALBUM_PAGE if len(names) == 2 else _ARTIST_PAGE)
    return None


def _apple(parts: SplitResult) -> LinkNews | None:
    """Read /song/slug/id, and /album/slug/id?i=id where the slug is the song's; an album alone tells no song."""
    segments = _segments(parts)
    for kind in ("song", "album"):
        if kind in segments[:-1]:
            following = segments[segments.index(kind) + 1 :]
            names_song = kind == "song" or "i" in parse_qs(parts.query)
            if names_song and len(following) > 1:
                return _slug(following[0])
            if kind == "album":
                return LinkNews(silence=_ALBUM_PAGE)
    return _searched(parts, "term")


def _youtube(parts: SplitResult) -> LinkNews | None:
    """Read /watch?v=id and /shorts/id, /live/id, /embed/id and /v/id."""
    segments = _segments(parts)
    ids = parse_qs(parts.query, max_num_fields=100).get("v", []) if parts.query.count("&") < 100 else []
    if len(segments) >= 2 and segments[0] in ("shorts", "live", "embed", "v"):
        ids = [segments[1]]
    return _video(ids[0]) if ids else _searched(parts, "search_query", "q")


def _youtu_be(parts: SplitResult) -> LinkNews | None:
    segments = _segments(parts)
    return _video(segments[0]) if segments else None


def _video(identity: str) -> LinkNews | None:
    if not _VIDEO_ID.fullmatch(identity):
        return None
    return _led(LinkKind.YOUTUBE, f"https://www.youtube.com/watch?v={identity}")


def _spotify(parts: SplitResult) -> LinkNews | None:
    """Read /track/id, also below a language or "embed", and searches."""
    segments = _segments(parts)
    if "search" in segments[:-1]:
        return LinkNews(search=unquote(segments[segments.index("search") + 1]))
    for kind in ("track", *_SPOTIFY_PAGES):
        if kind in segments[:-1]:
            return _spotify_page(kind, segments[segments.index(kind) + 1])
    return None


def _spotify_page(kind: str, name: str) -> LinkNews:
    if kind in _SPOTIFY_PAGES:
        return LinkNews(silence=_SPOTIFY_PAGES[kind])
    if kind == "track" and _SPOTIFY_ID.fullmatch(name):
        return _led(LinkKind.SPOTIFY_TRACK, name)
    return LinkNews(silence=_SILENT)


def _spotify_short(parts: SplitResult) -> LinkNews | None:
    segments = _segments(parts)
    if len(segments) == 1 and _SHORT.fullmatch(segments[0]):
        return _led(LinkKind.SPOTIFY, f"https://spotify.link/{segments[0]}")
    return None


def _deezer(parts: SplitResult) -> LinkNews | None:
    """Read /track/id, also below a language, and searches."""
    segments = _segments(parts)
    if "track" in segments[:-1] and _DEEZER_ID.fullmatch(number := segments[segments.index("track") + 1]):
        return _led(LinkKind.DEEZER_TRACK, number)
    for kind in ("album", "playlist", "artist"):
        if kind in segments[:-1]:
            return LinkNews(silence=_SPOTIFY_PAGES[kind])
    if "search" in segments[:-1]:
        return LinkNews(search=unquote(segments[segments.index("search") + 1]))
    return _searched(parts, "q")


def _soundcloud(parts: SplitResult) -> LinkNews | None:
    """Read /artist/title, whose slugs are the uploader's choice."""
    segments = _segments(parts)
    if len(segments) == 2 and segments[0] not in ("discover", "search", "charts") and segments[1] != "sets":
        title, artist = _words(segments[1]), _words(segments[0])
        return LinkNews(reading=Reading(title, artist)) if title and artist else None
    return _searched(parts, "q")


def _bandcamp(parts: SplitResult) -> LinkNews | None:
    """Read artist.bandcamp.com/track/title."""
    segments, artist = _segments(parts), (parts.hostname or "").split(".")[0]
    if len(segments) == 2 and segments[0] == "track":
        return LinkNews(reading=Reading(_words(segments[1]), _words(artist)))
    return None


def _shazam(parts: SplitResult) -> LinkNews | None:
    """Read /track/id/slug and /song/id/slug."""
    segments = _segments(parts)
    return _slug(segments[-1]) if len(segments) >= 3 and not segments[-1].isdecimal() else None


def _genius(parts: SplitResult) -> LinkNews | None:
    """Read /Artist-title-lyrics, which does not tell where the artist ends."""
    segments = _segments(parts)
    if len(segments) == 1 and segments[0].endswith("-lyrics"):
        return LinkNews(search=_words(segments[0].removesuffix("-lyrics")))
    return None


def _mute(_: SplitResult) -> LinkNews | None:
    return None


def _searched(parts: SplitResult, *names: str) -> LinkNews | None:
    values = parse_qs(parts.query, max_num_fields=100) if parts.query.count("&") < 100 else {}
    return next((LinkNews(search=values[name][0]) for name in names if name in values), None)


def _slug(segment: str) -> LinkNews | None:
    title = _words(segment)
    return LinkNews(reading=Reading(title)) if title else None


def _words(slug: str) -> str:
    return " ".join(re.split(r"[-_\s]+", unquote(slug))).strip()


_SITES: Final[dict[str, Callable[[SplitResult], LinkNews | None]]] = {
    "last.fm": _lastfm,
    "lastfm.com": _lastfm,
    "music.apple.com": _apple,
    "itunes.apple.com": _apple,
    "youtube.com": _youtube,
    "youtu.be": _youtu_be,
    "spotify.com": _spotify,
    "spotify.link": _spotify_short,
    "deezer.com": _deezer,
    "soundcloud.com": _soundcloud,
    "bandcamp.com": _bandcamp,
    "shazam.com": _shazam,
    "genius.com": _genius,
    "tidal.com": _mute,
}
