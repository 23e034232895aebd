import asyncio

import pytest

from bot import messages
from bot.reply import SongToken
from bot.telegram_bot import inline as inline_module
from bot.telegram_bot.keyboards import ButtonSigner, card_link
from core.domain import SongName
from core.errors import UpstreamUnavailable
from tests.bot.telegram_bot.conftest import Serve, Served
from tests.fakes.predictor import FakePredictor
from tests.fakes.telegram_server import TOKEN


async def test_inline_lists_songs_from_memory(served: Served) -> None:
    telegram = served.telegram
    telegram.type_inline("h")
    call = await telegram.sent("answerInlineQuery")
    listed = [(result["title"], result["description"]) for result in call.params["results"]]
    assert ("Hello", "Adele") in listed
    assert call.params["cache_time"] == "300"
    assert call.params["is_personal"] == "true"
    assert served.predictor.asked == []


async def test_a_chosen_song_becomes_its_verdict_with_a_way_to_the_full_card(served: Served) -> None:
    telegram = served.telegram
    telegram.type_inline("hello")
    call = await telegram.sent("answerInlineQuery")
    (result,) = call.params["results"]
    assert result["input_message_content"]["message_text"] == f"<b>Hello — Adele</b>\n{messages.INLINE_WAITING}"
    telegram.choose(result["id"], "inline-message-1")
    verdict = await telegram.sent("editMessageText")
    assert verdict.params["inline_message_id"] == "inline-message-1"
    assert verdict.plain is not None
    assert verdict.plain.text.startswith("▲ Popular · 71.2 %\nHello — Adele")
    assert verdict.labels == [[messages.BUTTON_CARD], ["Last.fm", "Spotify", "YouTube"]]
    link = verdict.keyboard[0][0]["url"]
    assert link == card_link("hitmeter_bot", SongToken(result["id"]), ButtonSigner(TOKEN))
    telegram.say(f"/start {link.partition('=')[2]}", chat=telegram.private(7))
    await telegram.sent("sendPhoto")


async def test_without_inline_feedback_the_button_shows_the_verdict_also_after_a_restart(serve: Serve) -> None:
    async with serve() as served:
        served.telegram.type_inline("obscure")
        call = await served.telegram.sent("answerInlineQuery")
        buttons = call.params["results"][0]["reply_markup"]["inline_keyboard"][0]
        assert [button["text"] for button in buttons] == [messages.BUTTON_SHOW, messages.BUTTON_CARD]
    async with serve() as served:
        served.telegram.push_press(buttons[0]["callback_data"], 9, inline_message_id="inline-message-2")
        verdict = await served.telegram.sent("editMessageText")
        assert verdict.plain is not None
        assert "Obscure Demo — Nobody Known" in verdict.plain.text


async def test_in_an_outage_the_text_says_so_and_keeps_its_button(served: Served) -> None:
    telegram = served.telegram
    telegram.type_inline("hello")
    call = await telegram.sent("answerInlineQuery")
    served.predictor.faults.append(UpstreamUnavailable("down"))
    telegram.choose(call.params["results"][0]["id"], "inline-message-1")
    told = await telegram.sent("editMessageText")
    assert told.params["text"] == UpstreamUnavailable.user_message
    assert told.labels[0] == [messages.BUTTON_SHOW, messages.BUTTON_CARD]


async def test_nothing_in_memory_offers_the_private_chat(served: Served) -> None:
    served.telegram.type_inline("zzzz")
    call = await served.telegram.sent("answerInlineQuery")
    assert call.params["results"] == []
    assert call.params["button"] == {"text": messages.INLINE_ELSEWHERE, "start_parameter": "ask"}
    served.telegram.say("/start ask", chat=served.telegram.private(7))
    greeting = await served.telegram.sent("sendMessage")
    assert greeting.plain is not None
    assert greeting.plain.text.startswith(messages.HELP_TITLE)


async def test_a_slow_memory_is_not_waited_for(
    served: Served, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(prefix: str, limit: int) -> tuple[SongName, ...]:
        await asyncio.Event().wait()
        return ()

    monkeypatch.setattr(predictor, "complete", never)
    monkeypatch.setattr(inline_module, "PATIENCE_S", 0.01)
    served.telegram.type_inline("hello")
    call = await served.telegram.sent("answerInlineQuery")
    assert (call.params["results"], call.params["cache_time"]) == ([], "0")


async def test_hostile_titles_are_listed_as_text(
    served: Served, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hostile(prefix: str, limit: int) -> tuple[SongName, ...]:
        return (SongName("<b>&\u202e\x00" + "x" * 5_000, "@everyone\ud800"), SongName("", ""))

    monkeypatch.setattr(predictor, "complete", hostile)
    served.telegram.type_inline("hello")
    call = await served.telegram.sent("answerInlineQuery")
    assert len(call.params["results"]) == 2


async def test_an_expired_query_makes_no_noise(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    telegram = served.telegram
    telegram.fail("answerInlineQuery", 400, "Bad Request: query is too old and response timeout expired")
    telegram.type_inline("hello")
    telegram.type_inline("hell")
    await telegram.sent("answerInlineQuery")
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


# where the bot is a guest


ELSEWHERE = {"id": -2002, "type": "supergroup", "title": "Others"}


async def test_a_guest_answers_at_once_and_then_with_the_verdict(served: Served) -> None:
    telegram = served.telegram
    telegram.ask_guest("@hitmeter_bot hello by adele", chat=ELSEWHERE)
    at_once = await telegram.sent("answerGuestQuery")
    assert at_once.plain is not None
    assert at_once.plain.text == messages.GUEST_WAITING
    verdict = await telegram.sent("editMessageText")
    assert verdict.params["inline_message_id"] == at_once.result["inline_message_id"]
    assert verdict.plain is not None
    assert verdict.plain.text.startswith("▲ Popular · 71.2 %\nHello — Adele")
    assert verdict.labels == [[messages.BUTTON_CARD], ["Last.fm", "Spotify", "YouTube"]]
    assert served.predictor.asked == ["hello by adele"]
    assert telegram.of("sendMessage", "sendPhoto", "sendChatAction") == []


async def test_a_guest_takes_the_song_of_the_message_that_a_bare_mention_replies_to(served: Served) -> None:
    telegram = served.telegram
    said = telegram.message("Halfway There - Some Band", chat=ELSEWHERE, user=8)
    telegram.ask_guest("@hitmeter_bot", chat=ELSEWHERE, reply_to=said)
    await telegram.sent("editMessageText")
    assert served.predictor.asked == ["Halfway There - Some Band"]


async def test_a_guest_asks_back_and_only_the_asker_may_choose(served: Served) -> None:
    telegram = served.telegram
    telegram.ask_guest("@hitmeter_bot twins", chat=ELSEWHERE, user=7)
    asked_back = await telegram.sent("editMessageText")
    assert asked_back.params["text"].startswith(messages.DID_YOU_MEAN)
    assert asked_back.labels[1] == ["Hello — Adele · 1,000 listeners"]
    where = {"inline_message_id": asked_back.params["inline_message_id"]}
    served.predictor.faults.append(UpstreamUnavailable("down"))
    telegram.push_press(asked_back.keyboard[1][0]["callback_data"], 7, **where)
    told = await telegram.sent("answerCallbackQuery")
    assert (told.params["text"], told.params["show_alert"]) == (UpstreamUnavailable.user_message, "true")
    assert len(telegram.of("editMessageText")) == 1, "the choice stays open"
    telegram.push_press(asked_back.keyboard[1][0]["callback_data"], 8, **where)
    refused = await telegram.sent("answerCallbackQuery", count=2)
    assert refused.params["text"] == messages.NOT_YOUR_CHOICE
    telegram.push_press(asked_back.keyboard[1][0]["callback_data"], 7, **where)
    verdict = await telegram.sent("editMessageText", count=2)
    assert verdict.plain is not None
    assert "Hello — Adele" in verdict.plain.text


async def test_a_guest_says_an_outage_and_an_empty_question(served: Served) -> None:
    telegram = served.telegram
    served.predictor.faults.append(UpstreamUnavailable("down"))
    telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE)
    assert (await telegram.sent("editMessageText")).params["text"] == UpstreamUnavailable.user_message
    telegram.ask_guest("@hitmeter_bot", chat=ELSEWHERE)
    assert (await telegram.sent("editMessageText", count=2)).params["text"].startswith("Which song?")


async def test_a_guest_keeps_a_persons_limit_and_lets_bots_pass(serve: Serve) -> None:
    async with serve(user_limit_count=1) as served:
        telegram = served.telegram
        telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE)
        await telegram.sent("editMessageText")
        bot = {"id": 99, "is_bot": True, "first_name": "Other"}
        telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE, **{"from": bot})
        telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE)
        limited = await telegram.sent("answerGuestQuery", count=2)
        assert limited.plain is not None
        assert limited.plain.text.startswith("That was a lot at once.")
        telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE)
        telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE, user=8)
        await telegram.sent("editMessageText", count=2)
        assert len(telegram.of("answerGuestQuery")) == 3


async def test_a_guest_whose_question_is_over_goes_on(served: Served) -> None:
    telegram = served.telegram
    telegram.fail("answerGuestQuery", 400, "Bad Request: query is too old and response timeout expired")
    telegram.ask_guest("@hitmeter_bot hello", chat=ELSEWHERE)
    telegram.ask_guest("@hitmeter_bot obscure demo", chat=ELSEWHERE)
    verdict = await telegram.sent("editMessageText")
    assert verdict.plain is not None
    assert "Obscure Demo" in verdict.plain.text
