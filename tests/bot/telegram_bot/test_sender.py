from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from telegram import InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden
from telegram.ext import Defaults, ExtBot

from bot.replies import prediction_reply
from bot.reply import Line, LineKind, Picture, Reply, ResultCode, stored_card, text_reply
from bot.telegram_bot.keyboards import ButtonSigner, Keyboards
from bot.telegram_bot.sender import CardKey, FileIdCache, MessageSender, ReplyTarget, SentMessage
from tests.fakes.predictor import NOW, picture, prediction
from tests.fakes.telegram_server import TOKEN, FakeTelegram

HOME = ReplyTarget(7)
CARD = Picture(picture("PNG"), "card.png", "image/png", "a card")


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[ExtBot[None]]:
    defaults = Defaults(parse_mode=ParseMode.HTML, link_preview_options=LinkPreviewOptions(is_disabled=True))
    async with ExtBot(TOKEN, base_url=f"{telegram.url}/bot", defaults=defaults) as built:
        yield built


@pytest.fixture
def sender() -> MessageSender:
    return MessageSender(Keyboards(ButtonSigner(TOKEN)), FileIdCache(), animated=False)


def answer(title: str = "Hello") -> Reply:
    return replace(prediction_reply(prediction(title), NOW), card=stored_card(CARD))


async def test_an_explanation_too_long_for_a_caption_follows_its_picture(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    told = text_reply(ResultCode.INFORMED, *(f"Sentence {number} of many." for number in range(80)), title="The model")
    sent = await sender.deliver(bot, HOME, replace(told, card=stored_card(CARD)))
    photo, text = telegram.of("sendPhoto", "sendMessage")
    assert (photo.result["caption"], text.result["text"]) == ("The model", f"The model\n\n{told.text}")
    assert sent == SentMessage(7, text.result["message_id"], pictured=False)


async def test_a_short_explanation_is_its_pictures_caption(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    told = text_reply(ResultCode.INFORMED, "Short.", title="The model")
    await sender.deliver(bot, HOME, replace(told, card=stored_card(CARD)))
    (photo,) = telegram.of("sendPhoto", "sendMessage")
    assert photo.result["caption"] == "The model\n\nShort."


async def test_an_old_answer_that_cannot_be_deleted_stays(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    old = await sender.deliver(bot, HOME, answer())
    telegram.fail("deleteMessage", 400, "Bad Request: message can't be deleted for everyone")
    new = await sender.deliver(bot, HOME, text_reply(ResultCode.NOT_FOUND, "Nothing."), instead_of=old)
    assert new.message_id != old.message_id


async def test_a_card_is_deleted_only_when_the_text_in_its_place_is_there(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    old = await sender.deliver(bot, HOME, answer())
    telegram.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    with pytest.raises(Forbidden):
        await sender.deliver(bot, HOME, text_reply(ResultCode.NOT_FOUND, "Nothing."), instead_of=old)
    assert not telegram.of("deleteMessage")
    await sender.deliver(bot, HOME, text_reply(ResultCode.NOT_FOUND, "Nothing."), instead_of=old)
    assert [call.method for call in telegram.of("sendMessage", "deleteMessage")][-2:] == [
        "sendMessage",
        "deleteMessage",
    ]


async def test_a_text_is_replaced_by_a_text_in_place(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    old = await sender.deliver(bot, HOME, text_reply(ResultCode.NOT_FOUND, "Nothing."))
    for _ in range(2):
        new = await sender.deliver(bot, HOME, text_reply(ResultCode.NOT_FOUND, "Nothing <here>."), instead_of=old)
        assert new == old
    assert telegram.messages[7, old.message_id]["text"] == "Nothing <here>."


async def test_other_refusals_are_not_hidden(bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram) -> None:
    old = await sender.deliver(bot, HOME, text_reply(ResultCode.NOT_FOUND, "Nothing."))
    telegram.fail("editMessageMedia", 400, "Bad Request: IMAGE_PROCESS_FAILED")
    with pytest.raises(BadRequest, match="Image_process_failed"):
        await sender.deliver(bot, HOME, answer(), instead_of=old)
    telegram.fail("editMessageText", 400, "Bad Request: something new")
    with pytest.raises(BadRequest, match="Something new"):
        await sender.rewrite_inline(bot, "inline-1", answer(), InlineKeyboardMarkup([]))


async def test_an_unchanged_inline_message_is_no_fault(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    telegram.fail("editMessageText", 400, "Bad Request: message is not modified")
    await sender.rewrite_inline(bot, "inline-1", answer(), InlineKeyboardMarkup([]))


async def test_a_bad_address_does_not_cost_the_answer(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    reply = answer()
    links = (replace(reply.links[0], url="javascript:alert(1)"), *reply.links[1:])
    await sender.deliver(bot, HOME, replace(reply, links=links, title_url="no address"))
    assert telegram.of("sendPhoto")[0].labels[1] == ["Spotify", "YouTube"]


async def test_the_cards_remembered_are_bounded_and_the_oldest_go(bot: ExtBot[None], telegram: FakeTelegram) -> None:
    cards = FileIdCache(kept=2)
    sender = MessageSender(Keyboards(ButtonSigner(TOKEN)), cards, animated=False)
    for title in ("Hello", "Obscure Demo"):
        await sender.deliver(bot, HOME, answer(title))
    assert cards.find(prediction("Hello")) is not None
    await sender.deliver(bot, HOME, answer("Halfway There"))
    assert [title for title in ("Hello", "Obscure Demo", "Halfway There") if prediction(title) in cards] == [
        "Hello",
        "Halfway There",
    ]


def test_other_figures_another_model_or_a_stale_answer_make_another_card() -> None:
    shown = prediction("Hello")
    younger = prediction("Hello", as_of=NOW + timedelta(seconds=1))
    stale = replace(shown, source=replace(shown.source, stale=True))
    retrained = replace(shown, assessment=replace(shown.assessment, trained_at=NOW + timedelta(days=1)))
    assert len({CardKey.of(one) for one in (shown, younger, stale, retrained)}) == 4


async def test_the_longest_answer_is_taken_by_telegram(
    bot: ExtBot[None], sender: MessageSender, telegram: FakeTelegram
) -> None:
    lines = tuple(Line(kind, "<&>x" * 1_000) for kind in LineKind)
    await sender.deliver(bot, HOME, replace(answer(), lines=lines))
    await sender.deliver(bot, HOME, replace(text_reply(ResultCode.INFORMED, "x"), lines=lines))
    assert [call.plain.length for call in telegram.of("sendPhoto", "sendMessage") if call.plain] == [1024, 4096]
