import io

import pytest
from PIL import Image

from bot import messages
from bot.rate_limits import Limit, RateLimiter
from bot.reply import ResultCode, SongToken
from bot.telegram_bot.keyboards import ButtonSigner, card_link
from tests.bot.telegram_bot.conftest import ADMIN, Serve, Served
from tests.fakes.telegram_server import TOKEN

GROUP = -1001


async def test_predict_sends_the_card_with_caption_and_keyboard(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/predict Blinding Lights - The Weeknd", chat=telegram.private(7))
    call = await telegram.sent("sendPhoto")
    with Image.open(io.BytesIO(call.files["photo"])) as card:
        assert (card.format, card.size) == ("PNG", (1200, 630))
    assert call.plain is not None
    assert call.plain.text.startswith("▲ Popular · 92.3 %\nBlinding Lights — The Weeknd\nAbout 92 of 100")
    kinds = {entity["type"]: entity for entity in call.plain.entities}
    assert kinds["text_link"]["url"] == "https://www.last.fm/music/somebody/_/something"
    assert set(kinds) == {"bold", "text_link", "italic"}
    assert call.labels == [["Why?", "Refresh", "Compare"], ["Last.fm", "Spotify", "YouTube"]]
    assert "reply_parameters" not in call.params
    assert telegram.of("sendChatAction")[0].params["action"] == "upload_photo"
    assert served.predictor.asked == ["Blinding Lights - The Weeknd"]


async def test_in_a_private_chat_plain_text_is_a_song(served: Served) -> None:
    telegram = served.telegram
    telegram.say("hello by adele", chat=telegram.private(7))
    call = await telegram.sent("sendPhoto")
    assert call.plain is not None
    assert "Hello — Adele" in call.plain.text


async def test_each_person_is_answered_in_their_language_with_a_card_in_it(served: Served) -> None:
    telegram = served.telegram
    telegram.languages |= {8: "de", 9: "pt-br"}
    for count, user in enumerate((7, 8, 9, 8), start=1):
        telegram.say("Hello", chat=telegram.private(user), user=user)
        await telegram.sent("sendPhoto", count=count)
    captions = {call.params["chat_id"]: call.plain.text for call in telegram.of("sendPhoto") if call.plain}
    assert "71.2 %" in captions["7"]
    assert captions["8"].startswith("▲ Beliebt · 71,2\xa0%")
    assert captions["9"].startswith("▲ Popular · 71,2%")
    # A language's card is drawn once, and never shown to those of another.
    assert [bool(call.files) for call in telegram.of("sendPhoto")] == [True, True, True, False]


async def test_in_a_group_only_what_is_meant_for_the_bot_is_answered(served: Served) -> None:
    telegram, chat = served.telegram, served.telegram.group(GROUP)
    telegram.say("hello everybody", chat=chat)
    telegram.say("/predict@other_music_bot Hello", chat=chat)
    telegram.say("@another_person Hello", chat=chat)
    telegram.say("Hello, @Hitmeter_Bot", chat=chat)
    mentioned = await telegram.sent("sendPhoto")
    telegram.say("Obscure Demo", chat=chat, reply_to=mentioned.result)
    await telegram.sent("sendPhoto", count=2)
    telegram.say("/predict@hitmeter_bot Halfway There", chat=chat)
    await telegram.sent("sendPhoto", count=3)
    assert served.predictor.asked == ["Hello,", "Obscure Demo", "Halfway There"]
    assert mentioned.params["reply_parameters"] != {}


async def test_in_a_group_a_caption_may_mention_the_bot(served: Served) -> None:
    telegram, chat = served.telegram, served.telegram.group(GROUP)
    mention = {"type": "mention", "offset": 9, "length": 13}
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    audio = {"file_id": "a", "file_unique_id": "b", "duration": 200, "title": "Halfway There", "performer": "Some Band"}
    telegram.say("", chat=chat, photo=photo, caption="Hello and nobody")
    telegram.say("", chat=chat, photo=photo)
    captioned = {"caption": "Hello 🎵 @hitmeter_bot", "caption_entities": [mention]}
    telegram.say("", chat=chat, photo=photo, **captioned)
    await telegram.sent("sendPhoto")
    telegram.say("", chat=chat, audio=audio, **captioned)
    await telegram.sent("sendPhoto", count=2)
    assert served.predictor.asked == ["Hello 🎵", "Halfway There - Some Band"]


async def test_in_a_group_the_answer_quotes_the_question(served: Served) -> None:
    telegram = served.telegram
    question = telegram.say("/predict Hello", chat=telegram.group(GROUP))
    call = await telegram.sent("sendPhoto")
    assert call.result["reply_to_message"]["message_id"] == question["message_id"]


async def test_an_answer_stays_in_its_forum_topic(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/predict Hello", chat=telegram.group(GROUP, forum=True), thread=55)
    call = await telegram.sent("sendPhoto")
    assert call.params["message_thread_id"] == "55"
    assert telegram.of("sendChatAction")[0].params["message_thread_id"] == "55"


async def test_a_chain_of_replies_outside_a_forum_is_no_topic(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/predict Hello", chat=telegram.group(GROUP), message_thread_id=55)
    call = await telegram.sent("sendPhoto")
    assert "message_thread_id" not in call.params


async def test_a_bare_command_takes_the_song_from_the_message_it_replies_to(served: Served) -> None:
    telegram, chat = served.telegram, served.telegram.group(GROUP)
    said = telegram.message("Halfway There - Some Band", chat=chat, user=8)
    telegram.say("/predict", chat=chat, reply_to=said)
    await telegram.sent("sendPhoto")
    assert served.predictor.asked == ["Halfway There - Some Band"]


async def test_a_sent_audio_file_is_a_question(served: Served) -> None:
    telegram = served.telegram
    audio = {"file_id": "a", "file_unique_id": "b", "duration": 200, "title": "Hello", "performer": "Adele"}
    telegram.say("", chat=telegram.private(7), audio=audio)
    await telegram.sent("sendPhoto")
    assert served.predictor.asked == ["Hello - Adele"]


async def test_messages_of_bots_channels_and_inline_mode_are_let_pass(served: Served) -> None:
    telegram = served.telegram
    bot = {"id": 99, "is_bot": True, "first_name": "Other"}
    telegram.say("Hello", chat=telegram.private(7), via_bot=bot)
    telegram.say("/predict Hello", chat=telegram.group(GROUP), **{"from": bot})
    telegram.say("/predict Hello", chat=telegram.group(GROUP), is_automatic_forward=True)
    telegram.push(channel_post=telegram.message("/predict Hello", chat={"id": -5, "type": "channel", "title": "C"}))
    telegram.say("/predict Obscure Demo", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    assert served.predictor.asked == ["Obscure Demo"]


async def test_a_question_that_names_no_song_gets_a_sentence(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/predict", chat=telegram.private(7))
    call = await telegram.sent("sendMessage")
    assert call.plain is not None
    assert call.plain.text == "Which song?\nAsk like this: Blinding Lights - The Weeknd"
    assert served.codes == [("predict", ResultCode.BAD_QUESTION)]


async def test_hostile_text_comes_back_as_text(served: Served) -> None:
    telegram = served.telegram
    telegram.say("<b>no & </b>\u202e such <a href='x'>", chat=telegram.private(7))
    call = await telegram.sent("sendMessage")
    assert call.plain is not None
    assert "“<b>no & </b> such <a href='x'>”" in call.plain.text


async def test_compare_sends_one_card_for_both(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/compare hello | obscure demo", chat=telegram.private(7))
    call = await telegram.sent("sendPhoto")
    assert call.plain is not None
    assert call.plain.text.startswith("Hello — Adele is the likelier hit: 71.2 % against 8.1 %.")
    assert served.codes == [("compare", ResultCode.COMPARED)]


async def test_model_help_and_privacy(served: Served) -> None:
    telegram = served.telegram
    for command in ("/model", "/help", "/privacy", "/unheard_of"):
        telegram.say(command, chat=telegram.private(7))
    await telegram.sent("sendMessage", count=4)
    texts = [call.plain.text for call in telegram.of("sendMessage") if call.plain]
    assert sorted(text.splitlines()[0] for text in texts) == [
        messages.MODEL_TITLE, messages.HELP_TITLE, messages.HELP_TITLE, messages.PRIVACY_TITLE,
    ]  # fmt: skip
    assert any("type @hitmeter_bot and a song" in text for text in texts)


async def test_start_greets_and_its_deep_links_predict(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/start", chat=telegram.private(7))
    greeting = await telegram.sent("sendMessage")
    assert greeting.plain is not None
    assert greeting.plain.text.startswith(messages.HELP_TITLE)
    telegram.say("/start Hello_-_Adele", chat=telegram.private(7))
    card = await telegram.sent("sendPhoto")
    token = card.keyboard[0][0]["callback_data"][1:13]
    telegram.say(f"/start {payload_of(token)}", chat=telegram.private(8))
    again = await telegram.sent("sendPhoto", count=2)
    assert again.plain is not None
    assert "Hello — Adele" in again.plain.text
    telegram.say(f"/start {payload_of('A' * 12)}", chat=telegram.private(8))
    unknown = await telegram.sent("sendMessage", count=2)
    assert unknown.plain is not None
    assert unknown.plain.text == messages.FORGOTTEN


def payload_of(token: str) -> str:
    """What the bot's own link to a song's card carries."""
    return card_link("hitmeter_bot", SongToken(token), ButtonSigner(TOKEN)).partition("=")[2]


async def test_commands_of_administrators_are_refused_to_others(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/stats", chat=telegram.private(7), user=7)
    telegram.say("/reload", chat=telegram.group(GROUP), user=7)
    await telegram.sent("sendMessage", count=2)
    assert {call.plain.text for call in telegram.of("sendMessage") if call.plain} == {messages.ADMINISTRATORS_ONLY}
    assert served.predictor.reloads == 0
    assert served.codes == [("refuse", ResultCode.REFUSED)] * 2


async def test_an_anonymous_administrator_of_a_group_is_none_of_ours(served: Served) -> None:
    telegram, chat = served.telegram, served.telegram.group(GROUP)
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    telegram.say("/reload", chat=chat, sender_chat=chat, **{"from": anonymous})
    await telegram.sent("sendMessage")
    assert served.predictor.reloads == 0


async def test_who_writes_in_a_channels_name_is_answered_too(served: Served) -> None:
    telegram, channel = served.telegram, {"id": -5, "type": "channel", "title": "C"}
    channel_bot = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
    telegram.say("/predict twins", chat=telegram.group(GROUP), sender_chat=channel, **{"from": channel_bot})
    choice = await telegram.sent("sendMessage")
    telegram.press(choice.result, "Hello", user=7)
    await telegram.sent("editMessageMedia")


async def test_administrators_read_figures_and_reload_the_model(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/stats", chat=telegram.private(ADMIN), user=ADMIN)
    stats = await telegram.sent("sendMessage")
    assert stats.plain is not None
    assert stats.plain.text.startswith(messages.STATS_TITLE)
    telegram.say("/reload", chat=telegram.private(ADMIN), user=ADMIN)
    reloaded = await telegram.sent("sendMessage", count=2)
    assert reloaded.plain is not None
    assert reloaded.plain.text == "The model of 22 Nov 2026 is in use now."
    assert served.predictor.reloads == 1


async def test_limits_are_told_once_and_then_met_with_silence(serve: Serve) -> None:
    async with serve(user_limit_count=1, user_limit_window_s=600) as served:
        telegram = served.telegram
        for _ in range(3):
            telegram.say("/predict Hello", chat=telegram.private(7))
        telegram.say("/predict Hello", chat=telegram.private(8), user=8)
        await telegram.sent("sendPhoto", count=2)
        limited = await telegram.sent("sendMessage")
        assert limited.plain is not None
        assert "You can ask again in" in limited.plain.text
        assert len(telegram.of("sendMessage", "sendPhoto")) == 3
        assert served.codes.count(("limit", ResultCode.LIMITED)) == 1


async def test_a_groups_limit_is_the_groups(serve: Serve) -> None:
    async with serve(chat_limit_count=1, chat_limit_window_s=600) as served:
        telegram = served.telegram
        for user in (1, 2, 3):
            telegram.say("/predict Hello", chat=telegram.group(GROUP), user=user)
        telegram.say("/predict Hello", chat=telegram.private(9), user=9)
        await telegram.sent("sendPhoto", count=2)
        await telegram.sent("sendMessage")
        assert len(telegram.of("sendMessage")) == 1


async def test_an_edited_question_changes_its_answer_in_place(served: Served) -> None:
    telegram = served.telegram
    question = telegram.say("/predict Hello", chat=telegram.private(7))
    card = await telegram.sent("sendPhoto")
    telegram.edit(question, "/predict Hello")
    telegram.edit(question, "/predict Obscure Demo")
    edited = await telegram.sent("editMessageMedia")
    assert edited.params["message_id"] == str(card.result["message_id"])
    assert "Obscure Demo" in edited.result["caption"]
    telegram.edit(question, "/predict no such song")
    text = await telegram.sent("sendMessage")
    assert (await telegram.sent("deleteMessage")).params["message_id"] == str(card.result["message_id"])
    telegram.edit(question, "/predict Halfway There")
    mended = await telegram.sent("editMessageMedia", count=2)
    assert mended.params["message_id"] == str(text.result["message_id"])
    assert len(served.predictor.asked) == 4


async def test_an_edit_that_a_limit_refused_is_answered_when_it_comes_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    limits = {"user": Limit(1, 600), "chat": Limit(0, 1)}
    monkeypatch.setattr(RateLimiter, "from_settings", lambda *_, **__: RateLimiter(**limits, clock=lambda: now[0]))
    async with serve() as served:
        telegram = served.telegram
        question = telegram.say("/predict Hello", chat=telegram.private(7))
        card = await telegram.sent("sendPhoto")
        telegram.edit(question, "/predict Obscure Demo")
        limited = await telegram.sent("sendMessage")
        assert "You can ask again in" in limited.result["text"]
        now[0] = 601
        telegram.edit(question, "/predict Obscure Demo")
        edited = await telegram.sent("editMessageMedia")
        assert edited.params["message_id"] == str(card.result["message_id"])
        assert "Obscure Demo" in edited.result["caption"]


async def test_an_edit_of_an_unremembered_message_is_let_pass(served: Served) -> None:
    telegram = served.telegram
    old = telegram.message("/predict Hello", chat=telegram.private(7))
    telegram.edit(old, "/predict Obscure Demo")
    telegram.say("/predict Halfway There", chat=telegram.private(7))
    await telegram.sent("sendPhoto")
    assert served.predictor.asked == ["Halfway There"]


async def test_the_same_update_twice_is_answered_once(served: Served) -> None:
    telegram = served.telegram
    question = telegram.say("/predict Hello", chat=telegram.private(7))
    telegram.push(message=question)
    telegram.say("/predict Obscure Demo", chat=telegram.private(7))
    await telegram.sent("sendPhoto", count=2)
    assert sorted(served.predictor.asked) == ["Hello", "Obscure Demo"]


async def test_an_animated_card_is_sent_as_animation(serve: Serve) -> None:
    async with serve(telegram_animated=True) as served:
        telegram = served.telegram
        telegram.say("/predict Hello", chat=telegram.private(7))
        first = await telegram.sent("sendAnimation")
        assert first.files["animation"].startswith(b"GIF8")
        telegram.say("/predict Hello", chat=telegram.private(8))
        second = await telegram.sent("sendAnimation", count=2)
        assert second.params["animation"] == first.result["animation"]["file_id"]


async def test_artist_sends_the_ranking_with_a_button_for_each_song(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/artist The Weeknd", chat=telegram.private(7))
    call = await telegram.sent("sendPhoto")
    assert call.plain is not None
    lines = call.plain.text.splitlines()
    assert lines[0] == "The Weeknd: 30 songs by their chance to be popular"
    assert "The likeliest hit is Song 1, at 93.0 %." in lines
    assert "10. ▲ 75.0 % · Song 10 · 990K listeners" in lines
    assert [len(row) for row in call.labels] == [2] * 10
    assert call.labels[0] == ["Song 1 · 93.0 %", "Song 2 · 91.0 %"]
    assert served.codes == [("artist", ResultCode.RANKED)]


async def test_an_artist_without_a_name_or_an_unknown_one_is_told(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/artist", chat=telegram.private(7))
    how = await telegram.sent("sendMessage")
    assert how.plain is not None
    assert how.plain.text == "Which artist?\nAsk like this: /artist The Weeknd"
    telegram.say("/artist Nobody", chat=telegram.private(7))
    missing = await telegram.sent("sendMessage", count=2)
    assert missing.plain is not None
    assert missing.plain.text.startswith("I found no artist like “Nobody”.")


async def test_trend_sends_the_curve_and_says_what_changed(served: Served) -> None:
    telegram = served.telegram
    telegram.say("/trend blinding lights", chat=telegram.private(7))
    call = await telegram.sent("sendPhoto")
    assert call.plain is not None
    assert "Its chance to be popular: 55.0 % then, 92.3 % now." in call.plain.text
    assert "In 3 weeks: +14 % listeners, faster than 93 % of songs" in call.plain.text
    telegram.say("/trend hello", chat=telegram.private(7))
    told = await telegram.sent("sendMessage")
    assert told.plain is not None
    assert told.plain.text.startswith("I know figures of Hello — Adele since 22 Nov 2026 only.")
