"""Where a cover may be found when Last.fm names none: iTunes Search and Deezer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.domain import SongName
from core.lookup.likeness import text_likeness
from core.lookup.normalise import artist_key, base_title, title_key

RESULTS_ASKED: Final = 10

TITLE_LIKENESS_MIN: Final = 92.0
ARTIST_LIKENESS_MIN: Final = 88.0
"""A wrong cover is worse than a drawn one, so both must agree but for spelling; 0 to 100."""

_ITUNES_SIZE: Final = re.compile(r"/\d+x\d+([a-z]*(?:-\d+)?)\.(jpg|png|webp)$")
_WANTED: Final = "/600x600bb.jpg"
_BLANK_HASH: Final = re.compile(r"/cover/+\d+x\d+|/cover//")


class SearchFailed(Exception):
    """The search gave no answer; the text is one short word for the log."""


class RateLimited(SearchFailed):
    """The search asks us to wait."""


@dataclass(frozen=True, slots=True)
class ArtResult:
    """One found song with the address of its cover."""

    name: SongName
    cover_url: str


def itunes_params(name: SongName) -> dict[str, str]:
    """Build the query for iTunes Search."""
    term = f"{name.artist} {name.title}"
    return {"term": term, "media": "music", "entity": "song", "limit": str(RESULTS_ASKED)}


def deezer_params(name: SongName) -> dict[str, str]:
    """Build the query for Deezer's search."""
    return {"q": f"{name.artist} {name.title}", "limit": str(RESULTS_ASKED)}


def parse_itunes(status: int, body: bytes) -> tuple[ArtResult, ...]:
    """Read iTunes Search; the size in the cover's address is raised from 100 to 600 pixels.

    Raises:
        RateLimited: 403 with an empty body or 429: about 20 requests a minute are allowed.
        SearchFailed: Any other answer that is not its JSON.
    """
    if status in (403, 429):
        raise RateLimited("rate_limited")
    results = []
    for item in _items(_mapping(_json(status, body)).get("results")):
        title, artist, art = item.get("trackName"), item.get("artistName"), item.get("artworkUrl100")
        if isinstance(title, str) and isinstance(artist, str) and isinstance(art, str):
            results.append(ArtResult(SongName(title, artist), _ITUNES_SIZE.sub(_WANTED, art)))
    return tuple(results)


def parse_deezer(status: int, body: bytes) -> tuple[ArtResult, ...]:
    """Read Deezer's search; covers without a picture are left out.

    Raises:
        RateLimited: The quota is used up: HTTP 200 with error code 4.
        SearchFailed: Any other error or answer that is not its JSON.
    """
    payload = _mapping(_json(status, body))
    if "error" in payload:
        raise (RateLimited if _mapping(payload["error"]).get("code") == 4 else SearchFailed)("quota_or_error")
    results = []
    for item in _items(payload.get("data")):
        title, artist = item.get("title"), _mapping(item.get("artist")).get("name")
        album = _mapping(item.get("album"))
        art = next((u for size in ("big", "xl", "medium") if isinstance(u := album.get(f"cover_{size}"), str)), "")
        if isinstance(title, str) and isinstance(artist, str) and art and not _BLANK_HASH.search(art):
            results.append(ArtResult(SongName(title, artist), art))
    return tuple(results)


def best_cover(name: SongName, results: tuple[ArtResult, ...]) -> str | None:
    """Choose the cover of the result that really is ``name``: the most alike, the earlier on a tie; None if none is."""
    title, base, artist = title_key(name.title), base_title(name.title), artist_key(name.artist)
    best: tuple[float, str] | None = None
    for result in results:
        exact = text_likeness(title, title_key(result.name.title))
        alike = max(exact, text_likeness(base, base_title(result.name.title)) - 1)
        by = text_likeness(artist, artist_key(result.name.artist))
        if alike >= TITLE_LIKENESS_MIN and by >= ARTIST_LIKENESS_MIN and (best is None or alike + by > best[0]):
            best = (alike + by, result.cover_url)
    return best[1] if best else None


def _json(status: int, body: bytes) -> object:
    if status != 200:
        raise SearchFailed(f"status_{status}")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise SearchFailed("garbled") from None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> Iterator[Mapping[str, Any]]:
    for item in value if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            yield item
