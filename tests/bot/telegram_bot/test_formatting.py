from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.replies import prediction_reply, why_reply
from bot.reply import Line, LineKind, Reply, ResultCode, text_reply
from bot.telegram_bot.formatting import (
    CAPTION_MAX,
    DROPPED_FIRST,
    TEXT_MAX,
    fits_caption,
    reply_html,
    reply_plain,
    safe_url,
)
from tests.fakes.predictor import NOW, prediction
from tests.fakes.telegram_html import parse_html, units

HOSTILE = [
    "<b>",
    "&amp;",
    "&",
    "'\"",
    "</pre>",
    "\x00",
    "\u202e",
    "\ud800",
    "🎵",
    "٠",
    "\n",
    "@everyone",
    "{0}%s",
    "](x)",
]
texts = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=300)).map("".join)
lines = st.builds(Line, st.sampled_from(LineKind), texts | st.integers(1, 9_000).map(lambda n: "🎵" * n))
replies = st.builds(
    Reply,
    code=st.sampled_from(ResultCode),
    lines=st.lists(lines, max_size=12).map(tuple),
    title=st.none() | texts,
    title_url=st.none() | texts | st.just("https://www.last.fm/music/a'b\"<c>&d"),
)


@given(replies, st.sampled_from([CAPTION_MAX, TEXT_MAX]))
def test_whatever_is_said_keeps_the_limit_and_is_html(reply: Reply, limit: int) -> None:
    html = reply_html(reply, limit)
    html.encode()
    assert parse_html(html).length <= limit


@given(replies)
def test_popups_keep_their_limit(reply: Reply) -> None:
    assert units(reply_plain(reply, 200)) <= 200


def test_an_answer_says_what_a_phone_shows_and_leaves_the_rest_to_the_explanation() -> None:
    reply = prediction_reply(prediction("Blinding Lights"), NOW)
    assert parse_html(reply_html(reply, CAPTION_MAX)).text == (
        "▲ Popular · 92.3 %\n"
        "Blinding Lights — The Weeknd\n"
        "About 92 of 100 songs with figures like these are popular; of all songs, 12 % are.\n"
        "Listeners 2,275,434 (top 1 %) · Artist's listeners 4,512,003 (top 1 %)\n"
        "Why: ↑ listeners · ↓ long for a hit\n"
        "Last.fm, just now · model of 22 Nov 2026"
    )
    assert "Length 3:20" in why_reply(prediction("Blinding Lights")).text


@pytest.mark.parametrize("dropped", range(1, len(DROPPED_FIRST) + 1))
def test_lines_drop_in_a_fixed_order(dropped: int) -> None:
    kinds = (LineKind.HEADLINE, LineKind.SONG, *reversed(DROPPED_FIRST))
    reply = Reply(code=ResultCode.INFORMED, lines=tuple(Line(kind, f"{kind:x<99}") for kind in kinds))
    limit = 100 * (len(kinds) - dropped) - 1
    kept = {text.strip("x") for text in parse_html(reply_html(reply, limit)).text.splitlines()}
    assert kept == {kind.value for kind in kinds} - {kind.value for kind in DROPPED_FIRST[:dropped]}


def test_an_endless_title_is_shortened_inside_its_link() -> None:
    reply = prediction_reply(prediction("<i>" * 2_000, artist="A&B"), NOW)
    html = reply_html(reply, CAPTION_MAX)
    parsed = parse_html(html)
    assert parsed.length <= CAPTION_MAX
    assert parsed.text.startswith("▲ Popular · 92.3 %\n<i><i>")
    assert parsed.text.endswith("…")
    assert [entity["type"] for entity in parsed.entities] == ["bold", "text_link"]


def test_an_explanation_is_never_cut_for_a_caption() -> None:
    assert fits_caption(text_reply(ResultCode.INFORMED, "short", title="A title"))
    assert not fits_caption(text_reply(ResultCode.INFORMED, "x" * 1_100))
    assert fits_caption(replace(text_reply(ResultCode.COMPARED, "x" * 1_100)))


def test_tables_are_set_in_a_fixed_width() -> None:
    html = reply_html(Reply(code=ResultCode.INFORMED, lines=(Line(LineKind.TABLE, "a  1\nb < 2"),)), TEXT_MAX)
    assert html == "<pre>a  1\nb &lt; 2</pre>"


def test_a_table_with_cells_becomes_a_sentence_a_row() -> None:
    cells = (("", "ROC-AUC", "Brier"), ("this <model>", "0.910", "0.060"), ("chance", "0.500", "–"))
    html = reply_html(Reply(code=ResultCode.INFORMED, lines=(Line(LineKind.TABLE, "wide", cells),)), TEXT_MAX)
    assert html == "this &lt;model&gt;: ROC-AUC 0.910 · Brier 0.060\nchance: ROC-AUC 0.500 · Brier –"


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "http://", "https://nohost", "https://a b.org", "https://[::1", "ftp://a.org/x",
     "https://a.org/\u202e", "https://a.org/" + "x" * 3_000, "https://a.org/\nx"],
)  # fmt: skip
def test_addresses_that_telegram_would_refuse_are_left_out(url: str | None) -> None:
    assert safe_url(url) is None


def test_real_addresses_pass() -> None:
    assert safe_url("https://www.last.fm/music/AC%2FDC/_/T.N.T.") is not None
