"""A loopback Last.fm: the real shapes from a table of songs, with faults to choose from.

In a test::

    async with FakeLastFm([FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021)]) as fake:
        fake.break_next(Fault.status(503), times=2)
        ...  # a real client at fake.url

By hand, on a big table (then start the bot with ``LASTFM_API_URL=http://127.0.0.1:8765/2.0/``)::

    python tests/fakes/lastfm_server.py --tracks lastfm_tracks.csv --artists lastfm_artists.csv --spotify tracks.csv

Stop it with Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import json
import random
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiohttp import web

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fakes.lastfm_faults import Fault
from tests.fakes.lastfm_table import FakeArtist, FakeSong, LastFmTable

__all__ = ["API_KEY", "FakeArtist", "FakeLastFm", "FakeSong", "Fault"]

API_KEY = "0123456789abcdef0123456789abcdef"
"""The key that the server takes when it is told to check keys."""


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
        on_request: Awaited with each request's parameters before it is answered.
        correct_tracks_only: Leave artist.getInfo without autocorrect.
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
        keep_alive: bool = True,
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
            keep_alive: Leave connections open for the next request, which the client then looks after with a timer.
        """
        self._table = LastFmTable(songs, artists, corrections or {}, ghosts=ghosts)
        self._key = key
        self._latency_s = latency_s
        self._port = port
        self._random = random.Random(seed)
        self._keep_alive = keep_alive
        self._plans: list[_Plan] = []
        self._released = asyncio.Event()
        self.requests: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.on_request: Callable[[dict[str, str]], Awaitable[None]] | None = None
        self.correct_tracks_only = False
        self.url = ""

    async def __aenter__(self) -> Self:
        """Start to listen."""
        app = web.Application()
        app.router.add_get("/2.0/", self._answer)
        if not self._keep_alive:
            app.on_response_prepare.append(_close_after)
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
        self._table.put(song)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        key = query.pop("api_key", "")
        self.requests.append(query)
        self.headers.append(dict(request.headers))
        if self.on_request is not None:
            await self.on_request(query)
        if self.correct_tracks_only and query.get("method") == "artist.getInfo":
            query = query | {"autocorrect": "0"}
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        if self._key is not None and key != self._key:
            return _json({"error": 10, "message": "Invalid API key - You must be granted a valid key by last.fm"}, 403)
        fault = self._next_fault(query.get("method", ""))
        if fault is not None:
            return await self._fail(request, fault, query)
        return _json(*self._table.answer(query))

    def _next_fault(self, method: str) -> Fault | None:
        for plan in self._plans:
            if plan.left == 0 or plan.method not in (None, method) or self._random.random() >= plan.share:
                continue
            if plan.left is not None:
                plan.left -= 1
            return plan.fault
        return None

    async def _fail(self, request: web.Request, fault: Fault, query: dict[str, str]) -> web.StreamResponse:
        body, status = self._table.answer(query)
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


async def _close_after(_: web.Request, response: web.StreamResponse) -> None:
    response.force_close()
    response.headers["Connection"] = "close"  # which is written before this is called


def _json(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(body, status=status)


async def _serve(options: argparse.Namespace) -> None:
    from tests.fakes.lastfm_files import load_artists, load_songs, made_up_songs

    artists = load_artists(options.artists) if options.artists else []
    songs = made_up_songs(options.spotify, artists) if options.spotify else []
    songs += load_songs(options.tracks) if options.tracks else []
    async with FakeLastFm(songs, artists, latency_s=options.latency_s, port=options.port) as fake:
        print(f"{len(songs):,} songs at {fake.url} - Ctrl-C stops", flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    """Serve tables until interrupted."""
    parser = argparse.ArgumentParser(description="A loopback Last.fm for trying the bot without the real one.")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--tracks", type=Path, help="CSV of artist,track,listeners,playcount,duration_ms,tags,album")
    parser.add_argument("--artists", type=Path, help="CSV of artist,lastfm_listeners,lastfm_playcount")
    parser.add_argument("--spotify", type=Path, help="CSV of the Spotify Tracks Dataset; its songs get made-up figures")
    parser.add_argument("--latency-s", type=float, default=0.0, help="delay of every answer")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
