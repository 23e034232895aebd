"""Cover art for a song: from Last.fm's album, else from iTunes Search, else from Deezer; never a reason to fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from cashews import Cache

from core.domain import Cover, Song, SongName
from core.lookup.art_decode import NotAnImage, decode_cover
from core.lookup.art_search import (
    ArtResult,
    RateLimited,
    SearchFailed,
    best_cover,
    deezer_params,
    itunes_params,
    parse_deezer,
    parse_itunes,
)
from core.lookup.lastfm_parse import STAR_IMAGE
from core.lookup.normalise import song_key
from core.lookup.safe_fetch import FetchRefused, HostPolicy, SafeFetcher
from core.lookup.transport import USER_AGENT
from core.settings import Settings

log = logging.getLogger(__name__)

BUDGET_S: Final = 3.0
"""Time for all sources together; after it the cover is drawn."""

HEDGE_S: Final = 1.0
"""A source that has not answered by then is joined by the next one."""

PAUSE_S: Final = 60.0
"""How long a search that limits us is left alone."""

COVERS_KEPT: Final = 64
"""Decoded covers kept in memory, 0.5 MB each."""

_HIT_S: Final = 6 * 3600
_MISS_S: Final = 300
_SEARCH_BYTES_MAX: Final = 1_000_000

Attempt = Callable[[], Coroutine[Any, Any, Cover]]


class _NoMatch(Exception):
    """The search answered, but not with this song."""


class _Search:
    """One search service: where it is, how to ask it and how to read it."""

    def __init__(
        self,
        label: str,
        url: str,
        params: Callable[[SongName], dict[str, str]],
        parse: Callable[[int, bytes], tuple[ArtResult, ...]],
    ) -> None:
        self.label = label
        self._url = url
        self._params = params
        self._parse = parse
        self._paused_until = 0.0

    async def cover_url(self, session: aiohttp.ClientSession, name: SongName) -> str:
        """Find the address of the cover of ``name``.

        Raises:
            SearchFailed: The service gave no answer.
            _NoMatch: It does not know the song.
        """
        now = asyncio.get_running_loop().time
        if now() < self._paused_until:
            raise SearchFailed("paused")
        try:
            async with session.get(self._url, params=self._params(name), allow_redirects=False) as response:
                body = await response.content.read(_SEARCH_BYTES_MAX)
                while not response.content.at_eof() and len(body) < _SEARCH_BYTES_MAX:
                    body += await response.content.read(_SEARCH_BYTES_MAX - len(body))
            found = best_cover(name, self._parse(response.status, body))
        except RateLimited:
            self._paused_until = now() + PAUSE_S
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SearchFailed(type(error).__name__) from None
        if found is None:
            raise _NoMatch("no_match")
        return found


class Artwork:
    """Finds and decodes covers; needs a running event loop when first used.

    Args:
        itunes_url: Where iTunes Search answers.
        deezer_url: Where Deezer's search answers.
        downloads: False finds no cover at all.
        policy: Which hosts covers may come from.
        resolver: Resolves their names; the system's by default.
        budget_s: Time for all sources together, in seconds.
    """

    def __init__(
        self,
        *,
        itunes_url: str,
        deezer_url: str,
        downloads: bool = True,
        policy: HostPolicy | None = None,
        resolver: AbstractResolver | None = None,
        budget_s: float = BUDGET_S,
    ) -> None:
        self._downloads = downloads
        self._budget_s = budget_s
        self._fetcher = SafeFetcher(policy, resolver=resolver)
        self._searches = (
            _Search("itunes", itunes_url, itunes_params, parse_itunes),
            _Search("deezer", deezer_url, deezer_params, parse_deezer),
        )
        self._session: aiohttp.ClientSession | None = None
        self._decoder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cover")
        self._kept = Cache(name="covers")
        self._kept.setup("mem://", size=COVERS_KEPT, check_interval=_MISS_S)
        self._flying: dict[str, asyncio.Task[Cover | None]] = {}

    @classmethod
    def from_settings(cls, settings: Settings, policy: HostPolicy | None = None) -> Self:
        """Build it as the settings say."""
        return cls(
            itunes_url=str(settings.itunes_search_url),
            deezer_url=str(settings.deezer_search_url),
            downloads=settings.art_downloads,
            policy=policy,
        )

    async def cover(self, song: Song) -> Cover | None:
        """Find the cover of ``song`` within the budget; None if there is none to be had, for whatever reason.

        People who ask for the same song at the same time share one search.
        """
        if not self._downloads:
            return None
        key = f"{song_key(song.title, song.artist)}\t{song.cover_url or ''}"
        kept = await self._kept.get(key)
        if kept is not None:
            return kept[0]  # type: ignore[no-any-return]
        if key not in self._flying:
            flight = asyncio.create_task(self._find(key, song), name="cover")
            self._flying[key] = flight
            flight.add_done_callback(lambda _: self._flying.pop(key, None))
        return await asyncio.shield(self._flying[key])

    async def aclose(self) -> None:
        """Drop searches in flight and free connections and the decoder."""
        flights = list(self._flying.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)
        await self._fetcher.aclose()
        if self._session is not None:
            await self._session.close()
        await self._kept.close()
        self._decoder.shutdown(wait=False, cancel_futures=True)

    async def _find(self, key: str, song: Song) -> Cover | None:
        faults: list[str] = []
        cover: Cover | None = None
        try:
            async with asyncio.timeout(self._budget_s):
                cover = await first_success(self._attempts(song), HEDGE_S, faults)
        except TimeoutError:
            faults.append("timeout")
        if cover is None:
            log.info("event=cover_not_found reasons=%s", ",".join(faults))
        await self._kept.set(key, (cover,), expire=_HIT_S if cover is not None else _MISS_S)
        return cover

    def _attempts(self, song: Song) -> list[Attempt]:
        attempts: list[Attempt] = []
        address = song.cover_url
        if address and STAR_IMAGE not in address:
            attempts.append(lambda: self._download(address))
        attempts.extend(lambda search=search: self._searched(search, song.name) for search in self._searches)  # type: ignore[misc]
        return attempts

    async def _searched(self, search: _Search, name: SongName) -> Cover:
        return await self._download(await search.cover_url(self._open_session(), name))

    async def _download(self, address: str) -> Cover:
        body = await self._fetcher.fetch(address)
        return await asyncio.get_running_loop().run_in_executor(self._decoder, decode_cover, body)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
                timeout=aiohttp.ClientTimeout(total=self._budget_s),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


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
                except (FetchRefused, NotAnImage, SearchFailed, _NoMatch) as fault:
                    faults.append(str(fault))
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return None
