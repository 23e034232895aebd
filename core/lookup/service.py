"""A web service that is asked at a rate, behind a breaker and at one host alone."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from aiohttp.abc import AbstractResolver
from aiolimiter import AsyncLimiter
from yarl import URL

from core.concurrency import SerialExecutor
from core.errors import UpstreamError, UpstreamUnavailable
from core.lookup.release_parse import RateLimited
from core.lookup.safe_fetch import FetchRefused, HostPolicy, SafeFetcher
from core.version import USER_AGENT


@dataclass(frozen=True, slots=True)
class RequestRate:
    """How often Last.fm is asked.

    Its terms (4.4) allow "5 requests per originating IP address per second, averaged over a 5 minute period", which
    is 1,500 in any five minutes. A burst is taken off that and the rest spread evenly, so that no window of five
    minutes ever holds more.
    """

    burst: int = 100
    window_s: float = 300.0
    per_window: int = 1500

    def limiter(self) -> AsyncLimiter:
        """Make the leaky bucket for this rate."""
        per_s = (self.per_window - self.burst) / self.window_s
        return AsyncLimiter(self.burst, self.burst / per_s)


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Counts failures in a row; at ``threshold`` it opens, and every call fails at once with the last error's class.

    After ``open_s`` it lets up to ``probes`` calls through together. One success closes it; a failure opens it again
    for twice as long, up to ``open_max_s``. Every admitted call must end in one of :meth:`succeed`, :meth:`fail` and
    :meth:`abandon`. Times are seconds of ``clock``.
    """

    def __init__(
        self,
        *,
        threshold: int = 4,
        open_s: float = 10.0,
        open_max_s: float = 60.0,
        probes: int = 2,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._threshold = threshold
        self._open_s = open_s
        self._open_max_s = open_max_s
        self._probes = probes
        self._clock = clock
        self._failures = 0
        self._next_open_s = open_s
        self._closed = True
        self._open_until = 0.0
        self._probing = 0
        self._reason: type[UpstreamError] = UpstreamUnavailable

    @property
    def state(self) -> BreakerState:
        """Where the breaker stands now."""
        if self._closed:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until else BreakerState.PROBING

    def admit(self) -> None:
        """Let a call through.

        Raises:
            UpstreamError: The breaker is open, or enough probes are under way; of the class that opened it.
        """
        state = self.state
        if state is BreakerState.CLOSED:
            return
        if state is BreakerState.OPEN or self._probing >= self._probes:
            raise self._reason("not asked: it failed repeatedly and is given time to recover")
        self._probing += 1

    def succeed(self) -> None:
        """Report that an admitted call was answered."""
        self._closed = True
        self._failures = 0
        self._probing = 0
        self._next_open_s = self._open_s

    def fail(self, error: UpstreamError, *, at_once: bool = False) -> None:
        """Report that an admitted call failed with ``error``; ``at_once`` opens without counting further."""
        self._probing = max(0, self._probing - 1)
        self._failures += 1
        state = self.state
        if state is BreakerState.OPEN or (
            state is BreakerState.CLOSED and self._failures < self._threshold and not at_once
        ):
            return
        self._closed = False
        self._reason = type(error)
        self._open_until = self._clock() + self._next_open_s
        self._next_open_s = min(self._next_open_s * 2, self._open_max_s)

    def abandon(self) -> None:
        """Report that an admitted call ended without telling anything of the service's health."""
        self._probing = max(0, self._probing - 1)


log = logging.getLogger(__name__)

T = TypeVar("T")

SOURCE_S: Final = 2.0
"""Longest that one service may take, all its requests and the wait for room among them."""

ROOM_S: Final = 0.5
"""Longest wait for room in our own rate by default; after it the service is left out."""

BODY_MAX_BYTES: Final = 2_000_000
"""Longest answer read; 25 recordings of a hit at MusicBrainz have some 300 kB."""

PAUSE_S: Final = 30.0
"""First pause of a service that limits us or failed :data:`FAILURES_MAX` times in a row."""

PAUSE_MAX_S: Final = 600.0

FAILURES_MAX: Final = 4


class NoRoom(UpstreamUnavailable):
    """Our own rate leaves no room for another request: no fault of the service."""


class NothingThere(UpstreamUnavailable):
    """The service is well and has nothing of what it was asked for."""


class Service:
    """One service over a session of its own, made when first needed.

    Args:
        url: Where it is asked; no other host is, wherever it redirects.
        worker: Parses and compares, which may take milliseconds of a core.
        rate: How often it is asked.
        clock: Seconds for the breaker.
        resolver: Resolves its name; the system's by default.
        timeout_s: Longest that it may take.
        room_s: Longest wait for room in ``rate``.
        max_bytes: Longest answer read.
        user_agent: How we name ourselves.
    """

    label: str
    limited: frozenset[int] = frozenset({403, 429})
    """Statuses by which the service says that it was asked too often."""

    absent: frozenset[int] = frozenset()
    """Statuses by which it says that it has no such thing."""

    def __init__(
        self,
        url: str,
        worker: SerialExecutor,
        *,
        rate: RequestRate,
        clock: Callable[[], float] = time.monotonic,
        resolver: AbstractResolver | None = None,
        timeout_s: float = SOURCE_S,
        room_s: float = ROOM_S,
        max_bytes: int = BODY_MAX_BYTES,
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
            max_bytes=max_bytes,
            accept="application/json",
            user_agent=user_agent,
        )

    async def aclose(self) -> None:
        """Free connections."""
        await self._fetcher.aclose()

    async def _ask(self, url: URL, parse: Callable[[bytes], T], until: float) -> T:
        """Send one request and read its answer, by ``until`` of the loop's clock.

        Raises:
            UpstreamError: The service gave no usable answer, is given time to recover or was not asked for want of
                room in our rate.
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
        except NothingThere:
            outcome = "nothing_there"
            self.breaker.succeed()
            raise
        except UpstreamError as error:
            failure, outcome = error, type(error).__name__
            self.breaker.fail(error, at_once=isinstance(error, RateLimited))
            raise
        except asyncio.CancelledError:
            self.breaker.abandon()
            raise
        finally:
            log.debug("event=service_request service=%s outcome=%s detail=%s", self.label, outcome, failure or "")
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
            if refused.status in self.absent:
                raise NothingThere(f"{self.label}: {refused}") from None
            kind = RateLimited if refused.status in self.limited else UpstreamUnavailable
            raise kind(f"{self.label}: {refused}") from None
        return await self._worker.run(parse, body)


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
