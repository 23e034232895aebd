"""Puts the library's application together: how it speaks, what it handles, and what becomes of errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from telegram import LinkPreviewOptions, Update
from telegram.constants import ParseMode
from telegram.error import TelegramError
from telegram.ext import Application, ApplicationBuilder, BaseUpdateProcessor, Defaults

from bot.telegram_app.asking import Asking, Context
from bot.telegram_app.buttons import Buttons
from bot.telegram_app.callback_data import ButtonSigner
from bot.telegram_app.delivery import Delivery
from bot.telegram_app.faults import is_everyday, is_trouble_of_the_network
from bot.telegram_app.inline import InlineMode
from bot.telegram_app.keyboards import Keyboards
from bot.telegram_app.places import place_beside
from bot.telegram_app.sent_cards import SentCards
from bot.telegram_app.transport import MessageRateLimiter, PollingRequest, SteadyRequest
from bot.throttle import Throttle

if TYPE_CHECKING:
    from bot.service import SongService

log = logging.getLogger(__name__)

CONCURRENT_UPDATES: Final = 256
"""Updates handled at once, as many as the library's own default; further ones wait their turn."""

UPDATES: Final = (
    Update.MESSAGE,
    Update.EDITED_MESSAGE,
    Update.CALLBACK_QUERY,
    Update.INLINE_QUERY,
    Update.CHOSEN_INLINE_RESULT,
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
        """Handle one update; see :meth:`telegram.ext.BaseUpdateProcessor.do_process_update`."""
        task = asyncio.ensure_future(coroutine)
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
    throttle: Throttle,
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
        throttle: Limits people and chats.
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
        .request(SteadyRequest())
        .get_updates_request(PollingRequest(on_status=on_status, on_timeout=on_timeout))
        .rate_limiter(MessageRateLimiter())
        .concurrent_updates(in_flight)
        .defaults(Defaults(parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True)))
        .job_queue(None)
    )
    application = builder.build() if polling else builder.updater(None).build()
    signer = ButtonSigner(settings.token)
    keyboards = Keyboards(signer)
    delivery = Delivery(keyboards, SentCards(), animated=settings.animated)
    inline = InlineMode(service, delivery, throttle, keyboards)
    asking = Asking(service, delivery, throttle, signer=signer, admin_ids=settings.admin_ids)
    buttons = Buttons(service, delivery, throttle, signer=signer, inline=inline)
    for part in (asking, buttons, inline):
        application.add_handlers(part.handlers())
    application.add_error_handler(_error_handler(service, delivery))
    return application


def _error_handler(service: SongService, delivery: Delivery) -> Callable[[object, Context], Coroutine[Any, Any, None]]:
    async def handle(update: object, context: Context) -> None:
        """Log everyday refusals in a line; tell the user of anything else, under a short id."""
        error = context.error
        if error is None or is_everyday(error):
            level = logging.WARNING if is_trouble_of_the_network(error) else logging.INFO
            log.log(level, "event=telegram_undelivered reason=%s error=%s", type(error).__name__, error)
            return
        reply = service.fault("telegram", error if isinstance(error, Exception) else RuntimeError(repr(error)))
        message = update.effective_message if isinstance(update, Update) else None
        if message is None:
            return
        try:
            await delivery.deliver(context.bot, place_beside(message), reply)
        except Exception as failed:  # noqa: BLE001 - the library would swallow it, and the first fault is logged
            log.warning("event=telegram_undelivered reason=%s error=%s", type(failed).__name__, failed)

    return handle
