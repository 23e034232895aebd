"""The Telegram adapter as the supervisor runs it: put together, connect, serve, finish, close."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from itertools import product
from typing import TYPE_CHECKING, Any, Final, TypeVar

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeChat,
    BotCommandScopeDefault,
    LinkPreviewOptions,
    Update,
)
from telegram.constants import ParseMode
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, TelegramError
from telegram.ext import Application, ApplicationBuilder, BaseUpdateProcessor, Defaults

from bot.messages import Surface, commands_on
from bot.rate_limits import RateLimiter
from bot.runtime import OnServing, ignore_serving
from bot.telegram_bot.buttons import Buttons
from bot.telegram_bot.handlers import Context, MessageHandlers
from bot.telegram_bot.inline import InlineMode
from bot.telegram_bot.keyboards import ButtonSigner, Keyboards
from bot.telegram_bot.sender import FileIdCache, MessageSender, reply_target
from bot.telegram_bot.transport import (
    CONCURRENT_UPDATES,
    REFUSED,
    MessageRateLimiter,
    PollingRequest,
    RetryingRequest,
    WebhookSettings,
    is_expected_error,
    is_network_error,
    quieten_libraries,
    webhook,
)
from core.errors import PlatformError
from core.language import ENGLISH, LANGUAGES, closest, speaking

if TYPE_CHECKING:
    from bot.monitoring import Health
    from bot.service import SongService
    from core.settings import Settings

log = logging.getLogger(__name__)


def menu(language: str, *, administrators: bool) -> tuple[BotCommand, ...]:
    """Write a menu in a language."""
    with speaking(language):
        listed = commands_on(Surface.TELEGRAM, administrators=administrators)
        return tuple(BotCommand(one.name, one.menu) for one in listed)


async def publish_menus(bot: Bot, admin_ids: Collection[int]) -> None:
    """Set the menus that differ from what Telegram has; a menu that cannot be set is left for the next start.

    The English one is for everybody of a language that is not spoken here.
    """
    scopes: list[tuple[BotCommandScope, bool]] = [(BotCommandScopeDefault(), False)]
    scopes += [(BotCommandScopeChat(admin_id), True) for admin_id in admin_ids]
    for (scope, administrators), language in product(scopes, LANGUAGES):
        commands = menu(language, administrators=administrators)
        code = None if language == ENGLISH else language.partition("_")[0]
        try:
            if await bot.get_my_commands(scope, code) != commands:
                await bot.set_my_commands(commands, scope, code)
                log.info("event=telegram_menu_set scope=%s language=%s", scope.type, language)
        except (BadRequest, Forbidden) as error:
            # An administrator's menu needs a chat with the bot: it comes with the first start after that.
            log.info("event=telegram_menu_refused scope=%s error=%s", scope.type, error)
        except TelegramError as error:
            log.warning("event=telegram_menu_failed scope=%s error=%s", scope.type, error)


UPDATES: Final = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.INLINE_QUERY,
    Update.CHOSEN_INLINE_RESULT,
    Update.GUEST_MESSAGE,
)
"""Kinds of updates asked for; posts in channels are not among them."""

AnyApplication = Application[Any, Any, Any, Any, Any, Any]


class InFlight(BaseUpdateProcessor):
    """Handles updates side by side and knows which are being handled, so that a stop can end them."""

    def __init__(self) -> None:
        """Handle nothing yet."""
        super().__init__(CONCURRENT_UPDATES)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._ended = False

    async def do_process_update(self, update: object, coroutine: Awaitable[Any]) -> None:
        """Handle one update in its sender's language; see :class:`telegram.ext.BaseUpdateProcessor`."""
        person = update.effective_user if isinstance(update, Update) else None
        with speaking(closest(None if person is None else person.language_code)):
            task = asyncio.ensure_future(coroutine)  # takes the language with it
        self._tasks.add(task)
        if self._ended:
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            if not task.cancelled() or not self._ended:
                raise
            log.warning("event=telegram_update_abandoned")
        finally:
            self._tasks.discard(task)

    def end(self) -> None:
        """Cancel what is being handled and whatever still waits for its turn."""
        self._ended = True
        for task in self._tasks:
            task.cancel()

    async def initialize(self) -> None:
        """Open nothing."""

    async def shutdown(self) -> None:
        """Close nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """What the application needs to know.

    Attributes:
        token: The bot's token.
        api_url: Where the Bot API answers, without a slash at the end.
        admin_ids: Who may use the commands of administrators.
        animated: Whether cards move.
    """

    token: str
    api_url: str
    admin_ids: tuple[int, ...]
    animated: bool


def build_application(
    settings: TelegramSettings,
    service: SongService,
    rate_limiter: RateLimiter,
    in_flight: InFlight,
    *,
    polling: bool,
    on_status: Callable[[int], None],
    on_timeout: Callable[[TelegramError], None],
) -> AnyApplication:
    """Build the application; nothing is sent yet.

    Args:
        settings: What it needs to know.
        service: Answers.
        rate_limiter: Limits people and chats.
        in_flight: Runs the handlers.
        polling: Whether the application fetches updates itself.
        on_status: Told the HTTP status of every request for updates.
        on_timeout: Told when such a request has no answer in time.
    """
    builder = (
        ApplicationBuilder()
        .token(settings.token)
        .base_url(f"{settings.api_url}/bot")
        .base_file_url(f"{settings.api_url}/file/bot")
        .request(RetryingRequest())
        .get_updates_request(PollingRequest(on_status=on_status, on_timeout=on_timeout))
        .rate_limiter(MessageRateLimiter())
        .concurrent_updates(in_flight)
        .defaults(Defaults(parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)))
        .job_queue(None)
    )
    application = builder.build() if polling else builder.updater(None).build()
    signer = ButtonSigner(settings.token)
    keyboards = Keyboards(signer)
    sender = MessageSender(keyboards, FileIdCache(), animated=settings.animated)
    inline = InlineMode(service, sender, rate_limiter, keyboards)
    message_handlers = MessageHandlers(service, sender, rate_limiter, signer=signer, admin_ids=settings.admin_ids)
    buttons = Buttons(service, sender, rate_limiter, signer=signer, inline=inline)
    for part in (message_handlers, buttons, inline):
        application.add_handlers(part.handlers())
    application.add_error_handler(_error_handler(service, sender))
    return application


def _error_handler(
    service: SongService, sender: MessageSender
) -> Callable[[object, Context], Coroutine[Any, Any, None]]:
    async def handle(update: object, context: Context) -> None:
        """Log expected errors in a line; tell the user of anything else, under a short id."""
        error = context.error
        if error is None or is_expected_error(error):
            level = logging.WARNING if is_network_error(error) else logging.INFO
            log.log(level, "event=telegram_undelivered reason=%s error=%s", type(error).__name__, error)
            return
        reply = service.fault("telegram", error if isinstance(error, Exception) else RuntimeError(repr(error)))
        message = update.effective_message if isinstance(update, Update) else None
        if message is None:
            return
        try:
            await sender.deliver(context.bot, reply_target(message), reply)
        except Exception as failed:  # noqa: BLE001 - the library would swallow it, and the first fault is logged
            log.warning("event=telegram_undelivered reason=%s error=%s", type(failed).__name__, failed)

    return handle


T = TypeVar("T")

FINISH_S: Final = 6.0
"""Longest that a stop waits for answers in the making; whoever has none by then is told of the restart.

Docker kills 10 s after SIGTERM, and where Telegram is quick all are told by then.
"""

DELIVER_S: Final = 22.0
"""Longest that a stop waits then for what is being sent; more than Telegram may take, and with FINISH_S below the 30 s
after which most platforms kill."""

STOP_POLLING_S: Final = 3.0
"""Longest that a stop waits for the polling to end while Telegram cannot be reached."""

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
        rate_limiter: RateLimiter,
        health: Health,
        webhook_settings: WebhookSettings | None = None,
        finish_s: float = FINISH_S,
        deliver_s: float = DELIVER_S,
    ) -> None:
        """Take what is needed; nothing is opened before :meth:`run`."""
        self._settings = settings
        self._service = service
        self._rate_limiter = rate_limiter
        self._health = health
        self._webhook = webhook_settings
        self._finish_s = finish_s
        self._deliver_s = deliver_s
        self._bot: Bot | None = None

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
            rate_limiter=RateLimiter.from_settings(settings, name=cls.name, notify_once_per_chat=True),
            health=health,
            webhook_settings=WebhookSettings.from_settings(settings, token),
        )

    async def run(self, stop: asyncio.Event, on_serving: OnServing = ignore_serving) -> None:
        """Serve until ``stop`` is set; see :class:`bot.runtime.Platform`.

        Raises:
            PlatformError: The token is refused, another process polls, or Telegram cannot be reached.
            SettingsError: The webhook's port cannot be bound.
        """
        quieten_libraries()
        try:
            fault = await self._serve(stop, on_serving)
        finally:
            await self._rate_limiter.aclose()
        if fault is not None:
            # Raised here, where no exception of the library can hang on to it: theirs name the token.
            raise PlatformError(fault)

    async def tell_administrators(self, sentence: str) -> None:
        """Write to each of TELEGRAM_ADMIN_IDS; see :class:`bot.runtime.Platform`."""
        if self._bot is None:
            return
        for admin_id in self._settings.admin_ids:
            try:
                await self._bot.send_message(admin_id, escape(sentence, quote=False))
            except TelegramError as error:
                # Somebody who never wrote to the bot cannot be written to.
                log.info("event=telegram_administrator_untold reason=%s error=%s", type(error).__name__, error)

    async def _serve(self, stop: asyncio.Event, on_serving: OnServing) -> str | None:
        """Serve until ``stop`` is set or something ends it; tell what, in a line."""
        trouble: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        watch = _Watch(trouble, on_serving)
        in_flight = InFlight()
        application = build_application(
            self._settings,
            self._service,
            self._rate_limiter,
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
                on_serving(True)
                self._bot = application.bot
                menus = asyncio.create_task(publish_menus(application.bot, self._settings.admin_ids))
                try:
                    await _unless(stop, trouble)
                finally:
                    self._bot = None
                    menus.cancel()
                    await asyncio.gather(menus, return_exceptions=True)
        except InvalidToken:
            return BAD_TOKEN
        except BadRequest as error:
            return REFUSED_SETTINGS.format(error=error)
        except TelegramError as error:
            return UNREACHABLE.format(error=error)
        finally:
            await self._close(application, in_flight, watch, stopping=stop.is_set())
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
        yield

    async def _close(self, application: AnyApplication, in_flight: InFlight, watch: _Watch, *, stopping: bool) -> None:
        """Take no more updates, finish or explain what is in flight, at most for the time set, and close everything."""
        # Beside the answers, since a slow Telegram is slow to take note of what was received, too.
        polling = asyncio.create_task(self._stop_polling(application, watch))
        await asyncio.sleep(0)  # its first step: from here on no update comes in
        if application.running:
            finishing = asyncio.create_task(application.stop())
            done, _ = await asyncio.wait({finishing}, timeout=self._finish_s)
            if not done and stopping:
                self._service.stop()
            if not done:
                done, _ = await asyncio.wait({finishing}, timeout=self._deliver_s)
            if not done:
                in_flight.end()
            await finishing
        await polling
        await application.shutdown()
        await application.bot.shutdown()

    async def _stop_polling(self, application: AnyApplication, watch: _Watch) -> None:
        """End the polling; the library then tells Telegram what was received, lest it comes again at the next start."""
        updater = application.updater
        if updater is None or not updater.running:
            return
        patience_s = STOP_POLLING_S if watch.failing else self._finish_s + self._deliver_s
        try:
            await asyncio.wait_for(updater.stop(), patience_s)
        except (TelegramError, TimeoutError) as error:
            log.debug("event=telegram_polling_stopped error=%s", type(error).__name__)


class _Watch:
    """Follows the polling: tells of outages once, and of what no waiting will fix."""

    def __init__(self, trouble: asyncio.Future[str], on_serving: OnServing) -> None:
        self._trouble = trouble
        self._on_serving = on_serving
        self.failing = False

    def on_error(self, error: TelegramError) -> None:
        """Judge an error of the polling; passing ones are retried by the library."""
        if isinstance(error, Conflict):
            self._end(CONFLICT.format(said=error.message))
        elif not self.failing:
            self.failing = True
            self._on_serving(False)
            log.warning("event=telegram_polling_failing error=%s", error)

    def on_status(self, status: int) -> None:
        """Judge the HTTP status of a request for updates."""
        if status in REFUSED:
            self._end(BAD_TOKEN)
        elif status == HTTPStatus.OK and self.failing:
            self.failing = False
            self._on_serving(True)
            log.info("event=telegram_polling_recovered")

    def _end(self, fault: str) -> None:
        if not self._trouble.done():
            self._trouble.set_result(fault)


async def _unless(stop: asyncio.Event, work: Awaitable[T]) -> bool:
    """Wait for ``work`` or for ``stop``, whichever comes first; return whether it was ``stop``.

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
