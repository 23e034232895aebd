"""Serves HTTP to strangers: bounded connections, and bounded time for headers, bodies and replies.

A connection costs a file descriptor, of which a process often has 1,024, whether anything comes through it or not. A
listener keeps a bounded number of them: at the bound a new one takes the place of one that is still waiting to say
something, from the address that holds most of them; if all are being answered it is closed itself.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler

from core.errors import SettingsError
from core.log import LogThrottle

log = logging.getLogger(__name__)

SHUTDOWN_S: Final = 2.0
"""Longest that a stop waits for requests that are being answered, and for answers that are slowly taken."""

LINGERING_S: Final = 1.0
"""How long the rest of a body that nobody wants is read, so that its sender sees the answer before the end."""

BACKLOG: Final = 128
"""Connections the system keeps until they are accepted; as many are taken at once."""

SHARE_OF_FILES: Final = 8
"""A listener takes at most one in so many of the files the process may open: there are three, and what the bot itself
opens must have room beside a backlog that was just accepted."""


@dataclass(frozen=True, slots=True)
class ListenerLimits:
    """What one listener grants.

    Attributes:
        connections: Most connections at once; fewer where the process may open few files.
        header_s: Time from connecting to the end of the first headers.
        body_s: Time from the end of the headers to the end of the body.
        reply_s: Time for a reply to be taken and the next headers to come.
    """

    connections: int = 128
    header_s: float = 10.0
    body_s: float = 10.0
    reply_s: float = 30.0


LIMITS: Final = ListenerLimits()
"""Any proxy and Telegram itself send a request in well under a second; a monitor comes back within reply_s or anew."""


@asynccontextmanager
async def listening(
    app: web.Application, host: str, port: int, *, setting: str, limits: ListenerLimits = LIMITS
) -> AsyncIterator[int]:
    """Serve an application while the block runs and give the port, chosen by the system if ``port`` is 0.

    Args:
        app: What is served; a middleware is put before its own.
        host: Address to bind.
        port: Port to bind.
        setting: What the names of the two settings begin with, "HEALTH" for HEALTH_HOST and HEALTH_PORT.
        limits: What strangers are granted.

    Raises:
        SettingsError: The address cannot be bound; it names the setting at fault.
    """
    guard = _Guard(setting.lower(), limits)
    app.middlewares.insert(0, guard.middleware)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=_request_log(),
        keepalive_timeout=limits.reply_s,
        lingering_time=LINGERING_S,
        shutdown_timeout=SHUTDOWN_S / 2,  # which the library waits for twice: until it cancels, and after that
    )
    await runner.setup()
    try:
        make_protocol = runner.server
        if make_protocol is None:
            raise RuntimeError("set up without a server")
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: _Connection(guard, make_protocol()), host, port, backlog=BACKLOG
            )
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that no name can be
            fault = _bind_fault(setting, host, port, error)
            raise SettingsError(fault, user_message=fault) from None
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
    finally:
        await runner.cleanup()


class _Connection(asyncio.Protocol):
    """Stands between a connection and what serves it: knows since when it waits for what, and ends it in time."""

    def __init__(self, guard: _Guard, served: asyncio.Protocol) -> None:
        self._guard = guard
        self._served = served
        self._timer: asyncio.TimerHandle | None = None
        self._request: web.Request | None = None
        self._admitted = False
        self.transport: asyncio.Transport | None = None
        self.address = ""

    @property
    def waits(self) -> bool:
        """Whether the other side is to speak next, rather than that an answer to it is in the making."""
        return self._request is None or not self._request.content.is_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self._admitted = self._guard.admit(self)
        if not self._admitted:
            self.transport.abort()
            return
        self._served.connection_made(transport)
        self._end_in(self._guard.limits.header_s)

    def handling(self, request: web.Request) -> None:
        """Note that the headers of a request are complete."""
        self._request = request
        self._end_in(self._guard.limits.body_s)

    def handled(self) -> None:
        """Note that the reply to the request is made; what is left is to send it."""
        self._request = None
        self._end_in(self._guard.limits.reply_s)

    def _end_in(self, delay_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._end_if_waiting)

    def _end_if_waiting(self) -> None:
        if self.waits:
            self.abort()

    def abort(self) -> None:
        """End the connection without a word."""
        if self.transport is not None:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._served.data_received(data)

    def eof_received(self) -> bool | None:
        return self._served.eof_received()

    def pause_writing(self) -> None:
        self._served.pause_writing()

    def resume_writing(self) -> None:
        self._served.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._guard.release(self)
        if self._admitted:
            self._served.connection_lost(exc)


class _Guard:
    """Keeps the connections of one listener, few enough, and tells what each is at."""

    def __init__(self, name: str, limits: ListenerLimits) -> None:
        self._name = name
        self.limits = limits
        self._most = min(limits.connections, _files_allowed() // SHARE_OF_FILES)
        self._open: dict[asyncio.BaseTransport | None, _Connection] = {}
        self._throttle = LogThrottle()

    def admit(self, connection: _Connection) -> bool:
        """Take a new connection in, in the place of another if need be; tell whether it is."""
        if len(self._open) >= self._most:
            if (untold := self._throttle.admit()) is not None:
                crowded = "event=listener_crowded listener=%s connections=%d closed_before=%d"
                log.warning(crowded, self._name, self._most, untold)
            if (loser := self._least_missed()) is None:
                return False
            del self._open[loser.transport]
            loser.abort()
        self._open[connection.transport] = connection
        return True

    def release(self, connection: _Connection) -> None:
        """Forget a connection that ended."""
        self._open.pop(connection.transport, None)

    def _least_missed(self) -> _Connection | None:
        """Find whom to close: of those that wait, the first of the address that holds most; None if nobody waits."""
        waiting = [connection for connection in self._open.values() if connection.waits]
        held = Counter(connection.address for connection in waiting)
        return max(waiting, key=lambda connection: held[connection.address], default=None)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Follow a request; one whose sender went away, or whose body is none, is no error of ours."""
        connection = self._open.get(request.transport)
        if connection is None:  # closed between the last byte and this turn
            raise web.HTTPServiceUnavailable
        connection.handling(request)
        try:
            return await handler(request)
        except (ConnectionError, *NO_HTTP) as error:
            log.debug("event=listener_body_torn listener=%s error=%s", self._name, type(error).__name__)
            raise web.HTTPBadRequest from None
        finally:
            connection.handled()


NO_HTTP: Final = (HttpProcessingError, web.RequestPayloadError)
"""What the library raises of a request, or of a body, that is none."""


def _request_log() -> logging.Logger:
    """The library's own logger, but without a traceback of each request that is no HTTP."""
    quiet = logging.getLogger(f"{__name__}.requests")
    quiet.addFilter(_is_ours)  # added once, however often
    return quiet


def _is_ours(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, NO_HTTP)


def _files_allowed() -> int:
    """How many files this process may have open at once."""
    try:
        import resource
    except ImportError:  # Windows, which counts no sockets among the files
        return sys.maxsize
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if allowed == resource.RLIM_INFINITY else allowed


def _bind_fault(setting: str, host: str, port: int, error: OSError | UnicodeError) -> str:
    """Say which of the two settings is at fault, and why."""
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"{setting}_PORT: {port} on {host} is in use already."
    if number in {errno.EACCES, errno.EPERM}:
        return f"{setting}_PORT: {port} on {host} may not be used by this user; above 1023 anybody may."
    # From Python 3.13 on asyncio passes over addresses that are not this machine's, and in the end gives no number.
    if isinstance(error, UnicodeError | socket.gaierror) or number in {errno.EADDRNOTAVAIL, None}:
        return f"{setting}_HOST: {host} is no address of this machine."
    return f"{setting}_HOST and {setting}_PORT: {host}:{port} cannot be bound: {error.strerror}"
