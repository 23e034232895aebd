"""What ``/predict`` takes through each adapter's own handler, beyond the time that Last.fm takes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from bot.discord_bot.client import DiscordPlatform
from bot.monitoring import Health, Metrics
from bot.runtime import Platform
from bot.service import SongService
from bot.telegram_bot.app import TelegramPlatform
from core.domain import Song
from core.predictor import Predictor
from scripts.benchmarks.chain import running_chain, settings_of
from scripts.benchmarks.measuring import Row, median, percentile
from scripts.benchmarks.songs import songs_of_few_artists
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_server import discord_server
from tests.fakes.served_discord import TOKEN as DISCORD_TOKEN
from tests.fakes.telegram_server import TOKEN as TELEGRAM_TOKEN
from tests.fakes.telegram_server import FakeTelegram

WARM_SONGS: Final = 40
COLD_SONGS: Final = 12
LATENCY_S: Final = 0.150
OWN_MS: Final = 60.0
SEED: Final = 11
PATIENCE_S: Final = 20.0

Ask = Callable[[str], Awaitable[None]]
"""Asks ``/predict`` with a text and returns when the answer with its card was taken by the platform."""


def measure_chats(songs: Sequence[Song], folder: Path) -> list[Row]:
    """Ask on both platforms: songs whose figures are cached, then songs whose figures take a slow Last.fm."""
    return asyncio.run(_measure(songs, folder))


async def _measure(songs: Sequence[Song], folder: Path) -> list[Row]:
    picked = songs_of_few_artists(songs, WARM_SONGS, 4, SEED)
    rows = []
    for name, adapter in (("Discord", _discord), ("Telegram", _telegram)):
        async with running_chain(picked, folder) as chain:
            for song in picked:
                await chain.predictor.predict(f"{song.title} - {song.artist}")
            async with adapter(chain.predictor, folder) as ask:
                await ask(f"{picked[0].title} - {picked[0].artist}")
                used_s = time.process_time()
                taken = [await _timed_ms(ask, f"{song.title} - {song.artist}") for song in picked[1:]]
                cpu_ms = (time.process_time() - used_s) * 1000 / len(taken)
        rows.append(_warm_row(name, taken, cpu_ms))
    by_artist = [await _cold(songs, folder, way) for way in ("artist", "search")]
    return [*rows, *by_artist]


def _warm_row(name: str, taken_ms: Sequence[float], cpu_ms: float) -> Row:
    p95 = percentile(taken_ms, 95)
    return Row(
        what=f"/predict on {name}, figures cached, card not drawn before",
        against="",
        measured=f"median {median(taken_ms):.0f} ms, p95 {p95:.0f} ms; of the processor, the platform's double "
        f"included: {cpu_ms:.0f} ms",
        target=f"p95 <= {OWN_MS:.0f} ms",
        reached=p95 <= OWN_MS,
        figures={"median_ms": median(taken_ms), "p95_ms": p95, "cpu_ms": cpu_ms},
    )


async def _cold(songs: Sequence[Song], folder: Path, way: str) -> Row:
    """Ask for songs never asked for, with the artist or by the title alone, through Discord's handler."""
    picked = songs_of_few_artists(songs, COLD_SONGS + 1, 1, SEED + 1)
    trips = 1 if way == "artist" else 2
    async with (
        running_chain(picked, folder, latency_s=LATENCY_S) as chain,
        _discord(chain.predictor, folder) as ask,
    ):
        texts = [f"{song.title} - {song.artist}" if way == "artist" else song.title for song in picked]
        await ask(texts[0])
        taken = [await _timed_ms(ask, text) for text in texts[1:]]
    own_ms = median(taken) - trips * LATENCY_S * 1000
    return Row(
        what=f"/predict cold, {'artist known' if way == 'artist' else 'by search'}",
        against=f"Last.fm's own {trips} x {LATENCY_S * 1000:.0f} ms",
        measured=f"median {median(taken):.0f} ms, of which our own {own_ms:.0f} ms",
        target=f"{'one round trip' if trips == 1 else 'two round trips'} + {OWN_MS:.0f} ms",
        reached=own_ms <= OWN_MS,
        figures={"median_ms": median(taken), "own_ms": own_ms, "p95_ms": percentile(taken, 95)},
    )


async def _timed_ms(ask: Ask, text: str) -> float:
    started = time.perf_counter()
    await ask(text)
    return (time.perf_counter() - started) * 1000


@contextlib.asynccontextmanager
async def _discord(predictor: Predictor, folder: Path) -> AsyncIterator[Ask]:
    """Run the real adapter against the loopback Discord."""
    async with discord_server(DISCORD_TOKEN) as server:
        settings = settings_of("http://127.0.0.1/", folder, discord_token=DISCORD_TOKEN)
        platform = DiscordPlatform.from_settings(settings, SongService(predictor))

        async def ask(text: str) -> None:
            asked = await server.interact(payloads.command("predict", song=text))
            (answer,) = await server.wait_for(("PATCH", asked.payload["token"]), timeout_s=PATIENCE_S)
            if not answer.files:
                raise RuntimeError(f"no card for {text}")

        async with _running(platform):
            await server.gateway.ready.wait()
            yield ask


@contextlib.asynccontextmanager
async def _telegram(predictor: Predictor, folder: Path) -> AsyncIterator[Ask]:
    """Run the real adapter against the loopback Bot API."""
    async with FakeTelegram() as telegram:
        settings = settings_of(
            "http://127.0.0.1/", folder, telegram_api_url=telegram.url, telegram_token=TELEGRAM_TOKEN
        )
        platform = TelegramPlatform.from_settings(settings, SongService(predictor), health=Health(Metrics()))

        async def ask(text: str) -> None:
            before = len(telegram.of("sendPhoto"))
            telegram.say(f"/predict {text}", chat=telegram.private(7))
            await telegram.until(lambda: len(telegram.of("sendPhoto")) > before, patience_s=PATIENCE_S)

        async with _running(platform):
            yield ask


@contextlib.asynccontextmanager
async def _running(platform: Platform) -> AsyncIterator[None]:
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running
