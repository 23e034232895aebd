"""What iTunes Search, Deezer and MusicBrainz answer, as listings, and how each is asked.

All functions are pure. Entries that lack title or artist are left out; anything else that is not as documented is
unknown. An answer that is no JSON object raises :class:`UpstreamGarbled`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from core.domain import SongName
from core.errors import UpstreamGarbled, UpstreamUnavailable
from core.lookup.lastfm_parse import DURATION_MAX_MS, parse_text
from core.lookup.listing import Listing, is_compilation
from core.lookup.normalise import first_artist, plain_title, visible
from core.released import parse_release_date

RESULTS_ASKED: Final = 25
"""Listings asked of one search: a hit is on a dozen records, and the first is wanted."""

_ADDRESS: Final = re.compile(r"https?://[!-~]{1,1000}")
_ITUNES_SIZE: Final = re.compile(r"/\d+x\d+([a-z]*(?:-\d+)?)\.(jpg|png|webp)$")
_ITUNES_COVER: Final = "/600x600bb.jpg"
_ITUNES_KIND: Final = re.compile(r"\s+-\s+(?:Single|EP)$")
_ITUNES_EXPLICIT: Final = {"explicit": True, "notExplicit": False}
_DEEZER_BLANK: Final = re.compile(r"/cover/+\d+x\d+|/cover//")
_DEEZER_EXPLICIT: Final = {0: False, 1: True, 4: True}
"""Codes of ``explicit_content_lyrics`` that say something; the others mean edited, unknown or no advice."""
_DEEZER_QUOTA: Final = 4
_DEEZER_NOTHING: Final = 800
_GATHERED: Final = frozenset({"compilation", "dj-mix", "mixtape/street"})


class RateLimited(UpstreamUnavailable):
    """The service asks us to wait."""


@dataclass(frozen=True, slots=True)
class DeezerFound:
    """A listing of Deezer's search with the numbers of its track and album; the search itself tells no day."""

    listing: Listing
    track_id: int
    album_id: int | None


def itunes_params(name: SongName) -> dict[str, str]:
    """Build the query for iTunes Search."""
    term = f"{first_artist(name.artist)} {plain_title(name.title)}"
    return {"term": term, "media": "music", "entity": "song", "limit": str(RESULTS_ASKED)}


def deezer_params(name: SongName) -> dict[str, str]:
    """Build the query for Deezer's search, by artist and title."""
    artist, title = (_quotable(text) for text in (first_artist(name.artist), plain_title(name.title)))
    return {"q": f'artist:"{artist}" track:"{title}"', "limit": str(RESULTS_ASKED)}


def musicbrainz_params(name: SongName) -> dict[str, str]:
    """Build the query for MusicBrainz' recordings; without the status bootlegs come first."""
    artist, title = (_quotable(text) for text in (first_artist(name.artist), plain_title(name.title)))
    query = f'recording:"{title}" AND artist:"{artist}" AND status:official'
    return {"query": query, "fmt": "json", "limit": str(RESULTS_ASKED)}


def parse_itunes(body: bytes) -> tuple[Listing, ...]:
    """Read iTunes Search; the size in the cover's address is raised from 100 to 600 pixels.

    Raises:
        UpstreamGarbled: It is no JSON object.
    """
    listings = []
    for item in _items(_object(body).get("results")):
        name = _name(item.get("trackName"), item.get("artistName"))
        if name is None or item.get("kind", "song") != "song":
            continue
        album, cover = parse_text(item.get("collectionName")), _address(item.get("artworkUrl100"))
        by = parse_text(item.get("collectionArtistName"))
        listings.append(
            Listing(
                name=name,
                album=_ITUNES_KIND.sub("", album) or None,
                compilation=is_compilation(album) or is_compilation(by),
                released=_day(item.get("releaseDate")),
                cover_url=_ITUNES_SIZE.sub(_ITUNES_COVER, cover) if cover else None,
                explicit=_ITUNES_EXPLICIT.get(parse_text(item.get("trackExplicitness"))),
                duration_ms=_duration_ms(item.get("trackTimeMillis"), unit_ms=1),
                link=_address(item.get("trackViewUrl")),
            )
        )
    return tuple(listings)


def parse_deezer(body: bytes) -> tuple[DeezerFound, ...]:
    """Read Deezer's search; covers without a picture are unknown.

    Raises:
        RateLimited: The quota is used up, which comes with HTTP 200.
        UpstreamUnavailable: Deezer reports another error.
        UpstreamGarbled: It is no JSON object.
    """
    found = []
    for item in _items(_deezer_object(body).get("data")):
        artist, album = _mapping(item.get("artist")), _mapping(item.get("album"))
        name = _name(item.get("title") or item.get("title_short"), artist.get("name"))
        track_id = _count(item.get("id"))
        if name is None or track_id is None:
            continue
        version = parse_text(item.get("title_version"))
        sizes = (_address(album.get(f"cover_{size}")) for size in ("big", "xl", "medium"))
        title = parse_text(album.get("title"))
        listing = Listing(
            name=name,
            note="" if version in name.title else version,
            album=title or None,
            compilation=is_compilation(title),
            cover_url=next((cover for cover in sizes if cover and not _DEEZER_BLANK.search(cover)), None),
            explicit=_deezer_explicit(item),
            duration_ms=_duration_ms(item.get("duration"), unit_ms=1000),
            link=_address(item.get("link")),
        )
        found.append(DeezerFound(listing, track_id, _count(album.get("id"))))
    return tuple(found)


def parse_deezer_day(body: bytes) -> date | None:
    """Read the day of release from one track of Deezer, the earlier one of track and album; None if it tells none.

    Raises:
        RateLimited: The quota is used up, which comes with HTTP 200.
        UpstreamUnavailable: Deezer reports another error.
        UpstreamGarbled: It is no JSON object.
    """
    track = _deezer_object(body)
    days = (_day(track.get("release_date")), _day(_mapping(track.get("album")).get("release_date")))
    return min((day for day in days if day), default=None)


def parse_deezer_name(body: bytes) -> SongName | None:
    """Read title and artist from one track of Deezer; None if there is no such track.

    Raises:
        RateLimited: The quota is used up, which comes with HTTP 200.
        UpstreamUnavailable: Deezer reports another error.
        UpstreamGarbled: It is no JSON object.
    """
    track = _deezer_object(body)
    return _name(track.get("title") or track.get("title_short"), _mapping(track.get("artist")).get("name"))


@dataclass(frozen=True, slots=True)
class Embedded:
    """What oEmbed tells of a page: its title, whose it is ("" if that is not told), and the address it embeds."""

    title: str
    author: str
    address: str


def parse_oembed(body: bytes) -> Embedded:
    """Read an oEmbed answer (https://oembed.com, section 2.3.4).

    Raises:
        UpstreamGarbled: It is no JSON object.
    """
    page = _object(body)
    return Embedded(
        parse_text(page.get("title")), parse_text(page.get("author_name")), _address(page.get("iframe_url")) or ""
    )


def parse_musicbrainz(body: bytes) -> tuple[Listing, ...]:
    """Read MusicBrainz' search for recordings; videos and bootlegs are left out.

    Raises:
        UpstreamGarbled: It is no JSON object.
    """
    listings = []
    for item in _items(_object(body).get("recordings")):
        credit = tuple(_items(item.get("artist-credit")))
        joined = "".join(f"{one.get('name') or ''}{one.get('joinphrase') or ''}" for one in credit)
        name = _name(item.get("title"), joined)
        releases = tuple(_items(item.get("releases")))
        official = [one for one in releases if one.get("status") in (None, "Official")]
        if name is None or item.get("video") is True or (releases and not official):
            continue
        official.sort(key=lambda one: (_is_gathered(one), _day(one.get("date")) or date.max))
        earliest = min((day for one in official if (day := _day(one.get("date")))), default=None)
        live = "live" if official and all("live" in _kinds(one) for one in official) else ""
        identity = parse_text(item.get("id"))
        listings.append(
            Listing(
                name=name,
                credits=tuple(filter(None, (parse_text(one.get("name")) for one in credit))),
                note=" ".join(filter(None, (parse_text(item.get("disambiguation")), live))),
                album=(parse_text(official[0].get("title")) or None) if official else None,
                compilation=bool(official) and _is_gathered(official[0]),
                released=_day(item.get("first-release-date")) or earliest,
                duration_ms=_duration_ms(item.get("length"), unit_ms=1),
                link=f"https://musicbrainz.org/recording/{identity}" if re.fullmatch(r"[0-9a-f-]+", identity) else None,
            )
        )
    return tuple(listings)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        raise UpstreamGarbled(f"{len(body)} bytes in place of a JSON object")
    return payload


def _deezer_object(body: bytes) -> Mapping[str, Any]:
    payload = _object(body)
    if "error" not in payload:
        return payload
    code = _mapping(payload["error"]).get("code")
    if code == _DEEZER_NOTHING:
        return {}
    raise (RateLimited if code == _DEEZER_QUOTA else UpstreamUnavailable)(f"error {parse_text(code)[:10]}")


def _deezer_explicit(item: Mapping[str, Any]) -> bool | None:
    code, mark = item.get("explicit_content_lyrics"), item.get("explicit_lyrics")
    if isinstance(code, int):
        return _DEEZER_EXPLICIT.get(code)
    return mark if isinstance(mark, bool) else None


def _kinds(release: Mapping[str, Any]) -> frozenset[str]:
    """Name the secondary kinds of a release in lower case: live, compilation, remix and others."""
    kinds = _mapping(release.get("release-group")).get("secondary-types")
    return frozenset(parse_text(kind).lower() for kind in kinds) if isinstance(kinds, list) else frozenset()


def _is_gathered(release: Mapping[str, Any]) -> bool:
    return bool(_kinds(release) & _GATHERED) or is_compilation(parse_text(release.get("title")))


def _name(title: object, artist: object) -> SongName | None:
    name = SongName(parse_text(title), parse_text(artist))
    return name if name.title and name.artist else None


def _day(value: object) -> date | None:
    return parse_release_date(value) if isinstance(value, str) else None


def _duration_ms(value: object, *, unit_ms: int) -> int | None:
    count = _count(value)
    return count * unit_ms if count is not None and count * unit_ms <= DURATION_MAX_MS else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _address(value: object) -> str | None:
    return value if isinstance(value, str) and _ADDRESS.fullmatch(value) else None


def _quotable(text: str) -> str:
    """Take out what would end a quoted phrase of a query."""
    return visible(re.sub(r'["\\]', " ", text))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            yield item
