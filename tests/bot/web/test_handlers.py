"""What browsers and programs get for what they ask, over the wire."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import permutations
from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from bot import messages
from bot.messages import COMMANDS, Surface
from bot.monitoring import Metrics
from bot.reply import token_of
from core.domain import SongName
from core.errors import UpstreamUnavailable
from core.language import LANGUAGES
from core.predictor import Comparison
from core.settings import ROOT
from tests.bot.web.conftest import PageClient
from tests.fakes.hostile_text import hostile_questions
from tests.fakes.predictor import SONGS, FakePredictor, picture

OpenPage = Callable[..., Awaitable[PageClient]]


async def told(page: PageClient, path: str = "/api/reply", status: int = 200, **parameters: str) -> Any:
    response = await page.get(path, params=parameters)
    assert response.status == status, await response.text()
    assert response.headers["Cache-Control"] == "no-store"
    return await response.json()


async def test_a_song_is_answered_with_all_that_the_page_shows(page: PageClient) -> None:
    reply = await told(page, text="blinding lights")
    assert (reply["code"], reply["lines"], reply["choices"], reply["doubt"]) == ("predicted", [], [], None)
    (answer,) = reply["answers"]
    assert (answer["title"], answer["artist"], answer["verdict"]) == ("Blinding Lights", "The Weeknd", "popular")
    assert (answer["percent"], answer["headline"]) == ("92.3 %", "▲ Popular · 92.3 %")
    assert answer["bands"] == {"medium": 0.4, "popular": 0.7}
    assert answer["meaning"].startswith("About 92 of 100 songs")
    assert answer["figures"][0] == {"label": "Listeners", "value": "2,275,434", "standing": "top 1 %"}
    assert answer["reasons"] == [{"text": "listeners", "up": True}, {"text": "long for a hit", "up": False}]
    assert answer["source"].startswith("Last.fm, ")
    assert [link["label"] for link in answer["links"]] == ["Last.fm", "Spotify", "YouTube"]
    assert reply["announcement"].startswith("▲ Popular · 92.3 % Blinding Lights — The Weeknd About 92")
    assert reply["address"] == f"/song/{answer['song']}"


async def test_its_pictures_come_from_here_and_cost_no_second_answer(
    page: PageClient, predictor: FakePredictor
) -> None:
    reply = await told(page, text="hello")
    for address, kind, size in (
        (reply["card"], "PNG", (1200, 630)),
        (reply["answers"][0]["cover"], "JPEG", (1200, 630)),
    ):
        response = await page.get(address)
        assert response.status == 200
        with Image.open(io.BytesIO(await response.read())) as shown:
            assert (shown.format, shown.size) == (kind, size)
    assert predictor.asked == ["hello"]
    assert predictor.drawn == ["still", "cover"]


async def test_a_picture_is_drawn_once_however_often_it_is_asked_for(
    page: PageClient, predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = await told(page, text="hello vs blinding lights")
    ranked = await told(page, text="/artist the weeknd")
    addresses = [compared["card"], compared["answers"][0]["cover"], ranked["picture"]]
    for _ in range(2):
        asking = [page.get(one) for one in addresses for _ in range(5)]
        assert {response.status for response in await asyncio.gather(*asking)} == {200}
    assert Counter(predictor.drawn) == {"compared": 1, "cover": 1, "ranking": 1}

    async def broken(_: Comparison) -> bytes:
        raise OSError("no memory")

    again = await told(page, text="hello vs obscure demo")
    with monkeypatch.context() as patched:
        patched.setattr(predictor, "comparison_card", broken)
        assert (await page.get(again["card"])).status == 404
    assert (await page.get(again["card"])).status == 200, "a failure is not kept"


async def test_pictures_asked_for_in_turns_and_in_all_languages_are_drawn_once_each(
    page: PageClient, predictor: FakePredictor
) -> None:
    pairs = list(permutations(SONGS, 2))
    cards = [(await told(page, text=f"{first} vs {second}"))["card"] for first, second in pairs]
    ranked = await told(page, text="/artist the weeknd")
    asked = [(card, tag.replace("_", "-")) for card in (*cards, ranked["picture"]) for tag in LANGUAGES]
    for _ in range(2):
        for card, tag in asked:
            assert (await page.get(card, headers={"Accept-Language": tag})).status == 200
    assert Counter(predictor.drawn) == {"compared": len(pairs) * len(LANGUAGES), "ranking": 1}


async def test_a_card_in_another_language_than_it_was_told_in_counts_as_a_question(open_page: OpenPage) -> None:
    page = await open_page(user_limit_count=2)
    card = (await told(page, text="hello"))["card"]
    statuses = [(await page.get(card, headers={"Accept-Language": tag})).status for tag in ("en", "de", "de", "fr")]
    assert statuses == [200, 200, 200, 429]


async def test_a_shared_link_leads_to_the_song_and_shows_its_card(page: PageClient, predictor: FakePredictor) -> None:
    reply = await told(page, text="hello")
    response = await page.get(reply["address"])
    html = await response.text()
    assert response.status == 200
    assert "<title>Hello — Adele · Hitmeter</title>" in html
    (image,) = re.findall(r'<meta property="og:image" content="([^"]+)">', html)
    assert image == f"http://127.0.0.1:{page.port}{reply['card']}"
    assert '<meta property="og:title" content="Hello — Adele">' in html
    again = await told(page, song=reply["answers"][0]["song"])
    assert again["answers"][0]["title"] == "Hello"
    assert predictor.asked == ["hello", "Hello - Adele"]


async def test_a_card_is_drawn_for_whoever_follows_a_link_later(
    page: PageClient, open_page: OpenPage, predictor: FakePredictor
) -> None:
    reply = await told(page, text="hello")
    after_a_restart = await open_page()
    assert (await after_a_restart.get(reply["card"])).status == 200
    assert (await after_a_restart.get(reply["answers"][0]["cover"])).status == 200
    assert predictor.asked == ["hello", "Hello - Adele"]


async def test_no_song_is_found_by_trying_its_token(page: PageClient) -> None:
    """A token can be worked out from a name; without a signature it tells nothing, asked for or not."""
    await told(page, text="hello")
    answers = set()
    for name in (SongName("Hello", "Adele"), SongName("Never", "Asked For")):
        token = token_of(name).value
        for path in (f"/song/{token}", f"/song/{token}AAAAAAAA", f"/card/{token}AAAAAAAA.png", f"/cover/{token}.jpg"):
            response = await page.get(path)
            answers.add((response.status, (await response.text()).replace(token, "")))
        answers.add((200, (await told(page, song=f"{token}AAAAAAAA"))["code"]))
    assert {status for status, _ in answers} == {200, 404}
    assert len(answers) == 3  # a page, a picture, a reply: the same for both songs


async def test_an_unknown_link_is_a_page_that_says_so(page: PageClient) -> None:
    response = await page.get("/song/nothing")
    assert response.status == 404
    assert messages.WEB_LINK_UNKNOWN in await response.text()
    assert (await told(page, song="nothing"))["lines"][0]["text"] == messages.WEB_LINK_UNKNOWN


async def test_two_songs_are_compared_by_words_by_link_and_by_both(page: PageClient) -> None:
    by_words = await told(page, text="blinding lights vs hello")
    assert [answer["title"] for answer in by_words["answers"]] == ["Blinding Lights", "Hello"]
    assert [answer["likelier"] for answer in by_words["answers"]] == [True, False]
    assert by_words["title"].startswith("Blinding Lights — The Weeknd is the likelier hit")
    first, second = (answer["song"] for answer in by_words["answers"])
    assert by_words["address"] == f"/compare/{first}/{second}"
    by_link = await told(page, song=second, other=first)
    assert [answer["likelier"] for answer in by_link["answers"]] == [False, True]
    mixed = await told(page, song=first, text="hello")
    assert mixed["address"] == by_words["address"]
    html = await (await page.get(by_words["address"])).text()
    assert "Blinding Lights — The Weeknd against Hello — Adele" in html
    card = await page.get(by_words["card"])
    assert (card.status, card.headers["Content-Type"]) == (200, "image/png")


async def test_why_and_fresh_figures(page: PageClient, predictor: FakePredictor) -> None:
    song = (await told(page, text="hello"))["answers"][0]["song"]
    why = await told(page, song=song, why="")
    assert why["code"] == "explained"
    assert why["title"].startswith("Why 71.2 % for Hello")
    await told(page, song=song, fresh="")
    assert predictor.fresh == [False, False, True]


async def test_songs_that_may_be_meant_are_offered_and_picked(page: PageClient) -> None:
    reply = await told(page, text="twins")
    assert reply["code"] == "ambiguous"
    assert [choice["label"] for choice in reply["choices"]][:2] == [
        "Blinding Lights — The Weeknd · 1,000 listeners",
        "Hello — Adele · 1,000 listeners",
    ]
    picked = await told(page, song=reply["choices"][1]["song"])
    assert picked["answers"][0]["title"] == "Hello"
    doubted = await told(page, text="perhaps")
    assert (doubted["doubt"], len(doubted["choices"])) == (messages.NOT_MEANT, 1)


async def test_a_choice_remembers_what_it_is_compared_with(page: PageClient) -> None:
    by_token = (await told(page, text="hello vs twins"))["against"]
    song = (await told(page, text="hello"))["answers"][0]["song"]
    assert by_token == {"song": song}
    by_words = await told(page, text="twins vs twins again")
    assert by_words["against"] == {"text": "twins again"}


async def test_what_is_not_found_offers_the_nearest(page: PageClient) -> None:
    reply = await told(page, text="zzzz")
    assert (reply["code"], reply["suggestions"]) == ("not_found", ["Hello - Adele"])


async def test_the_commands_are_those_of_the_table(page: PageClient, predictor: FakePredictor) -> None:
    predictor.calibration = picture("PNG")
    html = await (await page.get("/")).text()
    everybody = [one for one in COMMANDS.values() if Surface.WEB in one.surfaces and not one.administrators]
    assert re.findall(r'data-text="/(\w+)"', html) == [one.name for one in everybody if not one.usage]
    offered = await told(page, "/api/suggest", text="/")
    assert [one["label"] for one in offered] == [f"/{one.name}" for one in everybody]
    assert [one["complete"] for one in offered] == [not one.usage for one in everybody]
    model = await told(page, text="/model full")
    assert model["title"] == messages.MODEL_TITLE
    assert next(line for line in model["lines"] if line["cells"])["cells"][1][0] == "this model"
    shown = await page.get(model["picture"])
    assert (shown.status, shown.headers["Content-Type"]) == (200, "image/png")
    assert (await told(page, text="/compare hello | halfway there"))["code"] == "compared"


@pytest.mark.parametrize("typed", ["/stats", "/reload", "/quit", "/nothing", "/"])
async def test_what_is_for_operators_or_is_no_command_is_none_here(
    page: PageClient, predictor: FakePredictor, typed: str
) -> None:
    reply = await told(page, text=typed)
    assert reply["code"] == "bad_question"
    assert reply["lines"][0]["text"].startswith(f"There is no command {typed}. There are /predict")
    assert predictor.reloads == 0


async def test_suggestions_come_from_memory(page: PageClient, predictor: FakePredictor) -> None:
    assert await told(page, "/api/suggest", text="hel") == [
        {"text": "Hello - Adele", "label": "Hello", "detail": "Adele", "complete": True}
    ]
    assert predictor.asked == []


async def test_programs_get_the_document_of_the_published_schema(page: PageClient, predictor: FakePredictor) -> None:
    schema = json.loads((ROOT / "docs" / "answer.schema.json").read_text(encoding="utf-8"))
    check = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    answered = await told(page, "/api/predict", q="hello")
    assert answered["prediction"]["song"]["artist"] == "Adele"
    assert (await page.get(answered["card"])).status == 200
    predictor.faults.append(UpstreamUnavailable("down"))
    for document in (
        answered,
        await told(page, "/api/predict", 503, q="hello"),
        await told(page, "/api/predict", 404, q="zzzz"),
        await told(page, "/api/predict", 400, q=" "),
        await told(page, "/api/predict", 400),
        await told(page, "/api/predict", q="hello vs halfway there"),
        await told(page, "/api/predict", q="twins"),
    ):
        check.validate(document)
        assert document["text"]


async def test_an_unexpected_fault_is_one_sentence_with_an_id(page: PageClient, predictor: FakePredictor) -> None:
    predictor.faults.append(RuntimeError("secret detail"))
    document = await told(page, "/api/predict", 500, q="hello")
    assert re.fullmatch(messages.UNEXPECTED.format(incident="[0-9a-f]{6}"), document["text"])


async def test_an_address_has_the_limit_of_a_person(open_page: OpenPage) -> None:
    metrics = Metrics()
    page = await open_page(metrics, user_limit_count=2)
    song = (await told(page, text="hello"))["answers"][0]["song"]
    assert (await page.get(f"/cover/{song}.jpg")).status == 200  # of an answer just given: no question
    await told(page, "/api/predict", q="hello")
    for path, parameters in (("/api/reply", {"text": "hello"}), ("/api/predict", {"q": "hello"})):
        response = await page.get(path, params=parameters)
        assert response.status == 429
        assert 0 < int(response.headers["Retry-After"]) <= 60
        assert (await response.json())["code"] == "limited"
    later = await page.get(f"/card/{song}.png")
    assert later.status == 200
    assert (await told(page, text="/help"))["code"] == "informed"
    assert sum(n for code, n in metrics.stats().answers if code == "limited") == 1  # told and counted once
    assert len(await told(page, "/api/suggest", text="")) == 4


async def test_a_card_nobody_was_told_of_lately_counts_as_a_question(open_page: OpenPage) -> None:
    first = await open_page(user_limit_count=1)
    card = (await told(first, text="hello"))["card"]
    later = await open_page(user_limit_count=1)
    assert (await later.get(card)).status == 200
    await told(later, text="hello", status=429)


async def test_suggestions_have_a_limit_too(open_page: OpenPage) -> None:
    page = await open_page(user_limit_count=1)
    listed = [len(await told(page, "/api/suggest", text="h")) for _ in range(32)]
    assert listed[:30] == [listed[0]] * 30
    assert listed[30:] == [0, 0]


async def test_hostile_questions_stay_text(page: PageClient) -> None:
    for question in hostile_questions(60, 7):
        asked = quote(question[:300], errors="replace")
        for path in (f"/api/predict?q={asked}", f"/api/reply?text={asked}", f"/api/suggest?text={asked}"):
            response = await page.get(path)
            assert response.status in {200, 400, 404}, (path, await response.text())
            assert response.headers["Content-Type"] == "application/json; charset=utf-8"
            (await response.read()).decode("ascii")
    assert (await page.get(f"/api/predict?q={'a' * 7_000}")).status == 400


async def test_an_artist_is_ranked_with_a_picture_and_songs_to_open(page: PageClient, predictor: FakePredictor) -> None:
    reply = await told(page, text="/artist the weeknd")
    assert (reply["code"], reply["lines"][0]["kind"]) == ("ranked", "headline")
    assert reply["lines"][0]["text"] == "The likeliest hit is Song 1, at 93.0 %."
    assert reply["choices"][0]["label"] == "Song 1 · 93.0 %"
    picture_of = await page.get(reply["picture"])
    assert (picture_of.status, picture_of.content_type) == (200, "image/png")
    assert predictor.drawn == ["ranking"]


async def test_a_development_is_told_with_its_curve(page: PageClient, predictor: FakePredictor) -> None:
    reply = await told(page, text="/trend blinding lights")
    assert reply["lines"][0]["text"] == "Its chance to be popular: 55.0 % then, 92.3 % now."
    assert (await page.get(reply["picture"])).content_type == "image/png"
    assert predictor.drawn == ["trend"]
