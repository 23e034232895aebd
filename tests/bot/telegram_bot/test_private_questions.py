"""What one person asks the bot, in private or in a group, shows nobody else in any list."""

from __future__ import annotations

import pytest

from bot import messages
from bot.reply import ResultCode
from core.domain import SongName
from core.history import song_token
from tests.bot.telegram_bot.conftest import Served
from tests.fakes.telegram_calls import Call

ANN, BEN, GROUP, OTHER_GROUP = 7, 8, -1001, -1002
ODD = song_token(SongName("Obscure Demo", "Nobody Known"))


@pytest.fixture(autouse=True)
def knows_nothing_by_itself(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave only what was asked to list from."""

    async def nothing(*_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(served.predictor, "complete", nothing)


async def listed(served: Served, user: int, typed: str) -> Call:
    before = len(served.telegram.of("answerInlineQuery"))
    served.telegram.type_inline(typed, user=user)
    return await served.telegram.sent("answerInlineQuery", count=before + 1)


async def test_the_privacy_text_says_so(served: Served) -> None:
    served.telegram.say("/privacy", chat=served.telegram.private(ANN), user=ANN)
    told = await served.telegram.sent("sendMessage")
    assert told.plain is not None
    assert "What you ask in private is suggested to nobody." in told.plain.text


async def test_no_question_shows_in_an_inline_list(served: Served) -> None:
    telegram = served.telegram
    telegram.say("obscure demo", chat=telegram.private(ANN), user=ANN)
    telegram.say("/predict obscure demo", chat=telegram.group(GROUP), user=ANN)
    telegram.say("/compare obscure demo | halfway there", chat=telegram.group(OTHER_GROUP), user=ANN)
    await telegram.sent("sendPhoto", count=3)
    for user in (ANN, BEN):
        for typed in ("", "obscure", "nobody known", "half"):
            assert (await listed(served, user, typed)).params["results"] == []


async def test_a_made_up_link_does_not_tell_whether_a_song_was_asked_for(served: Served) -> None:
    """A token can be worked out from a song's name; what it is answered must not depend on who asked for what."""
    telegram = served.telegram
    never = song_token(SongName("Never Asked", "By Anyone"))
    telegram.say("obscure demo", chat=telegram.private(ANN), user=ANN)
    await telegram.sent("sendPhoto")
    payloads = [f"{kind}_{token}{tail}" for kind in "pc" for token in (ODD, never) for tail in ("", "AAAAAAAA")]
    for payload in payloads:
        telegram.say(f"/start {payload}", chat=telegram.private(BEN), user=BEN)
    await telegram.sent("sendMessage", count=len(payloads))
    assert {call.plain.text for call in telegram.of("sendMessage") if call.plain} == {messages.BUTTON_UNKNOWN}
    assert len(telegram.of("sendPhoto")) == 1
    assert served.codes[1:] == [("start", ResultCode.REFUSED)] * len(payloads)


async def test_the_link_behind_a_song_to_compare_with_opens_its_card(served: Served) -> None:
    telegram = served.telegram
    telegram.say("obscure demo", chat=telegram.private(ANN), user=ANN)
    card = await telegram.sent("sendPhoto")
    telegram.press(card.result, messages.BUTTON_COMPARE, user=ANN)
    asked = await telegram.sent("sendMessage")
    (link,) = [entity["url"] for entity in asked.result["entities"] if entity["type"] == "text_link"]
    telegram.say(f"/start {link.partition('=')[2]}", chat=telegram.private(ANN), user=ANN)
    again = await telegram.sent("sendPhoto", count=2)
    assert again.plain is not None
    assert "Obscure Demo — Nobody Known" in again.plain.text
