"""Hostile questions through parser, matcher, catalogue and both platforms' markup.

3,000 made-up questions by default, and as many as HITMETER_FUZZ_QUESTIONS says: 100,000 take four minutes of one core.
"""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import messages
from bot.discord_bot.commands import choices_for
from bot.discord_bot.formatting import format_reply
from bot.discord_bot.interaction import ReplyOptions
from bot.discord_bot.views import view_for
from bot.replies import ambiguous_reply, comparison_reply, not_found_reply, prediction_reply
from bot.reply import Picture, Reply, ResultCode, stored_card, text_reply, token_of
from bot.telegram_bot.formatting import CAPTION_MAX, TEXT_MAX, reply_html, reply_plain
from bot.telegram_bot.keyboards import LABEL_MAX, ButtonSigner, Keyboards
from core.domain import Ambiguous, Candidate, NotFound, Prediction, SongName, SongQuery
from core.errors import QueryError
from core.history import song_token
from core.limits import CANDIDATES_MAX
from core.lookup.catalogue import Catalogue
from core.lookup.catalogue_build import build_catalogue
from core.lookup.lastfm_parse import TEXT_MAX_CHARS, parse_text
from core.lookup.matching import match
from core.predictor import Comparison
from core.query import READINGS_MAX, parse_query
from tests.fakes.discord_payloads import fault_of
from tests.fakes.hostile_text import PIECES, hostile_questions
from tests.fakes.predictor import NOW, prediction
from tests.fakes.spotify_rows import write_csv
from tests.fakes.telegram_html import parse_html, units

QUESTIONS = int(os.environ.get("HITMETER_FUZZ_QUESTIONS", "3000"))
SEED = 20261122

KEYBOARDS = Keyboards(ButtonSigner("123456789:AAFake"))
REPLY_OPTIONS = ReplyOptions(asker_id=1, private=False, animated=False)

MENTION = re.compile(r"@(?:everyone|here)\b|<@[!&]?\d|<#\d|</[^>]*:\d|<a?:\w+:\d|<t:-?\d|<id:\w")
"""What Discord would turn into a mention or a pill."""

REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069]")
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    folder: Path = tmp_path_factory.mktemp("catalogue")
    build_catalogue(write_csv(folder / "d.csv"), folder / "catalogue.sqlite", source="test")
    with closing(Catalogue.open(folder / "catalogue.sqlite")) as opened:
        yield opened


def renamed(name: SongName) -> Prediction:
    answer = prediction("Hello")
    song = replace(answer.song, title=name.title, artist=name.artist, tags=(name.artist, name.title, name.title))
    return replace(answer, song=song)


def replies_to(text: str, catalogue: Catalogue) -> list[Reply]:
    """Take a question through parser and matcher, and make every kind of reply that may quote it."""
    try:
        query: SongQuery = parse_query(text)
    except QueryError as error:
        return [text_reply(ResultCode.BAD_QUESTION, error.user_message, private=True)]
    assert 1 <= len(query.readings) <= READINGS_MAX
    found = catalogue.search(query)
    names = [SongName(reading.title, reading.artist or reading.title) for reading in query.readings]
    own = tuple(Candidate(name, 0.0, listeners=1_000) for name in names)
    decided = match(query, (*own, *found))
    assert len(decided.candidates) <= CANDIDATES_MAX
    assert all(0.0 <= candidate.score <= 100.0 for candidate in decided.candidates)
    catalogue.find(names[0])
    first = renamed(names[0])
    card = Picture(b"png", "hitmeter-card.png", "image/png", messages.CARD_ALT.format(text=names[0]))
    return [
        not_found_reply(NotFound(query, tuple(names[:5]))),
        ambiguous_reply(Ambiguous(query, own[:CANDIDATES_MAX]), against=token_of(names[-1])),
        replace(prediction_reply(first, NOW), card=stored_card(card)),
        comparison_reply(Comparison(first, renamed(names[-1]))),
    ]


async def check_discord(reply: Reply, lacking: tuple[str, ...] = ()) -> None:
    picture = None if reply.card is None or lacking else await reply.card()
    outgoing = format_reply(reply, picture, lacking)
    view = view_for(reply, REPLY_OPTIONS, 1_795_377_600.0)
    body: dict[str, Any] = {
        "content": outgoing.content,
        "embeds": [outgoing.embed.to_dict()] if outgoing.embed else [],
        "components": view.to_components() if view else [],
        "attachments": [{"description": file.description} for file in outgoing.files()],
    }
    assert fault_of(body) is None
    if view is not None:
        view.stop()
    said = list(discord_texts(body))
    assert any(text.strip() for text in said)
    for text in said:
        assert not REORDERING.search(text)
        assert not CONTROLS.search(text)
        text.encode()
    marked_up = [text for text in said if text not in alone(body)]
    assert not [text for text in marked_up if MENTION.search(text)]


def discord_texts(body: dict[str, Any]) -> Iterator[str]:
    if body["content"]:
        yield body["content"]
    for embed in body["embeds"]:
        yield from (embed[key] for key in ("title", "description") if embed.get(key))
        for field in embed.get("fields", []):
            yield from (field["name"], field["value"])
    yield from alone(body)


def alone(body: dict[str, Any]) -> list[str]:
    """List texts in which Discord reads no markup and no mentions: descriptions of pictures, labels, footers."""
    labels = [item.get("label") or "" for row in body["components"] for item in row["components"]]
    options = [
        option["label"]
        for row in body["components"]
        for item in row["components"]
        for option in item.get("options", [])
    ]
    footers = [embed["footer"]["text"] for embed in body["embeds"] if embed.get("footer")]
    return [*labels, *options, *footers, *(one["description"] for one in body["attachments"])]


def check_telegram(reply: Reply) -> None:
    for limit in (CAPTION_MAX, TEXT_MAX):
        parsed = parse_html(reply_html(reply, limit))  # refuses what Telegram's servers refuse
        assert units(parsed.text) <= limit
        assert {entity["type"] for entity in parsed.entities} <= {"bold", "italic", "pre", "text_link"}
        assert all(entity.get("url", "https://").startswith(("https://", "http://")) for entity in parsed.entities)
        assert not REORDERING.search(parsed.text)
        assert not CONTROLS.search(parsed.text)
    assert units(reply_plain(reply, 200)) <= 200
    keyboard = KEYBOARDS.under(reply, 7)
    for row in keyboard.inline_keyboard if keyboard else ():
        for button in row:
            assert 0 < units(button.text) <= LABEL_MAX
            data = button.callback_data
            assert data is None or len(str(data).encode()) <= 64


async def check(text: str, catalogue: Catalogue) -> ResultCode:
    replies = replies_to(text, catalogue)
    for reply in replies:
        await check_discord(reply)
        check_telegram(reply)
    await check_discord(replies[0], lacking=("Embed Links",))
    return replies[0].code


async def test_made_up_hostile_questions(catalogue: Catalogue) -> None:
    codes: Counter[ResultCode] = Counter()
    for number, text in enumerate(hostile_questions(QUESTIONS, SEED)):
        try:
            codes[await check(text, catalogue)] += 1
        except Exception as error:
            raise AssertionError(f"question {number}: {text[:300]!r}") from error
    assert codes.total() == QUESTIONS
    assert min(codes[ResultCode.NOT_FOUND], codes[ResultCode.BAD_QUESTION]) > QUESTIONS / 20, codes


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=40), max_size=12).map("".join))
async def test_any_question(catalogue: Catalogue, text: str) -> None:
    await check(text, catalogue)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(*(st.lists(st.sampled_from(PIECES) | st.text(max_size=400), max_size=9).map("".join) for _ in "12"))
async def test_any_name_that_a_source_may_give(title: str, artist: str) -> None:
    name = SongName(title, artist)
    answer = prediction_reply(renamed(name), NOW)
    await check_discord(answer)
    check_telegram(answer)
    assert len(song_token(name)) == 12
    for choice in choices_for(title, (name,)):
        assert 0 < len(choice.name) <= 100


@pytest.mark.parametrize("unit", PIECES, ids=repr)
def test_a_megabyte_is_refused_as_a_question_and_cut_as_a_name(unit: str, catalogue: Catalogue) -> None:
    text = unit * (1_000_000 // len(unit))
    with pytest.raises(QueryError):
        parse_query(text)
    assert len(parse_text(text)) <= TEXT_MAX_CHARS
    assert isinstance(catalogue.complete(text[:100_000], 5), tuple)


@pytest.mark.parametrize("unit", ["@everyone ", "🎵<b>&"])
async def test_a_megabyte_is_cut_by_both_platforms_even_so(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    reply = not_found_reply(NotFound(SongQuery(text, ()), (SongName(text, text),)))
    await check_discord(reply)
    check_telegram(reply)


def test_the_checks_would_notice() -> None:
    assert MENTION.search("hello @everyone")
    assert MENTION.search("<@&123>")
    assert not MENTION.search("@\u200beveryone")
    with pytest.raises(Exception, match="unsupported start tag"):
        parse_html("<script>")
    assert html.escape("<b>") == "&lt;b&gt;"
    assert fault_of({"content": "x" * 2_001}) == "content"
    assert isinstance(discord.Embed(), discord.Embed)
