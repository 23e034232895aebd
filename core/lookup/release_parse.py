"""What iTunes Search, Deezer and MusicBrainz list of a song, how each is asked, and which listings are the one meant.

A karaoke record, a tribute, a remix or a concert often has the title and sometimes the artist of the song and a day of
its own. None of them may pass for it: a wrong day or cover is worse than none.

All functions are pure. Entries that lack title or artist are left out; anything else that is not as documented is
unknown. An answer that is no JSON object raises :class:`UpstreamGarbled`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from yarl import URL

from core.domain import Release, SongName
from core.errors import UpstreamGarbled, UpstreamUnavailable
from core.lookup.lastfm_parse import DURATION_MAX_MS, parse_text
from core.lookup.matching import text_similarity
from core.lookup.normalise import (
    artist_key,
    asked_versions,
    first_artist,
    plain_title,
    short_title,
    title_key,
    version_words,
    visible,
)
from core.text import parse_release_date

MIN_TITLE_SIMILARITY: Final = 92.0
MIN_ARTIST_SIMILARITY: Final = 88.0
"""Title and artist must both agree but for spelling; 0 to 100."""

SPELLING: Final = 3.0
"""Listings that are so many points less alike than the best one are another song of much the same name."""

_JOINT: Final = re.compile(r"\s*[,;&]\s*|\s+(?:x|and|with|vs\.?|feat\.?|ft\.?|featuring)\s+", re.IGNORECASE)
_TELLING: Final = (
    *("ii", "iii", "iv", "vi", "vii", "viii", "ix", "part", "reprise", "interlude", "intro", "outro", "prelude"),
    *("skit", "commentary", "interview", "medley"),
)
"""Words that, as all numbers do, make another piece of what is otherwise the same title."""

_ALBUM_VERSIONS: Final = frozenset({"live", "karaoke", "cover", "acoustic", "instrumental", "sped up", "slowed"})
"""What an album's name tells of every song on it; "Hello (Remixes)" begins with the song itself."""

_COMPILATION: Final = re.compile(
    r"\b(?:hits|best\s+of|essentials?|anthology|collection|compilation|number\s+ones|top\s+\d+|now\s+that.?s\s+what"
    r"|(?:19|20)?[5-9]0.?s|various\s+artists)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One record of a song; None or empty means unknown.

    Attributes:
        name: Title and artists as written there.
        credits: The artists one by one, if the source takes them apart.
        note: What the source says of the recording beside its title, "live, 1996-08-14: Boston".
        album: The album or single it is on.
        compilation: Whether that is a collection of older songs.
        released: Its day there.
        vague: Whether only the year of that is told.
        cover_url: Address of the album's cover.
        explicit: Whether the words are marked as explicit.
        duration_ms: Length in milliseconds.
        link: Its page.
    """

    name: SongName
    credits: tuple[str, ...] = ()
    note: str = ""
    album: str | None = None
    compilation: bool = False
    released: date | None = None
    vague: bool = False
    cover_url: str | None = None
    explicit: bool | None = None
    duration_ms: int | None = None
    link: str | None = None


def is_compilation(album: str) -> bool:
    """Return whether an album collects older songs, by its name: "Greatest Hits", "The Essential X", "80s Party"."""
    return _COMPILATION.search(album) is not None


def same_recording(name: SongName, listings: Iterable[Listing]) -> tuple[Listing, ...]:
    """Keep the listings that are ``name`` and no other version, in their order.

    Spelling is forgiven, also what one side has in brackets; if a listing has the very title, those of another
    spelling are left out.
    """
    alike = [
        (_title_similarity(name.title, listing.name.title), listing) for listing in listings if _fits(name, listing)
    ]
    best = max((similarity for similarity, _ in alike), default=0.0)
    least = max(MIN_TITLE_SIMILARITY, best - SPELLING)
    return tuple(listing for similarity, listing in alike if similarity >= least)


def release_of(name: SongName, listings: Iterable[Listing]) -> Release | None:
    """Put together what the listings of ``name`` tell; None if none is of it.

    The day is the earliest of all, where a bare year gives way to a day in it. Album and cover are those of the
    earliest that is no compilation.
    """
    same = same_recording(name, listings)
    if not same:
        return None
    exact = _exact_years((listing.released, listing.vague) for listing in same)
    same = tuple(
        replace(one, released=None) if one.vague and one.released and one.released.year in exact else one
        for one in same
    )
    ranked = sorted(same, key=lambda listing: (listing.compilation, listing.released or date.max))
    by_album = sorted(ranked, key=lambda listing: listing.album != ranked[0].album)
    return Release(
        album=next((listing.album for listing in ranked if listing.album), None),
        released=min((listing.released for listing in same if listing.released), default=None),
        cover_url=next((listing.cover_url for listing in by_album if listing.cover_url), None),
        explicit=_explicit(same),
        duration_ms=next((listing.duration_ms for listing in by_album if listing.duration_ms), None),
        links=_links(ranked),
    )


def _exact_years(days: Iterable[tuple[date | None, bool]]) -> frozenset[int]:
    """List the years of which more is told than the year, from days and whether they are vague."""
    return frozenset(day.year for day, vague in days if day is not None and not vague)


def _fits(name: SongName, listing: Listing) -> bool:
    return version_words(name.title, name.artist) == _versions(listing) and _artists_agree(name.artist, listing)


def _versions(listing: Listing) -> frozenset[str]:
    title, artist, album = listing.name.title, listing.name.artist, listing.album or ""
    noted = f"{title} ({_unbracketed(listing.note)})" if listing.note else title
    on_album = (version_words(album) & _ALBUM_VERSIONS) | (asked_versions(album) & {"karaoke"})
    return version_words(noted, artist) | on_album


def _title_similarity(asked: str, known: str) -> float:
    """Compare two titles, 0 to 100; just below the real figure if only what is outside of brackets agrees."""
    asked_key, known_key = title_key(asked), title_key(known)
    if _telling(asked_key) != _telling(known_key):
        return 0.0
    similarity = text_similarity(asked_key, known_key)
    plain = not version_words(asked) and asked_versions(asked) == asked_versions(known)
    if similarity < MIN_TITLE_SIMILARITY and plain:
        similarity = max(similarity, text_similarity(short_title(asked), short_title(known)) - SPELLING - 1)
    return similarity


def _telling(key: str) -> frozenset[str]:
    words = ("part" if word == "pt" else word for word in key.split())
    return frozenset(word for word in words if word.isdigit() or word in _TELLING)


def _artists_agree(asked: str, listing: Listing) -> bool:
    """Compare whole credits, and each whole with the single names of the other: "Queen" and "Queen & David Bowie"."""
    credited = listing.name.artist
    pairs = [(asked, credited)]
    pairs.extend((asked, one) for one in (*listing.credits, *_JOINT.split(credited)))
    pairs.extend((one, credited) for one in _JOINT.split(asked))
    return any(
        text_similarity(artist_key(one), artist_key(other)) >= MIN_ARTIST_SIMILARITY
        for one, other in pairs
        if one.strip() and other.strip()
    )


def _explicit(listings: Sequence[Listing]) -> bool | None:
    """A song is explicit if any shop marks it so: beside it there is often a cleaned one."""
    marks = {listing.explicit for listing in listings}
    return True if True in marks else (False if False in marks else None)


def _links(listings: Sequence[Listing]) -> tuple[str, ...]:
    """Keep the first page of each site."""
    by_site: dict[str | None, str] = {}
    for listing in listings:
        if listing.link:
            by_site.setdefault(URL(listing.link).host, listing.link)
    return tuple(by_site.values())


def _unbracketed(text: str) -> str:
    return re.sub(r"[()\[\]（）【】]", " ", text)


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
        released, vague = _earliest([item.get("first-release-date"), *(one.get("date") for one in official)])
        live = "live" if official and all("live" in _kinds(one) for one in official) else ""
        identity = parse_text(item.get("id"))
        listings.append(
            Listing(
                name=name,
                credits=tuple(filter(None, (parse_text(one.get("name")) for one in credit))),
                note=" ".join(filter(None, (parse_text(item.get("disambiguation")), live))),
                album=(parse_text(official[0].get("title")) or None) if official else None,
                compilation=bool(official) and _is_gathered(official[0]),
                released=released,
                vague=vague,
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


def _earliest(written: Iterable[object]) -> tuple[date | None, bool]:
    """Choose the earliest of days, months and years as written, and tell whether it is a bare year; None of nothing."""
    days = [(day, len(str(text)) == len("2019")) for text in written if (day := _day(text)) is not None]
    exact = _exact_years(days)
    return min((one for one in days if not one[1] or one[0].year not in exact), default=(None, False))


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
