"""The bot as its operator runs it: a process of its own that serves Telegram's double."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from core.settings import ROOT, Settings
from tests.fakes.telegram_server import TOKEN

START_S = 300.0


class BotProcess:
    """A process that serves.

    Attributes:
        process: The process itself.
        health_url: Where /healthz answers.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path, health_url: str) -> None:
        self.process = process
        self.health_url = health_url
        self._log = log

    @property
    def log(self) -> str:
        """All it has logged so far."""
        return self._log.read_text(encoding="utf-8")

    async def health(self, *, patience_s: float = 60.0) -> tuple[int, str]:
        """Ask how it is, over a new connection."""
        timeout = aiohttp.ClientTimeout(patience_s)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(self.health_url) as response:
            return response.status, str((await response.json())["status"])

    async def until_listening(self) -> None:
        """Wait until /healthz answers, whatever it says."""
        async with asyncio.timeout(START_S):
            while self.process.returncode is None:
                try:
                    await self.health()
                except (aiohttp.ClientError, TimeoutError):  # not yet, or busy with loading the model
                    await asyncio.sleep(0.1)
                else:
                    return
        raise AssertionError(self.log)

    async def stop(self, *, patience_s: float = 120.0) -> int:
        """Ask it to end, as systemd and Docker do, and return its exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(patience_s):
            return await self.process.wait()


@asynccontextmanager
async def serving_process(
    folder: Path, telegram_url: str, port: int, *, open_files: int = 1024, listening: bool = True, **changes: str
) -> AsyncIterator[BotProcess]:
    """Run ``python -m bot`` on recorded figures while the block runs; it is killed if it does not end by itself.

    Args:
        folder: Its data folder, which is there, and in which its log is kept, too.
        telegram_url: Where the Bot API answers.
        port: Of /healthz; that of the webhook, if there is one, must be given, too.
        open_files: How many files it may have open.
        listening: Whether to wait until /healthz answers.
        changes: Further settings, by the names of their variables.
    """
    shutil.copy(ROOT / "data" / "demo_songs.csv", folder)
    log = folder / "log.txt"
    with log.open("ab") as lines:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot"),
            cwd=ROOT,
            env=_environment(folder, telegram_url) | {"HEALTH_PORT": str(port)} | changes,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files)),
        )
    bot = BotProcess(process, log, f"http://127.0.0.1:{port}/healthz")
    try:
        if listening:
            await bot.until_listening()
        yield bot
        await bot.stop()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment(folder: Path, telegram_url: str) -> Mapping[str, str]:
    names = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in names}
    # An empty value stands for an unset one, so that a developer's .env cannot reach the test.
    environment |= dict.fromkeys(names, "")
    environment |= dict.fromkeys(
        ("ITUNES_SEARCH_URL", "DEEZER_SEARCH_URL", "MUSICBRAINZ_URL", "CATALOGUE", "WEB"), "off"
    )
    return environment | {
        "TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram_url, "DATA_DIR": str(folder), "ART_DOWNLOADS": "false",
        "DRAWING_HELPERS": "0", "USER_LIMIT_COUNT": "0", "CHAT_LIMIT_COUNT": "0",
    }  # fmt: skip
