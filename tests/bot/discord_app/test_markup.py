from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.discord_app.markup import clip, code_block, safe
from bot.plain_text import utf16_length

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
