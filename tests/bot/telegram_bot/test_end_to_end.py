"""The whole chain on Telegram: a message in, Last.fm asked, the committed model, a real card out."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from bot.reply import ResultCode
from core.assembly import build_predictor
from core.errors import UpstreamUnavailable
from core.settings import ROOT, Settings
from tests.bot.telegram_bot.conftest import Serve, Served
from tests.fakes.lastfm_server import API_KEY, FakeArtist, FakeLastFm, FakeSong, Fault
from tests.fakes.telegram_server import TOKEN, FakeTelegram

SONGS = (
    FakeSong("Blinding Lights", "The Weeknd", 2_275_434, 37_246_021, album="After Hours", tags=("synthpop", "pop")),
    FakeSong("Cellar Door Song", "Basement Five Trio", 300, 700, tags=("folk",)),
    FakeSong("Hello", "Adele", 1_900_000, 17_000_000),
    FakeSong("Hello", "Lionel Richie", 1_100_000, 6_000_000),
)
ARTISTS = (FakeArtist("The Weeknd", 4_512_003, 780_000_000), FakeArtist("Basement Five Trio", 350, 900))


@pytest.fixture
async def lastfm() -> AsyncIterator[FakeLastFm]:
    async with FakeLastFm(SONGS, ARTISTS) as fake:
        yield fake


@pytest.fixture
async def chain(lastfm: FakeLastFm, settings_for: Callable[..., Settings], serve: Serve) -> AsyncIterator[Served]:
    settings = settings_for(lastfm.url)
    settings.data_dir.mkdir()
    shutil.copyfile(ROOT / "data" / "demo_songs.csv", settings.demo_songs_path)
    predictor = build_predictor(settings).predictor
    async with serve(predictor) as served:
        yield served
    await predictor.aclose()


async def test_a_question_becomes_a_card_with_its_caption(chain: Served) -> None:
    telegram = chain.telegram
    telegram.say("/predict blinding lights - the weeknd", chat=telegram.private(7))
    call = await telegram.sent("sendPhoto")
    with Image.open(io.BytesIO(call.files["photo"])) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert call.plain is not None
    for said in (
        "▲ Popular",
        "Blinding Lights — The Weeknd",
        "Listeners 2,275,434 (top ",
        "Why: ↑",
        "Last.fm, just now",
    ):
        assert said in call.plain.text


async def test_a_title_of_several_songs_is_offered_and_the_choice_becomes_the_card(chain: Served) -> None:
    telegram = chain.telegram
    telegram.say("hello", chat=telegram.private(7))
    choice = await telegram.sent("sendMessage")
    assert choice.labels[0][0].startswith("Hello — ")
    telegram.press(choice.result, "Lionel Richie")
    card = await telegram.sent("editMessageMedia")
    assert "Hello — Lionel Richie" in card.result["caption"]


async def test_why_explains_in_words(chain: Served) -> None:
    telegram = chain.telegram
    telegram.say("cellar door song - basement five trio", chat=telegram.private(7))
    card = await telegram.sent("sendPhoto")
    telegram.press(card.result, "Why?")
    why = await telegram.sent("sendMessage")
    assert why.plain is not None
    assert "Speaks against it" in why.plain.text
    assert "When I say Not popular, I am right 7" in why.plain.text


async def test_two_songs_on_one_card(chain: Served) -> None:
    telegram = chain.telegram
    telegram.say(
        "/compare blinding lights - the weeknd | cellar door song - basement five trio", chat=telegram.private(7)
    )
    call = await telegram.sent("sendPhoto")
    assert "Blinding Lights — The Weeknd is the likelier hit" in call.result["caption"]


async def test_the_model_says_how_good_it_is(chain: Served) -> None:
    telegram = chain.telegram
    telegram.say("/model", chat=telegram.private(7))
    short = await telegram.sent("sendPhoto")
    assert "When I say Popular, I am right 88 times in 100." in short.result["caption"]
    telegram.say("/model full", chat=telegram.private(7))
    call = await telegram.sent("sendMessage")
    assert call.plain is not None
    assert re.search(r"^A live question: ROC-AUC 0\.\d{3} · avg\. prec\. 0\.\d{3} · ", call.plain.text, re.MULTILINE)


async def test_inline_knows_the_recorded_songs_and_not_what_was_asked(chain: Served) -> None:
    telegram = chain.telegram
    telegram.say("cellar door song - basement five trio", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    telegram.type_inline("basement five")
    assert (await telegram.sent("answerInlineQuery")).params["results"] == []
    telegram.type_inline("hello adel")
    call = await telegram.sent("answerInlineQuery", count=2)
    result = call.params["results"][0]
    assert (result["title"], result["description"]) == ("Hello", "Adele")
    telegram.choose(result["id"], "inline-1")
    verdict = await telegram.sent("editMessageText")
    assert verdict.plain is not None
    assert "Hello — Adele" in verdict.plain.text


async def test_an_outage_is_a_sentence(chain: Served, lastfm: FakeLastFm) -> None:
    lastfm.break_next(Fault.status(503), times=100)
    chain.telegram.say("a song that nothing here has ever heard of", chat=chain.telegram.private(7))
    call = await chain.telegram.sent("sendMessage")
    assert call.plain is not None
    assert call.plain.text == UpstreamUnavailable.user_message
    assert chain.codes == [("predict", ResultCode.UPSTREAM_FAULT)]


async def test_an_outage_leaves_recorded_songs_answered_and_says_so(chain: Served, lastfm: FakeLastFm) -> None:
    lastfm.break_next(Fault.status(503), times=100)
    chain.telegram.say("hello - adele", chat=chain.telegram.private(7))
    call = await chain.telegram.sent("sendPhoto")
    assert call.plain is not None
    assert "Last.fm is not answering; its figures of" in call.plain.text
    assert chain.codes == [("predict", ResultCode.PREDICTED)]


async def test_the_process_serves_tells_its_health_and_stops_cleanly(
    telegram: FakeTelegram, lastfm: FakeLastFm, tmp_path: Path
) -> None:
    """Everything as a person runs it, at DEBUG: no key or token in any line, nothing left open."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    names = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= dict.fromkeys(names, "") | {
        "TELEGRAM_TOKEN": TOKEN, "TELEGRAM_API_URL": telegram.url, "LASTFM_API_KEY": API_KEY,
        "LASTFM_API_URL": lastfm.url, "DATA_DIR": str(tmp_path), "ART_DOWNLOADS": "false", "LOG_LEVEL": "DEBUG",
        "ITUNES_SEARCH_URL": "off", "DEEZER_SEARCH_URL": "off", "MUSICBRAINZ_URL": "off", "CATALOGUE": "off",
        "HEALTH_PORT": str(port), "PYTHONASYNCIODEBUG": "1", "PYTHONWARNINGS": "default",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", cwd=ROOT, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        telegram.say("/predict Blinding Lights - The Weeknd", chat=telegram.private(7))
        await telegram.until(lambda: telegram.of("sendPhoto"))
        async with aiohttp.ClientSession() as session:
            health = await (await session.get(f"http://127.0.0.1:{port}/healthz")).json()
            metrics = await (await session.get(f"http://127.0.0.1:{port}/metrics")).text()
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(process.communicate(), 60)
    said = log.decode()
    assert process.returncode == 0, said
    assert health == {"status": "ok", "platforms": {"telegram": "up"}}
    assert 'hitmeter_replies_total{code="predicted",platform="telegram",request="predict"} 1.0' in metrics
    assert re.search(r'hitmeter_upstream_requests_total\{method="track.getInfo",outcome="ok"\} [1-9]', metrics)
    assert re.search(r'hitmeter_cache_lookups_total\{.*result="miss"\} [1-9]', metrics)
    for unwanted in (
        TOKEN.partition(":")[2],
        API_KEY,
        "Task was destroyed",
        "never retrieved",
        "unclosed",
        "Traceback",
    ):
        assert unwanted not in said + metrics
