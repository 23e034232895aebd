"""A loopback Hugging Face hub with one file: the redirect that states its checksum, the storage, and faults."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from enum import StrEnum
from types import TracebackType
from typing import Self

from aiohttp import web

from core.lookup.catalogue_download import HubFile

RESOLVE = "/datasets/maharshipandya/spotify-tracks-dataset/resolve/{revision}/dataset.csv"
REVISION = "0123456789abcdef0123456789abcdef01234567"


class HubFault(StrEnum):
    """What goes wrong; ``CUT_ONCE`` passes with the first transfer."""

    CUT = "cut"
    CUT_ONCE = "cut once"
    SHORT = "short"
    OTHER_BYTES = "other bytes"
    LONGER = "longer"
    OTHER_CHECKSUM = "other checksum"
    SILENT = "silent"
    MISSING = "missing"
    BROKEN = "broken"
    CIRCLES = "circles"
    NO_LOCATION = "no location"
    NOT_HTTP = "not http"


class FakeHub:
    """Serves ``body`` on a free loopback port while its context is open.

    Attributes:
        hits: Requests by path.
        fault: What goes wrong, if anything.
    """

    def __init__(self, body: bytes, fault: HubFault | None = None) -> None:
        self.hits: Counter[str] = Counter()
        self.fault = fault
        self._body = body
        self._runner: web.AppRunner | None = None
        self._base = ""
        self._release = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get(RESOLVE, self._resolve)
        app.router.add_get("/storage", self._storage)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._base = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def file(self) -> HubFile:
        """The file as it has to come."""
        return HubFile(self.address, hashlib.sha256(self._body).hexdigest(), len(self._body))

    @property
    def address(self) -> str:
        """Where the file is asked for."""
        return self._base + RESOLVE.format(revision=REVISION)

    async def _resolve(self, request: web.Request) -> web.StreamResponse:
        self.hits["resolve"] += 1
        match self.fault:
            case HubFault.SILENT:
                await self._release.wait()
            case HubFault.MISSING:
                return web.Response(status=404, text="Entry not found")
            case HubFault.BROKEN:
                return web.Response(status=502, text="<html>Bad gateway</html>")
            case HubFault.CIRCLES:
                return web.Response(status=302, headers={"Location": str(request.rel_url)})
            case HubFault.NOT_HTTP:
                return web.Response(status=302, headers={"Location": "ftp://127.0.0.1/dataset.csv"})
            case HubFault.NO_LOCATION:
                return web.Response(status=302)
        other = self.fault is HubFault.OTHER_CHECKSUM
        stated = hashlib.sha256(b"another file" if other else self._body).hexdigest()
        headers = {
            "Location": "/storage",
            "X-Linked-Etag": f'"{stated}"',
            "X-Linked-Size": str(len(self._body)),
            "X-Repo-Commit": REVISION,
        }
        return web.Response(status=302, headers=headers)

    async def _storage(self, request: web.Request) -> web.StreamResponse:
        self.hits["storage"] += 1
        half = len(self._body) // 2
        match self.fault:
            case HubFault.CUT | HubFault.CUT_ONCE:
                if self.fault is HubFault.CUT_ONCE:
                    self.fault = None
                response = web.StreamResponse(headers={"Content-Length": str(len(self._body))})
                await response.prepare(request)
                await response.write(self._body[:half])
                assert request.transport is not None
                request.transport.abort()
                return response
            case HubFault.SHORT:
                return web.Response(body=self._body[:half])
            case HubFault.OTHER_BYTES:
                return web.Response(body=bytes([self._body[0] ^ 1]) + self._body[1:])
            case HubFault.LONGER:
                return web.Response(body=self._body + b"more")
        return web.Response(body=self._body)
