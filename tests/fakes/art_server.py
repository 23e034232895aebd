"""A loopback server of cover images, with a list of faults to choose from."""

from __future__ import annotations

import asyncio
import gzip
import io
import struct
import zlib
from collections import Counter
from enum import StrEnum
from types import TracebackType
from typing import Self

from aiohttp import web
from PIL import Image

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"><script/></svg>'


class Art(StrEnum):
    """What is served at ``/art/<value>``."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    SEE_THROUGH = "see-through"
    WIDE = "wide"
    SVG = "svg"
    HTML = "html"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    DOT = "dot"
    BOMB = "bomb"
    COMPRESSED = "compressed"
    TOO_LONG = "too-long"
    ENDLESS = "endless"
    DRIP = "drip"
    SILENT = "silent"
    RESET = "reset"
    MISSING = "missing"
    BROKEN = "broken"
    REDIRECT = "redirect"
    REDIRECT_LOOP = "redirect-loop"
    REDIRECT_NOWHERE = "redirect-nowhere"


def picture(fmt: str, colour: tuple[int, ...] = (200, 40, 40), size: tuple[int, int] = (600, 600)) -> bytes:
    """Encode an image of one colour."""
    mode = "RGBA" if len(colour) == 4 else "RGB"
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, fmt)
    return file.getvalue()


def moving_gif() -> bytes:
    """Encode a GIF of a red and a blue frame."""
    frames = [Image.new("RGB", (300, 300), colour) for colour in ("red", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def png_bomb(side_px: int = 60_000) -> bytes:
    """Build a tiny PNG whose header promises ``side_px`` squared pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class ArtServer:
    """Serves art on a free loopback port while its context is open.

    Attributes:
        hits: Requests by path.
        redirect_to: Where ``Art.REDIRECT`` leads.
        port: Where it listens.
    """

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()
        self.redirect_to = ""
        self.port = 0
        self._released = asyncio.Event()

    def art(self, kind: Art, host: str = "127.0.0.1") -> str:
        """Tell the address of one kind of art."""
        return f"http://{host}:{self.port}/art/{kind}"

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/art/{kind}", self._serve_art)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        await self._runner.cleanup()

    async def _serve_art(self, request: web.Request) -> web.StreamResponse:
        kind = Art(request.match_info["kind"])
        self.hits[kind] += 1
        bodies = {
            Art.JPEG: lambda: picture("JPEG"),
            Art.PNG: lambda: picture("PNG"),
            Art.WEBP: lambda: picture("WEBP"),
            Art.GIF: moving_gif,
            Art.SEE_THROUGH: lambda: picture("PNG", (255, 255, 255, 0)),
            Art.WIDE: lambda: picture("PNG", size=(900, 300)),
            Art.SVG: lambda: SVG,
            Art.HTML: lambda: b"<html><body>Sign in to the network</body></html>",
            Art.EMPTY: lambda: b"",
            Art.TRUNCATED: lambda: picture("PNG", size=(900, 900))[:-400],
            Art.DOT: lambda: picture("PNG", size=(1, 1)),
            Art.BOMB: png_bomb,
        }
        if kind in bodies:
            return web.Response(body=bodies[kind](), content_type="image/jpeg")
        match kind:
            case Art.COMPRESSED:
                body = gzip.compress(b"\xff\xd8\xff" + b"\0" * 50_000_000, 1)
                return web.Response(body=body, headers={"Content-Encoding": "gzip"}, content_type="image/jpeg")
            case Art.TOO_LONG:
                return web.Response(body=b"\xff\xd8\xff" + b"\0" * 6_000_000, content_type="image/jpeg")
            case Art.MISSING:
                return web.Response(status=404, text="Not Found")
            case Art.BROKEN:
                return web.Response(status=500, text="<html>")
            case Art.REDIRECT:
                raise web.HTTPFound(self.redirect_to)
            case Art.REDIRECT_LOOP:
                raise web.HTTPFound(str(request.url))
            case Art.REDIRECT_NOWHERE:
                return web.Response(status=302)
            case Art.SILENT:
                await self._released.wait()
                return web.Response(status=503)
            case Art.RESET:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        return await self._stream(request, kind)

    async def _stream(self, request: web.Request, kind: Art) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        try:
            await response.write(b"\xff\xd8\xff")
            while not self._released.is_set():
                await response.write(b"\0" * (1 << 16 if kind is Art.ENDLESS else 1))
                await asyncio.sleep(0 if kind is Art.ENDLESS else 0.05)
        except ConnectionError:
            self.hits[f"{kind} hung up"] += 1
        return response
