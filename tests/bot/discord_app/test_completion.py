from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.discord_app.completion import choices_for
from bot.plain_text import utf16_length
from core.domain import SongName
from tests.fakes.simulated_discord import Discord


def values(typed: str, *names: SongName) -> list[str]:
    return [choice.value for choice in choices_for(typed, names)]


def test_the_typed_text_comes_first_then_songs_without_repeats() -> None:
    hello = SongName("Hello", "Adele")
    assert values("hel", hello, hello) == ["hel", "Hello - Adele"]
    assert values("HELLO - adele", hello) == ["HELLO - adele"]


def test_nothing_typed_lists_songs_alone() -> None:
    assert values("", SongName("Hello", "Adele")) == ["Hello - Adele"]
    assert values("   ") == []


def test_a_song_too_long_to_be_sent_back_whole_is_left_out() -> None:
    assert values("x", SongName("t" * 99, "a")) == ["x"]


@given(st.text(max_size=300), st.lists(st.tuples(st.text(max_size=120), st.text(max_size=40)), max_size=40))
def test_choices_keep_discords_limits(typed: str, names: list[tuple[str, str]]) -> None:
    choices = choices_for(typed, tuple(SongName(*name) for name in names))
    assert len(choices) <= 25
    assert all(1 <= utf16_length(choice.name) <= 100 and 1 <= utf16_length(choice.value) <= 100 for choice in choices)


async def test_completion_serves_every_song_option(discord_env: Discord) -> None:
    for command, option in (("predict", "song"), ("compare", "first"), ("compare", "second")):
        filled = {"first": "x"} if option == "second" else {}
        choices = await discord_env.ann.autocomplete(discord_env.channel, command, option, "hel", **filled)
        assert [one["value"] for one in choices] == ["hel", "Hello - Adele"]
    assert discord_env.predictor.asked == []


async def test_completion_that_fails_still_offers_the_typed_text(discord_env: Discord, monkeypatch) -> None:
    async def fail(*_: object) -> tuple[SongName, ...]:
        raise OSError("disk")

    monkeypatch.setattr(discord_env.predictor, "complete", fail)
    choices = await discord_env.ann.autocomplete(discord_env.channel, "predict", "song", "hel")
    assert [one["value"] for one in choices] == ["hel"]
