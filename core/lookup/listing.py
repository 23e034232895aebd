"""A song as a shop or MusicBrainz lists it, and which listings are the recording that is meant.

A karaoke record, a tribute, a remix or a concert often has the title and sometimes the artist of the song and a day of
its own. None of them may pass for it: a wrong day or cover is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from yarl import URL

from core.domain import Release, SongName
from core.lookup.likeness import text_likeness
from core.lookup.normalise import artist_key, asked_versions, short_title, title_key, version_words

TITLE_LIKENESS_MIN: Final = 92.0
ARTIST_LIKENESS_MIN: Final = 88.0
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
    cover_url: str | None = None
    explicit: bool | None = None
    duration_ms: int | None = None
    link: str | None = None


def is_compilation(album: str) -> bool:
    """Tell by its name whether an album collects older songs: "Greatest Hits", "The Essential X", "80s Party"."""
    return _COMPILATION.search(album) is not None


def same_recording(name: SongName, listings: Iterable[Listing]) -> tuple[Listing, ...]:
    """Keep the listings that are ``name`` and no other version, in their order.

    Spelling is forgiven, also what one side has in brackets; if a listing has the very title, those of another
    spelling are left out.
    """
    alike = [(_title_likeness(name.title, listing.name.title), listing) for listing in listings if _fits(name, listing)]
    best = max((likeness for likeness, _ in alike), default=0.0)
    least = max(TITLE_LIKENESS_MIN, best - SPELLING)
    return tuple(listing for likeness, listing in alike if likeness >= least)


def release_of(name: SongName, listings: Iterable[Listing]) -> Release | None:
    """Put together what the listings of ``name`` tell; None if none is of it.

    The day is the earliest of all. Album and cover are those of the earliest that is no compilation.
    """
    same = same_recording(name, listings)
    if not same:
        return None
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


def _fits(name: SongName, listing: Listing) -> bool:
    return version_words(name.title, name.artist) == _versions(listing) and _artists_agree(name.artist, listing)


def _versions(listing: Listing) -> frozenset[str]:
    title, artist, album = listing.name.title, listing.name.artist, listing.album or ""
    noted = f"{title} ({_unbracketed(listing.note)})" if listing.note else title
    on_album = (version_words(album) & _ALBUM_VERSIONS) | (asked_versions(album) & {"karaoke"})
    return version_words(noted, artist) | on_album


def _title_likeness(asked: str, known: str) -> float:
    """Compare two titles, 0 to 100; just below the real figure if only what is outside of brackets agrees."""
    asked_key, known_key = title_key(asked), title_key(known)
    if _telling(asked_key) != _telling(known_key):
        return 0.0
    likeness = text_likeness(asked_key, known_key)
    plain = not version_words(asked) and asked_versions(asked) == asked_versions(known)
    if likeness < TITLE_LIKENESS_MIN and plain:
        likeness = max(likeness, text_likeness(short_title(asked), short_title(known)) - SPELLING - 1)
    return likeness


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
        text_likeness(artist_key(one), artist_key(other)) >= ARTIST_LIKENESS_MIN
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
