"""The console chat over the whole chain, with the loopback Last.fm."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from bot import words
from bot.answers import Answers
from bot.console import ConsoleChat
from bot.reply import ResultCode
from core.assembly import build_predictor
from core.settings import Settings
from tests.fakes.lastfm_server import FakeLastFm, FakeSong, Fault
from tests.fakes.predictor import FakePredictor

SONGS = (
    FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, tags=("synthpop", "pop")),
    FakeSong("Hello", "Adele", 1_900_000, 17_000_000),
    FakeSong("Hello", "Lionel Richie", 1_100_000, 6_000_000),
)


@dataclass
class Chat:
    chat: ConsoleChat
    out: io.StringIO
    fake: FakeLastFm
    cards: Path

    async def say(self, typed: str) -> tuple[ResultCode, str]:
        self.out.seek(0)
        self.out.truncate()
        code = await self.chat.handle(typed)
        return code, self.out.getvalue()


@pytest.fixture
async def chat(settings_for: Callable[..., Settings]) -> AsyncIterator[Chat]:
    async with FakeLastFm(SONGS) as fake:
        settings = settings_for(fake.url)
        predictor = build_predictor(settings).predictor
        out = io.StringIO()
        console = ConsoleChat(Answers(predictor), settings.cards_dir, Console(file=out, width=90, highlight=False))
        yield Chat(console, out, fake, settings.cards_dir)
        await predictor.aclose()


@pytest.mark.parametrize("typed", ["/predict Blinding Lights - The Weeknd", "blinding lights by the weeknd"])
async def test_an_answer_shows_verdict_bar_figures_reasons_and_saves_the_card(chat: Chat, typed: str) -> None:
    code, shown = await chat.say(typed)
    assert code is ResultCode.PREDICTED
    for expected in ("Blinding Lights — The Weeknd", "▲ Popular", "2,275,434", "top 1 %", "Why: ", "━━━"):
        assert expected in shown
    assert "\x1b" not in shown
    path = chat.cards / "blinding-lights-the-weeknd.png"
    assert str(path) in shown
    with Image.open(path) as card:
        assert (card.format, card.size) == ("PNG", (1200, 630))


async def test_a_number_picks_a_candidate_once(chat: Chat) -> None:
    code, shown = await chat.say("hello")
    assert code is ResultCode.AMBIGUOUS
    assert "1. Hello — Adele · 1,900,000 listeners" in shown
    assert "2. Hello — Lionel Richie" in shown
    code, shown = await chat.say("2")
    assert code is ResultCode.PREDICTED
    assert "Hello — Lionel Richie" in shown
    code, _ = await chat.say("2")
    assert code is not ResultCode.PREDICTED


@pytest.mark.parametrize(
    ("typed", "code", "expected"),
    [
        ("/help", ResultCode.INFORMED, "/compare song | song"),
        ("/privacy", ResultCode.INFORMED, "I do not keep who asked"),
        ("/model", ResultCode.INFORMED, "ROC-AUC"),
        ("/predict", ResultCode.BAD_QUESTION, "Ask like this"),
        ("/compare", ResultCode.BAD_QUESTION, "Which two songs?"),
        ("/compare Hello - Lionel Richie | Blinding Lights - The Weeknd", ResultCode.COMPARED, "likelier hit"),
        ("[bold]zzz qqq[/bold] - xxx", ResultCode.NOT_FOUND, "[bold]zzz qqq[/bold] - xxx"),
        ("x" * 201, ResultCode.BAD_QUESTION, "200 characters"),
    ],
)
async def test_commands_and_bad_input(chat: Chat, typed: str, code: ResultCode, expected: str) -> None:
    got, shown = await chat.say(typed)
    assert got is code
    assert expected in shown


async def test_an_outage_is_one_sentence(chat: Chat) -> None:
    chat.fake.break_next(Fault.status(400))
    code, shown = await chat.say("Hello - Adele")
    assert code is ResultCode.UPSTREAM_FAULT
    assert "Please try again" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("typed", ["blinding lights vs hello adele", "/compare blinding lights vs hello - adele"])
async def test_two_songs_in_one_line_are_compared(chat: Chat, typed: str) -> None:
    code, shown = await chat.say(typed)
    assert code is ResultCode.COMPARED
    assert "Blinding Lights — The Weeknd" in shown
    assert "Hello — Adele" in shown


async def test_an_answer_in_doubt_lists_the_others_and_a_number_takes_one(tmp_path: Path) -> None:
    out = io.StringIO()
    predictor: Any = FakePredictor()
    console = ConsoleChat(Answers(predictor), tmp_path, Console(file=out, width=90, highlight=False))
    assert await console.handle("perhaps") is ResultCode.PREDICTED
    assert f"{words.NOT_MEANT}\n  1. Halfway There — Some Band" in out.getvalue()
    assert await console.handle("1") is ResultCode.PREDICTED
    assert predictor.asked[-1] == "Halfway There - Some Band"
    await predictor.aclose()
