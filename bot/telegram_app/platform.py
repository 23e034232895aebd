"""The Telegram adapter as the supervisor runs it: connect, serve, finish, close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError

from bot.telegram_app.application import UPDATES, AnyApplication, InFlight, TelegramSettings, build_application
from bot.telegram_app.menu import publish_menus
from bot.telegram_app.transport import REFUSED, quieten_libraries
from bot.telegram_app.webhook import WebhookSettings, webhook
from bot.throttle import Throttle
from core.errors import PlatformError

if TYPE_CHECKING:
    from bot.health import Health
    from bot.service import SongService
    from core.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")

FINISH_S: Final = 10.0
"""Longest that a stop waits for answers in the making."""

STOP_POLLING_S: Final = 3.0
"""Longest that a stop waits for the last request for updates."""

BAD_TOKEN: Final = "Telegram does not accept TELEGRAM_TOKEN: @BotFather shows the right one under /mybots"  # noqa: S105
CONFLICT: Final = (
    "another process fetches updates with this TELEGRAM_TOKEN, and Telegram allows only one: stop it, or give this "
    "one a bot of its own (Telegram says: {said})"
)
REFUSED_SETTINGS: Final = "Telegram refuses how the bot is set up: {error}"
UNREACHABLE: Final = "Telegram cannot be reached at the moment: {error}"


class TelegramPlatform:
    """Serves one Telegram bot by long polling, or by webhook if the settings say so."""

    name = "telegram"

    def __init__(
        self,
        settings: TelegramSettings,
        service: SongService,
        *,
        throttle: Throttle,
        health: Health,
        webhook_settings: WebhookSettings | None = None,
        finish_s: float = FINISH_S,
    ) -> None:
        """Take what is needed; nothing is opened before :meth:`run`."""
        self._settings = settings
        self._service = service
        self._throttle = throttle
        self._health = health
        self._webhook = webhook_settings
        self._finish_s = finish_s

    @classmethod
    def from_settings(cls, settings: Settings, service: SongService, *, health: Health) -> TelegramPlatform:
        """Build the adapter that the settings ask for.

        Raises:
            ValueError: There is no TELEGRAM_TOKEN.
        """
        if settings.telegram_token is None:
            raise ValueError("TELEGRAM_TOKEN is not set")
        token = settings.telegram_token.get_secret_value().strip()
        return cls(
            TelegramSettings(
                token=token,
                api_url=str(settings.telegram_api_url).rstrip("/"),
                admin_ids=settings.telegram_admin_ids,
                animated=settings.telegram_animated,
            ),
            service,
            throttle=Throttle.from_settings(settings, name=cls.name, heard_by_all=True),
            health=health,
            webhook_settings=WebhookSettings.from_settings(settings, token),
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set; see :class:`bot.supervise.Platform`.

        Raises:
            PlatformError: The token is refused, another process polls, or Telegram cannot be reached.
            SettingsError: The webhook's port cannot be bound.
        """
        quieten_libraries()
        try:
            fault = await self._serve(stop)
        finally:
            await self._throttle.aclose()
        if fault is not None:
            # Raised here, where no exception of the library can hang on to it: theirs name the token.
            raise PlatformError(fault)

    async def _serve(self, stop: asyncio.Event) -> str | None:
        """Serve until ``stop`` is set or something ends it; tell what, in a line."""
        trouble: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        watch = _Watch(trouble)
        in_flight = InFlight()
        application = build_application(
            self._settings,
            self._service,
            self._throttle,
            in_flight,
            polling=self._webhook is None,
            on_status=watch.on_status,
            on_timeout=watch.on_error,
        )
        try:
            if await _unless(stop, application.initialize()):
                return None
            await application.start()
            async with self._updates(application, watch):
                log.info(
                    "event=telegram_serving bot=%s by=%s",
                    application.bot.username,
                    "polling" if self._webhook is None else "webhook",
                )
                menus = asyncio.create_task(publish_menus(application.bot, self._settings.admin_ids))
                try:
                    await _unless(stop, trouble)
                finally:
                    menus.cancel()
                    await asyncio.gather(menus, return_exceptions=True)
        except InvalidToken:
            return BAD_TOKEN
        except BadRequest as error:
            return REFUSED_SETTINGS.format(error=error)
        except TelegramError as error:
            return UNREACHABLE.format(error=error)
        finally:
            await self._close(application, in_flight)
        return trouble.result() if trouble.done() and not trouble.cancelled() else None

    @asynccontextmanager
    async def _updates(self, application: AnyApplication, watch: _Watch) -> AsyncIterator[None]:
        """Let updates come in while the block runs."""
        if self._webhook is not None:
            async with webhook(self._webhook, application.bot, application.update_queue.put, self._health):
                await application.bot.set_webhook(
                    self._webhook.public_url, secret_token=self._webhook.secret, allowed_updates=UPDATES
                )
                yield
            return
        updater = application.updater
        if updater is None:
            raise RuntimeError("built without an updater")
        await updater.start_polling(allowed_updates=UPDATES, error_callback=watch.on_error)
        try:
            yield
        finally:
            try:
                await asyncio.wait_for(updater.stop(), STOP_POLLING_S)
            except (TelegramError, TimeoutError) as error:
                log.debug("event=telegram_polling_stopped error=%s", type(error).__name__)

    async def _close(self, application: AnyApplication, in_flight: InFlight) -> None:
        """Finish what is in flight, at most for the time set, and close everything."""
        if application.running:
            stopping = asyncio.create_task(application.stop())
            done, _ = await asyncio.wait({stopping}, timeout=self._finish_s)
            if not done:
                in_flight.end()
            await stopping
        await application.shutdown()
        await application.bot.shutdown()


class _Watch:
    """Follows the polling: tells of outages once, and of what no waiting will mend."""

    def __init__(self, trouble: asyncio.Future[str]) -> None:
        self._trouble = trouble
        self._failing = False

    def on_error(self, error: TelegramError) -> None:
        """Judge an error of the polling; passing ones are retried by the library."""
        if isinstance(error, Conflict):
            self._end(CONFLICT.format(said=error.message))
        elif not self._failing:
            self._failing = True
            log.warning("event=telegram_polling_failing error=%s", error)

    def on_status(self, status: int) -> None:
        """Judge the HTTP status of a request for updates."""
        if status in REFUSED:
            self._end(BAD_TOKEN)
        elif status == HTTPStatus.OK and self._failing:
            self._failing = False
            log.info("event=telegram_polling_recovered")

    def _end(self, fault: str) -> None:
        if not self._trouble.done():
            self._trouble.set_result(fault)


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> bool:
    """Wait for ``work`` or for ``stop``, whichever comes first; tell whether it was ``stop``.

    Raises:
        Exception: Whatever ``work`` raised.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return False
        return True
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
