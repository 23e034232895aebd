"""Takes updates by webhook: the secret checked, health told on the same server."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web
from telegram import Bot, Update

from bot.health import HEALTH_PATH, Health, listening

if TYPE_CHECKING:
    from core.settings import Settings

log = logging.getLogger(__name__)

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

    async def receive(request: web.Request) -> web.Response:
        # Bytes, since a header may hold anything and compare_digest refuses other than ASCII text.
        given = request.headers.get(SECRET_HEADER, "").encode(errors="replace")
        if not hmac.compare_digest(given, settings.secret.encode()):
            log.warning("event=telegram_webhook_refused remote=%s", request.remote)
            raise web.HTTPForbidden
        try:
            update = Update.de_json(json.loads(await request.read()), bot)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            log.warning("event=telegram_update_garbled error=%s", type(error).__name__)
            raise web.HTTPBadRequest from None
        await take(update)
        return web.Response()

    def add_routes(router: web.UrlDispatcher) -> None:
        router.add_post(settings.path, receive)
        router.add_get(HEALTH_PATH, health.healthz)

    async with listening(settings.host, settings.port, add_routes, setting="TELEGRAM_WEBHOOK") as port:
        yield port
