from __future__ import annotations

import re
from dataclasses import replace

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_bot.formatting import (
    ALT_TEXT_MAX,
    COLOURS,
    CONTENT_MAX,
    clip,
    code_block,
    format_embed,
    format_reply,
    safe,
)
from bot.plain_text import utf16_length
from bot.replies import model_reply, prediction_reply
from bot.reply import Line, LineKind, Picture, Reply, ResultCode, text_reply
from core.domain import Block, FeatureValue, Prediction, Verdict
from tests.fakes.discord_payloads import fault_of
from tests.fakes.predictor import NOW, FakePredictor, prediction

HOSTILE = st.lists(
    st.one_of(
        st.characters(codec=None),
        st.sampled_from(["@everyone", "@here", "<@1>", "<@&22222222222222222>", "<#3>", "<t:4>", "</h:5>", "<:p:6>"]),
        st.sampled_from(list("*_~`|>#[]()<@&!:/\\-\n\u202e\u200b🎵")),
    ),
    max_size=200,
).map("".join)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold** _it_ `code`", r"\*\*bold\*\* \_it\_ \`code\`"),
        ("@everyone @here", "@\u200beveryone @\u200bhere"),
        ("<@123> <@!123> <@&123>", "<\u200b@123> <\u200b@!123> <\u200b@&123>"),
        ("<#123>", "<\u200b#123>"),
        ("<t:0:R> <:pill:1> <a:pill:1> </cmd:1> <id:home>", "<\u200bt:0:R> <\u200b:pill:1> <\u200ba:pill:1> "
         "<\u200b/cmd:1> <\u200bid:home>"),
        ("# heading", r"\# heading"),
        ("> quote", r"\> quote"),
        ("||spoiler||", r"\|\|spoiler\|\|"),
        ("- item", r"\- item"),
        ("-# small", r"\-# small"),
        ("Anti-Hero #1 > 2", "Anti-Hero #1 > 2"),
        ("[a](b) [Free Nitro](https://evil.com)", r"\[a\](b) \[Free Nitro\](https:" "\u200b//evil.com)"),
        ("https://a.b/[x](https://evil.com)", "https:\u200b//a.b/\\[x\\](https:\u200b//evil.com)"),
        ("[a](b) **bold** ||spoil|| (c)", r"\[a\](b) \*\*bold\*\* \|\|spoil\|\| (c)"),
        ("plain 東京 ñ", "plain 東京 ñ"),
    ],
)  # fmt: skip
def test_markup_and_mentions_are_escaped(text: str, expected: str) -> None:
    assert safe(text, 500) == expected


def test_a_masked_link_does_not_hide_its_target() -> None:
    assert safe("[free](https://evil.example)", 100).startswith("\\[")


def test_shortening_never_ends_inside_an_escape() -> None:
    for limit in range(1, 40):
        short = safe("*" * 30, limit)
        assert utf16_length(short) <= limit
        assert re.fullmatch(r"(\\\*)*…?", short)


def test_clip_counts_as_discord_does() -> None:
    assert clip("🎵" * 10, 7) == "🎵🎵🎵…"
    assert clip("🎵" * 10, 6) == "🎵🎵…"
    assert clip("short", 100) == "short"


def test_nothing_breaks_out_of_a_code_block() -> None:
    block = code_block("a```b\n@everyone", 100)
    assert block.count("```") == 2
    assert utf16_length(code_block("x" * 500, 50)) <= 50


@given(HOSTILE, st.integers(1, 200))
def test_any_text_fits_and_mentions_nobody(text: str, limit: int) -> None:
    shown = safe(text, limit)
    assert utf16_length(shown) <= limit
    assert not re.search(r"@(everyone|here)|<(@[!&]?|#|a?:\w+:|/\w+:|t:)\d+", shown)
    assert not set(shown) & set("\u202e\u2066\x00")
    shown.encode()
    assert utf16_length(clip(text, limit)) <= limit


MEAN = "*_`[]<@everyone>#"


def with_song(answer: Prediction, **changes: object) -> Prediction:
    return replace(answer, song=replace(answer.song, **changes))


def test_verdict_colours_are_the_cards() -> None:
    assert {verdict: colour.value for verdict, colour in COLOURS.items()} == {
        Verdict.POPULAR: 0x1DB954,
        Verdict.MEDIUM: 0xF59E0B,
        Verdict.NOT_POPULAR: 0xEF4444,
    }


@pytest.mark.parametrize(
    ("title", "verdict"),
    [
        ("Hello", Verdict.POPULAR),
        ("Halfway There", Verdict.MEDIUM),
        ("Obscure Demo", Verdict.NOT_POPULAR),
    ],
)
def test_an_answer_is_in_its_verdicts_colour(title: str, verdict: Verdict) -> None:
    assert format_embed(prediction_reply(prediction(title), NOW)).colour == COLOURS[verdict]


def test_only_web_addresses_are_linked() -> None:
    answer = with_song(prediction("Hello"), url="javascript:alert(1)")
    assert format_embed(prediction_reply(answer, NOW)).url is None


def test_a_stale_source_is_said_in_the_footer() -> None:
    answer = prediction("Hello")
    answer = replace(answer, source=replace(answer.source, stale=True))
    assert "is not answering" in format_embed(prediction_reply(answer, NOW)).footer.text


def test_unknown_figures_are_left_out() -> None:
    answer = with_song(prediction("Hello"), tags=(), genres=())
    answer = replace(answer, assessment=replace(answer.assessment, features=(), reasons=(), tags=()))
    embed = format_embed(prediction_reply(answer, NOW))
    assert embed.fields == []
    assert "Why" not in embed.description


def test_a_song_of_the_worst_kind_keeps_every_limit() -> None:
    features = tuple(
        FeatureValue(f"k{n}", MEAN * 30, 1.0, "", 50.0, Block.TRACK if n % 2 else Block.ARTIST) for n in range(60)
    )
    answer = with_song(prediction("Hello"), title=MEAN * 60, artist=MEAN * 60, tags=(MEAN * 40,) * 9)
    answer = replace(answer, assessment=replace(answer.assessment, features=features))
    picture = Picture(b"", "card.png", "image/png", MEAN * 500)
    outgoing = format_reply(prediction_reply(answer, NOW), picture)
    embed = outgoing.embed.to_dict()
    assert fault_of({"embeds": [embed]}) is None
    assert "@everyone" not in str(embed)
    assert utf16_length(outgoing.files()[0].description) <= ALT_TEXT_MAX


def test_a_title_of_nothing_printable_is_still_a_title() -> None:
    reply = text_reply(ResultCode.INFORMED, "x", title="\x00\u202e")
    assert format_embed(reply).title == "–"


def test_plain_sentences_are_plain_messages() -> None:
    outgoing = format_reply(text_reply(ResultCode.BAD_QUESTION, "Which **song**?"))
    assert outgoing.embed is None
    assert outgoing.content == r"Which \*\*song\*\*?"


def test_long_plain_text_keeps_the_notice_and_the_limit() -> None:
    lines = tuple(Line(LineKind.TEXT, "word " * 100) for _ in range(20))
    reply = Reply(code=ResultCode.INFORMED, lines=lines, title="T")
    content = format_reply(reply, lacking=("Embed Links",)).content
    assert utf16_length(content) <= CONTENT_MAX
    assert content.endswith("permission Embed Links here.")


def test_the_models_table_is_a_field_a_row_in_an_embed_and_columns_in_plain_text(
    predictor: FakePredictor,
) -> None:
    reply = model_reply(predictor.report(), full=True)
    embed = format_embed(reply)
    (row,) = embed.fields
    assert row.name == "this model"
    assert row.value == "ROC-AUC 0.910 · avg. prec. 0.620 · F1 0.550 · accuracy 0.930 · Brier 0.060 · ECE 0.010"
    assert "```" not in embed.description
    assert embed.footer.text == "Model of 22 Nov 2026."
    text = format_reply(reply, lacking=("Embed Links",)).content
    assert text.count("```") == 2
    assert "this model" in text


@given(
    st.lists(st.tuples(st.sampled_from(list(LineKind)), st.text(max_size=3_000)), max_size=12), st.text(max_size=400)
)
def test_any_reply_fits(lines: list[tuple[LineKind, str]], title: str) -> None:
    reply = Reply(code=ResultCode.INFORMED, lines=tuple(Line(*line) for line in lines), title=title)
    assert fault_of({"embeds": [format_embed(reply).to_dict()]}) is None
    assert utf16_length(format_reply(reply, lacking=("Embed Links",)).content) <= CONTENT_MAX
    assert isinstance(format_reply(reply).embed, discord.Embed)
