import asyncio
import json
import logging
import random

import pytest
from telegram import Bot

from bot.monitoring import Health, Metrics
from bot.service import SongService
from bot.telegram_bot.app import TelegramPlatform
from bot.telegram_bot.sender import ReplyTarget, chat_action
from bot.telegram_bot.transport import RetryingRequest
from core.errors import PlatformError
from core.language import LANGUAGES
from tests.bot.telegram_bot.conftest import ADMIN, Serve, Served, telegram_settings
from tests.fakes.predictor import FakePredictor
from tests.fakes.telegram_server import TOKEN, FakeTelegram

SECRET_PART = TOKEN.partition(":")[2]


def platform_for(telegram: FakeTelegram, predictor: FakePredictor, **changes: object) -> TelegramPlatform:
    service = SongService(predictor)  # type: ignore[arg-type]
    return TelegramPlatform.from_settings(telegram_settings(telegram, **changes), service, health=Health(Metrics()))


def chain(error: BaseException | None) -> str:
    """All that a log could print of an exception."""
    said = ""
    while error is not None:
        said += repr(error)
        error = error.__cause__ or error.__context__
    return said


async def test_a_bad_token_is_one_clear_line_without_the_token(
    telegram: FakeTelegram, predictor: FakePredictor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    telegram.token = "1:other"
    with pytest.raises(PlatformError, match="does not accept TELEGRAM_TOKEN") as caught:
        await platform_for(telegram, predictor).run(asyncio.Event())
    assert SECRET_PART not in chain(caught.value)
    assert SECRET_PART not in caplog.text


@pytest.mark.parametrize("request_name", ["getMe", "deleteWebhook"])
async def test_an_unreachable_telegram_is_one_line(
    predictor: FakePredictor, telegram: FakeTelegram, request_name: str
) -> None:
    telegram.fail(request_name, 500, "Internal Server Error")
    serving: list[bool] = []
    with pytest.raises(PlatformError, match="cannot be reached at the moment: Internal Server Error"):
        await platform_for(telegram, predictor).run(asyncio.Event(), serving.append)
    assert serving == []


async def test_a_second_poller_is_explained(telegram: FakeTelegram, predictor: FakePredictor) -> None:
    running = asyncio.create_task(platform_for(telegram, predictor).run(asyncio.Event()))
    await telegram.until(lambda: telegram.polls)
    telegram.rival = True
    await telegram._notify()
    with pytest.raises(PlatformError, match="another process fetches updates with this TELEGRAM_TOKEN"):
        async with asyncio.timeout(60):
            await running


async def test_a_token_withdrawn_while_serving_ends_the_serving(
    telegram: FakeTelegram, predictor: FakePredictor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    running = asyncio.create_task(platform_for(telegram, predictor).run(asyncio.Event()))
    await telegram.until(lambda: telegram.polls)
    telegram.token = "1:other"
    telegram.say("Hello", chat=telegram.private(7))
    with pytest.raises(PlatformError, match="does not accept TELEGRAM_TOKEN") as caught:
        async with asyncio.timeout(60):
            await running
    assert SECRET_PART not in chain(caught.value) + caplog.text


async def test_no_log_line_holds_the_token_or_what_people_write(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve() as served:
        served.telegram.say("/predict Hello my secret question", chat=served.telegram.private(7))
        await served.telegram.sent("sendPhoto")
        served.telegram.fail("sendPhoto", 400, "Bad Request: chat not found")
        served.telegram.say("/predict Obscure Demo", chat=served.telegram.private(7))
        await served.telegram.until(lambda: any(call.refused for call in served.telegram.calls))
    assert "event=telegram_serving bot=hitmeter_bot by=polling" in caplog.text
    assert SECRET_PART not in caplog.text
    assert "secret question" not in caplog.text


async def test_a_passing_502_while_polling_is_told_once_and_forgiven(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    telegram = served.telegram
    telegram.fail("getUpdates", 502, "Bad Gateway", times=2)
    telegram.say("Hello", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    assert caplog.text.count("event=telegram_polling_failing") == 1
    assert "event=telegram_polling_recovered" in caplog.text
    assert served.serving == [True, False, True]


async def test_a_502_on_an_answer_is_tried_again(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    telegram = served.telegram
    telegram.fail("sendPhoto", 502, "Bad Gateway")
    telegram.say("Hello", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    assert len(telegram.of("sendPhoto")) == 1
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_a_502_that_does_not_pass_is_given_up(telegram: FakeTelegram) -> None:
    telegram.fail("getMe", 502, "Bad Gateway", times=5)
    request = RetryingRequest(pauses_s=(0.0, 0.0))
    status, _ = await request.do_request(f"{telegram.url}/bot{TOKEN}/getMe", "POST")
    await request.shutdown()
    assert (status, len(telegram.calls)) == (502, 3)


async def test_nothing_listening_is_tried_again_and_then_told() -> None:
    request = RetryingRequest(pauses_s=(0.0, 0.0))
    with pytest.raises(Exception, match="ConnectError"):
        await request.do_request("http://127.0.0.1:9/bot1:x/getMe", "POST")
    await request.shutdown()


async def test_a_429_is_waited_out(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    telegram = served.telegram
    telegram.fail("sendPhoto", 429, "Too Many Requests: retry after 1", retry_after=1)
    telegram.say("Hello", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    assert len([call for call in telegram.calls if call.method == "sendPhoto"]) == 2
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


@pytest.mark.parametrize("trouble", ["blocked", "topic closed", "not found"])
async def test_nobody_to_answer_is_one_quiet_line(
    served: Served, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    telegram, chat = served.telegram, served.telegram.group(-1001, forum=True)
    if trouble == "blocked":
        telegram.blocked.add(chat["id"])
    elif trouble == "topic closed":
        telegram.closed_topics.add((chat["id"], 55))
    else:
        telegram.fail("sendPhoto", 400, "Bad Request: chat not found")
    telegram.say("/predict Hello", chat=chat, thread=55)
    await telegram.until(lambda: any(call.method == "sendPhoto" and call.refused for call in telegram.calls))
    telegram.say("/predict Hello", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
    assert caplog.text.count("event=telegram_undelivered") == 1


async def test_an_answer_lost_on_the_way_is_a_warning_of_one_line(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    telegram = served.telegram
    telegram.fail("sendPhoto", 500, "Internal Server Error")
    telegram.say("Hello", chat=telegram.private(7))
    await telegram.until(lambda: any(call.refused for call in telegram.calls))
    telegram.say("Hello", chat=telegram.private(8))
    await telegram.sent("sendPhoto")
    (record,) = [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
    assert record.getMessage() == "event=telegram_undelivered reason=NetworkError error=Internal Server Error"
    assert record.exc_info is None


async def test_a_deleted_question_is_answered_all_the_same(served: Served) -> None:
    telegram = served.telegram
    question = telegram.say("/predict Hello", chat=telegram.group(-1001))
    del telegram.messages[-1001, question["message_id"]]
    await telegram.sent("sendPhoto")


async def test_a_chat_without_pictures_gets_the_text_and_the_reason(served: Served) -> None:
    telegram = served.telegram
    telegram.without_pictures.add(-1001)
    telegram.say("/predict Hello", chat=telegram.group(-1001))
    call = await telegram.sent("sendMessage")
    assert call.plain is not None
    assert call.plain.text.startswith("▲ Popular · 71.2 %")
    assert "does not let me send pictures" in call.plain.text


async def test_a_card_that_was_sent_is_sent_again_by_its_id(served: Served) -> None:
    telegram = served.telegram
    for user in (7, 8):
        telegram.say("Hello", chat=telegram.private(user), user=user)
        call = await telegram.sent("sendPhoto", count=user - 6)
    assert (call.files, call.params["photo"]) == ({}, telegram.of("sendPhoto")[0].result["photo"][0]["file_id"])
    assert served.predictor.drawn == ["still"], "a card that is held is not drawn again"


async def test_a_card_that_telegram_forgot_is_drawn_anew(served: Served) -> None:
    telegram = served.telegram
    telegram.say("Hello", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    telegram.forget_files()
    telegram.say("Hello", chat=telegram.private(8))
    again = await telegram.sent("sendPhoto", count=2)
    assert again.files
    assert served.predictor.drawn == ["still", "still"]
    assert len(served.predictor.asked) == 2, "and the song is not asked for once more"


async def test_a_bug_is_told_under_a_short_id_that_the_log_has_too(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.telegram_bot import sender

    def broken(*_: object) -> str:
        monkeypatch.undo()
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(sender, "reply_html", broken)
    served.telegram.say("Hello", chat=served.telegram.private(7))
    call = await served.telegram.sent("sendMessage")
    assert call.plain is not None
    incident = call.plain.text.partition("noted as ")[2][:6]
    (record,) = [record for record in caplog.records if f"incident={incident}" in record.getMessage()]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


async def test_a_stop_finishes_what_is_in_flight(served: Served) -> None:
    telegram, predictor = served.telegram, served.predictor
    predictor.gate.clear()
    telegram.say("Hello", chat=telegram.private(7))
    await telegram.until(lambda: telegram.of("sendChatAction"))
    served.stop.set()
    await asyncio.sleep(0.05)
    predictor.gate.set()
    async with asyncio.timeout(60):
        await served.running
    assert len(telegram.of("sendPhoto")) == 1


@pytest.mark.warped_time
async def test_a_stop_does_not_wait_for_ever(telegram: FakeTelegram, predictor: FakePredictor) -> None:
    platform = platform_for(telegram, predictor)
    platform._finish_s = platform._deliver_s = 0.1
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    predictor.gate.clear()
    for user in range(1, 80):
        telegram.say("Hello", chat=telegram.private(user), user=user)
    await telegram.until(lambda: telegram.of("sendChatAction"))
    telegram.latency_s = 60  # nobody can even be told
    stop.set()
    async with asyncio.timeout(20):
        await running
    assert telegram.of("sendPhoto") == []


@pytest.mark.warped_time
async def test_a_stop_while_telegram_is_down_ends_soon(served: Served) -> None:
    telegram = served.telegram
    await telegram.until(lambda: telegram.polls)
    telegram.fail("getUpdates", 502, "Bad Gateway", times=100)
    await telegram._notify()
    polls = telegram.polls
    await telegram.until(lambda: telegram.polls > polls)
    served.stop.set()
    async with asyncio.timeout(8):
        await served.running


async def test_answers_are_made_side_by_side(served: Served) -> None:
    telegram, predictor = served.telegram, served.predictor
    predictor.gate.clear()
    for user in range(1, 11):
        telegram.say("Hello", chat=telegram.private(user), user=user)
    await telegram.until(lambda: len(predictor.asked) == 10)
    predictor.gate.set()
    await telegram.sent("sendPhoto", count=10)


async def test_menus_are_set_in_scope_and_only_when_they_changed(serve: Serve, telegram: FakeTelegram) -> None:
    async with serve():
        await telegram.until(lambda: len(telegram.of("setMyCommands")) == 2 * len(LANGUAGES))
    menus = {key: [command["command"] for command in menu] for key, menu in telegram.commands.items()}
    everybody = ["predict", "compare", "artist", "trend", "model", "help", "privacy"]
    assert menus == {
        (json.dumps(scope), code): names
        for code in (None, "es", "pt", "de", "fr", "hi", "ja")
        for scope, names in (
            ({"type": "default"}, everybody),
            ({"chat_id": ADMIN, "type": "chat"}, [*everybody, "stats", "reload"]),
        )
    }
    english, german = (telegram.commands[json.dumps({"type": "default"}), code][0] for code in (None, "de"))
    assert english == {"command": "predict", "description": "song - artist: how likely it is to be popular"}
    assert german["description"] != english["description"]
    async with serve():
        await telegram.until(lambda: len(telegram.of("getMyCommands")) == 4 * len(LANGUAGES))
    assert len(telegram.of("setMyCommands")) == 2 * len(LANGUAGES)


async def test_an_administrator_who_never_wrote_to_the_bot_is_no_trouble(
    serve: Serve, telegram: FakeTelegram, caplog: pytest.LogCaptureFixture
) -> None:
    telegram.strangers.add(ADMIN)
    async with serve():
        await telegram.until(lambda: any(call.method == "setMyCommands" and call.refused for call in telegram.calls))
        telegram.say("Hello", chat=telegram.private(7))
        await telegram.sent("sendPhoto")
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_every_question_is_answered_exactly_once_whatever_telegram_does(served: Served) -> None:
    telegram, rng = served.telegram, random.Random(7)
    faults = [(502, "Bad Gateway"), (503, "Service Unavailable")]
    for _ in range(8):
        telegram.fail(rng.choice(["sendPhoto", "sendChatAction"]), *rng.choice(faults))
    telegram.fail("sendPhoto", 429, "Too Many Requests: retry after 1", retry_after=1)
    for user in range(1, 91):
        telegram.say(rng.choice(["Hello", "Obscure Demo"]), chat=telegram.private(user), user=user)
    await telegram.until(lambda: len(telegram.of("sendPhoto")) >= 90)
    assert sorted(int(call.params["chat_id"]) for call in telegram.of("sendPhoto")) == list(range(1, 91))


async def test_the_action_is_shown_again_while_the_work_goes_on(served: Served, telegram: FakeTelegram) -> None:
    async with Bot(TOKEN, base_url=f"{telegram.url}/bot") as bot:
        async with chat_action(bot, ReplyTarget(7), repeat_s=0.01):
            telegram.fail("sendChatAction", 429, "Too Many Requests: retry after 30", retry_after=30)
            await telegram.sent("sendChatAction", count=3)
        shown = len(telegram.of("sendChatAction"))
        await bot.get_me()
    assert len(telegram.of("sendChatAction")) == shown


async def test_a_bot_set_up_wrongly_is_told_so(telegram: FakeTelegram, predictor: FakePredictor) -> None:
    platform = platform_for(telegram, predictor, telegram_webhook_url="http://bot.example.org", telegram_webhook_port=0)
    with pytest.raises(PlatformError, match="how the bot is set up: Bad webhook: an https url must be provided"):
        await platform.run(asyncio.Event())


@pytest.mark.parametrize("token", ["no-colon", "1:with space", "1:line\nbreak", "é:ü"])
async def test_a_malformed_token_is_one_line_without_the_token(
    telegram: FakeTelegram, predictor: FakePredictor, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PlatformError) as caught:
        await platform_for(telegram, predictor, telegram_token=token).run(asyncio.Event())
    for part in token.split():
        assert part not in chain(caught.value) + caplog.text


async def test_administrators_are_written_to_and_one_who_cannot_be_holds_nobody_up(
    telegram: FakeTelegram, predictor: FakePredictor, caplog: pytest.LogCaptureFixture
) -> None:
    platform = platform_for(telegram, predictor, telegram_admin_ids="41, 42")
    await platform.tell_administrators("too early")
    stop = asyncio.Event()
    running = asyncio.create_task(platform.run(stop))
    await telegram.until(lambda: telegram.polls)
    telegram.blocked.add(41)
    await platform.tell_administrators("The model of <today> is in use now.")
    stop.set()
    await running
    (call,) = telegram.of("sendMessage")
    assert call.plain is not None
    assert (call.params["chat_id"], call.plain.text) == ("42", "The model of <today> is in use now.")
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
