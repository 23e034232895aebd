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
