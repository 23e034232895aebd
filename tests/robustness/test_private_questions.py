"""Two bot processes, each on both platforms, over one real redis-server: no question of one chat reaches another."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from core.settings import ROOT, Settings
from tests.fakes import discord_payloads as payloads
from tests.fakes.command import command
from tests.fakes.discord_server import DiscordServer, discord_server
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeLastFm, FakeSong
from tests.fakes.redis_server import MISSING, PROGRAM, RedisServer
from tests.fakes.served_discord import TOKEN as DISCORD_TOKEN
from tests.fakes.telegram_server import TOKEN as TELEGRAM_TOKEN
from tests.fakes.telegram_server import FakeTelegram

ANN, BEN = "1000000000000000101", "1000000000000000102"
HERE, ELSEWHERE = "1000000000000000201", "1000000000000000202"
GROUP, OTHER_GROUP = -1001, -1002

BAND = "Quibble Zither"
PRIVATE_ON_DISCORD, PRIVATE_ON_TELEGRAM, SAID_IN_GROUP, PUBLIC = (
    FakeSong(title, BAND, 1_000, 9_000, tags=("folk",))
    for title in ("Wombat Lullaby", "Marzipan Eclipse", "Turnip Cathedral", "Juggling Fjord")
)
SONGS = (PRIVATE_ON_DISCORD, PRIVATE_ON_TELEGRAM, SAID_IN_GROUP, PUBLIC)
TYPED = ("", "quibble", "zither", *(song.title.split()[0].lower() for song in SONGS))
"""What strangers type: nothing, the band, and the beginning of each song."""

BOT = """
    # The whole bot as people start it, whose Discord is a loopback one.
    import sys
    sys.path.insert(0, sys.argv[1])
    import discord, yarl
    from discord.gateway import DiscordWebSocket
    discord.http.Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = sys.argv[2], yarl.URL(sys.argv[3])
    from bot.command_line import main
    sys.exit(main([]))
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A data folder for each process, with the recorded songs."""
    made = tmp_path / "one", tmp_path / "two"
    for folder in made:
        folder.mkdir()
        shutil.copyfile(ROOT / "data" / "demo_songs.csv", folder / "demo_songs.csv")
    return made


@dataclass
class BotProcess:
    """One process and the two platforms it serves."""

    process: Process
    discord: DiscordServer
    telegram: FakeTelegram
    health_port: int
    log: str = ""

    async def answered(self, payload: dict[str, Any]) -> None:
        """Ask on Discord and wait for the answer with its card."""
        given = await self.discord.interact(payload)
        (call,) = await self.discord.wait_for(("PATCH", given.payload["token"]))
        assert call.files, call.body

    async def completed(self, channel_id: str | None, user_id: str, typed: str) -> list[str]:
        """Type on Discord, in a channel or in private, and give all that is offered."""
        payload = payloads.completion("predict", "song", typed)
        payload = payloads.on_a_server(payload, channel_id, user_id) if channel_id else payload
        given = await self.discord.interact(payload)
        await asyncio.wait_for(given.acknowledged.wait(), 20)
        assert given.response is not None
        return [choice["name"] for choice in given.response["data"]["choices"] if choice["name"] != typed]

    async def listed(self, user: int, typed: str) -> list[str]:
        """Type after the bot's name on Telegram and give all that is listed."""
        before = len(self.telegram.of("answerInlineQuery"))
        self.telegram.type_inline(typed, user=user)
        call = await self.telegram.sent("answerInlineQuery", count=before + 1)
        return [f"{result['title']} - {result['description']}" for result in call.params["results"]]

    async def metrics(self) -> str:
        async with aiohttp.ClientSession() as session:
            return await (await session.get(f"http://127.0.0.1:{self.health_port}/metrics")).text()


@asynccontextmanager
async def bot_process(folder: Path, lastfm_url: str, redis_url: str) -> AsyncIterator[BotProcess]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with FakeTelegram() as telegram, discord_server(DISCORD_TOKEN) as discord:
        names = {name.upper() for name in Settings.model_fields}
        environment = {name: value for name, value in os.environ.items() if name not in names}
        environment |= dict.fromkeys(names, "") | {
            "DISCORD_TOKEN": DISCORD_TOKEN, "TELEGRAM_TOKEN": TELEGRAM_TOKEN, "TELEGRAM_API_URL": telegram.url,
            "LASTFM_API_KEY": API_KEY, "LASTFM_API_URL": lastfm_url, "CACHE_URL": redis_url, "DATA_DIR": str(folder),
            "ART_DOWNLOADS": "false", "ITUNES_SEARCH_URL": "off", "DEEZER_SEARCH_URL": "off", "MUSICBRAINZ_URL": "off",
            "USER_LIMIT_COUNT": "0", "CHAT_LIMIT_COUNT": "0", "LOG_LEVEL": "DEBUG", "HEALTH_PORT": str(port),
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            *command(BOT, discord.base_url, discord.gateway.url), env=environment, stderr=PIPE
        )
        served = BotProcess(process, discord, telegram, port)
        assert process.stderr is not None
        reading = asyncio.create_task(process.stderr.read())
        try:
            async with asyncio.timeout(60):
                await discord.gateway.ready.wait()
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            served.log = (await asyncio.wait_for(reading, 30)).decode()
            assert await asyncio.wait_for(process.wait(), 30) == 0, served.log


@pytest.mark.skipif(PROGRAM is None, reason=MISSING)
async def test_no_question_of_one_chat_reaches_another_over_both_platforms_and_processes(
    folders: tuple[Path, Path],
) -> None:
    artists = [FakeArtist(BAND, 2_000, 30_000)]
    async with AsyncExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        lastfm = await stack.enter_async_context(FakeLastFm(SONGS, artists))
        one, two = [await stack.enter_async_context(bot_process(folder, lastfm.url, redis.url)) for folder in folders]
        private = payloads.command("predict", song=f"{PRIVATE_ON_DISCORD.title} - {BAND}", private=True)
        await one.answered(payloads.on_a_server(private, HERE, ANN))
        public = payloads.command("predict", song=f"{PUBLIC.title} - {BAND}")
        await one.answered(payloads.on_a_server(public, HERE, ANN))
        one.telegram.say(f"{PRIVATE_ON_TELEGRAM.title} - {BAND}", chat=one.telegram.private(int(ANN)), user=int(ANN))
        one.telegram.say(f"/predict {SAID_IN_GROUP.title} - {BAND}", chat=one.telegram.group(GROUP), user=int(ANN))
        await one.telegram.sent("sendPhoto", count=2)

        for typed in TYPED:
            for process in (one, two):
                assert not heard(await process.listed(int(BEN), typed))
                assert not heard(await process.completed(ELSEWHERE, BEN, typed))
                assert not heard(await process.completed(None, BEN, typed))
            assert not heard(await two.completed(HERE, BEN, typed))
        assert heard(await one.completed(HERE, BEN, "")) == [f"{PUBLIC.title} - {BAND}"]
        assert (await one.completed(HERE, BEN, ""))[1:] == (await two.completed(HERE, BEN, ""))[:24]
        assert len(await two.listed(int(BEN), "")) == 20, "the best known recorded songs"

        counted = await one.metrics() + await two.metrics()
        assert 'code="predicted",platform="telegram",request="predict"} 2.0' in counted
        assert not named(counted)
        async with Redis.from_url(redis.url) as kept:
            keys = [key.decode() async for key in kept.scan_iter("*")]
        assert len(keys) > 4
        assert not named("\n".join(keys))
    for process in (one, two):
        assert "event=reply request=predict" in one.log
        assert not named(process.log), "at DEBUG"


def heard(names: list[str]) -> list[str]:
    """Those of the names that only somebody's question can have brought there."""
    return [name for name in names if BAND in name]


def named(text: str) -> list[str]:
    """The words of the questions, and the people who asked, that a text holds."""
    words = {word for song in SONGS for word in f"{song.title} {song.artist}".split()} | {ANN, BEN}
    return [word for word in words if word.casefold() in text.casefold()]
