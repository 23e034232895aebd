"""The wire to Telegram: passing faults are tried again, and the library keeps to itself what nobody should read."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

import httpx
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.ext import AIORateLimiter
from telegram.request import BaseRequest, HTTPXRequest, RequestData

PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Pauses before a second attempt and the next ones; with three attempts steady traffic with faults lost an answer."""

PASSING: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers of a gateway whose server did not get the request. A time-out is none: the message may have been sent."""

REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND})
"""What Telegram answers to a token it does not know, or not any longer."""

FLOOD_RETRIES: Final = 5
"""How often a request is sent again after the wait that a 429 asks for."""

UNSUNG: Final = frozenset({"sendChatAction", "answerCallbackQuery", "answerInlineQuery"})
"""Requests that Telegram does not count among a chat's messages."""


def quieten_libraries() -> None:
    """Keep the libraries from logging by themselves: addresses hold the token, parameters hold people's messages.

    What matters of it is logged by this package in lines of its own.
    """
    # Otherwise python-telegram-bot 22 warns of a coming change of type at every 429.
    os.environ.setdefault("PTB_TIMEDELTA", "true")
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL)
    logging.getLogger("telegram.ext").setLevel(logging.CRITICAL)


class SteadyRequest(HTTPXRequest):
    """Sends a request again when it surely was not taken: no connection, or a gateway without its server."""

    def __init__(self, *, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        """Open nothing yet.

        Args:
            pauses_s: Pauses between the attempts, one fewer than these.
        """
        super().__init__(connection_pool_size=64, pool_timeout=10.0, read_timeout=20.0)
        self._pauses_s = pauses_s

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Send a request; see :meth:`telegram.request.BaseRequest.do_request`."""
        timeouts = (read_timeout, write_timeout, connect_timeout, pool_timeout)
        for pause_s in self._pauses_s:
            try:
                code, payload = await super().do_request(url, method, request_data, *timeouts)
            except NetworkError as error:
                if not isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout):
                    raise
            else:
                if code not in PASSING:
                    return code, payload
            await asyncio.sleep(pause_s)
        return await super().do_request(url, method, request_data, *timeouts)


class PollingRequest(HTTPXRequest):
    """Asks for updates and tells how that went: the library retries for ever and says little."""

    def __init__(self, *, on_status: Callable[[int], None], on_timeout: Callable[[TelegramError], None]) -> None:
        """Open nothing yet; ``on_status`` is told the HTTP status of every answer, ``on_timeout`` of none in time."""
        super().__init__(connection_pool_size=1, pool_timeout=10.0)
        self._on_status = on_status
        self._on_timeout = on_timeout

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Send a request; see :meth:`telegram.request.BaseRequest.do_request`."""
        try:
            code, payload = await super().do_request(*args, **kwargs)
        except TimedOut as error:
            self._on_timeout(error)
            raise
        self._on_status(code)
        return code, payload


class MessageRateLimiter(AIORateLimiter):
    """Holds messages back as Telegram wants it, and nothing that Telegram does not count."""

    def __init__(self) -> None:
        """Set Telegram's own limits."""
        super().__init__(max_retries=FLOOD_RETRIES)

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Any]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: int | None,
    ) -> Any:
        """Send a request in its turn; see :meth:`telegram.ext.BaseRateLimiter.process_request`."""
        if endpoint in UNSUNG:
            return await callback(*args, **kwargs)
        return await super().process_request(callback, args, kwargs, endpoint, data, rate_limit_args)
