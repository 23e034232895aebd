"""Steady traffic on both platforms at once, with faults on every side: each question answered once, memory flat.

What is real: both adapters with their libraries (discord.py over a loopback gateway and REST, python-telegram-bot over
a loopback Bot API), the chain below with the committed model, caches, limits, retries and breaker. What is simulated:
the clock leaps over idle time, so that a minute takes less; the servers are ours; one plain picture stands in for
all cards, since drawing would take most of the time and has tests of its own. 20 seconds run by default, 400 questions;
HITMETER_LOAD_S=1800 runs half an hour, which takes ten minutes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot import messages
from bot.discord_bot.client import DiscordPlatform
from bot.monitoring import Health, Metrics
from bot.reply import ResultCode
from bot.service import SongService
from bot.telegram_bot.app import TelegramPlatform
from core.settings import Settings
from tests.fakes import discord_payloads as payloads
from tests.fakes.chain import ARTISTS, PlainRenderer, running_chain
from tests.fakes.discord_server import DiscordServer, discord_server
from tests.fakes.lastfm_server import FakeLastFm, FakeSong, Fault
from tests.fakes.telegram_server import TOKEN, FakeTelegram
from tests.fakes.warped_time import run_warped

SECONDS = int(os.environ.get("HITMETER_LOAD_S", "20"))
PER_SECOND = 20
FAULTS_SHARE = 0.05
NEW_SHARE = 0.03
"""Share of questions about songs that nobody asked for before: each costs five requests, and the terms allow 4.7 a
second."""

DISCORD_TOKEN = "loopback-token-of-the-discord-bot"
GROUPS = 300
MESSAGES_KEPT = 1_000
TALLIED_EVERY_S = 30
KNOWN = tuple(FakeSong(f"Known {n}", "The Weeknd", 90_000 + n, 990_000, tags=("pop",)) for n in range(15))
NEW = tuple(FakeSong(f"New {n}", f"Band {n}", 9_000 + n, 99_000, tags=("rock",)) for n in range(SECONDS * PER_SECOND))
KINDS = (Fault.status(500), Fault.reset(), Fault.garbage(), Fault.hang(), Fault.error(29))
EXPECTED = {
    ResultCode.PREDICTED,
    ResultCode.NOT_FOUND,
    ResultCode.BAD_QUESTION,
    ResultCode.AMBIGUOUS,
    ResultCode.UPSTREAM_FAULT,
}


class Traffic:
    """Asks on both platforms and counts, for every question, the answers that arrived."""

    def __init__(self, telegram: FakeTelegram, server: DiscordServer) -> None:
        self.telegram, self.server = telegram, server
        self.answers: dict[Any, int] = {}
        self._random = random.Random(7)
        self._asked = 0
        self._tallied: list[str] = []

    def text(self) -> str:
        chance = self._random.random()
        if chance < NEW_SHARE:
            return f"{NEW[self._asked].title} - {NEW[self._asked].artist}"
        if chance < NEW_SHARE + 0.02:
            return "🎵"
        song = self._random.choice(KNOWN)
        return self._random.choice([f"{song.title} - {song.artist}", f"{song.artist} – {song.title.lower()}"])

    async def ask(self) -> None:
        text, number = self.text(), self._asked
        self._asked += 1
        chat_side_fault = self._random.random() < FAULTS_SHARE
        if number % 2:
            chat = self.telegram.group(-1001 - number % GROUPS)
            message = self.telegram.say(f"/predict {text}", chat=chat, user=number % 50 + 1)
            self.answers[chat["id"], message["message_id"]] = 0
            if chat_side_fault and not self.telegram._faults:  # several at once would be a refusal for good
                fault = self._random.choice([(502, "Bad Gateway"), (429, "Too Many Requests: retry after 1")])
                more = {"retry_after": 1} if fault[0] == 429 else {}
                self.telegram.fail("sendPhoto", *fault, **more)
        else:
            payload = payloads.command("predict", song=text)
            self.answers[payload["token"]] = 0
            if chat_side_fault:
                self.server.faults.append((502, {}, {"message": "Bad Gateway", "code": 0}))
            await self.server.interact(payload)

    def tally(self) -> None:
        """Count the answers since the last tally and let the servers forget them, since memory is measured."""
        # What tidies up after an answer may still be under way, so it is forgotten at the next tally.
        for token in self._tallied:
            self.server.forget(token)
        tallied: list[str] = []
        for call in self.telegram.of("sendPhoto", "sendMessage"):
            self.answers[int(call.params["chat_id"]), call.params["reply_parameters"]["message_id"]] += 1
        for call in self.server.calls:
            if call.method not in {"PATCH", "POST"} or not call.path.startswith("/webhooks/") or call.status != 200:
                continue
            if call.body.get("content") != messages.ANSWERED_PRIVATELY:  # which stands there until the answer is sent
                self.answers[call.path.split("/")[3]] += 1
                tallied.append(call.path.split("/")[3])
        self._tallied = tallied
        self.telegram.calls.clear()
        self.server.calls.clear()
        for key in list(self.telegram.messages)[:-MESSAGES_KEPT]:
            del self.telegram.messages[key]


def ours() -> int:
    """Count the living objects of our own classes."""
    gc.collect()
    return sum(str(type(one).__module__).partition(".")[0] in {"bot", "core"} for one in gc.get_objects())


def tasks() -> int:
    """Count the tasks but those of the loopback servers, whose answers may hang on purpose."""
    return sum(not task.get_coro().__qualname__.startswith("RequestHandler.") for task in asyncio.all_tasks())


def resident_mb() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_every_question_is_answered_exactly_once_and_memory_stays_flat(
    settings_for: Callable[..., Settings], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with (
            FakeTelegram() as telegram,
            discord_server(DISCORD_TOKEN) as server,
            FakeLastFm([*KNOWN, *NEW], ARTISTS) as lastfm,
            running_chain(lastfm.url, history=tmp_path / "history.sqlite", renderer=PlainRenderer()) as chain,
        ):
            settings = settings_for(
                telegram_token=TOKEN, telegram_api_url=telegram.url, discord_token=DISCORD_TOKEN, user_limit_count=0,
                chat_limit_count=0,
            )  # fmt: skip
            codes: Counter[ResultCode] = Counter()
            service = SongService(chain.predictor, clock=chain.clock, on_reply=lambda _, code, __: codes.update([code]))
            stop = asyncio.Event()
            adapters = [
                DiscordPlatform.from_settings(settings, service),
                TelegramPlatform.from_settings(settings, service, health=Health(Metrics())),
            ]
            serving = [asyncio.create_task(adapter.run(stop)) for adapter in adapters]
            await server.gateway.ready.wait()
            for song in KNOWN:
                await chain.ask(f"{song.title} - {song.artist}")
                await chain.ask(f"{song.artist} – {song.title.lower()}")
                await asyncio.sleep(1)
            for fault in KINDS:
                lastfm.break_next(fault, share=FAULTS_SHARE / len(KINDS))

            traffic = Traffic(telegram, server)
            middle = (0, 0.0, 0)
            faults: list[str] = []
            for second in range(SECONDS):
                for _ in range(PER_SECOND):
                    await traffic.ask()
                    await asyncio.sleep(1 / PER_SECOND)
                lastfm.requests.clear()
                lastfm.headers.clear()
                if second % TALLIED_EVERY_S == 0:
                    traffic.tally()
                    faults += [one.getMessage() for one in caplog.records if one.name.startswith("bot.")]
                    caplog.clear()
                if second == SECONDS // 2:
                    await asyncio.sleep(60)  # counting objects stops everything for a while
                    traffic.tally()
                    middle = ours(), resident_mb(), tasks()
            await asyncio.sleep(60)  # retries and pauses of the last questions
            traffic.tally()
            grown = ours() - middle[0], resident_mb() - middle[1], tasks() - middle[2]
            stop.set()
            await asyncio.gather(*serving)

            asked = SECONDS * PER_SECOND
            assert len(traffic.answers) == asked
            other = {question: count for question, count in traffic.answers.items() if count != 1}
            assert other == {}, (codes, faults)
            assert codes.total() == asked
            assert set(codes) <= EXPECTED, codes
            assert codes[ResultCode.PREDICTED] >= 0.9 * asked, codes
            assert sum(chain.outcomes.values()) > chain.outcomes["ok"] > 0
            # A thousand questions with their answers are remembered for edits, whatever the traffic.
            assert grown[0] <= 2_500, grown
            assert grown[1] <= 20.0, grown
            assert grown[2] <= 10, grown
            print(f"\n{asked:,} questions: {dict(codes)}; objects, MB, tasks grown in the second half: {grown}")  # noqa: T201

    run_warped(main())
