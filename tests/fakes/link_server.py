"""Loopback Deezer tracks and oEmbed of YouTube and Spotify over tables of pages, with faults to choose from.

The bodies are written by hand in the shapes that the services send.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

from aiohttp import web

HTML = "<html><head><title>Before you continue</title></head></html>"


class LinkFault(StrEnum):
    """Ways to answer badly."""

    ABSENT = "404"
    FORBIDDEN = "403"
    ERROR_500 = "500"
    HTML = "HTML"
    GARBAGE = "garbage"
    OTHER_SHAPE = "another shape"
    NO_TITLE = "no title"
    HUGE = "huge"
    HANG = "time-out"
    REDIRECT = "redirect to a private address"
    LIMITED = "429"
    QUOTA_200 = "quota with 200"


@dataclass(frozen=True)
class Page:
    """What a service tells of a page: its title, whose it is, and for Spotify what it embeds."""

    title: str
    author: str = ""
    embeds: str = ""


class LinkServer:
    """The services on one free loopback port while the context is open.

    Attributes:
        videos: YouTube's pages by id.
        tracks: Spotify's pages by the address asked for.
        songs: Deezer's tracks by number: title and artist.
        fault: How all answer badly; None answers rightly.
        fault_left: How often they do; None for always.
        asked: The path and page of every request.
        hits: Requests to addresses that nobody should ask.
    """

    def __init__(
        self,
        videos: dict[str, Page] | None = None,
        tracks: dict[str, Page] | None = None,
        songs: dict[int, tuple[str, str]] | None = None,
    ) -> None:
        self.videos, self.tracks, self.songs = videos or {}, tracks or {}, songs or {}
        self.fault: LinkFault | None = None
        self.fault_left: int | None = None
        self.asked: list[tuple[str, str]] = []
        self.hits: Counter[str] = Counter()
        self.url = ""
        self._released = asyncio.Event()

    @property
    def settings(self) -> dict[str, str]:
        """Where each service is asked, as settings name it."""
        return {
            "deezer_search_url": f"{self.url}/deezer/search",
            "youtube_oembed_url": f"{self.url}/youtube/oembed",
            "spotify_oembed_url": f"{self.url}/spotify/oembed",
        }

    async def __aenter__(self) -> Self:
        """Start to listen."""
        app = web.Application()
        app.router.add_get("/deezer/track/{number}", self._deezer)
        app.router.add_get("/youtube/oembed", self._youtube)
        app.router.add_get("/spotify/oembed", self._spotify)
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
        return web.json_response({"title": "Hello", "artist": {"name": "Adele"}})

    async def _deezer(self, request: web.Request) -> web.StreamResponse:
        number = int(request.match_info["number"])
        body: dict[str, Any] = {"error": {"type": "DataException", "message": "no data", "code": 800}}
        if number in self.songs:
            title, artist = self.songs[number]
            body = {"id": number, "title": title, "title_short": title, "artist": {"id": 1, "name": artist}}
        return await self._answer(request, body)

    async def _youtube(self, request: web.Request) -> web.StreamResponse:
        page = self.videos.get(request.query["url"].partition("v=")[2])
        return await self._answer(request, self._oembed(page, "YouTube"))

    async def _spotify(self, request: web.Request) -> web.StreamResponse:
        page = self.tracks.get(request.query["url"])
        return await self._answer(request, self._oembed(page, "Spotify"))

    def _oembed(self, page: Page | None, provider: str) -> dict[str, Any] | None:
        if page is None:
            return None
        body = {"title": page.title, "provider_name": provider, "version": "1.0", "type": "rich", "width": 200}
        if page.author:
            body["author_name"] = page.author
        if page.embeds:
            body["iframe_url"] = page.embeds
        return body

    async def _answer(self, request: web.Request, body: dict[str, Any] | None) -> web.StreamResponse:
        self.asked.append((request.path, request.query.get("url", "")))
        fault = self.fault if self.fault_left != 0 else None
        if fault is not None and self.fault_left is not None:
            self.fault_left -= 1
        if fault is None and body is None:
            fault = LinkFault.ABSENT
        match fault:
            case None:
                return web.json_response(body)
            case LinkFault.ABSENT:
                return web.Response(status=404, text="Not Found")
            case LinkFault.FORBIDDEN:
                return web.Response(status=403, text="Forbidden")
            case LinkFault.ERROR_500:
                return web.Response(status=500, text=HTML, content_type="text/html")
            case LinkFault.HTML:
                return web.Response(text=HTML, content_type="text/html")
            case LinkFault.GARBAGE:
                return web.Response(body=b"\x89\x00\xff not json {{{", content_type="application/json")
            case LinkFault.OTHER_SHAPE:
                return web.json_response({"title": ["Hello"], "author_name": {"a": 1}, "artist": "Adele"})
            case LinkFault.NO_TITLE:
                return web.json_response({"provider_name": "YouTube"})
            case LinkFault.LIMITED:
                return web.Response(status=429, text="Too Many Requests")
            case LinkFault.QUOTA_200:
                return web.json_response({"error": {"type": "Exception", "message": "Quota limit exceeded", "code": 4}})
            case LinkFault.HANG:
                await self._released.wait()
                return web.Response(status=503)
            case LinkFault.REDIRECT:
                # Listed nowhere: another name of this machine.
                raise web.HTTPFound(f"{self.url.replace('127.0.0.1', 'localhost')}/private")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the client hangs up, as it should
            await response.write(b'{"padding": "')
            for _ in range(40):
                await response.write(b"x" * (1 << 16))
            await response.write(b'", ' + json.dumps(body or {"title": "Hello"}).encode()[1:])
        return response
