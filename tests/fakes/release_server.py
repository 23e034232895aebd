"""Loopback iTunes Search, Deezer and MusicBrainz over tables of records, with faults to choose from.

The bodies are written by hand in the shapes that the services send.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from aiohttp import web

ITUNES, DEEZER, MUSICBRAINZ = SERVICES = ("itunes", "deezer", "musicbrainz")

HTML = "\n<html><head><title>Sign in to the network</title></head></html>"


class ReleaseFault(StrEnum):
    """Ways to answer badly."""

    HANG = "time-out"
    ERROR_500 = "500"
    LIMITED_403 = "403 with text"
    LIMITED_503 = "503"
    QUOTA_200 = "quota with 200"
    ERROR_200 = "error with 200"
    HTML = "HTML"
    GARBAGE = "garbage"
    OTHER_SHAPE = "another shape"
    NESTED = "nested without end"
    TRUNCATED = "truncated"
    HUGE = "huge"
    DRIP = "drip"
    RESET = "reset"
    REDIRECT = "redirect to a private address"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One record of a song; each service tells of it what it tells of songs.

    Attributes:
        title: Of the song, with what stands in brackets.
        artist: Whole credit.
        album: It is on.
        released: Its day there, as the service writes it; "" for none.
        cover: Address of the album's cover.
        explicit: Whether it is marked so.
        duration_ms: Length.
        note: MusicBrainz' disambiguation, Deezer's title_version.
        kinds: Secondary types of the release at MusicBrainz.
        status: Of the release at MusicBrainz.
    """

    title: str
    artist: str
    album: str = "An Album"
    released: str = "2020-03-27"
    cover: str = ""
    explicit: bool = False
    duration_ms: int = 200_000
    note: str = ""
    kinds: tuple[str, ...] = ()
    status: str = "Official"


def itunes_song(record: Record, number: int = 1) -> dict[str, Any]:
    """Shape a record as a result of iTunes Search."""
    return {
        "wrapperType": "track", "kind": "song", "trackId": number,
        "trackName": record.title, "artistName": record.artist, "collectionName": record.album,
        "artworkUrl100": record.cover, "releaseDate": f"{record.released}T12:00:00Z" if record.released else None,
        "trackExplicitness": "explicit" if record.explicit else "notExplicit", "trackTimeMillis": record.duration_ms,
        "trackViewUrl": f"https://music.apple.com/us/album/x/1?i={number}", "primaryGenreName": "Pop",
    }  # fmt: skip


def deezer_track(record: Record, number: int = 1) -> dict[str, Any]:
    """Shape a record as a result of Deezer's search, which tells no day."""
    return {
        "id": number, "readable": True, "title": f"{record.title} {record.note}".strip(),
        "title_short": record.title, "title_version": record.note,
        "link": f"https://www.deezer.com/track/{number}", "duration": record.duration_ms // 1000, "rank": 900_000,
        "explicit_lyrics": record.explicit, "explicit_content_lyrics": int(record.explicit),
        "artist": {"id": 7, "name": record.artist, "type": "artist"},
        "album": {"id": 1000 + number, "title": record.album, "cover_big": record.cover, "type": "album"},
        "type": "track",
    }  # fmt: skip


def musicbrainz_recording(record: Record, number: int = 1) -> dict[str, Any]:
    """Shape a record as a result of MusicBrainz' search for recordings."""
    release = {
        "id": f"{number:08x}", "status": record.status, "title": record.album, "date": record.released,
        "release-group": {"id": "0a", "primary-type": "Album", "secondary-types": list(record.kinds)},
    }  # fmt: skip
    recording = {
        "id": f"{number:08x}", "score": 100, "title": record.title, "length": record.duration_ms, "video": None,
        "artist-credit": [{"name": record.artist, "artist": {"id": "0b", "name": record.artist}}],
        "releases": [release],
    }  # fmt: skip
    if record.note:
        recording["disambiguation"] = record.note
    if record.released:
        recording["first-release-date"] = record.released
    return recording


@dataclass
class Service:
    """One service: its table, its faults and what it was asked.

    Attributes:
        records: What it knows; each search is answered with all of them.
        fault: How it answers badly; None answers rightly.
        fault_left: How often it does; None for always.
        fault_at: Part of the path for which it does.
        latency_s: Delay of every answer.
        requests: Path and query of every request.
        headers: Their headers.
        on_request: Called with every request.
    """

    records: list[Record] = field(default_factory=list)
    fault: ReleaseFault | None = None
    fault_left: int | None = None
    fault_at: str = ""
    latency_s: float = 0.0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    on_request: Callable[[], None] = lambda: None

    def put(self, *records: Record) -> None:
        """Know these and nothing else."""
        self.records = list(records)

    def break_next(self, fault: ReleaseFault, times: int | None = None, at: str = "") -> None:
        """Answer badly from now on."""
        self.fault, self.fault_left, self.fault_at = fault, times, at

    def mend(self) -> None:
        """Answer rightly again."""
        self.fault = None

    def next_fault(self, path: str) -> ReleaseFault | None:
        """Tell how to answer the next request."""
        if self.fault is None or self.fault_left == 0 or self.fault_at not in path:
            return None
        if self.fault_left is not None:
            self.fault_left -= 1
        return self.fault


class ReleaseServer:
    """The three services on one free loopback port while the context is open."""

    def __init__(self) -> None:
        self.itunes, self.deezer, self.musicbrainz = Service(), Service(), Service()
        self.hits: Counter[str] = Counter()
        self.url = ""
        self._released = asyncio.Event()

    @property
    def urls(self) -> dict[str, str]:
        """Where each service is asked, as ``ReleaseLookup.connect`` takes it."""
        return {
            "itunes_url": f"{self.url}/itunes/search",
            "deezer_url": f"{self.url}/deezer/search",
            "musicbrainz_url": f"{self.url}/musicbrainz/ws/2/",
        }

    def service(self, name: str) -> Service:
        """Give one by its name."""
        found = getattr(self, name)
        assert isinstance(found, Service)
        return found

    def knows(self, *records: Record, services: Iterable[str] = SERVICES) -> None:
        """Let services know these records and nothing else."""
        for name in services:
            self.service(name).put(*records)

    async def __aenter__(self) -> Self:
        """Start to listen."""
        app = web.Application()
        app.router.add_get("/itunes/search", self._itunes)
        app.router.add_get("/deezer/search", self._deezer)
        app.router.add_get("/deezer/track/{number}", self._deezer)
        app.router.add_get("/musicbrainz/ws/2/recording", self._musicbrainz)
        app.router.add_get("/private", self._private)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening and drop what is open."""
        self._released.set()
        await self._runner.cleanup()

    async def _private(self, request: web.Request) -> web.Response:
        self.hits["private"] += 1
        return web.json_response({"results": [], "data": [], "recordings": []})

    async def _itunes(self, request: web.Request) -> web.StreamResponse:
        results = [itunes_song(record, number) for number, record in enumerate(self.itunes.records, start=1)]
        # Apple sends JSON as text/javascript, after some blank lines.
        body = "\n\n\n" + json.dumps({"resultCount": len(results), "results": results})
        return await self._answer(request, self.itunes, body, "text/javascript")

    async def _deezer(self, request: web.Request) -> web.StreamResponse:
        records = self.deezer.records
        body: dict[str, Any]
        if "number" in request.match_info:
            number = int(request.match_info["number"])
            record = records[number - 1]
            body = deezer_track(record, number) | {"release_date": record.released or "0000-00-00", "bpm": 0}
        else:
            tracks = [deezer_track(record, number) for number, record in enumerate(records, start=1)]
            body = {"data": tracks, "total": len(tracks)}
        return await self._answer(request, self.deezer, json.dumps(body), "application/json")

    async def _musicbrainz(self, request: web.Request) -> web.StreamResponse:
        found = [musicbrainz_recording(record, n) for n, record in enumerate(self.musicbrainz.records, start=1)]
        body = json.dumps({"count": len(found), "offset": 0, "recordings": found})
        return await self._answer(request, self.musicbrainz, body, "application/json")

    async def _answer(self, request: web.Request, service: Service, body: str, kind: str) -> web.StreamResponse:
        service.requests.append((request.path, dict(request.query)))
        service.headers.append(dict(request.headers))
        service.on_request()
        fault = service.next_fault(request.path)
        if service.latency_s:
            await asyncio.sleep(service.latency_s)
        match fault:
            case None:
                return web.Response(text=body, content_type=kind)
            case ReleaseFault.HANG:
                await self._released.wait()
                return web.Response(status=503)
            case ReleaseFault.ERROR_500:
                return web.Response(status=500, text=HTML, content_type="text/html")
            case ReleaseFault.LIMITED_403:
                return web.Response(status=403, text="Forbidden")
            case ReleaseFault.LIMITED_503:
                return web.Response(status=503, text="Your requests are exceeding the allowable rate limit.")
            case ReleaseFault.QUOTA_200:
                return web.json_response({"error": {"type": "Exception", "message": "Quota limit exceeded", "code": 4}})
            case ReleaseFault.ERROR_200:
                return web.json_response({"error": {"type": "Exception", "message": "Service busy", "code": 700}})
            case ReleaseFault.HTML:
                return web.Response(text=HTML, content_type="text/html")
            case ReleaseFault.GARBAGE:
                return web.Response(body=b"\x89\x00\xff not json {{{", content_type=kind)
            case ReleaseFault.OTHER_SHAPE:
                shape = {"results": [1, {"trackName": {}}], "data": {"id": []}, "recordings": [{"artist-credit": "x"}]}
                return web.json_response(shape)
            case ReleaseFault.NESTED:
                return web.Response(text="[" * 100_000, content_type=kind)
            case ReleaseFault.TRUNCATED:
                return web.Response(text=body[: len(body) // 2], content_type=kind)
            case ReleaseFault.REDIRECT:
                # Listed nowhere: another name of this machine.
                raise web.HTTPFound(f"{self.url.replace('127.0.0.1', 'localhost')}/private")
        return await self._stream(request, fault, body.encode())

    async def _stream(self, request: web.Request, fault: ReleaseFault, body: bytes) -> web.StreamResponse:
        assert request.transport is not None
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        if fault is ReleaseFault.RESET:
            response.content_length = len(body)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the client hangs up, as it should
            if fault is ReleaseFault.RESET:
                await response.write(body[: len(body) // 2])
                request.transport.abort()
            elif fault is ReleaseFault.HUGE:
                await response.write(b'{"padding": "')
                for _ in range(160):
                    await response.write(b"x" * (1 << 16))
                await response.write(b'", ' + body.strip()[1:])  # the right answer, for those who read on
            else:
                for byte in body:
                    await response.write(bytes([byte]))
                    await asyncio.sleep(0.06)
        return response
