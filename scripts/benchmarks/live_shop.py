"""A loopback shop in a process of its own that knows when songs were released, in the shapes of three services."""

from __future__ import annotations

import asyncio
import multiprocessing
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Self

from aiohttp import web

from core.lookup.normalise import artist_key, first_artist, fold, song_key, title_key
from scripts.benchmarks.live_tables import rows_of, whole

COVER: Final = "https://is1-ssl.mzstatic.com/image/thumb/cover/100x100bb.jpg"
ARTIST_WORDS_MAX: Final = 8
_FIELD: Final = re.compile(r"(\w+):(?:\"((?:[^\"\\]|\\.)*)\"|\(([^)]*)\)|(\S+))")


@dataclass(frozen=True, slots=True)
class Product:
    """A song on sale; ``released`` is YYYY-MM-DD, 1 July of a year known alone; a duration of 0 is unknown."""

    title: str
    artist: str
    album: str
    released: str
    duration_ms: int = 0
    explicit: bool = False


class Shop:
    """Finds products by words, as shops do: artist and title in either order, the right title first."""

    def __init__(self, products: Iterable[Product]) -> None:
        """Take what is on sale."""
        self.products = tuple(products)
        self._places: dict[str, dict[str, int]] = {}
        for place, product in enumerate(self.products):
            self._places.setdefault(artist_key(product.artist), {}).setdefault(title_key(product.title), place)

    def find(self, text: str, limit: int) -> tuple[int, ...]:
        """Return the places of at most ``limit`` products that the words of ``text`` fit, the best first."""
        words = fold(text).split()
        hits: dict[int, int] = {}
        for artist, title in self._cuts(words):
            for known, place in self._places.get(artist, {}).items():
                if title == known:
                    hits[place] = 0
                elif title and (known.startswith(f"{title} ") or title.startswith(f"{known} ")):
                    hits.setdefault(place, 1)
        return tuple(sorted(hits, key=lambda place: hits[place]))[:limit]

    @staticmethod
    def _cuts(words: list[str]) -> Iterator[tuple[str, str]]:
        for cut in range(1, min(ARTIST_WORDS_MAX, len(words) - 1) + 1):
            yield " ".join(words[:cut]).removeprefix("the "), " ".join(words[cut:])
            yield " ".join(words[-cut:]).removeprefix("the "), " ".join(words[:-cut])


def products_of(rows: Iterable[Mapping[str, str]]) -> tuple[Product, ...]:
    """Put each song on sale once, with the row of its earliest release."""
    earliest: dict[str, tuple[tuple[str, bool, str], Product]] = {}
    for row in rows:
        title, artist, released = row["track"], first_artist(row["artist"]), _day(row["release_date"])
        if not title or not artist or not released:
            continue
        key = song_key(title, artist)
        # Within a year a day is better than the year alone.
        order = (released[:4], row["release_date"] != released, released)
        if key not in earliest or order < earliest[key][0]:
            explicit = row["explicit"] == "1"
            product = Product(title, artist, row["album"], released, whole(row["duration_ms"]), explicit)
            earliest[key] = (order, product)
    return tuple(product for _, product in earliest.values())


def itunes(product: Product, place: int) -> dict[str, Any]:
    """Write a product as iTunes Search does."""
    return {
        "wrapperType": "track",
        "kind": "song",
        "trackId": place + 1,
        "trackName": product.title,
        "artistName": product.artist,
        "collectionName": product.album or product.title,
        "releaseDate": f"{product.released}T12:00:00Z",
        "artworkUrl100": COVER,
        "trackExplicitness": "explicit" if product.explicit else "notExplicit",
        "trackTimeMillis": product.duration_ms or None,
    }


def deezer(product: Product, place: int) -> dict[str, Any]:
    """Write a product as Deezer's track does; its search leaves ``release_date`` out."""
    return {
        "id": place + 1,
        "readable": True,
        "title": product.title,
        "title_short": product.title,
        "duration": product.duration_ms // 1000,
        "explicit_lyrics": product.explicit,
        "explicit_content_lyrics": int(product.explicit),
        "release_date": product.released,
        "artist": {"id": 1, "name": product.artist, "type": "artist"},
        "contributors": [{"id": 1, "name": product.artist, "type": "artist", "role": "Main"}],
        "album": {
            "id": place + 1,
            "title": product.album or product.title,
            "release_date": product.released,
            "type": "album",
        },
        "type": "track",
    }


def musicbrainz(product: Product, place: int) -> dict[str, Any]:
    """Write a product as MusicBrainz's search for recordings does."""
    credit = [{"name": product.artist, "artist": {"name": product.artist}}]
    group = {"primary-type": "Album", "secondary-types": []}
    release = {"title": product.album or product.title, "date": product.released, "status": "Official"}
    return {
        "id": f"00000000-0000-4000-8000-{place:012d}",
        "score": 100,
        "title": product.title,
        "length": product.duration_ms or None,
        "artist-credit": credit,
        "first-release-date": product.released,
        "releases": [{**release, "artist-credit": credit, "release-group": group}],
    }


class FarShop:
    """A context manager; ``url`` is where ``itunes/search``, ``deezer/search`` and ``musicbrainz/`` answer."""

    def __init__(self, path: Path) -> None:
        """Set the table of releases."""
        context = multiprocessing.get_context("spawn")
        self._wire, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, path), daemon=True)
        self.url = ""

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._process.start()
        self.url = self._wire.recv()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop it."""
        self._wire.send("stop")
        self._process.join(10)

    def requests(self) -> Counter[str]:
        """Count all requests so far by the service asked."""
        self._wire.send("requests")
        counted: Counter[str] = self._wire.recv()
        return counted


def _serve(wire: Connection, path: Path) -> None:
    asyncio.run(_run(wire, Shop(products_of(rows_of(path)))))


async def _run(wire: Connection, shop: Shop) -> None:
    asked: Counter[str] = Counter()

    def listed(request: web.Request, text: str) -> tuple[int, ...]:
        return shop.find(text, int(request.query.get("limit", "25")))

    async def itunes_search(request: web.Request) -> web.Response:
        asked["itunes"] += 1
        results = [itunes(shop.products[place], place) for place in listed(request, request.query.get("term", ""))]
        text = web.json_response({"resultCount": len(results), "results": results}).text
        return web.Response(text=text, content_type="text/javascript")

    async def deezer_search(request: web.Request) -> web.Response:
        asked["deezer search"] += 1
        places = listed(request, _plain(request.query.get("q", "")))
        found = [deezer(shop.products[place], place) for place in places]
        for item in found:
            del item["release_date"], item["album"]["release_date"]
        return web.json_response({"data": found, "total": len(found)})

    async def deezer_track(request: web.Request) -> web.Response:
        asked["deezer track"] += 1
        place = int(request.match_info["id"]) - 1
        if not 0 <= place < len(shop.products):
            return web.json_response({"error": {"type": "DataException", "message": "no data", "code": 800}})
        return web.json_response(deezer(shop.products[place], place))

    async def musicbrainz_search(request: web.Request) -> web.Response:
        asked["musicbrainz"] += 1
        found = [musicbrainz(shop.products[p], p) for p in listed(request, _plain(request.query.get("query", "")))]
        return web.json_response({"count": len(found), "offset": 0, "recordings": found})

    app = web.Application()
    app.router.add_get("/itunes/search", itunes_search)
    app.router.add_get("/deezer/search", deezer_search)
    app.router.add_get(r"/deezer/track/{id:\d+}", deezer_track)
    app.router.add_get("/musicbrainz{tail:.*}", musicbrainz_search)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        wire.send(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        while await asyncio.to_thread(wire.recv) != "stop":
            wire.send(Counter(asked))
    finally:
        await runner.cleanup()


def _plain(query: str) -> str:
    """Reduce ``artist:"X" track:"Y"`` to its words, the artist's first, then the title's; other text is kept."""
    fields = {name.casefold(): quoted or grouped or bare for name, quoted, grouped, bare in _FIELD.findall(query)}
    artist = fields.get("artist") or fields.get("artistname") or ""
    title = fields.get("track") or fields.get("recording") or ""
    return f"{artist} {title}" if artist and title else query


def _day(date: str) -> str:
    """Complete a date: the year alone is taken for its 1 July, a month for its first day."""
    if re.fullmatch(r"\d{4}", date):
        return f"{date}-07-01"
    if re.fullmatch(r"\d{4}-\d{2}", date):
        return f"{date}-01"
    return date if re.fullmatch(r"\d{4}-\d{2}-\d{2}", date) else ""
