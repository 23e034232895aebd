"""Starts the bot: the chat platforms that have a token, or else the console chat.

python -m bot             serve
python -m bot ask TEXT    answer once; exit code 0 answered, 1 no answer, 2 bad question or set-up; --json for programs
python -m bot schema      print the JSON Schema of what ask --json prints
python -m bot sync        register the commands with Discord, changed or not
python -m bot catalogue   fetch the song catalogue if there is none, as every start does
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import logging
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from bot import messages
from bot.answer_json import answer_document, as_json, schema
from bot.catalogue_fetch import COMMAND, ensure_catalogue, fetch_in_process, is_catalogue_wanting
from bot.console import EXIT_CODES, CardDisplay, ConsoleChat
from bot.model_watch import watching_model
from bot.monitoring import Health, Metrics, health_server
from bot.reply import ResultCode
from bot.runtime import Platform, supervise, tune_runtime
from bot.service import SongService
from bot.web.server import NAME as PAGE
from bot.web.server import page_server
from core.assembly import build_predictor
from core.errors import HitmeterError, ModelError, SettingsError
from core.language import ENGLISH, closest, load, say, speaking
from core.log import configure_logging, settings_secrets
from core.settings import Settings, env_file_notes, env_file_warning, load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

log = logging.getLogger(__name__)

SETUP_FAILED = 2
"""Exit code when the bot cannot start."""


def platforms(settings: Settings, service_for: Callable[[str], SongService], health: Health) -> list[Platform]:
    """Build the adapter of every platform that has a token; ``service_for`` counts by the platform's name."""
    adapters: list[Platform] = []
    if settings.discord_token is not None:
        from bot.discord_bot.client import DiscordPlatform

        adapters.append(DiscordPlatform.from_settings(settings, service_for(DiscordPlatform.name)))
    if settings.telegram_token is not None:
        from bot.telegram_bot.app import TelegramPlatform

        adapters.append(TelegramPlatform.from_settings(settings, service_for(TelegramPlatform.name), health=health))
    return adapters


async def ask(settings: Settings, text: str, *, as_document: bool = False) -> int:
    """Answer one question on standard output, for people or as one JSON object, and return the exit code.

    The object is for programs, and its texts and its card are English.
    """
    console = Console(highlight=False)
    assembled = build_predictor(settings)
    try:
        _say(assembled.missing)
        service = SongService(assembled.predictor)
        if as_document:
            with speaking(ENGLISH):
                code = await _print_document(ConsoleChat(service, settings.cards_dir, console), text)
        else:
            display = CardDisplay.of_terminal(settings.card_display, console)
            code = await ConsoleChat(service, settings.cards_dir, console, display=display).handle(text)
    finally:
        await assembled.predictor.aclose()
    return EXIT_CODES.get(code, 1)


async def _print_document(chat: ConsoleChat, text: str) -> ResultCode:
    reply = await chat.answer(text)
    try:
        card = await chat.save_card(reply)
    except OSError as error:
        card = None
        _say((say(messages.CONSOLE_CARD_NOT_SAVED, folder=chat.cards_dir, reason=error.strerror),))
    sys.stdout.write(f"{as_json(answer_document(reply, card))}\n")
    return reply.code


async def sync(settings: Settings) -> int:
    """Register the commands with Discord and return the exit code."""
    from bot.discord_bot.client import sync_commands

    try:
        registered = await sync_commands(settings)
    except ConnectionError as error:
        _say((str(error),))
        return SETUP_FAILED
    sys.stdout.write(f"{registered} commands registered with Discord.\n")
    return 0


async def serve(settings: Settings) -> int:
    """Serve every platform that has a token, or chat on the console, and beside either the page, until stopped.

    Where nobody sits at a terminal, /healthz answers from the beginning, also while the catalogue is fetched.
    """
    metrics = Metrics()
    health = Health(metrics)
    has_platforms = settings.discord_token is not None or settings.telegram_token is not None
    stop = _stop_on_signals() if has_platforms else asyncio.Event()
    async with health_server(settings.health_host, settings.health_port if has_platforms else None, health):
        if _is_unattended(settings) and is_catalogue_wanting(settings):
            async with _starting(settings, health):
                await fetch_in_process(stop)
        if not stop.is_set():
            await _serve_or_chat(settings, metrics, health, stop)
    return 0


async def _serve_or_chat(settings: Settings, metrics: Metrics, health: Health, stop: asyncio.Event) -> None:
    assembled = build_predictor(settings, on_request=metrics.on_request, on_lookup=metrics.on_lookup)

    def service_for(platform: str) -> SongService:
        return SongService(assembled.predictor, on_reply=metrics.reply_counter(platform), stats=metrics.stats)

    try:
        _say(assembled.missing)
        adapters = platforms(settings, service_for, health)
        tune_runtime()
        if adapters:
            load()  # before anybody can ask: it takes some tenths of a second

        async def tell(sentence: str) -> None:
            await asyncio.gather(*(adapter.tell_administrators(sentence) for adapter in adapters))

        # The page takes another port if its own is taken, and so comes second.
        async with (
            page_server(settings, service_for(PAGE), health, lambda sentence: _say((sentence,))),
            watching_model(assembled.predictor, tell),
        ):
            if adapters:
                await supervise(adapters, stop, on_state=health.mark)
                return
            console, interactive = Console(highlight=False), sys.stdin.isatty()
            display = CardDisplay.of_terminal(settings.card_display, console) if interactive else None
            chat = ConsoleChat(service_for("console"), settings.cards_dir, console, display=display)
            await chat.chat(interactive=interactive)
            if settings.web and not interactive:
                # Nobody was at a terminal to leave, and the page was asked for: it alone is served.
                await _stop_on_signals().wait()
    finally:
        await assembled.predictor.aclose()


@asynccontextmanager
async def _starting(settings: Settings, health: Health) -> AsyncIterator[None]:
    """Answer /healthz while the block runs at the ports of webhook and page, too, which begin only after it."""
    webhook = settings.telegram_token is not None and settings.telegram_webhook_url is not None
    health.starting = True
    async with (
        health_server(
            settings.telegram_webhook_host,
            settings.telegram_webhook_port if webhook else None,
            health,
            setting="TELEGRAM_WEBHOOK",
        ),
        health_server(settings.web_host, settings.web_port if settings.web else None, health, setting="WEB"),
    ):
        yield
    health.starting = False


def _is_unattended(settings: Settings) -> bool:
    """Whether the bot serves rather than talks to somebody at a terminal."""
    has_platforms = settings.discord_token is not None or settings.telegram_token is not None
    return has_platforms or (settings.web is True and not sys.stdin.isatty())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot", description="Says how likely a song is to be popular.")
    commands = parser.add_subparsers(dest="command")
    asking = commands.add_parser("ask", help="answer once and end")
    asking.add_argument("text", nargs="+", help="song - artist")
    asking.add_argument("--json", action="store_true", help="print the whole answer as one JSON object")
    commands.add_parser("schema", help="print the JSON Schema of what ask --json prints")
    commands.add_parser("sync", help="register the commands with Discord, changed or not")
    commands.add_parser(COMMAND, help="fetch the song catalogue if there is none")
    options = parser.parse_args(arguments)
    _take_any_text()
    if options.command == "schema":
        sys.stdout.write(f"{json.dumps(schema(), indent=2)}\n")
        return 0
    try:
        settings = load_settings()
        on_console = options.command is not None or not (settings.discord_token or settings.telegram_token)
        level = "WARNING" if on_console and settings.log_level == "INFO" else settings.log_level
        configure_logging(level, secrets=settings_secrets(settings))
        if (exposed := env_file_warning()) is not None:
            log.warning("event=keys_exposed advice=%s", exposed)
        _say(env_file_notes())
        if options.command != "sync" and (options.command is not None or not _is_unattended(settings)):
            ensure_catalogue(settings, Console(stderr=True, highlight=False))
        with speaking(terminal_language(os.environ)):
            match options.command:
                case "ask":
                    return asyncio.run(ask(settings, " ".join(options.text), as_document=options.json))
                case "sync":
                    return asyncio.run(sync(settings))
                case "catalogue":
                    return 0
                case _:
                    return asyncio.run(serve(settings))
    except HitmeterError as error:
        _say((_set_up_fault(error),))
        return SETUP_FAILED
    except KeyboardInterrupt:
        return 0


def terminal_language(environment: Mapping[str, str]) -> str:
    """Return the language of a terminal by its variables, the first of them that is set (POSIX.1-2017, 8.2)."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return closest(next((value for name in names if (value := environment.get(name))), None))


def _take_any_text() -> None:
    """Read and print what is no text of the terminal's encoding as question marks, rather than stop at it."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say(sentences: Sequence[str]) -> None:
    for sentence in sentences:
        sys.stderr.write(f"{sentence}\n")


def _set_up_fault(error: HitmeterError) -> str:
    """Say once what keeps the bot from starting, for the operator; a line for each setting at fault."""
    if isinstance(error, SettingsError):
        return error.user_message if error.user_message != SettingsError.user_message else str(error)
    return f"MODELS_DIR: {error}" if isinstance(error, ModelError) else str(error)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
