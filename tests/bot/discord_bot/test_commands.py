from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot import messages
from bot.discord_bot.commands import choices_for, extract_song_text
from bot.plain_text import utf16_length
from bot.reply import ResultCode
from core.domain import SongName
from core.errors import ModelRejected, UpstreamUnavailable
from tests.fakes.predictor import picture as drawn
from tests.fakes.simulated_discord import Discord, StartDiscord

YOUTUBE = "https://www.youtube.com/watch?v=fJ9rUzIMcZQ"
SPOTIFY = "https://open.spotify.com/track/0VjIjW4GlUZAMYd2vXMi3b"
VIDEO = {
    "type": "video",
    "title": "Queen – Bohemian Rhapsody (Official Video Remastered)",
    "author": {"name": "Queen Official"},
    "provider": {"name": "YouTube"},
}
TRACK = {"title": "Blinding Lights", "description": "The Weeknd · Song · 2020", "provider": {"name": "Spotify"}}


def message(content: str, *embeds: dict[str, Any]) -> SimpleNamespace:
    return SimpleNamespace(content=content, embeds=[discord.Embed.from_dict(embed) for embed in embeds])


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        (message("Hello - Adele"), "Hello - Adele"),
        (message("<@1> <#2> <:note:3>\n\n  Hello - Adele  \nmore"), "Hello - Adele"),
        (message("", {}, {"title": "Hello — Adele"}), "Hello — Adele"),
        (message("https://www.last.fm/music/Adele/_/Hello"), "https://www.last.fm/music/Adele/_/Hello"),
        (message("<3 this song"), "<3 this song"),
        (message(" \n", {}, {"title": " "}), ""),
        (message("x" * 500), "x" * 500),
        (message(f"listen to this: {YOUTUBE}", VIDEO), "Queen – Bohemian Rhapsody (Official Video Remastered)"),
        (message(YOUTUBE, VIDEO | {"title": "Hello", "author": {"name": "AdeleVEVO"}}), "Hello - Adele"),
        (message(YOUTUBE), YOUTUBE),
        (message(SPOTIFY, TRACK), "Blinding Lights - The Weeknd"),
        (message(SPOTIFY, TRACK | {"description": "Song · The Weeknd · 2020"}), "Blinding Lights - The Weeknd"),
        (message(SPOTIFY, TRACK | {"description": ""}), "Blinding Lights"),
        (message(f"Hello - Adele {YOUTUBE}", VIDEO), f"Hello - Adele {YOUTUBE}"),
        (message("https://tidal.com/track/1", {"title": "Hello by Adele"}), "Hello by Adele"),
    ],
)
def test_the_first_thing_said_is_the_song(given: SimpleNamespace, subject: str) -> None:
    assert extract_song_text(given) == subject


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


async def test_predict_is_acknowledged_publicly_and_answered_with_embed_card_and_buttons(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="blinding lights", artist="weeknd")
    assert discord_env.predictor.asked == ["blinding lights - weeknd"]
    message = result.response
    assert not message.ephemeral
    (embed,) = message.embeds
    assert embed.title == "Blinding Lights — The Weeknd"
    assert embed.url == "https://www.last.fm/music/somebody/_/something"
    assert embed.colour == discord.Colour(0x1DB954)
    assert "**▲ Popular · 92.3 %**" in embed.description
    assert "Why: ↑ listeners · ↓ long for a hit" in embed.description
    fields = {one.name: one.value for one in embed.fields}
    assert fields["Listeners"] == "2,275,434\ntop 1 %"
    assert fields["Tags"] == "synthpop, pop"
    assert fields["Also"] == "Length 3:20 (bottom 41 %)"
    assert embed.footer.text.startswith("Last.fm, just now")
    assert embed.timestamp is not None
    (attachment,) = message.attachments
    assert embed.image.url.endswith(attachment.filename)
    assert "92.3 %" in attachment.description
    assert "Blinding Lights" in attachment.description
    with Image.open(io.BytesIO(await attachment.read())) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
    labels = [button["label"] for row in message.components for button in row["components"]]
    assert labels == ["Why?", "Refresh", "Compare", "Last.fm", "Spotify", "YouTube"]
    assert discord_env.counted == {ResultCode.PREDICTED: 1}


async def test_nothing_in_an_answer_can_mention_anyone(discord_env: Discord) -> None:
    await discord_env.ann.slash(discord_env.channel, "predict", song="@everyone <@1> **no** <#2>")
    bodies = [entry.json for entry in discord_env.env.http_requests if entry.json and "content" in entry.json]
    assert bodies
    for body in bodies:
        assert body["allowed_mentions"] == {"parse": []}
        assert "@everyone" not in body["content"]
        assert "<@1>" not in body["content"]
        assert "<#2>" not in body["content"]
        assert "**no**" not in body["content"]


async def test_a_private_prediction_is_for_the_asker_alone(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="hello", private=True)
    assert result.response.ephemeral
    assert result.response.embeds[0].title == "Hello — Adele"
    assert discord_env.channel.last_message is None or discord_env.channel.last_message.id != result.response.id


async def test_the_needle_moves_when_asked_or_by_the_setting(start_discord: StartDiscord) -> None:
    simulated = await start_discord(animated=True)
    moving = await simulated.ann.slash(simulated.channel, "predict", song="hello")
    still = await simulated.ann.slash(simulated.channel, "predict", song="hello", animated=False)
    assert [one.response.attachments[0].filename for one in (moving, still)] == [
        "hitmeter-card.gif",
        "hitmeter-card.png",
    ]
    with Image.open(io.BytesIO(await moving.response.attachments[0].read())) as picture:
        assert picture.format == "GIF"


async def test_a_song_not_found_leaves_nothing_public(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="zzzz")
    assert result.response is None
    (told,) = result.followups
    assert told.ephemeral
    assert "no song like “zzzz”" in told.content
    assert "Hello — Adele" in told.content
    assert discord_env.counted == {ResultCode.NOT_FOUND: 1}


async def test_a_fault_upstream_is_told_privately(discord_env: Discord) -> None:
    discord_env.predictor.faults.append(UpstreamUnavailable("down"))
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="hello")
    (told,) = result.followups
    assert told.ephemeral
    assert told.content == UpstreamUnavailable.user_message
    assert discord_env.counted == {ResultCode.UPSTREAM_FAULT: 1}


async def test_an_unexpected_fault_is_told_with_an_id_that_the_log_has(
    discord_env: Discord, caplog: pytest.LogCaptureFixture
) -> None:
    discord_env.predictor.faults.append(RuntimeError("boom"))
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="hello", private=True)
    incident = result.response.content.split("noted as ")[1].split(".")[0]
    (record,) = [one for one in caplog.records if incident in one.getMessage()]
    assert record.exc_info is not None


async def test_the_message_menu_predicts_the_song_named_there(discord_env: Discord) -> None:
    message = await discord_env.ben.send(discord_env.channel, "<@123>\nListen: Hello by Adele\nso good")
    result = await discord_env.ann.context_menu(discord_env.channel, "Predict this song", message)
    assert discord_env.predictor.asked == ["Listen: Hello by Adele"]
    assert result.response.embeds[0].title == "Hello — Adele"


async def test_the_message_menu_reads_our_own_answer(discord_env: Discord) -> None:
    answered = await discord_env.ann.slash(discord_env.channel, "predict", song="hello")
    await discord_env.ben.context_menu(discord_env.channel, "Predict this song", answered.response)
    assert discord_env.predictor.asked[-1] == "Hello — Adele"


async def test_the_message_menu_says_when_a_message_names_nothing(discord_env: Discord) -> None:
    message = await discord_env.ben.send(discord_env.channel, "<@123>")
    result = await discord_env.ann.context_menu(discord_env.channel, "Predict this song", message)
    assert "Which song?" in result.followups[0].content


async def test_compare_shows_both_songs_on_one_card(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "compare", first="blinding lights", second="hello")
    (embed,) = result.response.embeds
    assert "Blinding Lights — The Weeknd is the likelier hit: 92.3 % against 71.2 %." in embed.description
    assert "Hello — Adele" in embed.description
    assert result.response.attachments[0].filename == "hitmeter-card.png"
    assert discord_env.counted == {ResultCode.COMPARED: 1}


async def test_model_is_public_and_has_its_table_when_asked_for(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "model")
    (embed,) = result.response.embeds
    assert not result.response.ephemeral
    assert embed.title == "How good is the model?"
    assert "When I say Popular, I am right 82 times in 100." in embed.description
    assert embed.fields == []
    result = await discord_env.ann.slash(discord_env.channel, "model", full=True)
    (embed,) = result.response.embeds
    assert embed.fields[0].value.startswith("ROC-AUC 0.910")
    assert "It cannot hear the song." in embed.description


async def test_model_shows_the_calibration_if_it_was_drawn(discord_env: Discord) -> None:
    discord_env.predictor.calibration = drawn("PNG")
    result = await discord_env.ann.slash(discord_env.channel, "model")
    (attachment,) = result.response.attachments
    assert attachment.filename == "hitmeter-calibration.png"
    assert attachment.description.endswith("Popular: 82.0 % really were popular (songs: 1,240).")
    assert result.response.embeds[0].image.url.endswith("hitmeter-calibration.png")


@pytest.mark.parametrize(("command", "title"), [("help", messages.HELP_TITLE), ("privacy", messages.PRIVACY_TITLE)])
async def test_help_and_privacy_are_private(discord_env: Discord, command: str, title: str) -> None:
    result = await discord_env.ann.slash(discord_env.channel, command)
    assert result.response.ephemeral
    assert result.response.embeds[0].title == title
    assert discord_env.counted == {ResultCode.INFORMED: 1}


async def test_everything_works_in_a_private_chat(discord_env: Discord) -> None:
    user = discord_env.env.create_user("dora")
    result = await user.slash("predict", song="hello")
    assert result.response.attachments[0].filename == "hitmeter-card.png"
    why = await user.click(result.response, label="Why?")
    assert why.response.ephemeral


async def test_all_commands_are_allowed_everywhere(discord_env: Discord) -> None:
    (entry,) = discord_env.calls("PUT", "/commands")
    assert {one["name"] for one in entry.json} == {
        "predict", "compare", "artist", "trend", "model", "help", "privacy", "stats", "reload", "Predict this song",
    }  # fmt: skip
    for command in entry.json:
        assert sorted(command["contexts"]) == [0, 1, 2]
        assert sorted(command["integration_types"]) == [0, 1]


@pytest.mark.parametrize("command", ["stats", "reload"])
async def test_administrators_commands_refuse_others(start_discord: StartDiscord, command: str) -> None:
    simulated = await start_discord()
    role = simulated.guild.create_role("boss", permissions=discord.Permissions(administrator=True))
    boss = simulated.guild.add_member(simulated.env.create_user("boss"), roles=[role])
    result = await boss.slash(simulated.channel, command)
    assert result.response.ephemeral
    assert result.response.content == messages.ADMINISTRATORS_ONLY
    assert simulated.predictor.reloads == 0
    assert simulated.counted == {ResultCode.REFUSED: 1}


async def test_administrators_by_id_may_reload_and_see_stats(start_discord: StartDiscord) -> None:
    simulated = await start_discord()
    admin = simulated.env.create_user("admin")
    simulated.client.interaction_handler._admin_ids = frozenset({admin.id})
    reloaded = await admin.slash("reload")
    assert reloaded.response.content == messages.RELOADED.format(date="22 Nov 2026")
    assert simulated.predictor.reloads == 1
    assert (await admin.slash("stats")).response.ephemeral


async def test_a_refused_model_leaves_the_old_one(discord_env: Discord) -> None:
    admin = discord_env.env.create_user("admin")
    discord_env.client.interaction_handler._admin_ids = frozenset({admin.id})
    discord_env.predictor.reload_fault = ModelRejected("hash differs")
    result = await admin.slash("reload")
    assert "refused" in result.response.content


async def test_artist_ranks_songs_with_a_picture_and_a_menu_of_all(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "artist", name="the weeknd")
    message = result.response
    (embed,) = message.embeds
    assert embed.title == "the weeknd: 30 songs by their chance to be popular"
    assert embed.description.startswith("**The likeliest hit is Song 1, at 93.0 %.**\nThe surprise is Song 3")
    assert "10. ▲ 75.0 % · Song 10 · 990K listeners" in embed.description
    assert embed.footer.text.startswith("Last.fm, just now")
    assert len(message.attachments) == 1
    assert discord_env.predictor.drawn == ["ranking"]
    menus = [component for row in message.components for component in row["components"]]
    assert [len(menu["options"]) for menu in menus] == [25, 5]
    assert [menu["placeholder"] for menu in menus] == [
        messages.RANKING_OPEN_PART.format(first=1, last=25),
        messages.RANKING_OPEN_PART.format(first=26, last=30),
    ]
    assert menus[1]["options"][-1]["label"] == "Song 30 · 35.0 %"
    assert discord_env.counted == {ResultCode.RANKED: 1}


async def test_an_unknown_artist_is_told_to_the_asker_alone(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "artist", name="Nobody")
    assert result.followups[0].ephemeral
    assert result.followups[0].content.startswith("I found no artist like “Nobody”.")


async def test_completion_of_an_artist_lists_those_of_fitting_songs_once(discord_env: Discord) -> None:
    choices = await discord_env.ann.autocomplete(discord_env.channel, "artist", "name", "h")
    assert [one["value"] for one in choices] == ["h", "The Weeknd", "Adele", "Some Band"]
    assert discord_env.predictor.asked == []


async def test_trend_says_what_changed_with_a_picture(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "trend", song="blinding lights")
    (embed,) = result.response.embeds
    assert embed.title == "What changed: Blinding Lights — The Weeknd"
    assert embed.description.splitlines()[:3] == [
        "**Its chance to be popular: 55.0 % then, 92.3 % now.**",
        "Since 1 Nov 2026: listeners from 2M to 2.3M (+14 %), plays from 30M to 37.2M (+24 %).",
        "In 3 weeks: +14 % listeners, faster than 93 % of songs",
    ]
    assert len(result.response.attachments) == 1
    assert discord_env.predictor.drawn == ["trend"]
    assert result.response.components == []


async def test_a_song_of_which_too_little_is_known_is_told_to_the_asker_alone(discord_env: Discord) -> None:
    early = "since 22 Nov 2026 only. Ask again on 25 Nov 2026"
    for song, told in (("hello", early), ("obscure demo", "no dated figures")):
        result = await discord_env.ann.slash(discord_env.channel, "trend", song=song)
        assert result.followups[0].ephemeral
        assert told in result.followups[0].content
    assert discord_env.predictor.drawn == []


async def test_a_trend_that_is_not_clear_asks_back(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "trend", song="twins")
    assert result.followups[0].content.startswith(messages.DID_YOU_MEAN)
