"""A stop loses nobody: each question is answered or told of the restart, exactly once, also by the next start."""

import asyncio
import logging
import os
from collections import Counter

import pytest

from bot import messages
from tests.bot.telegram_bot.conftest import Serve, Served
from tests.bot.telegram_bot.test_app import platform_for
from tests.fakes.predictor import FakePredictor
from tests.fakes.telegram_server import FakeTelegram

PEOPLE = range(1, 51)

SLOW_S = float(os.environ.get("HITMETER_STOP_LATENCY_S", "1.5"))
"""How long Telegram takes for each request; production's own limits are meant for up to 15 s."""


def told(telegram: FakeTelegram) -> Counter[int]:
    """How often each chat got anything."""
    return Counter(int(call.params["chat_id"]) for call in telegram.of("sendPhoto", "sendMessage"))


async def test_with_a_slow_telegram_everybody_is_answered_exactly_once(
    telegram: FakeTelegram, predictor: FakePredictor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    telegram.latency_s = SLOW_S
    stop = asyncio.Event()
    running = asyncio.create_task(platform_for(telegram, predictor).run(stop))
    await telegram.until(lambda: telegram.polls)
    for user in PEOPLE:
        telegram.say("Hello", chat=telegram.private(user), user=user)
    await telegram.until(lambda: len(predictor.asked) > 10)
    stop.set()
    async with asyncio.timeout(60):
        await running
    assert told(telegram) == Counter(PEOPLE)
    ours = [record for record in caplog.records if record.name != "aiohttp.server"]  # which is the double's
    assert not [record for record in ours if record.levelno >= logging.WARNING]


async def test_who_has_no_answer_in_time_is_told_of_the_restart_and_not_answered_by_the_next_start(
    serve: Serve, telegram: FakeTelegram, predictor: FakePredictor
) -> None:
    platform = platform_for(telegram, predictor)
    platform._finish_s = 0.3
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    predictor.gate.clear()
    telegram.latency_s = 0.5
    for user in PEOPLE:
        telegram.say("Hello", chat=telegram.private(user), user=user)
    telegram.say("nothing that concerns the bot", chat=telegram.group(-1001))
    await telegram.until(lambda: len(predictor.asked) == len(PEOPLE))
    stop.set()
    async with asyncio.timeout(60):
        await running
    assert told(telegram) == Counter(PEOPLE)
    assert {call.params["text"] for call in telegram.of("sendMessage")} == {messages.RESTARTING}
    predictor.gate.set()
    telegram.latency_s = 0.0
    async with serve():
        telegram.say("Hello", chat=telegram.private(99), user=99)
        await telegram.until(lambda: told(telegram)[99])
    assert told(telegram) == Counter([*PEOPLE, 99])


async def test_cards_that_are_not_drawn_in_time_are_left_out_of_the_answers(
    telegram: FakeTelegram, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = asyncio.Event()

    async def endless(*_: object) -> bytes:
        drawing.set()
        await asyncio.sleep(60)
        raise AssertionError("nobody waits so long")

    monkeypatch.setattr(predictor, "card", endless)
    platform = platform_for(telegram, predictor)
    platform._finish_s = 0.1
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    telegram.say("Hello", chat=telegram.private(7))
    await asyncio.wait_for(drawing.wait(), 60)
    stop.set()
    async with asyncio.timeout(60):
        await running
    (answer,) = telegram.of("sendMessage")
    assert answer.plain is not None
    assert answer.plain.text.startswith("▲ Popular")


async def test_a_press_without_an_answer_in_time_is_told(telegram: FakeTelegram, predictor: FakePredictor) -> None:
    platform = platform_for(telegram, predictor)
    platform._finish_s = 0.1
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    telegram.say("Hello", chat=telegram.private(7))
    card = await telegram.sent("sendPhoto")
    predictor.gate.clear()
    asked = len(predictor.asked)
    telegram.press(card.result, "Refresh")
    telegram.press(card.result, "Why?")
    await telegram.until(lambda: len(predictor.asked) == asked + 2)
    stop.set()
    async with asyncio.timeout(60):
        await running
    assert messages.RESTARTING in {call.params.get("text") for call in telegram.of("answerCallbackQuery")}
    assert [call.params["text"] for call in telegram.of("sendMessage")] == [messages.RESTARTING]


async def test_a_refresh_that_is_lost_on_the_way_is_told(served: Served) -> None:
    telegram = served.telegram
    telegram.say("Hello", chat=telegram.private(7))
    card = await telegram.sent("sendPhoto")
    telegram.fail("editMessageMedia", 500, "Internal Server Error")
    telegram.press(card.result, "Refresh")
    told_of = await telegram.sent("answerCallbackQuery")
    assert (told_of.params["text"], told_of.params["show_alert"]) == (messages.NOT_DELIVERED, "true")


async def test_a_pick_that_is_lost_on_the_way_is_told(served: Served) -> None:
    telegram = served.telegram
    telegram.say("twins", chat=telegram.private(7))
    choice = await telegram.sent("sendMessage")
    label = choice.labels[0][0]
    telegram.fail("editMessageMedia", 500, "Internal Server Error")
    telegram.press(choice.result, label)
    lost = await telegram.sent("answerCallbackQuery")
    assert (lost.params["text"], lost.params["show_alert"]) == (messages.NOT_DELIVERED, "true")
    telegram.fail("editMessageMedia", 500, "Internal Server Error")
    telegram.fail("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired")
    telegram.press(choice.result, label)
    told = await telegram.sent("sendMessage", count=2)
    assert told.params["text"] == messages.NOT_DELIVERED, "in the chat, where Telegram has given up on the press"
