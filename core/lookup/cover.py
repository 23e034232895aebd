"""Cover art for a song: of Last.fm's album, else of the song's release at a shop; never a reason to fail.

An image from outside is checked by what it is, not by what it is called.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Self

from aiohttp.abc import AbstractResolver
from PIL import Image, ImageOps

from core.concurrency import SerialExecutor, SingleFlight
from core.domain import Cover, Song
from core.lookup.lastfm_parse import STAR_IMAGE
from core.lookup.normalise import song_key
from core.lookup.release import ReleaseLookup
from core.lookup.safe_fetch import FetchRefused, HostPolicy, SafeFetcher
from core.settings import Settings

SIDE_PX: Final = 420

PIXELS_MAX: Final = 16_000_000
"""Largest image decoded, 4,000 x 4,000: about 50 MB for a moment."""

SIDE_MIN_PX: Final = 32
"""Smaller images are tracking dots and placeholders."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
_BEHIND: Final = (18, 18, 18)


class NotAnImage(Exception):
    """The bytes are no image of a known type and fair size; the text is one short word for the log."""


def image_format(body: bytes) -> str | None:
    """Recognise JPEG, PNG, WEBP and GIF by their first bytes; None for all else."""
    if body.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "WEBP"
    return None


def decode_cover(body: bytes) -> Cover:
    """Decode, crop to the central square and resize to ``SIDE_PX``; of animations the first frame.

    The size is read from the header and checked before any pixel is decoded.

    Raises:
        NotAnImage: Not one of the known types, damaged, too large or too small.
    """
    kind = image_format(body)
    if kind is None:
        raise NotAnImage("type")
    try:
        with Image.open(io.BytesIO(body), formats=(kind,)) as image:
            square = _square(image)
    except NotAnImage:
        raise
    except Exception as error:
        # Decoders meet damage with many kinds of exceptions (struct.error, SyntaxError, EOFError, zlib.error ...).
        raise NotAnImage("damaged") from error
    if square.mode == "RGBA":
        ground = Image.new("RGBA", square.size, (*_BEHIND, 255))
        square = Image.alpha_composite(ground, square).convert("RGB")
    return Cover(square.tobytes(), SIDE_PX)


def _square(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > PIXELS_MAX:
        raise NotAnImage("pixels")
    if min(width, height) < SIDE_MIN_PX:
        raise NotAnImage("small")
    image.draft("RGB", (SIDE_PX, SIDE_PX))
    whole = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return ImageOps.fit(whole, (SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)


log = logging.getLogger(__name__)

BUDGET_S: Final = 3.0
"""Time for all sources together; after it the cover is drawn."""

HEDGE_S: Final = 1.0
"""A source that has not answered by then is joined by the next one."""

COVERS_KEPT: Final = 64
"""Decoded covers kept in memory, 0.5 MB each."""

_HIT_S: Final = 6 * 3600
_MISS_S: Final = 300

Attempt = Callable[[], Coroutine[Any, Any, Cover]]


class NoCover(Exception):
    """A source knows no cover; the text is one short word for the log."""


class Artwork:
    """Finds and decodes covers; needs a running event loop when first used.

    Args:
        releases: Knows where there is a cover when Last.fm does not; it is not closed with this.
        downloads: False finds no cover at all.
        policy: Which hosts covers may come from.
        resolver: Resolves their names; the system's by default.
        budget_s: Time for all sources together, in seconds.
        hedge_s: Seconds after which a silent source is joined by the next.
    """

    def __init__(
        self,
        releases: ReleaseLookup | None,
        *,
        downloads: bool = True,
        policy: HostPolicy | None = None,
        resolver: AbstractResolver | None = None,
        budget_s: float = BUDGET_S,
        hedge_s: float = HEDGE_S,
    ) -> None:
        self._releases = releases
        self._downloads = downloads
        self._budget_s = budget_s
        self._hedge_s = hedge_s
        self._fetcher = SafeFetcher(policy, resolver=resolver)
        self._decoder = SerialExecutor("cover")
        self._covers: SingleFlight[Cover | None] = SingleFlight(
            COVERS_KEPT, lasting_s=lambda cover: _MISS_S if cover is None else _HIT_S
        )

    @classmethod
    def from_settings(
        cls, settings: Settings, releases: ReleaseLookup | None, policy: HostPolicy | None = None
    ) -> Self:
        """Build it as the settings say."""
        return cls(releases, downloads=settings.art_downloads, policy=policy)

    async def cover(self, song: Song) -> Cover | None:
        """Find the cover of ``song`` within the budget; None if there is none to be had, for whatever reason.

        People who ask for the same song at the same time share one search.
        """
        if not self._downloads:
            return None
        key = f"{song_key(song.title, song.artist)}\t{song.cover_url or ''}"
        return await self._covers.get(key, lambda: self._find(song))

    async def aclose(self) -> None:
        """Drop searches in flight and free connections and the decoder."""
        await self._covers.aclose()
        await self._fetcher.aclose()
        self._decoder.close()

    async def _find(self, song: Song) -> Cover | None:
        faults: list[str] = []
        cover: Cover | None = None
        try:
            async with asyncio.timeout(self._budget_s):
                cover = await first_success(self._attempts(song), self._hedge_s, faults)
        except TimeoutError:
            faults.append("timeout")
        if cover is None:
            log.info("event=cover_not_found reasons=%s", ",".join(faults))
        return cover

    def _attempts(self, song: Song) -> list[Attempt]:
        attempts: list[Attempt] = []
        address = song.cover_url
        if address and STAR_IMAGE not in address:
            attempts.append(lambda: self._download(address))
        if self._releases is not None:
            attempts.append(lambda: self._of_release(song))
        return attempts

    async def _of_release(self, song: Song) -> Cover:
        release = None if self._releases is None else await self._releases.within(song.name, self._budget_s)
        if release is None or release.cover_url is None:
            raise NoCover("no_release")
        if release.cover_url == song.cover_url:
            raise NoCover("same_cover")
        return await self._download(release.cover_url)

    async def _download(self, address: str) -> Cover:
        body = await self._fetcher.fetch(address)
        return await self._decoder.run(decode_cover, body)


async def first_success(attempts: Sequence[Attempt], hedge_s: float, faults: list[str]) -> Cover | None:
    """Run attempts in order, starting the next when one fails or takes ``hedge_s``; the first cover wins.

    What went wrong is added to ``faults``; attempts left over are cancelled.
    """
    waiting = list(attempts)
    running: set[asyncio.Task[Cover]] = set()
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.create_task(waiting.pop(0)()))
            done, running = await asyncio.wait(
                running, timeout=hedge_s if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                try:
                    return task.result()
                except (FetchRefused, NotAnImage, NoCover) as fault:
                    faults.append(str(fault))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return None
