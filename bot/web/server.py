"""Serves the page beside the chat platforms: where, to whom, and with which headers."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot import messages
from bot.listener import listening
from bot.monitoring import HEALTH_PATH, Health
from bot.rate_limits import Limit, RateLimiter
from bot.service import SongService
from bot.signing import Signer, stored_key
from bot.web.handlers import PageHandlers
from bot.web.links import Site, SongLinks, is_loopback, listening_address
from bot.web.pages import Pages
from core.errors import SettingsError
from core.language import ENGLISH, closest, load, say, speaking

if TYPE_CHECKING:
    from core.settings import Settings

log = logging.getLogger(__name__)

NAME: Final = "web"
"""What metrics and limits call the page."""

KEY_FILE: Final = "page.key"
"""File in ``DATA_DIR`` with the key that signs links, so that they are good after a restart."""

PORTS_TRIED: Final = 20
"""So many ports are looked at from the one that is set."""

SUGGESTIONS_PER_QUESTION: Final = 30
"""Suggestions granted for each question of the limit: one is asked for at every pause in typing."""

PORT_MAX: Final = 65_535

LANGUAGES_READ: Final = 20
"""So many languages of a browser's list are looked at."""

BODY_MAX_BYTES: Final = 1_024
"""Largest body read; nothing here takes one."""

HEADERS: Final = {
    # Scripts and styles only from our own files, pictures too, and no way to make markup of text.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with everything, unless an answer says otherwise."""

_FOR_THE_PAGE_ALONE: Final = ("/api/", "/cover/", "/picture/")
"""What other sites may not have a visitor's browser ask for: it would spend the visitor's questions."""

_ELSEWHERE: Final = frozenset({"cross-site", "same-site"})
"""What browsers call requests that another site makes (https://www.w3.org/TR/fetch-metadata/)."""


@asynccontextmanager
async def page_server(
    settings: Settings, service: SongService, health: Health, say: Callable[[str], None]
) -> AsyncIterator[str | None]:
    """Serve the page while the block runs, if the settings want it, and give its address; None if there is no page.

    Args:
        settings: Whether, where and how.
        service: Answers the page alone; whatever has no answer when the block ends is told of the restart.
        health: Answers at /healthz.
        say: Told, a sentence each, where the page is, or why it is not where it was wanted.

    Raises:
        SettingsError: ``WEB=on``, and the address cannot be bound; it names the setting at fault.
    """
    async with AsyncExitStack() as opened:
        yield await _open(settings, service, health, say, opened)


async def _open(
    settings: Settings, service: SongService, health: Health, say: Callable[[str], None], opened: AsyncExitStack
) -> str | None:
    if not _wanted(settings, say):
        return None
    host = settings.web_host
    port = await asyncio.to_thread(_free_port, host, settings.web_port, _spoken_for(settings))
    if port is None:
        say(messages.WEB_NO_PORT.format(port=settings.web_port))
        return None
    if settings.web_url is not None or not is_loopback(host):
        await asyncio.to_thread(load)  # a language takes a tenth of a second when it is first spoken
    questions = RateLimiter.from_settings(settings, name=NAME)
    opened.push_async_callback(questions.aclose)
    app = await asyncio.to_thread(page_app, settings, service, health, questions)
    try:
        bound = await opened.enter_async_context(listening(app, host, port, setting="WEB"))
    except SettingsError as error:
        if settings.web:
            raise
        # Nobody asked for it in so many words, so what was asked for goes on without.
        say(messages.WEB_NOT_SERVED.format(reason=error.user_message))
        return None
    opened.callback(service.stop)  # first of all at the end: who still waits is told of it before the connections close
    if port != settings.web_port:
        say(messages.WEB_MOVED.format(port=settings.web_port, free=port))
    address = listening_address(host, bound)
    log.info("event=page_served address=%s", address)
    say(messages.WEB_SERVED.format(url=address))
    return address


def page_app(settings: Settings, service: SongService, health: Health, questions: RateLimiter) -> web.Application:
    """Build what is served; reads the page's files and the key of its links, and so blocks for a moment."""
    site = Site.from_settings(settings)
    handlers = PageHandlers(
        service,
        site=site,
        links=SongLinks(Signer(stored_key(settings.data_dir / KEY_FILE))),
        pages=Pages.load(),
        questions=questions,
        suggestions=RateLimiter(
            user=Limit(SUGGESTIONS_PER_QUESTION * settings.user_limit_count, settings.user_limit_window_s),
            chat=Limit(0, settings.chat_limit_window_s),
        ),
    )
    app = web.Application(middlewares=[_guard(site, service)], client_max_size=BODY_MAX_BYTES)
    app.on_response_prepare.append(_add_headers)
    app.router.add_get(HEALTH_PATH, health.healthz)
    handlers.add_routes(app.router)
    app.on_cleanup.append(handlers.aclose)
    return app


def _guard(site: Site, service: SongService) -> Middleware:
    """Make what stands before every request: who may ask, and a sentence for whatever goes wrong."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        with speaking(preferred(request.headers.get("Accept-Language", ""))):
            return await answered(request, handler)

    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != HEALTH_PATH and not site.welcomes(request.headers.get("Host", "")):
            return web.Response(text=say(messages.WEB_OTHER_HOST), status=HTTPStatus.MISDIRECTED_REQUEST)
        if request.headers.get("Sec-Fetch-Site") in _ELSEWHERE and request.path.startswith(_FOR_THE_PAGE_ALONE):
            return web.Response(text=say(messages.WEB_OTHER_SITE), status=HTTPStatus.FORBIDDEN)
        try:
            return await handler(request)
        except web.HTTPNotFound as error:
            if error.text == f"{error.status}: {error.reason}":  # aiohttp's own words
                error.text = say(messages.WEB_NOT_HERE)
            raise
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - logged with its traceback under the id that the visitor sees
            return web.Response(text=service.fault(NAME, error).text, status=HTTPStatus.INTERNAL_SERVER_ERROR)

    return guard


def preferred(accepted: str) -> str:
    """Return the language of ours that a browser likes best, from its Accept-Language header (RFC 9110, 12.5.4)."""
    liked: list[tuple[float, str]] = []
    for part in accepted.split(",")[:LANGUAGES_READ]:
        tag, _, quality = part.strip().partition(";")
        weight = re.fullmatch(r"\s*q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)\s*", quality) if quality else None
        if tag and (weight is not None or not quality):
            liked.append((1.0 if weight is None else float(weight[1]), tag.strip()))
    # One that is not ours comes out as English too, and is passed over for the next.
    ranked = [tag for weight, tag in sorted(liked, key=lambda one: -one[0]) if weight > 0]
    return next((closest(tag) for tag in ranked if closest(tag) != ENGLISH or is_english(tag)), ENGLISH)


def is_english(tag: str) -> bool:
    """Return whether a tag asks for English in so many words."""
    return tag.casefold().partition("-")[0] == ENGLISH


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = NAME  # rather than which versions serve it


def _wanted(settings: Settings, say: Callable[[str], None]) -> bool:
    """Return whether there is to be a page: beyond this machine only if that was said."""
    if settings.web is not None:
        return settings.web
    if is_loopback(settings.web_host):
        return True
    say(messages.WEB_OFF.format(host=settings.web_host))
    return False


def _spoken_for(settings: Settings) -> frozenset[int]:
    """List the ports that others of this process listen on, or will."""
    webhook = None if settings.telegram_webhook_url is None else settings.telegram_webhook_port
    return frozenset(port for port in (settings.health_port, webhook) if port)


def _free_port(host: str, port: int, spoken_for: frozenset[int]) -> int | None:
    """Find the first free port from ``port`` on; None if none is. Blocks, as a host's name has to be looked up.

    What cannot be bound for any other reason is left to who binds it in earnest, and says why.
    """
    for tried in range(port, min(port + PORTS_TRIED, PORT_MAX + 1)):
        if tried in spoken_for:
            continue
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as attempt:
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the one in earnest does
                attempt.bind((host, tried))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
        except UnicodeError:
            pass
        return tried
    return None
