"""The wire to Telegram: what its refusals mean, passing faults tried again, and updates by webhook."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx
from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.ext import AIORateLimiter
from telegram.request import BaseRequest, HTTPXRequest, RequestData

from bot.listener import listening
from bot.monitoring import HEALTH_PATH, Health
from core.log import LogThrottle

if TYPE_CHECKING:
    from core.settings import Settings

log = logging.getLogger(__name__)


_NOT_MODIFIED: Final = re.compile("message is not modified", re.IGNORECASE)
_CANNOT_EDIT: Final = re.compile(
    "message to edit not found|message can't be edited|there is no (text|media|caption) in the message"
    "|MESSAGE_ID_INVALID|message to be replied not found",
    re.IGNORECASE,
)
_UNKNOWN_FILE: Final = re.compile(r"wrong (remote )?file|wrong.*file.?(id|reference)|FILE_REFERENCE_\w+", re.IGNORECASE)
_NO_PICTURES: Final = re.compile(
    "not enough rights to send (photos|animations|gifs)|CHAT_SEND_(MEDIA|PHOTOS|GIFS)_FORBIDDEN", re.IGNORECASE
)
_NOBODY_READS: Final = re.compile(
    "topic_closed|topic_deleted|message thread not found|chat not found|have no rights to send"
    "|not enough rights to send text|CHAT_WRITE_FORBIDDEN|CHAT_SEND_PLAIN_FORBIDDEN|CHAT_RESTRICTED"
    "|message to delete not found|message can't be deleted|query is too old|query_id_invalid|query ID is invalid"
    "|user is deactivated|PEER_ID_INVALID|group chat was upgraded",
    re.IGNORECASE,
)
"""Texts of Telegram's answers, which come without codes (td/telegram/MessagesManager and the Bot API server)."""


def is_unchanged(error: TelegramError) -> bool:
    """The message already says exactly this."""
    return isinstance(error, BadRequest) and _NOT_MODIFIED.search(error.message) is not None


def is_beyond_editing(error: TelegramError) -> bool:
    """The message was deleted, is too old or is of another kind."""
    return isinstance(error, BadRequest) and _CANNOT_EDIT.search(error.message) is not None


def is_unknown_file(error: TelegramError) -> bool:
    """Telegram no longer takes a file id."""
    return isinstance(error, BadRequest) and _UNKNOWN_FILE.search(error.message) is not None


def forbids_pictures(error: TelegramError) -> bool:
    """The chat lets the bot write, but not send pictures."""
    return isinstance(error, BadRequest) and _NO_PICTURES.search(error.message) is not None


def is_expected_error(error: BaseException) -> bool:
    """Nobody is there to read the answer, or the network failed: one line in the log is enough."""
    if isinstance(error, BadRequest):
        told = (_NOT_MODIFIED, _CANNOT_EDIT, _NO_PICTURES, _NOBODY_READS)
        return any(pattern.search(error.message) for pattern in told)
    return isinstance(error, Forbidden | NetworkError | RetryAfter | ChatMigrated)


def is_network_error(error: BaseException | None) -> bool:
    """An answer was lost on the way, rather than that nobody would read it."""
    return isinstance(error, NetworkError | RetryAfter) and not isinstance(error, BadRequest)


PAUSES_S: Final = (0.5, 1.0, 2.0, 4.0)
"""Pauses before a second attempt and the next ones; with three attempts steady traffic with faults lost an answer."""

PASSING: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers of a gateway whose server did not get the request. A time-out is none: the message may have been sent."""

REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND})
"""What Telegram answers to a token it does not know, or not any longer."""

FLOOD_RETRIES: Final = 5
"""How often a request is sent again after the wait that a 429 asks for."""

UNCOUNTED: Final = frozenset({"sendChatAction", "answerCallbackQuery", "answerInlineQuery", "answerGuestQuery"})
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


CONCURRENT_UPDATES: Final = 256
"""Updates handled at once, as many as the library's own default; further ones wait their turn."""

READ_S: Final = 20.0
"""Longest that Telegram may take to answer a request."""

POOL_S: Final = 60.0
"""Longest wait for a connection, of which there is one for each update that is handled."""

UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Faults at which nothing can have reached Telegram."""


class RetryingRequest(HTTPXRequest):
    """Sends a request again when it surely was not taken: no connection, or a gateway without its server."""

    def __init__(self, *, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        """Open nothing yet.

        Args:
            pauses_s: Pauses between the attempts, one fewer than these.
        """
        super().__init__(connection_pool_size=CONCURRENT_UPDATES, pool_timeout=POOL_S, read_timeout=READ_S)
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
                if not isinstance(error.__cause__, UNSENT):
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
        super().__init__(connection_pool_size=1, pool_timeout=10.0, read_timeout=READ_S)
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
        return code, readable_updates(payload) if code == HTTPStatus.OK else payload


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
        if endpoint in UNCOUNTED:
            return await callback(*args, **kwargs)
        return await super().process_request(callback, args, kwargs, endpoint, data, rate_limit_args)


SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name
"""Header in which Telegram sends back the secret (https://core.telegram.org/bots/api#setwebhook)."""

DEFAULT_PATH: Final = "/telegram"
"""Path listened on when the public address has none."""


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where updates come in: the public address, and the host and port this process listens on behind it."""

    url: str
    secret: str
    host: str
    port: int

    @classmethod
    def from_settings(cls, settings: Settings, bot_token: str) -> WebhookSettings | None:
        """Take the webhook's settings; None for long polling. Without a secret one is made from the bot's token."""
        if settings.telegram_webhook_url is None:
            return None
        made = blake2b(bot_token.encode(), digest_size=32, person=b"hitmeter-webhook").hexdigest()
        given = settings.telegram_webhook_secret
        return cls(
            str(settings.telegram_webhook_url),
            made if given is None else given.get_secret_value(),
            settings.telegram_webhook_host,
            settings.telegram_webhook_port,
        )

    @property
    def path(self) -> str:
        """The path of the public address."""
        path = urlsplit(self.url).path
        return path if path not in {"", "/"} else DEFAULT_PATH

    @property
    def public_url(self) -> str:
        """The address told to Telegram."""
        return urlsplit(self.url)._replace(path=self.path).geturl()


def read_update(body: bytes, bot: Bot) -> Update | None:
    """Read an update as Telegram sends it; None, and a line in the log, if the library can make nothing of it."""
    try:
        raw = json.loads(body)
        update = Update.de_json(raw, bot) if isinstance(raw, dict) else None
    except Exception as error:  # noqa: BLE001 - whatever the library stumbles over, RecursionError among it
        _log_garbled(error)
        return None
    if update is None or not isinstance(update.update_id, int):
        _log_garbled(TypeError())
        return None
    return update


def readable_updates(payload: bytes) -> bytes:
    """Empty those updates of an answer to getUpdates that the library cannot read.

    One of them would make it leave all aside and ask for the same again at once, for ever. What is left of one is its
    number, by which it counts as received.

    Raises:
        NetworkError: The answer can be read by nobody.
    """
    try:
        answer = json.loads(payload)
    except ValueError:
        return payload  # the library says so itself, and asks again
    except RecursionError as error:
        raise NetworkError(f"unreadable updates: {type(error).__name__}") from None
    updates = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(updates, list):
        return payload
    garbled = False
    for place, raw in enumerate(updates):
        try:
            Update.de_json(raw, None)
        except Exception as error:  # noqa: BLE001 - as above
            _log_garbled(error)
            garbled = True
            updates[place] = {"update_id": raw["update_id"]} if isinstance(raw, dict) and "update_id" in raw else None
    if not garbled:
        return payload
    return json.dumps({**answer, "result": [raw for raw in updates if raw is not None]}).encode()


def _log_garbled(error: Exception) -> None:
    log.warning("event=telegram_update_garbled error=%s", type(error).__name__)


@asynccontextmanager
async def webhook(
    settings: WebhookSettings, bot: Bot, take: Callable[[Update], Awaitable[None]], health: Health
) -> AsyncIterator[int]:
    """Listen for updates while the block runs and give the port.

    The caller tells Telegram the address; it is not withdrawn at the end, so updates wait there for the next start or
    go to another process behind the same address.

    Raises:
        SettingsError: The address cannot be bound; it names the setting at fault.
    """
    refusals = LogThrottle()

    async def receive(request: web.Request) -> web.Response:
        # Bytes, since a header may hold anything and compare_digest refuses other than ASCII text.
        given = request.headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(given, settings.secret.encode()):
            if (untold := refusals.admit()) is not None:
                log.warning("event=telegram_webhook_refused remote=%s refused_before=%d", request.remote, untold)
            raise web.HTTPForbidden
        update = read_update(await request.read(), bot)
        if update is not None:
            await take(update)
        # Whatever else is answered, Telegram sends the same again and again and holds back what comes after it.
        return web.Response()

    app = web.Application()
    app.router.add_post(settings.path, receive)
    app.router.add_get(HEALTH_PATH, health.healthz)
    async with listening(app, settings.host, settings.port, setting="TELEGRAM_WEBHOOK") as port:
        yield port
