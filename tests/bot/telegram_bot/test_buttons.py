from dataclasses import replace
from datetime import timedelta

import pytest

from bot import messages
from bot.reply import ResultCode, SongToken
from bot.telegram_bot.keyboards import Action, ButtonData, ButtonSigner
from core.domain import Prediction, SongName
from core.errors import UpstreamUnavailable
from core.history import song_token
from tests.bot.telegram_bot.conftest import Serve, Served
from tests.fakes.predictor import FakePredictor
from tests.fakes.telegram_server import TOKEN, Call

GROUP = -1001
HELLO = song_token(SongName("Hello", "Adele"))


async def card_in(served: Served, *, group: bool = False, thread: int | None = None) -> Call:
    telegram = served.telegram
    chat = telegram.group(GROUP, forum=thread is not None) if group else telegram.private(7)
    telegram.say("/predict Hello", chat=chat, thread=thread)
    return await telegram.sent("sendPhoto")


def let_figures_move_on(predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every fresh answer be a minute younger than the last."""
    answered = predictor._answered

    def younger(prediction: Prediction) -> Prediction:
        minutes = timedelta(minutes=sum(predictor.fresh))
        return answered(replace(prediction, source=replace(prediction.source, as_of=prediction.source.as_of + minutes)))

    monkeypatch.setattr(predictor, "_answered", younger)


async def test_why_answers_beside_the_card(served: Served) -> None:
    card = await card_in(served, group=True, thread=55)
    served.telegram.press(card.result, "Why?", user=8)
    why = await served.telegram.sent("sendMessage")
    assert why.plain is not None
    assert why.plain.text.startswith("Why 71.2 % for Hello — Adele\n\nSpeaks for it: listeners.")
    assert why.result["reply_to_message"]["message_id"] == card.result["message_id"]
    assert why.params["message_thread_id"] == "55"
    await served.telegram.sent("answerCallbackQuery")


async def test_refresh_replaces_the_card_in_place(
    served: Served, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_figures_move_on(predictor, monkeypatch)
    card = await card_in(served)
    served.telegram.press(card.result, "Refresh")
    edited = await served.telegram.sent("editMessageMedia")
    assert edited.params["message_id"] == str(card.result["message_id"])
    assert edited.files, "a card of new figures is drawn anew"
    assert [
        [button["text"] for button in row] for row in edited.result["reply_markup"]["inline_keyboard"]
    ] == card.labels
    told = await served.telegram.sent("answerCallbackQuery")
    assert told.params["text"].startswith("Last.fm, ")
    assert predictor.fresh == [False, True]


async def test_refresh_without_new_figures_leaves_the_card(served: Served) -> None:
    card = await card_in(served)
    served.telegram.press(card.result, "Refresh")
    await served.telegram.sent("answerCallbackQuery")
    refused = [call for call in served.telegram.calls if call.method == "editMessageMedia"]
    assert [str(call.refused)[:40] for call in refused] == ["Bad Request: message is not modified: spe"[:40]]
    assert len(served.telegram.of("sendPhoto", "sendMessage")) == 1


async def test_refresh_in_an_outage_says_so_and_leaves_the_card(served: Served) -> None:
    card = await card_in(served)
    served.predictor.faults.append(UpstreamUnavailable("down"))
    served.telegram.press(card.result, "Refresh")
    told = await served.telegram.sent("answerCallbackQuery")
    assert told.params["text"] == UpstreamUnavailable.user_message
    assert told.params["show_alert"] == "true"
    assert not served.telegram.of("editMessageMedia", "deleteMessage")


async def test_refresh_of_a_deleted_card_sends_a_new_one(
    served: Served, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_figures_move_on(predictor, monkeypatch)
    card = await card_in(served)
    del served.telegram.messages[7, card.result["message_id"]]
    served.telegram.press(card.result, "Refresh")
    await served.telegram.sent("sendPhoto", count=2)


async def test_compare_asks_for_the_second_song_and_takes_the_reply(served: Served) -> None:
    telegram = served.telegram
    card = await card_in(served, group=True)
    telegram.press(card.result, "Compare", user=8)
    prompt = await telegram.sent("sendMessage")
    assert prompt.plain is not None
    assert prompt.plain.text == "User 8 Compare Hello — Adele with which song? Reply to this message with its name."
    assert prompt.params["reply_markup"]["force_reply"] is True
    assert prompt.params["reply_markup"]["selective"] is True
    telegram.say("obscure demo", chat=telegram.group(GROUP), user=8, reply_to=prompt.result)
    compared = await telegram.sent("sendPhoto", count=2)
    assert compared.result["caption"].startswith("Hello — Adele is the likelier hit: 71.2 % against 8.1 %.")


async def test_buttons_mean_the_same_after_a_restart(serve: Serve) -> None:
    async with serve() as served:
        card = await card_in(served)
        served.telegram.press(card.result, "Compare")
        prompt = await served.telegram.sent("sendMessage")
    async with serve() as served:
        served.telegram.press(card.result, "Why?")
        why = await served.telegram.sent("sendMessage", count=2)
        assert why.plain is not None
        assert "Hello — Adele" in why.plain.text
        served.telegram.say("obscure demo", chat=served.telegram.private(7), reply_to=prompt.result)
        await served.telegram.sent("sendPhoto", count=2)


async def test_a_choice_becomes_the_card_in_place(served: Served) -> None:
    telegram = served.telegram
    telegram.say("twins", chat=telegram.private(7))
    choice = await telegram.sent("sendMessage")
    assert choice.labels[1] == ["Hello — Adele · 1,000 listeners"]
    telegram.press(choice.result, "Hello")
    card = await telegram.sent("editMessageMedia")
    assert card.params["message_id"] == str(choice.result["message_id"])
    assert "Hello — Adele" in card.result["caption"]
    assert card.labels[0] == ["Why?", "Refresh", "Compare"]
    assert len(telegram.of("sendMessage", "sendPhoto")) == 1


async def test_a_choice_without_an_answer_stays_open_and_says_why(served: Served) -> None:
    telegram = served.telegram
    telegram.say("twins", chat=telegram.private(7))
    choice = await telegram.sent("sendMessage")
    served.predictor.faults.append(UpstreamUnavailable("down"))
    telegram.press(choice.result, "Hello")
    told = await telegram.sent("answerCallbackQuery")
    assert (told.params["text"], told.params["show_alert"]) == (UpstreamUnavailable.user_message, "true")
    assert not telegram.of("editMessageText", "editMessageMedia", "deleteMessage")
    telegram.press(choice.result, "Hello")
    await telegram.sent("editMessageMedia")
    assert (await telegram.sent("answerCallbackQuery", count=2)).params.get("text") is None


async def test_a_card_stays_when_what_is_picked_under_it_has_no_answer(served: Served) -> None:
    telegram = served.telegram
    telegram.say("perhaps", chat=telegram.private(7))
    card = await telegram.sent("sendPhoto")
    served.predictor.faults.append(UpstreamUnavailable("down"))
    telegram.press(card.result, "Halfway There — Some Band · 1,000 listeners")
    await telegram.sent("answerCallbackQuery")
    assert telegram.messages[7, card.result["message_id"]] == card.result
    assert not telegram.of("sendMessage")


async def test_refresh_where_pictures_are_forbidden_adds_no_message(served: Served) -> None:
    telegram, chat = served.telegram, served.telegram.group(GROUP)
    telegram.without_pictures.add(GROUP)
    telegram.say("/predict Hello", chat=chat)
    text = await telegram.sent("sendMessage")
    telegram.press(text.result, "Refresh")
    await telegram.sent("answerCallbackQuery")
    (edit,) = (call for call in telegram.calls if call.method == "editMessageText")
    assert edit.params["message_id"] == str(text.result["message_id"])
    assert messages.PICTURES_FORBIDDEN in edit.params["text"]
    assert len(telegram.of("sendMessage", "sendPhoto")) == 1


async def test_a_choice_is_for_the_asker_alone(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/predict twins", chat=telegram.group(GROUP), user=7)
    choice = await telegram.sent("sendMessage")
    telegram.press(choice.result, "Hello", user=8)
    told = await telegram.sent("answerCallbackQuery")
    assert told.params["text"] == messages.NOT_YOUR_CHOICE
    assert not telegram.of("editMessageMedia")
    telegram.press(choice.result, "Hello", user=7)
    await telegram.sent("editMessageMedia")
    assert ("button", ResultCode.REFUSED) in served.codes


async def test_a_choice_within_a_comparison_becomes_the_comparison(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/compare obscure demo | twins", chat=telegram.private(7))
    choice = await telegram.sent("sendMessage")
    telegram.press(choice.result, "Hello")
    compared = await telegram.sent("editMessageMedia")
    assert compared.params["message_id"] == str(choice.result["message_id"])
    assert compared.result["caption"].startswith("Hello — Adele is the likelier hit")


async def test_an_anonymous_administrators_choice_is_open_to_the_person_behind(served: Served) -> None:
    telegram, chat = served.telegram, served.telegram.group(GROUP)
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    telegram.say("/predict twins", chat=chat, sender_chat=chat, **{"from": anonymous})
    choice = await telegram.sent("sendMessage")
    telegram.press(choice.result, "Hello", user=7)
    await telegram.sent("editMessageMedia")


FOREIGN = ButtonSigner("987654321:another").pack(ButtonData(Action.REFRESH, SongToken(HELLO)))
OWN = ButtonSigner(TOKEN).pack(ButtonData(Action.PICK, SongToken(HELLO), 7))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "x",
        "reload",
        "r" + HELLO,
        FOREIGN,
        OWN.replace(f"{HELLO}7", f"{HELLO}8"),
        "s" + OWN[1:],
        OWN + "=",
        "é" * 30,
    ],
)
async def test_made_up_callback_data_is_refused_with_a_sentence(served: Served, data: str) -> None:
    card = await card_in(served)
    served.telegram.press(card.result, user=8, data=data)
    told = await served.telegram.sent("answerCallbackQuery")
    assert told.params["text"] == messages.BUTTON_UNKNOWN
    assert served.codes[1:] == [("button", ResultCode.REFUSED)]
    assert len(served.predictor.asked) == 1
    assert served.predictor.reloads == 0


async def test_a_forgotten_song_is_said_to_be_forgotten(served: Served) -> None:
    unknown = ButtonSigner(TOKEN)
    card = await card_in(served)
    for action in (Action.WHY, Action.COMPARE):
        served.telegram.press(card.result, data=unknown.pack(ButtonData(action, SongToken("AAAAAAAAAAAA"))))
    await served.telegram.sent("sendMessage", count=2)
    assert {call.plain.text for call in served.telegram.of("sendMessage") if call.plain} == {messages.FORGOTTEN}


async def test_a_press_that_telegram_gave_up_on_is_still_served(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    card = await card_in(served)
    served.telegram.fail("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired")
    served.telegram.press(card.result, "Why?")
    await served.telegram.sent("sendMessage")
    assert not [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]


async def test_presses_are_limited_and_answered_in_a_popup(serve: Serve) -> None:
    async with serve(user_limit_count=1, user_limit_window_s=600) as served:
        card = await card_in(served)
        served.telegram.press(card.result, "Why?")
        told = await served.telegram.sent("answerCallbackQuery")
        assert "You can ask again in" in told.params["text"]
        assert not served.telegram.of("sendMessage")


async def test_a_button_under_a_message_that_telegram_no_longer_shows(
    served: Served, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_figures_move_on(predictor, monkeypatch)
    card = await card_in(served)
    old = {"chat": card.result["chat"], "message_id": card.result["message_id"], "date": 0}
    served.telegram.press(old, data=card.keyboard[0][0]["callback_data"])
    await served.telegram.sent("sendMessage")
    served.telegram.press(old, data=card.keyboard[0][1]["callback_data"])
    await served.telegram.sent("editMessageMedia")


async def test_under_an_answer_in_doubt_the_others_can_be_chosen(served: Served) -> None:
    served.telegram.say("perhaps", chat=served.telegram.private(7))
    card = await served.telegram.sent("sendPhoto")
    assert card.plain is not None
    assert messages.NOT_MEANT_PICK in card.plain.text
    assert card.labels[0] == ["Why?", "Refresh", "Compare"]
    served.telegram.press(card.result, "Halfway There — Some Band · 1,000 listeners")
    edited = await served.telegram.sent("editMessageMedia")
    assert edited.params["message_id"] == str(card.result["message_id"])
    assert edited.plain is not None
    assert "Halfway There — Some Band" in edited.plain.text


async def test_two_songs_in_one_message_are_compared(served: Served) -> None:
    served.telegram.say("hello vs blinding lights", chat=served.telegram.private(7))
    card = await served.telegram.sent("sendPhoto")
    assert card.plain is not None
    assert "likelier hit" in card.plain.text


async def test_the_compare_command_takes_versus_too(served: Served) -> None:
    served.telegram.say("/compare hello vs blinding lights", chat=served.telegram.private(7))
    card = await served.telegram.sent("sendPhoto")
    assert card.plain is not None
    assert "likelier hit" in card.plain.text


@pytest.mark.parametrize("group", [False, True])
async def test_a_song_of_a_ranking_opens_in_a_message_of_its_own_for_anyone(served: Served, group: bool) -> None:
    telegram = served.telegram
    chat = telegram.group(GROUP) if group else telegram.private(7)
    telegram.say("/artist The Weeknd", chat=chat)
    ranking = await telegram.sent("sendPhoto")
    for count, (label, user) in enumerate((("Song 2 ", 8 if group else 7), ("Song 20", 7)), start=2):
        telegram.press(ranking.result, label, user=user)
        opened = await telegram.sent("sendPhoto", count=count)
        assert opened.plain is not None
        assert f"{label.strip()} — The Weeknd" in opened.plain.text
        assert opened.result["reply_to_message"]["message_id"] == ranking.result["message_id"]
    assert telegram.of("editMessageMedia", "deleteMessage") == []
