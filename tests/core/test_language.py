"""Every sentence in every language: which is spoken, that none is missing, and that all are filled alike."""

from __future__ import annotations

import asyncio
import re
from string import Formatter

import pytest
from babel.messages.catalog import Message

from core.language import ENGLISH, LANGUAGES, closest, language, load, mark_in, say, say_in, say_plural, speaking
from scripts.translations import TEMPLATE, as_bytes, catalogue_of, extracted, missing, path_of

OTHERS = [one for one in LANGUAGES if one != ENGLISH]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en-US", "en"),
        ("en-GB", "en"),
        ("es-ES", "es"),
        ("es-419", "es"),
        ("pt-BR", "pt_BR"),
        ("pt", "pt_BR"),
        ("pt_PT.UTF-8", "pt_BR"),
        ("de", "de"),
        ("DE_de@euro", "de"),
        ("fr.UTF-8", "fr"),
        ("hi", "hi"),
        ("ja_JP.eucJP", "ja"),
        ("zh-CN", "en"),
        ("C", "en"),
        ("C.UTF-8", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_closest_language_is_spoken(tag: str | None, expected: str) -> None:
    assert closest(tag) == expected


def test_a_language_is_spoken_until_the_block_ends_and_english_before() -> None:
    assert language() == "en"
    with speaking("de"):
        assert language() == "de"
        with speaking("ja"):
            assert language() == "ja"
        assert language() == "de"
    assert language() == "en"


async def test_tasks_and_threads_of_asyncio_take_their_language_with_them() -> None:
    with speaking("fr"):
        task = asyncio.create_task(asyncio.to_thread(language))
    assert await task == "fr"
    assert language() == "en"


def test_what_is_not_translated_is_said_in_english() -> None:
    with speaking("de"):
        assert say("A sentence {of} no catalogue.", of="that is in") == "A sentence that is in no catalogue."
        assert say("Braces {stay} if nothing fills them.") == "Braces {stay} if nothing fills them."


def test_numbers_have_their_forms() -> None:
    one, many = "{n} thing", "{n} things"
    assert [say_plural(one, many, n) for n in (0, 1, 2, 1234)] == ["0 things", "1 thing", "2 things", "1,234 things"]
    assert say_plural(one, many, 1234, n="1.2K") == "1.2K things"


def test_a_context_is_no_part_of_what_is_said() -> None:
    assert say_in("command name", mark_in("command name", "predict")) == "predict"


def test_every_language_loads() -> None:
    load()


def test_the_template_is_what_the_source_says() -> None:
    assert TEMPLATE.read_bytes() == as_bytes(extracted()), "run `make translations`"


@pytest.mark.parametrize("spoken", OTHERS)
def test_no_sentence_is_missing(spoken: str) -> None:
    catalogue = catalogue_of(spoken)
    assert {_key(message) for message in catalogue} == {_key(message) for message in extracted()}
    assert [message.id for message in missing(catalogue)] == []


@pytest.mark.parametrize("spoken", OTHERS)
def test_every_sentence_is_filled_as_the_english_one(spoken: str) -> None:
    for message in catalogue_of(spoken):
        for said in _strings(message):
            if message.id and said:
                assert _fields(said) == _fields(_ids(message)[-1]), message.id


@pytest.mark.parametrize("spoken", OTHERS)
def test_commands_stay_as_they_are_typed(spoken: str) -> None:
    typed = re.compile(r"(?<![\w/.])/[a-z]+(?: full)?")
    for message in catalogue_of(spoken):
        for said in _strings(message):
            if message.id and said:
                assert sorted(typed.findall(said)) == sorted(typed.findall(_ids(message)[-1])), message.id


@pytest.mark.parametrize("spoken", OTHERS)
def test_nothing_stands_around_a_sentence(spoken: str) -> None:
    for message in catalogue_of(spoken):
        assert [said for said in _strings(message) if message.id and said != said.strip()] == []


@pytest.mark.parametrize("spoken", OTHERS)
def test_files_are_written_as_the_target_writes_them(spoken: str) -> None:
    assert path_of(spoken).read_bytes() == as_bytes(catalogue_of(spoken)), "run `make translations`"


def _key(message: Message) -> tuple[str | None, object]:
    return message.context, message.id


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}
