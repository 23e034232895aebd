"""The services that know releases without a key, each at its own rate and behind its own breaker."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeVar

from aiohttp.abc import AbstractResolver
from yarl import URL

from core.domain import SongName
from core.errors import UpstreamError, UpstreamUnavailable
from core.lookup.breaker import Breaker
from core.lookup.listing import Listing, same_recording
from core.lookup.release_parse import (
    DeezerFound,
    RateLimited,
    deezer_params,
    itunes_params,
    musicbrainz_params,
    parse_deezer,
    parse_deezer_day,
    parse_itunes,
    parse_musicbrainz,
)
from core.lookup.safe_fetch import FetchRefused, HostPolicy, SafeFetcher
from core.lookup.transport import USER_AGENT, RequestRate
from core.version import VERSION
from core.worker import Worker

log = logging.getLogger(__name__)

T = TypeVar("T")

SOURCE_S: Final = 2.0
"""Longest that one service may take, all its requests and the wait for room among them."""

ROOM_S: Final = 0.5
"""Longest wait for room in our own rate by default; after it the service is left out."""

BODY_MAX_BYTES: Final = 2_000_000
"""Longest answer read; 25 recordings of a hit at MusicBrainz have some 300 kB."""

DATED: Final = 3
"""Tracks of Deezer that are asked for their day, on different albums."""

ITUNES_RATE: Final = RequestRate(burst=5, window_s=60.0, per_window=20)
"""Apple: "approximately 20 calls per minute"."""

DEEZER_RATE: Final = RequestRate(burst=20, window_s=5.0, per_window=50)
"""Deezer: 50 requests in 5 seconds."""

MUSICBRAINZ_RATE: Final = RequestRate(burst=1, window_s=60.0, per_window=60)
"""MusicBrainz: one request a second on average; whoever asks more is refused altogether."""

PAUSE_S: Final = 30.0
"""First pause of a service that limits us or failed :data:`FAILURES_MAX` times in a row."""

PAUSE_MAX_S: Final = 600.0

FAILURES_MAX: Final = 4

_LIMITED: Final = frozenset({403, 429})


class NoRoom(UpstreamUnavailable):
    """Our own rate leaves no room for another request: no fault of the service."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one service knows; not ``complete`` if some of its requests failed."""

    listings: tuple[Listing, ...]
    complete: bool = True


class ReleaseSource(ABC):
    """One service over a session of its own, made when first needed.

    Args:
        url: Where it is asked; no other host is, wherever it redirects.
        worker: Parses and compares, which may take milliseconds of a core.
        rate: How often it is asked.
        clock: Seconds for the breaker.
        resolver: Resolves its name; the system's by default.
        timeout_s: Longest that it may take.
        room_s: Longest wait for room in ``rate``.
        user_agent: How we name ourselves.
    """

    label: str
    limited: frozenset[int] = _LIMITED
    """Statuses by which the service says that it was asked too often."""

    def __init__(
        self,
        url: str,
        worker: Worker,
        *,
        rate: RequestRate,
        clock: Callable[[], float] = time.monotonic,
        resolver: AbstractResolver | None = None,
        timeout_s: float = SOURCE_S,
        room_s: float = ROOM_S,
        user_agent: str = USER_AGENT,
    ) -> None:
        self.url = URL(url)
        self.breaker = Breaker(threshold=FAILURES_MAX, open_s=PAUSE_S, open_max_s=PAUSE_MAX_S, clock=clock)
        self._worker = worker
        self._limiter = rate.limiter()
        self._timeout_s = timeout_s
        self._room_s = room_s
        self._fetcher = SafeFetcher(
            _policy(self.url),
            resolver=resolver,
            max_bytes=BODY_MAX_BYTES,
            accept="application/json",
            user_agent=user_agent,
        )

    async def find(self, name: SongName) -> Answered:
        """List what may be ``name``, other songs and versions among them.

        Raises:
            UpstreamError: The service gave no usable answer, is given time to recover or was not asked for want of
                room in our rate.
        """
        return await self._find(name, asyncio.get_running_loop().time() + self._timeout_s)

    async def aclose(self) -> None:
        """Free connections."""
        await self._fetcher.aclose()

    @abstractmethod
    async def _find(self, name: SongName, until: float) -> Answered:
        """Do as :meth:`find` says, by ``until`` of the loop's clock."""

    async def _ask(self, url: URL, parse: Callable[[bytes], T], until: float) -> T:
        """Send one request and read its answer.

        Raises:
            UpstreamError: As for :meth:`find`.
        """
        self.breaker.admit()
        failure: UpstreamError | None = None
        outcome = "cancelled"
        try:
            answer = await self._exchange(url, parse, until)
            self.breaker.succeed()
            outcome = "ok"
        except NoRoom:
            outcome = "no_room"
            self.breaker.abandon()
            raise
        except UpstreamError as error:
            failure, outcome = error, type(error).__name__
            self.breaker.fail(error, at_once=isinstance(error, RateLimited))
            raise
        except asyncio.CancelledError:
            self.breaker.abandon()
            raise
        finally:
            log.debug("event=release_request source=%s outcome=%s detail=%s", self.label, outcome, failure or "")
        return answer

    async def _exchange(self, url: URL, parse: Callable[[bytes], T], until: float) -> T:
        now = asyncio.get_running_loop().time
        try:
            async with asyncio.timeout_at(min(until, now() + self._room_s)):
                await self._limiter.acquire()
        except TimeoutError:
            raise NoRoom(f"{self.label}: our own request rate left no room") from None
        try:
            async with asyncio.timeout_at(until):
                body = await self._fetcher.fetch(str(url))
        except TimeoutError:
            raise UpstreamUnavailable(f"{self.label}: no answer in time") from None
        except FetchRefused as refused:
            kind = RateLimited if refused.status in self.limited else UpstreamUnavailable
            raise kind(f"{self.label}: {refused}") from None
        return await self._worker.run(parse, body)


class ITunes(ReleaseSource):
    """iTunes Search: day, album, cover, length and explicitness in one request."""

    label = "itunes"

    async def _find(self, name: SongName, until: float) -> Answered:
        return Answered(await self._ask(self.url.update_query(itunes_params(name)), parse_itunes, until))


class Deezer(ReleaseSource):
    """Deezer: a search, then the days of the few tracks that are the song."""

    label = "deezer"

    async def _find(self, name: SongName, until: float) -> Answered:
        found = await self._ask(self.url.update_query(deezer_params(name)), parse_deezer, until)
        chosen = await self._worker.run(_worth_dating, name, found)
        days = await asyncio.gather(*(self._day(one.track_id, until) for one in chosen), return_exceptions=True)
        complete = True
        listings = {one.track_id: one.listing for one in found}
        for one, day in zip(chosen, days, strict=True):
            if isinstance(day, UpstreamError):
                complete = False
            elif isinstance(day, BaseException):
                raise day
            else:
                listings[one.track_id] = replace(one.listing, released=day)
        return Answered(tuple(listings.values()), complete)

    async def _day(self, track_id: int, until: float) -> date | None:
        return await self._ask(self.url.parent / "track" / str(track_id), parse_deezer_day, until)


class MusicBrainz(ReleaseSource):
    """MusicBrainz: the day of a recording's first release, often where shops know only a re-release."""

    label = "musicbrainz"
    limited = _LIMITED | {503}

    async def _find(self, name: SongName, until: float) -> Answered:
        address = (self.url / "recording").with_query(musicbrainz_params(name))
        return Answered(await self._ask(address, parse_musicbrainz, until))


def musicbrainz_agent(contact: str) -> str:
    """Name ourselves as MusicBrainz asks for: "name/version ( contact )"."""
    return f"Hitmeter/{VERSION} ( {contact or 'song popularity bot'} )"


def _worth_dating(name: SongName, found: tuple[DeezerFound, ...]) -> tuple[DeezerFound, ...]:
    """Choose the tracks whose day counts: the song itself, one of each album, compilations last."""
    same = set(map(id, same_recording(name, (one.listing for one in found))))
    by_album: dict[int | None, DeezerFound] = {}
    for one in sorted(found, key=lambda one: one.listing.compilation):
        if id(one.listing) in same:
            by_album.setdefault(one.album_id or -one.track_id, one)
    return tuple(by_album.values())[:DATED]


def _policy(url: URL) -> HostPolicy:
    """Admit the one host of ``url``; it may be on this machine only if the settings say so in plain."""
    host = (url.host or "").lower()
    return HostPolicy(
        hosts=frozenset({host}),
        schemes=frozenset({url.scheme}),
        ports=frozenset({url.port} if url.port is not None else ()),
        private_hosts=frozenset({host} if host == "localhost" or _is_address(host) else ()),
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
