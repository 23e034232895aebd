"""A loopback Last.fm: the real shapes from a table of songs, with faults to choose from.

In a test::

    async with FakeLastFm([FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021)]) as fake:
        fake.break_next(Fault.status(503), times=2)
        ...  # a real client at fake.url

By hand, on a big table (then start the bot with ``LASTFM_API_URL=http://127.0.0.1:8765/2.0/``)::

    python tests/fakes/lastfm_server.py --tracks lastfm_tracks.csv.gz --artists lastfm_artists_17k.csv.gz

Stop it with Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

API_KEY = "0123456789abcdef0123456789abcdef"
"""The key that the server takes when it is told to check keys."""

STAR = "https://lastfm.freetls.fastly.net/i/u/{}/2a96cbd8b46e442fc41c2b86b821562f.png"
ART = "https://lastfm.freetls.fastly.net/i/u/{}/{}.png"
SIZES = (("34s", "small"), ("64s", "medium"), ("174s", "large"), ("300x300", "extralarge"))


@dataclass(frozen=True)
class FakeSong:
    """A song of the table; an album of "" and a duration of 0 stand for unknown, as at Last.fm."""

    title: str
    artist: str
    listeners: int = 1000
    playcount: int = 5000
    album: str = "Some Album"
    duration_ms: int = 200_000
    tags: tuple[str, ...] = ("pop",)
    art: str = "1f922f8eb093037a30faa1c666a84c78"


@dataclass(frozen=True)
class FakeArtist:
    """An artist's own figures; artists without an entry get the sums of their songs."""

    name: str
    listeners: int
    playcount: int
    tags: tuple[str, ...] = ("rock",)


@dataclass(frozen=True)
class Fault:
    """One way to answer badly; ``kind`` picks it, the rest shapes it."""

    kind: str
    delay_s: float = 0.0
    http_status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def slow(cls, delay_s: float) -> Fault:
        """Answer rightly, after a delay."""
        return cls("slow", delay_s=delay_s)

    @classmethod
    def hang(cls) -> Fault:
        """Never answer."""
        return cls("hang")

    @classmethod
    def refuse(cls) -> Fault:
        """Drop the connection before any answer."""
        return cls("refuse")

    @classmethod
    def reset(cls) -> Fault:
        """Reset the connection in the middle of the body."""
        return cls("reset")

    @classmethod
    def drip(cls, delay_s: float = 0.2) -> Fault:
        """Send the right answer byte by byte."""
        return cls("drip", delay_s=delay_s)

    @classmethod
    def truncated_gzip(cls) -> Fault:
        """Send half of the compressed right answer and end as if that was all."""
        return cls("truncated_gzip")

    @classmethod
    def huge(cls, size_bytes: int = 10_000_000) -> Fault:
        """Send an object of that size, without telling its length."""
        return cls("huge", body=b'{"track": "' + b"x" * size_bytes + b'"}')

    @classmethod
    def bomb(cls, size_bytes: int = 50_000_000) -> Fault:
        """Send a small compressed body that unfolds to that size."""
        packed = gzip.compress(b'{"track": "' + b"x" * size_bytes + b'"}')
        return cls("raw", body=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    @classmethod
    def status(cls, http_status: int, body: bytes | str = b"\n<html><head></head></html>", **headers: str) -> Fault:
        """Send a status with a body; ``Retry_After="1"`` becomes the header."""
        raw = body.encode() if isinstance(body, str) else body
        return cls(
            "raw", http_status=http_status, body=raw, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    @classmethod
    def error(cls, code: int, message: str = "an error", http_status: int = 200) -> Fault:
        """Send Last.fm's own error object with any status."""
        return cls.status(http_status, json.dumps({"error": code, "message": message, "links": []}))

    @classmethod
    def xml(cls, code: int = 16, http_status: int = 503) -> Fault:
        """Send an error as XML in spite of the asked-for JSON."""
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<lfm status="failed">\n<error code="{code}">Down</error></lfm>'
        return cls.status(http_status, text)

    @classmethod
    def garbage(cls, body: bytes = b"\x89\x00\xff not json {{{") -> Fault:
        """Send a body that is nothing, with 200."""
        return cls.status(200, body)


@dataclass
class _Plan:
    fault: Fault
    method: str | None
    left: int | None
    share: float


class FakeLastFm:
    """The server; a context manager that listens on a free port of 127.0.0.1.

    Attributes:
        url: Address to give to a client.
        requests: Parameters of every request, in order, without the key.
        headers: Headers of every request, in order.
    """

    def __init__(
        self,
        songs: Iterable[FakeSong] = (),
        artists: Iterable[FakeArtist] = (),
        *,
        corrections: dict[str, str] | None = None,
        ghosts: bool = True,
        key: str | None = None,
        latency_s: float = 0.0,
        port: int = 0,
        seed: int = 0,
    ) -> None:
        """Set the table.

        Args:
            songs: What track.getInfo knows.
            artists: What artist.getInfo knows beyond them.
            corrections: Artist names that autocorrect mends, wrong to right.
            ghosts: Answer unknown tracks with a bare record, as Last.fm mostly does, rather than with error 6.
            key: The only key taken; None takes any.
            latency_s: Delay of every answer.
            port: Where to listen; 0 takes a free port.
            seed: Of the choice which requests a fault with a share hits.
        """
        self._songs = {(_fold(s.artist), _fold(s.title)): s for s in songs}
        self._artists = {_fold(a.name): a for a in artists}
        for song in self._songs.values():
            name = _fold(song.artist)
            if name not in self._artists:
                self._artists[name] = FakeArtist(song.artist, song.listeners * 2, song.playcount * 3)
        self._corrections = {_fold(wrong): right for wrong, right in (corrections or {}).items()}
        self._words: dict[str, set[tuple[str, str]]] = {}
        for key_, song in self._songs.items():
            for word in _fold(f"{song.title} {song.artist}").split():
                self._words.setdefault(word, set()).add(key_)
        self._ghosts = ghosts
        self._key = key
        self._latency_s = latency_s
        self._port = port
        self._random = random.Random(seed)
        self._plans: list[_Plan] = []
        self._released = asyncio.Event()
        self.requests: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        """Start to listen."""
        app = web.Application()
        app.router.add_get("/2.0/", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/2.0/"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stop listening and drop what is open."""
        self._released.set()
        await self._runner.cleanup()

    def break_next(
        self, fault: Fault, *, method: str | None = None, times: int | None = None, share: float = 1.0
    ) -> None:
        """Answer badly from now on: for one method or all, the next ``times`` requests or always, all or a share."""
        self._plans.append(_Plan(fault, method, times, share))

    def mend(self) -> None:
        """Answer rightly again."""
        self._plans.clear()

    def count(self, method: str) -> int:
        """Tell how often a method was asked."""
        return sum(request["method"] == method for request in self.requests)

    def put(self, song: FakeSong) -> None:
        """Add a song or change its figures."""
        self._songs[_fold(song.artist), _fold(song.title)] = song
        self._artists.setdefault(_fold(song.artist), FakeArtist(song.artist, song.listeners * 2, song.playcount * 3))
        for word in _fold(f"{song.title} {song.artist}").split():
            self._words.setdefault(word, set()).add((_fold(song.artist), _fold(song.title)))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        key = query.pop("api_key", "")
        self.requests.append(query)
        self.headers.append(dict(request.headers))
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        if self._key is not None and key != self._key:
            return _json({"error": 10, "message": "Invalid API key - You must be granted a valid key by last.fm"}, 403)
        fault = self._next_fault(query.get("method", ""))
        if fault is not None:
            return await self._fail(request, fault, query)
        return _json(*self._dispatch(query))

    def _next_fault(self, method: str) -> Fault | None:
        for plan in self._plans:
            if plan.left == 0 or plan.method not in (None, method) or self._random.random() >= plan.share:
                continue
            if plan.left is not None:
                plan.left -= 1
            return plan.fault
        return None

    async def _fail(self, request: web.Request, fault: Fault, query: dict[str, str]) -> web.StreamResponse:
        body, status = self._dispatch(query)
        right = json.dumps(body).encode()
        if fault.kind == "slow":
            await asyncio.sleep(fault.delay_s)
            return _json(body, status)
        if fault.kind == "raw":
            return web.Response(status=fault.http_status, body=fault.body, headers=fault.headers)
        if fault.kind == "hang":
            await self._released.wait()
            return web.Response()
        assert request.transport is not None
        if fault.kind == "refuse":
            request.transport.abort()
            return web.Response()
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if fault.kind == "reset":
            response.content_length = len(right)
            await response.prepare(request)
            await response.write(right[: len(right) // 2])
            request.transport.abort()
            return response
        if fault.kind == "truncated_gzip":
            response.headers["Content-Encoding"] = "gzip"
            packed = gzip.compress(right)
            await response.prepare(request)
            await response.write(packed[: len(packed) // 2])
            await response.write_eof()
            return response
        assert fault.kind in ("huge", "drip")
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the client hangs up, as it should
            if fault.kind == "huge":
                for start in range(0, len(fault.body), 1 << 16):
                    await response.write(fault.body[start : start + (1 << 16)])
            else:
                for byte in right:
                    await response.write(bytes([byte]))
                    await asyncio.sleep(fault.delay_s)
            await response.write_eof()
        return response

    def _dispatch(self, query: dict[str, str]) -> tuple[dict[str, Any], int]:
        method = query.get("method", "")
        if method == "track.getInfo":
            return self._track(query)
        if method == "artist.getInfo":
            return self._artist(query)
        if method == "artist.getTopTags":
            return self._top_tags(query)
        if method == "track.search":
            return self._search(query), 200
        if method in ("chart.getTopTracks", "tag.getTopTracks", "geo.getTopTracks"):
            return self._chart(method, query)
        return {"error": 3, "message": "Invalid Method - No method with that name in this package"}, 400

    def _correct(self, artist: str, query: dict[str, str]) -> str:
        return self._corrections.get(_fold(artist), artist) if query.get("autocorrect") == "1" else artist

    def _track(self, query: dict[str, str]) -> tuple[dict[str, Any], int]:
        title, artist = query.get("track", ""), self._correct(query.get("artist", ""), query)
        if not title or not artist:
            return {"error": 6, "message": "Invalid parameters", "links": []}, 400
        song = self._songs.get((_fold(artist), _fold(title)))
        if song is None and not self._ghosts:
            return {"error": 6, "message": "Track not found", "links": []}, 404
        if song is None:
            song = FakeSong(title, artist, listeners=2, playcount=4, album="", duration_ms=0, tags=())
        track: dict[str, Any] = {
            "name": song.title,
            "url": _page(song.artist, "_", song.title),
            "duration": str(song.duration_ms),
            "streamable": {"#text": "0", "fulltrack": "0"},
            "listeners": str(song.listeners),
            "playcount": str(song.playcount),
            "artist": {"name": song.artist, "url": _page(song.artist)},
            "toptags": {"tag": _tags(song.tags)},
        }
        if song.album:
            images = [{"#text": ART.format(px, song.art) if song.art else "", "size": name} for px, name in SIZES]
            track["album"] = {
                "artist": song.artist,
                "title": song.album,
                "url": _page(song.artist, song.album),
                "image": images,
            }
        return {"track": track}, 200

    def _artist(self, query: dict[str, str]) -> tuple[dict[str, Any], int]:
        artist = self._artists.get(_fold(self._correct(query.get("artist", ""), query)))
        if artist is None:
            return {"error": 6, "message": "The artist you supplied could not be found", "links": []}, 404
        record = {
            "name": artist.name,
            "url": _page(artist.name),
            "image": [{"#text": STAR.format(px), "size": name} for px, name in SIZES],
            "streamable": "0",
            "ontour": "0",
            "stats": {"listeners": str(artist.listeners), "playcount": str(artist.playcount)},
            "similar": {"artist": []},
            "tags": {"tag": _tags(artist.tags[:5])},
            "bio": {"published": "01 Jan 2010, 00:00", "summary": "", "content": ""},
        }
        return {"artist": record}, 200

    def _top_tags(self, query: dict[str, str]) -> tuple[dict[str, Any], int]:
        artist = self._artists.get(_fold(self._correct(query.get("artist", ""), query)))
        if artist is None:
            return {"error": 6, "message": "The artist you supplied could not be found", "links": []}, 404
        tags = [{"count": max(1, 100 - 7 * i), **tag} for i, tag in enumerate(_list(_tags(artist.tags)))]
        return {"toptags": {"tag": tags, "@attr": {"artist": artist.name}}}, 200

    def _search(self, query: dict[str, str]) -> dict[str, Any]:
        """Match as Last.fm does: all words but one must be there, whole or as the start of a word; popular first."""
        words = _fold(query.get("track", "")).split()
        artist_words = _fold(query.get("artist", "")).split()
        hits: dict[tuple[str, str], int] = {}
        for word in words:
            for key in self._matching(word):
                hits[key] = hits.get(key, 0) + 1
        needed = max(1, len(words) - 1)
        keys = [key for key, n in hits.items() if n >= needed and all(w in key[0].split() for w in artist_words)]
        keys.sort(key=lambda key: (-hits[key], -self._songs[key].listeners))
        limit = int(query.get("limit", "30"))
        matches = [
            {
                "name": song.title,
                "artist": song.artist,
                "url": _page(song.artist, "_", song.title),
                "streamable": "FIXME",
                "listeners": str(song.listeners),
                "image": [{"#text": STAR.format(px), "size": name} for px, name in SIZES],
                "mbid": "",
            }
            for song in (self._songs[key] for key in keys[:limit])
        ]
        return {
            "results": {
                "opensearch:Query": {"#text": "", "role": "request", "startPage": "1"},
                "opensearch:totalResults": str(len(keys)),
                "opensearch:startIndex": "0",
                "opensearch:itemsPerPage": str(limit),
                "trackmatches": {"track": matches},
                "@attr": {},
            }
        }

    def _matching(self, word: str) -> set[tuple[str, str]]:
        found = set(self._words.get(word, ()))
        if len(word) >= 4:
            for other, keys in self._words.items():
                if other.startswith(word) or (
                    len(other) >= 4 and word.startswith(other) and len(word) - len(other) <= 2
                ):
                    found |= keys
        return found

    def _chart(self, method: str, query: dict[str, str]) -> tuple[dict[str, Any], int]:
        if method == "geo.getTopTracks" and not query.get("country"):
            return {"error": 6, "message": "country param required", "links": []}, 400
        tag = query.get("tag", "").casefold()
        songs = [
            s for s in self._songs.values() if method != "tag.getTopTracks" or tag in (t.casefold() for t in s.tags)
        ]
        songs.sort(key=lambda song: -song.listeners)
        page, limit = int(query.get("page", "1")), int(query.get("limit", "50"))
        tracks = []
        for rank, song in enumerate(songs[(page - 1) * limit : page * limit], start=(page - 1) * limit + 1):
            item: dict[str, Any] = {
                "name": song.title,
                "duration": "0" if method == "chart.getTopTracks" else str(song.duration_ms // 1000),
                "mbid": "",
                "url": _page(song.artist, "_", song.title),
                "streamable": {"#text": "0", "fulltrack": "0"},
                "artist": {"name": song.artist, "mbid": "", "url": _page(song.artist)},
                "image": [{"#text": STAR.format(px), "size": name} for px, name in SIZES],
            }
            if method == "chart.getTopTracks":
                item |= {"playcount": str(song.playcount), "listeners": str(song.listeners)}
            else:
                item["@attr"] = {"rank": str(rank)}
            tracks.append(item)
        attr = {
            "page": str(page),
            "perPage": str(limit),
            "totalPages": str(-(-len(songs) // limit)),
            "total": str(len(songs)),
        }
        return {"tracks": {"track": tracks, "@attr": attr}}, 200


def _fold(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold().replace("'", "")).split()) or text


def _page(*parts: str) -> str:
    from urllib.parse import quote_plus

    return "https://www.last.fm/music/" + "/".join(part if part == "_" else quote_plus(part) for part in parts)


def _tags(names: tuple[str, ...]) -> Any:
    """Give the tags as Last.fm does: one comes as an object, several as a list, none as an empty list."""
    tags = [{"name": name, "url": f"https://www.last.fm/tag/{name.replace(' ', '+')}"} for name in names]
    return tags[0] if len(tags) == 1 else tags


def _list(tags: Any) -> list[dict[str, Any]]:
    return tags if isinstance(tags, list) else [tags]


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


def load_table(tracks_csv: str, artists_csv: str | None) -> tuple[list[FakeSong], list[FakeArtist]]:
    """Read songs and artists from CSV files (.gz too) with the columns of the training data."""
    import pandas as pd

    def whole(value: str) -> int:
        return int(float(value)) if value else 0

    table = pd.read_csv(tracks_csv, keep_default_na=False, dtype=str)
    table = table.iloc[table["listeners"].map(whole).argsort(kind="stable")]
    songs = [
        FakeSong(
            title=row["track"],
            artist=row["artist"],
            listeners=whole(row["listeners"]),
            playcount=whole(row["playcount"]),
            album=row["album"],
            duration_ms=whole(row["duration_ms"]),
            tags=tuple(tag for tag in row["tags"].split("|") if tag)[:5],
            art="",
        )
        for row in table.to_dict("records")
    ]
    if artists_csv is None:
        return songs, []
    table = pd.read_csv(artists_csv, keep_default_na=False, dtype=str)
    return songs, [
        FakeArtist(row["artist"], whole(row["lastfm_listeners"]), whole(row["lastfm_playcount"]), ())
        for row in table.to_dict("records")
    ]


async def _serve(port: int, tracks_csv: str | None, artists_csv: str | None, latency_s: float) -> None:
    songs, artists = load_table(tracks_csv, artists_csv) if tracks_csv else ([], [])
    async with FakeLastFm(songs, artists, latency_s=latency_s, port=port) as fake:
        print(f"{len(songs):,} songs at {fake.url} - Ctrl-C stops")  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    """Serve a table until interrupted."""
    import argparse

    parser = argparse.ArgumentParser(description="A loopback Last.fm for trying the bot without the real one.")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--tracks", help="CSV of artist,track,listeners,playcount,duration_ms,tags,album")
    parser.add_argument("--artists", help="CSV of artist,lastfm_listeners,lastfm_playcount")
    parser.add_argument("--latency-s", type=float, default=0.0, help="delay of every answer")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.port, options.tracks, options.artists, options.latency_s))


if __name__ == "__main__":
    main()
