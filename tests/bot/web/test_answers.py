from dataclasses import replace
from typing import Any

from bot.replies import comparison_reply, prediction_reply
from bot.reply import Line, LineKind, Link, ResultCode, text_reply
from bot.signing import Signer
from bot.web.answers import RecentlyTold, page_reply
from bot.web.links import SongLinks
from core.predictor import Comparison
from tests.fakes.predictor import NOW, prediction

LINKS = SongLinks(Signer(b"key"))


def told(title: str = "Hello", **changes: Any) -> dict[str, Any]:
    return page_reply(replace(prediction_reply(prediction(title), NOW), **changes), LINKS)


def test_a_line_of_a_new_kind_is_a_note_under_the_meaning() -> None:
    reply = prediction_reply(prediction("Hello"), NOW)
    more = replace(reply, lines=(*reply.lines, Line(LineKind.TEXT, "Since 3 weeks: +12 % listeners.")))
    assert page_reply(more, LINKS)["answers"][0]["notes"] == ["Since 3 weeks: +12 % listeners."]
    assert page_reply(reply, LINKS)["answers"][0]["notes"] == []


def test_only_addresses_of_the_web_become_links() -> None:
    addresses = ("https://ok.example/a", "javascript:alert(1)", "data:text/html,x", "//x", "http://[", "file:///etc")
    answer = told(links=tuple(Link("there", address) for address in addresses))["answers"][0]
    assert [link["url"] for link in answer["links"]] == ["https://ok.example/a"]


def test_controls_and_reordering_are_taken_out_of_names() -> None:
    song = replace(prediction("Hello").song, title="He\u202ello\x00\ud800\nthere", artist="<b>A</b>")
    made = page_reply(prediction_reply(replace(prediction("Hello"), song=song), NOW), LINKS)
    answer = made["answers"][0]
    assert (answer["title"], answer["artist"]) == ("Hello there", "<b>A</b>")
    assert answer["cover_alt"] == "Cover of Hello there — <b>A</b>"


def test_equal_confidences_have_no_likelier_one() -> None:
    drawn = comparison_reply(Comparison(prediction("Hello"), prediction("Hello")))
    assert [answer["likelier"] for answer in page_reply(drawn, LINKS)["answers"]] == [False, False]


def test_a_sentence_is_announced_with_its_title() -> None:
    reply = text_reply(ResultCode.INFORMED, "One.", "Two.", title="Title")
    made = page_reply(reply, LINKS)
    assert made["announcement"] == "Title One. Two."
    assert [line["text"] for line in made["lines"]] == ["One.", "Two."]
    assert made["address"] is None


def test_what_was_told_is_kept_for_a_while_and_the_oldest_goes_first() -> None:
    now = 0.0
    kept: RecentlyTold[str] = RecentlyTold(2, 10.0, clock=lambda: now)
    for key in ("a", "b", "a", "c"):
        kept.keep(key, key.upper())
    assert [kept.find(key) for key in ("a", "b", "c")] == ["A", None, "C"]
    now = 10.0
    assert kept.find("a") is None
