"""The wire to Last.fm: one session, at most five requests a second on average, retries within a deadline, a breaker.

The API key travels in the query of every request, and aiohttp's exceptions print addresses. So no exception of
aiohttp leaves this module, not even as ``__context__``: ours are raised after theirs are done with.
"""

from __future__ import annotations

import asyncio
import http
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import aiohttp

from core.errors import UpstreamError, UpstreamGarbled, UpstreamRefused, UpstreamUnavailable
from core.language import mark
from core.lookup.lastfm_parse import Payload, error_code, parse_body
from core.lookup.service import Breaker, RequestRate
from core.lookup.store import SharedRate
from core.version import USER_AGENT

OUTCOMES: Final = ("ok", "not_found", "refused", "limited", "timeout", "unavailable", "garbled", "error")

NOT_FOUND: Final = 6
"""Not found, or a bad parameter; ours are always complete."""
REFUSED: Final = {
    4: "authentication failed",
    10: "invalid key",
    13: "invalid signature",
    26: "suspended key",
}
"""Codes of a refused key, with what they mean: asking again makes it worse."""
TRANSIENT: Final = frozenset({8, 11, 16})
"""Operation failed, service offline, temporarily unavailable (https://www.last.fm/api/errorcodes)."""
RATE_LIMITED: Final = 29


class AttemptFailed(Exception):
    """One attempt failed in a way that may pass."""

    def __init__(self, outcome: str, error: UpstreamError, retry_after_s: float | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.error = error
        self.retry_after_s = retry_after_s


def classify_response(
    method: str, status: int, body: bytes, retry_after: str = ""
) -> tuple[str, Payload | Exception | None]:
    """Return what an answer amounts to: an outcome of ``OUTCOMES`` with the payload, None or the error to raise.

    The code in the body counts for more than the HTTP status, since either comes with any of the other.
    """
    try:
        payload = parse_body(body)
    except UpstreamGarbled as error:
        payload, unreadable = None, UpstreamGarbled(f"{method}: HTTP {status} with {error}")
    code = None if payload is None else error_code(payload)
    if code == NOT_FOUND:
        return "not_found", None
    if code is not None and code in REFUSED:
        return "refused", UpstreamRefused(f"LASTFM_API_KEY is refused: {REFUSED[code]} (error {code})")
    if code == RATE_LIMITED or status == http.HTTPStatus.TOO_MANY_REQUESTS:
        limited = UpstreamUnavailable(f"{method}: HTTP {status}, rate limited")
        return "limited", AttemptFailed("limited", limited, _retry_after_s(retry_after))
    if code in TRANSIENT or status >= 500 or status == http.HTTPStatus.REQUEST_TIMEOUT:
        down = UpstreamUnavailable(f"{method}: HTTP {status}" + ("" if code is None else f", error {code}"))
        return "unavailable", AttemptFailed("unavailable", down)
    if payload is None:
        fault: Exception = unreadable if status >= 300 else AttemptFailed("garbled", unreadable)
        return "garbled", fault
    if code is not None:
        return "error", UpstreamError(f"{method}: HTTP {status}, error {code}")
    if status >= 300:
        return "garbled", UpstreamGarbled(f"{method}: HTTP {status}")
    return "ok", payload


def _retry_after_s(header: str) -> float | None:
    """Read a Retry-After in seconds; its other form, a date, is left to our own waits."""
    return float(header) if header.isascii() and header.isdigit() and len(header) < 5 else None


log = logging.getLogger(__name__)

OnRequest = Callable[[str, str, float], None]
"""Told of every request: method, outcome (a value of ``OUTCOMES``), seconds from sending to the end of the body."""

MAX_BODY_BYTES: Final = 2_000_000
"""Longest answer read; the longest recorded one has 52 kB, a chart of 1,000 tracks about 1 MB."""

MAX_GARBLED_ATTEMPTS: Final = 3
"""How often a body that is no JSON is believed to be a passing fault."""

CONNECTIONS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Waits between attempts grow from ``wait_initial_s`` by doubling to ``wait_max_s``, plus up to ``jitter_s``.

    One attempt may take ``attempt_s`` in all and ``connect_s`` to connect. The attempts of a call go on until its
    deadline, but all calls together try ``in_a_row`` times in vain at most: a question is five calls, and an outage is
    no time to press. None sets no such bound.
    """

    wait_initial_s: float = 0.25
    wait_max_s: float = 2.0
    jitter_s: float = 0.25
    attempt_s: float = 3.5
    connect_s: float = 2.0
    in_a_row: int | None = 3

    def delay_s(self, attempts: int, retry_after_s: float | None, rng: random.Random) -> float:
        """Return how long to wait after that many attempts; a server's own wish is never undercut."""
        backoff_s = min(self.wait_max_s, self.wait_initial_s * 2.0 ** (attempts - 1))
        return max(backoff_s, retry_after_s or 0.0) + rng.uniform(0.0, self.jitter_s)


async def _send_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again by itself when the connection drops, which it does uncounted."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        fault = type(error).__name__
    raise aiohttp.ClientConnectionError(fault)


class _NotAsked(UpstreamUnavailable):
    """There was no time left to ask: no fault of Last.fm."""


class _Crowded(_NotAsked):
    """We ask so much that our own rate left no room."""

    user_message = mark("Many people are asking just now. Please try again in a minute.")


class _BodyTooLong(Exception):
    """The answer is longer than any real one."""


class Transport:
    """Asks Last.fm's methods over one session, made when first needed."""

    def __init__(
        self,
        api_key: str,
        api_url: str,
        *,
        rate: RequestRate | None = None,
        shared_rate: SharedRate | None = None,
        retries: RetryPolicy | None = None,
        breaker: Breaker | None = None,
        on_request: OnRequest | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        rng: random.Random | None = None,
    ) -> None:
        self._api_key = api_key
        self._api_url = api_url
        self._limiter = (rate or RequestRate()).limiter()
        self._shared_rate = shared_rate
        self._retries = retries or RetryPolicy()
        self.breaker = breaker or Breaker()
        self._on_request = on_request
        self._max_body_bytes = max_body_bytes
        self._random = rng or random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._refused = False
        self._retrying = asyncio.Lock()
        self._answers = 0
        self._retries_in_vain = 0

    async def call(self, method: str, params: Mapping[str, str], *, deadline: float) -> Payload | None:
        """Ask ``method`` and return its answer; None if Last.fm says that there is no such thing.

        Args:
            method: "track.getInfo" and the like.
            params: Its parameters without key and format.
            deadline: Time of the event loop's clock by which to give up.

        Raises:
            UpstreamRefused: The key is refused.
            UpstreamUnavailable: Down, slow or limiting us, to the end of the deadline or of the breaker's patience.
            UpstreamGarbled: Nothing but bodies that are no JSON objects.
            UpstreamError: Any other error that Last.fm reports.
        """
        self.breaker.admit()
        judged = False
        try:
            failure, payload = await self._try_until(method, params, deadline)
            if isinstance(failure, UpstreamRefused):
                self.breaker.fail(failure, at_once=True)
                if not self._refused:
                    log.error("event=lastfm_key_refused setting=LASTFM_API_KEY error=%s", failure)
                self._refused = True
            elif isinstance(failure, UpstreamUnavailable | UpstreamGarbled) and not isinstance(failure, _NotAsked):
                self.breaker.fail(failure)
            elif failure is None:
                self.breaker.succeed()
                self._refused = False
            else:
                self.breaker.abandon()
            judged = True
        finally:
            if not judged:
                self.breaker.abandon()
        if failure is not None:
            raise failure
        return payload

    async def aclose(self) -> None:
        """Close the session; no call may follow."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def _try_until(
        self, method: str, params: Mapping[str, str], deadline: float
    ) -> tuple[UpstreamError | None, Payload | None]:
        """Attempt until an answer, a final error or the deadline; return the error rather than raise it."""
        now = asyncio.get_running_loop().time
        if now() >= deadline:
            return _NotAsked(f"{method}: no time was left to ask"), None
        garbled = 0
        last: UpstreamError = _Crowded(f"{method}: our own request rate left no room in time")
        retry_after_s: float | None = None
        answers: int | None = None
        try:
            async with asyncio.timeout_at(deadline), AsyncExitStack() as turn:
                while True:
                    if answers is not None:
                        # One retry at a time finds out whether Last.fm is back; once it is, all go on at once.
                        await turn.enter_async_context(self._retrying)
                        if self._answers == answers or retry_after_s is not None:
                            delay_s = self._retries.delay_s(self._retries_in_vain + 1, retry_after_s, self._random)
                            # Waiting is of no use when there is no time for another attempt after it.
                            if self._are_retries_spent or now() + delay_s >= deadline:
                                return last, None
                            await asyncio.sleep(delay_s)
                            self._retries_in_vain += 1
                        else:
                            await turn.aclose()
                    await self._limiter.acquire()
                    if self._shared_rate is not None:
                        await self._shared_rate.acquire()
                    last = UpstreamUnavailable(f"{method}: no answer in time")
                    try:
                        payload = await self._attempt(method, params)
                    except AttemptFailed as failed:
                        last, retry_after_s, answers = failed.error, failed.retry_after_s, self._answers
                        garbled += failed.outcome == "garbled"
                        if garbled >= MAX_GARBLED_ATTEMPTS:
                            return last, None
                    else:
                        self._answers += 1
                        self._retries_in_vain = 0
                        return None, payload
                    await turn.aclose()
        except TimeoutError:
            pass  # told by the last fault
        except UpstreamError as error:
            last = error
        return last, None

    @property
    def _are_retries_spent(self) -> bool:
        return self._retries.in_a_row is not None and self._retries_in_vain >= self._retries.in_a_row

    async def _attempt(self, method: str, params: Mapping[str, str]) -> Payload | None:
        """Ask once.

        Raises:
            AttemptFailed: In a way that may pass.
            UpstreamError: For good.
        """
        started = time.perf_counter()
        outcome, result = "timeout", None
        try:
            outcome, result = await self._exchange(method, params)
        finally:
            seconds = time.perf_counter() - started
            log.debug("event=lastfm_request method=%s outcome=%s seconds=%.3f", method, outcome, seconds)
            if self._on_request is not None:
                self._on_request(method, outcome, seconds)
        if isinstance(result, Exception):
            raise result
        return result

    async def _exchange(self, method: str, params: Mapping[str, str]) -> tuple[str, Payload | Exception | None]:
        """Send one request and read its answer; failures are returned, so that theirs never hang on to ours."""
        query = {**params, "method": method, "api_key": self._api_key, "format": "json"}
        try:
            async with self._open_session().get(self._api_url, params=query, allow_redirects=False) as response:
                body = await self._read(response)
                status, retry_after = response.status, response.headers.get("Retry-After", "")
        except _BodyTooLong:
            return "garbled", UpstreamGarbled(f"{method}: an answer of more than {self._max_body_bytes} bytes")
        except TimeoutError:
            return "timeout", AttemptFailed("timeout", UpstreamUnavailable(f"{method}: no answer in time"))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a host that no name can be
            cause = UpstreamUnavailable(f"{method}: {type(error).__name__}")
            return "unavailable", AttemptFailed("unavailable", cause)
        return classify_response(method, status, body, retry_after)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(1 << 16):
            body += chunk
            if len(body) > self._max_body_bytes:
                raise _BodyTooLong
        return bytes(body)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the transport is closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
                timeout=aiohttp.ClientTimeout(total=self._retries.attempt_s, sock_connect=self._retries.connect_s),
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                middlewares=(_send_once,),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session
