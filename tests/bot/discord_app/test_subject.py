from __future__ import annotations

from types import SimpleNamespace

import pytest

from bot.discord_app.subject import subject_of


def message(content: str, *titles: str | None) -> SimpleNamespace:
    return SimpleNamespace(content=content, embeds=[SimpleNamespace(title=title) for title in titles])


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        (message("Hello - Adele"), "Hello - Adele"),
        (message("<@1> <#2> <:note:3>\n\n  Hello - Adele  \nmore"), "Hello - Adele"),
        (message("", None, "Hello — Adele"), "Hello — Adele"),
        (message("https://www.last.fm/music/Adele/_/Hello"), "https://www.last.fm/music/Adele/_/Hello"),
        (message("<3 this song"), "<3 this song"),
        (message(" \n", None, " "), ""),
        (message("x" * 500), "x" * 200),
    ],
)
def test_the_first_thing_said_is_the_song(given: SimpleNamespace, subject: str) -> None:
    assert subject_of(given) == subject
