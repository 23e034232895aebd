"""What one person asks in private, or in another channel, shows nobody else in any list."""

from __future__ import annotations

import discord
import pytest

from tests.fakes.simulated_discord import Discord

ODD = "Obscure Demo - Nobody Known"


@pytest.fixture(autouse=True)
def knows_nothing_by_itself(discord_env: Discord, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave only what was asked to complete from."""

    async def nothing(*_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(discord_env.predictor, "complete", nothing)


async def offered(simulated: Discord, who, *where, typed: str = "") -> set[str]:
    """Everything that completion offers, in every option that completes."""
    names: set[str] = set()
    for command, option, filled in (
        ("predict", "song", {}),
        ("compare", "first", {}),
        ("compare", "second", {"first": "x"}),
    ):
        choices = await who.autocomplete(*where, command, option, typed, **filled)
        names |= {one["value"] for one in choices} - {typed}
    return names


async def test_the_privacy_text_says_so(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "privacy")
    said = result.response.embeds[0].description
    assert "What you ask in private is suggested to nobody." in said
    assert "a Discord channel is also offered songs whose answers everyone there could read" in said


async def test_a_private_answer_is_offered_to_nobody_not_even_there(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="obscure demo", private=True)
    assert result.response.ephemeral
    await discord_env.ann.click(result.response, label="Why?")
    await discord_env.ann.click(result.response, label="Refresh")
    shown = await discord_env.ann.click(result.response, label="Compare")
    compared = await discord_env.ann.submit_modal(shown, {"second": "halfway there"})
    assert compared.response.ephemeral
    for who in (discord_env.ann, discord_env.ben):
        for typed in ("", "obscure", "nobody", "half"):
            assert await offered(discord_env, who, discord_env.channel, typed=typed) == set()


async def test_a_public_answer_is_offered_in_its_channel_alone(discord_env: Discord) -> None:
    staff = discord_env.guild.create_text_channel("staff")
    await discord_env.ann.slash(discord_env.channel, "predict", song="obscure demo")
    assert await offered(discord_env, discord_env.ben, discord_env.channel, typed="obs") == {ODD}
    assert await offered(discord_env, discord_env.ben, discord_env.channel) == {ODD}
    assert await offered(discord_env, discord_env.ben, staff) == set()
    assert await offered(discord_env, discord_env.env.create_user("cleo")) == set()


async def test_both_songs_of_a_public_comparison_are_offered(discord_env: Discord) -> None:
    await discord_env.ann.slash(discord_env.channel, "compare", first="obscure demo", second="halfway there")
    assert await offered(discord_env, discord_env.ben, discord_env.channel) == {ODD, "Halfway There - Some Band"}


async def test_a_chat_with_the_bot_alone_offers_nothing_of_it(discord_env: Discord) -> None:
    ann, ben = discord_env.env.create_user("anna"), discord_env.env.create_user("benno")
    await ann.slash("predict", song="obscure demo")
    for where in ((ann,), (ben,), (discord_env.ben, discord_env.channel)):
        assert await offered(discord_env, *where) == set()


async def test_songs_only_offered_and_questions_in_vain_are_no_answers_read_by_all(discord_env: Discord) -> None:
    twins = await discord_env.ann.slash(discord_env.channel, "predict", song="twins")
    await discord_env.ann.slash(discord_env.channel, "predict", song="a song nobody ever sang")
    assert await offered(discord_env, discord_env.ben, discord_env.channel) == set()
    (choice,) = twins.followups
    label = next(one["label"] for row in choice.components for one in row["components"] if "Obscure" in one["label"])
    await discord_env.ann.click(choice, label=label)
    assert await offered(discord_env, discord_env.ben, discord_env.channel) == {ODD}


async def test_a_choice_of_a_private_question_stays_private(discord_env: Discord) -> None:
    twins = await discord_env.ann.slash(discord_env.channel, "predict", song="twins", private=True)
    label = next(
        one["label"] for row in twins.response.components for one in row["components"] if "Obscure" in one["label"]
    )
    picked = await discord_env.ann.click(twins.response, label=label)
    assert picked.followups[0].ephemeral
    assert await offered(discord_env, discord_env.ben, discord_env.channel) == set()


async def test_asking_back_after_a_private_refresh_stays_private(
    discord_env: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="obscure demo", private=True)

    async def renamed(*_: object, **__: object):
        return await discord_env.predictor.predict("twins")

    monkeypatch.setattr(discord_env.predictor, "predict_song", renamed)
    asked_back = await discord_env.ann.click(result.response, label="Refresh")
    monkeypatch.undo()
    (choice,) = asked_back.followups
    label = next(one["label"] for row in choice.components for one in row["components"] if "Obscure" in one["label"])
    picked = await discord_env.ann.click(choice, label=label)
    assert all(message.ephemeral for message in picked.followups)
    assert discord_env.channel.last_message is None


async def test_the_message_menu_on_a_private_answer_answers_privately(discord_env: Discord) -> None:
    private = await discord_env.ann.slash(discord_env.channel, "predict", song="obscure demo", private=True)
    again = await discord_env.ann.context_menu(discord_env.channel, "Predict this song", private.response)
    assert again.response.ephemeral


async def test_an_answer_that_discord_made_private_itself_counts_as_private(
    discord_env: Discord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not use external apps in a channel sees their answers alone, whatever was asked for."""
    read = discord.MessageFlags._from_value
    ephemeral = discord.MessageFlags(ephemeral=True).value
    monkeypatch.setattr(discord.MessageFlags, "_from_value", lambda value: read(value | ephemeral))
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="obscure demo")
    assert result.response.embeds[0].title == "Obscure Demo — Nobody Known"
    assert await offered(discord_env, discord_env.ben, discord_env.channel) == set()
