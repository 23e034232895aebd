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

from bot import messages
from bot.console import CardDisplay, ConsoleChat
from bot.monitoring import Metrics
from bot.reply import ResultCode
from bot.service import SongService
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
    service: SongService

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
        metrics = Metrics()
        service = SongService(predictor, on_reply=metrics.reply_counter("console"), stats=metrics.stats)
        console = ConsoleChat(service, settings.cards_dir, Console(file=out, width=90, highlight=False))
        yield Chat(console, out, fake, settings.cards_dir, service)
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


async def test_an_answer_without_a_card_saves_no_file(chat: Chat) -> None:
    assert await chat.chat.save_card(await chat.chat.answer("/privacy")) is None
    assert not chat.cards.exists()


async def test_a_number_picks_a_candidate_once(chat: Chat) -> None:
    code, shown = await chat.say("hello")
    assert code is ResultCode.AMBIGUOUS
    assert "1. Hello — Adele · 1,900,000 listeners" in shown
    assert "2. Hello — Lionel Richie" in shown
    code, shown = await chat.say("2")
    assert code is ResultCode.PREDICTED
    assert "Hello — Lionel Richie" in shown
    code, shown = await chat.say("2")
    assert code is ResultCode.BAD_QUESTION
    assert "No choice is open" in shown


@pytest.mark.parametrize("number", ["1", "07", "99"])
async def test_a_number_without_an_open_choice_says_so_and_how_to_ask_for_such_a_song(chat: Chat, number: str) -> None:
    code, shown = await chat.say(number)
    assert code is ResultCode.BAD_QUESTION
    assert "No choice is open" in shown
    assert f"/predict {int(number)}" in shown
    assert chat.fake.requests == []


async def test_a_year_is_a_song(chat: Chat) -> None:
    code, _ = await chat.say("1979")
    assert code is ResultCode.NOT_FOUND


async def test_a_choice_stays_open_while_nothing_else_is_answered(chat: Chat) -> None:
    await chat.say("hello")
    code, shown = await chat.say("9")
    assert (code, "from 1 to 2" in shown) == (ResultCode.BAD_QUESTION, True)
    await chat.say("/help")
    await chat.say("/nonsense")
    code, shown = await chat.say("1")
    assert (code, "Hello — Adele" in shown) == (ResultCode.PREDICTED, True)


@pytest.mark.parametrize(
    "typed", ["/compare hello | Blinding Lights - The Weeknd", "/compare Blinding Lights - The Weeknd | hello"]
)
async def test_a_comparison_keeps_its_other_song_through_a_choice(chat: Chat, typed: str) -> None:
    code, _ = await chat.say(typed)
    assert code is ResultCode.AMBIGUOUS
    code, shown = await chat.say("2")
    assert code is ResultCode.COMPARED
    assert "Hello — Lionel Richie" in shown
    assert "Blinding Lights — The Weeknd" in shown


async def test_a_comparison_of_two_unclear_songs_asks_for_one_after_the_other(chat: Chat) -> None:
    assert (await chat.say("/compare hello | hello"))[0] is ResultCode.AMBIGUOUS
    assert (await chat.say("1"))[0] is ResultCode.AMBIGUOUS
    code, shown = await chat.say("2")
    assert code is ResultCode.COMPARED
    assert "Hello — Adele" in shown
    assert "Hello — Lionel Richie" in shown
    assert (await chat.say("1"))[0] is ResultCode.BAD_QUESTION, "the choice is used up"


async def test_each_comparison_has_its_own_file(chat: Chat) -> None:
    for typed in ("Hello - Adele | Hello - Lionel Richie", "Hello - Adele | Blinding Lights - The Weeknd"):
        await chat.say(f"/compare {typed}")
    assert sorted(path.name for path in chat.cards.iterdir()) == [
        "hello-adele-vs-blinding-lights-the-weeknd.png",
        "hello-adele-vs-hello-lionel-richie.png",
    ]


@pytest.mark.parametrize("typed", ["/foo", "/", "/predct Hello - Adele", "/2"])
async def test_an_unknown_command_says_so_and_lists_those_there_are(chat: Chat, typed: str) -> None:
    code, shown = await chat.say(typed)
    assert code is ResultCode.BAD_QUESTION
    flat = " ".join(shown.split())
    assert f"There is no command {typed.split()[0]}." in flat
    for name in ("predict", "compare", "model", "help", "privacy", "stats", "reload", "quit"):
        assert f"/{name}" in flat
    assert chat.fake.requests == []


async def test_a_single_question_can_leave_nothing(chat: Chat) -> None:
    code, shown = await chat.say("/quit")
    assert code is ResultCode.BAD_QUESTION
    assert shown.count("/quit") == 1


async def test_what_administrators_may_works_here(chat: Chat) -> None:
    await chat.say("Hello - Adele")
    code, shown = await chat.say("/stats")
    assert code is ResultCode.INFORMED
    assert "predicted 1" in " ".join(shown.split())
    code, shown = await chat.say("/reload")
    assert code is ResultCode.INFORMED
    assert "is in use now" in shown


async def test_the_gauge_is_left_out_where_the_terminal_shows_the_card(chat: Chat) -> None:
    _, shown = await chat.say("Hello - Adele")
    assert "0               40          70       100" in shown
    opened: list[Path] = []
    pictures: list[bytes] = []

    def inline(picture: io.BytesIO, width: int) -> str:
        pictures.append(picture.read())
        return f"PICTURE of {width} cells"

    def window(path: Path) -> bool:
        opened.append(path)
        return False

    console = Console(file=chat.out, width=90, highlight=False)
    chat.chat = ConsoleChat(chat.service, chat.cards, console, display=CardDisplay(inline))
    for typed in ("Hello - Adele", "/compare Hello - Adele | Hello - Lionel Richie"):
        _, shown = await chat.say(typed)
        assert "PICTURE of 64 cells" in shown
        assert "━━━" not in shown
    assert [picture[:4] for picture in pictures] == [b"\x89PNG"] * 2
    chat.chat = ConsoleChat(chat.service, chat.cards, console, display=CardDisplay(open_window=window))
    _, shown = await chat.say("Hello - Adele")
    assert opened == [chat.cards / "hello-adele.png"]
    assert "No window could be opened" in shown


@pytest.mark.parametrize(
    ("typed", "code", "expected"),
    [
        ("/help", ResultCode.INFORMED, "/compare song | song"),
        ("/privacy", ResultCode.INFORMED, "I do not keep who asked"),
        ("/model", ResultCode.INFORMED, "I am right"),
        ("/model full", ResultCode.INFORMED, "ROC-AUC"),
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
    console = ConsoleChat(SongService(predictor), tmp_path, Console(file=out, width=90, highlight=False))
    assert await console.handle("perhaps") is ResultCode.PREDICTED
    assert f"{messages.NOT_MEANT}\n  1. Halfway There — Some Band" in out.getvalue()
    assert await console.handle("1") is ResultCode.PREDICTED
    assert predictor.asked[-1] == "Halfway There - Some Band"
    await predictor.aclose()


async def test_an_artists_songs_are_listed_and_opened_by_number_one_after_the_other(chat: Chat) -> None:
    for n in range(1, 13):
        chat.fake.put(FakeSong(f"Song {n}", "The Weeknd", 10_000 * n, 60_000 * n))
    code, shown = await chat.say("/artist weeknd the")
    assert code is ResultCode.NOT_FOUND
    code, shown = await chat.say("/artist the weeknd")
    assert code is ResultCode.RANKED
    assert "The Weeknd: 13 songs by their chance" in shown
    assert "  1. Blinding Lights · " in shown
    assert "  13. " in shown
    assert "▲" not in shown, "the songs are listed once, with their numbers"
    assert (chat.cards / "the-weeknd.png").exists()
    for number in ("1", "13", "1"):
        code, shown = await chat.say(number)
        assert code is ResultCode.PREDICTED
    assert "Blinding Lights — The Weeknd" in shown
    assert (await chat.say("14"))[0] is ResultCode.BAD_QUESTION
    await chat.say("Hello - Adele")
    assert (await chat.say("1"))[0] is ResultCode.BAD_QUESTION
