"""The JSON document holds to its published schema, whatever the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from bot.answer_json import AnswerDocument, answer_document, as_json, schema
from bot.messages import COMMANDS
from bot.replies import prediction_reply
from bot.reply import Reply
from bot.service import SongService
from core.settings import ROOT
from tests.fakes.predictor import NOW, FakePredictor, prediction

PUBLISHED = json.loads((ROOT / "docs" / "answer.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(PUBLISHED, format_checker=Draft202012Validator.FORMAT_CHECKER)


@pytest.fixture
def service() -> Iterator[SongService]:
    predictor = FakePredictor()
    yield SongService(predictor)  # type: ignore[arg-type]
    predictor.history.close()


def printed(reply: Reply, card: Path | None = None) -> dict[str, Any]:
    text = as_json(answer_document(reply, card))
    assert text.isascii()
    document: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(document)
    return document


def test_the_published_schema_is_that_of_the_code() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    assert schema() == PUBLISHED, "python -m bot schema > docs/answer.schema.json"


def test_the_schema_can_refuse() -> None:
    document = AnswerDocument.model_construct(schema_version=1).model_dump()
    with pytest.raises(ValidationError):
        VALIDATOR.validate(document)


async def test_a_prediction_holds_everything_that_was_known(service: SongService) -> None:
    document = printed(await service.predict("Blinding Lights - The Weeknd"), Path("cards/x.png"))
    expected = prediction("Blinding Lights")
    assert (document["schema_version"], document["code"], document["card"]) == (1, "predicted", "cards/x.png")
    found = document["prediction"]
    assert found["song"]["title"] == "Blinding Lights"
    assert (found["verdict"], found["probability"], found["confidence_pct"]) == ("Popular", 0.923, 92.3)
    assert [figure["key"] for figure in found["figures"]] == [f.key for f in expected.assessment.features]
    assert found["reasons"] == [
        {"key": "listeners", "label": "listeners", "push": 1.9},
        {"key": "duration", "label": "long for a hit", "push": -0.3},
    ]
    assert found["source"]["origin"] == "lastfm"
    assert document["comparison"] is None
    assert "92.3 %" in document["text"]


async def test_the_other_answers_hold_to_the_schema_too(service: SongService) -> None:
    compared = printed(await service.compare("Hello - Adele", "Blinding Lights - The Weeknd"))
    assert (compared["code"], compared["comparison"]["winner"]) == ("compared", "second")
    assert compared["comparison"]["first"]["song"]["artist"] == "Adele"
    draw = printed(await service.compare("Hello - Adele", "Hello - Adele"))
    assert draw["comparison"]["winner"] is None
    unclear = printed(await service.predict("twins"))
    assert unclear["code"] == "ambiguous"
    assert unclear["candidates"][1] == {"title": "Hello", "artist": "Adele", "listeners": 1_000}
    unknown = printed(await service.predict("zzz \ud83d"))
    assert (unknown["code"], unknown["suggestions"]) == ("not_found", [{"title": "Hello", "artist": "Adele"}])
    for text in ("", "x" * 201):
        assert printed(await service.predict(text))["prediction"] is None
    for name in ("help", "model"):
        assert printed(await service.run_command(COMMANDS[name]))["prediction"] is None


def test_every_optional_fact_may_be_there_or_not() -> None:
    whole = prediction("Hello")
    song = replace(
        whole.song, credits=("Adele", "B"), album="25", released=date(2015, 10, 23), duration_ms=1, explicit=False
    )
    known = printed(prediction_reply(replace(whole, song=song), NOW))["prediction"]["song"]
    assert (known["released"], known["explicit"], known["credits"]) == ("2015-10-23", False, ["Adele", "B"])
    bare = replace(whole, assessment=replace(whole.assessment, record=None, features=(), reasons=()))
    assert printed(prediction_reply(bare, NOW))["prediction"]["record"] is None
