"""Answers in every language: whole, and within the limits of both platforms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot import messages
from bot.discord_bot.formatting import EMBED_DESCRIPTION_MAX, MODAL_TITLE_MAX, format_embed, format_plain
from bot.plain_text import utf16_length
from bot.replies import comparison_reply, help_reply, model_reply, prediction_reply, privacy_reply, why_reply
from bot.reply import Reply
from bot.telegram_bot.buttons import POPUP_MAX
from bot.telegram_bot.formatting import CAPTION_MAX, TEXT_MAX, UNDER_WHY, reply_html
from core.domain import (
    BandRecord,
    Block,
    FeatureValue,
    Origin,
    Prediction,
    Reason,
    RecordedPopularity,
    Song,
    Source,
    Verdict,
)
from core.errors import EmptyQuery, LinkSaysNothing, ModelError, QueryTooLong, UpstreamRefused, UpstreamUnavailable
from core.language import LANGUAGES, say, say_plural, speaking
from core.model.features import FEATURES
from core.model.hit_model import HitModel
from core.predictor import Comparison
from core.settings import ROOT
from tests.fakes.discord_payloads import fault_of
from tests.fakes.predictions import NOW, prediction
from tests.fakes.telegram_html import parse_html

REASONS = (
    Reason("artist_listeners", "small artist", 1.0, 98_765_432, "listeners"),
    Reason("title_cover", "a cover, karaoke or instrumental version", 0.9),
    Reason("tags", "tags: {names}", 0.8, names=("alternative rock", "singer-songwriter")),
    Reason("listeners", "many listeners", -1.0, 98_765_432, "listeners"),
    Reason("version", "an acoustic or piano version", -0.9),
    Reason("age_years", "released {ago}", -0.8, 0.9, "years ago"),
)
SHOWN = tuple(
    FeatureValue(
        one.key,
        one.label,
        98_765_432 if one.unit in ("listeners", "plays") else 0.9,
        one.unit,
        80.4,
        Block(one.group.value) if one.group.value in set(Block) else None,
    )
    for one in FEATURES
    if one.shown
)
NAME_OF_USUAL_LENGTH = Song(
    title="Everything I Wanted to Say (feat. Somebody Else) - Live",
    artist="The Artists of Some Length",
    released=date(2026, 1, 1),
)


def longest() -> Prediction:
    """Make an answer that has a word to say on everything."""
    made = prediction(probability=0.4567, features=SHOWN, popularity=RecordedPopularity(88, 2022))
    assessment = replace(
        made.assessment,
        verdict=Verdict.NOT_POPULAR,
        reasons=REASONS,
        view=tuple(Block),
        tags=("alternative rock", "singer-songwriter", "female vocalists", "seen live"),
        record=BandRecord(Verdict.NOT_POPULAR, 0.05, 71_241),
    )
    source = Source(Origin.LASTFM, NOW - timedelta(days=29), stale=True)
    return replace(made, song=NAME_OF_USUAL_LENGTH, assessment=assessment, source=source)


def replies() -> list[tuple[Reply, int]]:
    """List the long replies, and how many characters of Telegram's each may have."""
    report = HitModel.load(ROOT / "models").report()
    return [
        (prediction_reply(longest(), NOW), CAPTION_MAX),
        (comparison_reply(Comparison(longest(), replace(longest(), song=Song(title="A", artist="B")))), CAPTION_MAX),
        (model_reply(report), CAPTION_MAX),
        (model_reply(report, full=True), TEXT_MAX),
        (why_reply(longest()), TEXT_MAX),
        (help_reply(), TEXT_MAX),
        (privacy_reply(), TEXT_MAX),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_telegram_shows_long_answers_whole(language: str) -> None:
    with speaking(language):
        for reply, limit in replies():
            html = reply_html(reply, limit)
            assert parse_html(html).length <= limit
            lines = [line for line in reply.lines if reply.prediction is None or line.kind not in UNDER_WHY]
            shown = parse_html(html).text
            assert [line.text for line in lines if not line.cells and line.text not in shown] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_discord_shows_long_answers_whole(language: str) -> None:
    with speaking(language):
        for reply, _ in replies():
            embed = format_embed(reply)
            assert fault_of({"embeds": [embed.to_dict()]}) is None
            assert utf16_length(embed.description or "") < EMBED_DESCRIPTION_MAX
            assert "…" not in str(embed.to_dict())
            assert fault_of({"content": format_plain(reply)}) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_pop_ups_buttons_and_forms_have_room(language: str) -> None:
    errors = (EmptyQuery, QueryTooLong, LinkSaysNothing, UpstreamUnavailable, UpstreamRefused, ModelError)
    with speaking(language):
        pop_ups = [say(one) for one in (messages.NOT_YOUR_CHOICE, messages.BUTTON_UNKNOWN, messages.FORGOTTEN)]
        pop_ups += [say(messages.UNEXPECTED, incident="abcdef"), *(error().sentence for error in errors)]
        pop_ups += [say_plural(*one, 86_400) for one in (messages.LIMITED_USER, messages.LIMITED_CHAT)]
        assert [one for one in pop_ups if utf16_length(one) > POPUP_MAX] == []
        buttons = [say(one) for one in (messages.BUTTON_WHY, messages.BUTTON_REFRESH, messages.BUTTON_COMPARE)]
        assert sum(map(utf16_length, buttons)) <= 36, "they share a line of a phone"
        for form in (messages.COMPARE_MODAL_TITLE, messages.COMPARE_MODAL_LABEL):
            assert utf16_length(say(form)) <= MODAL_TITLE_MAX
        for label in (messages.COMPARE_PLACEHOLDER, messages.INLINE_ELSEWHERE, messages.BUTTON_SHOW):
            assert utf16_length(say(label)) <= 64
