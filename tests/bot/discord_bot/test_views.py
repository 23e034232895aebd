from __future__ import annotations

import re

import discord
import pytest

from bot import messages
from bot.discord_bot.interaction import ReplyOptions
from bot.discord_bot.views import ChoiceState, PickButton, PickSelect
from bot.rate_limits import Limit
from bot.reply import ResultCode, SongToken
from core.domain import SongName
from core.errors import UpstreamUnavailable
from core.history import song_token
from tests.fakes.simulated_discord import Discord, StartDiscord

HELLO = song_token(SongName("Hello", "Adele"))


@pytest.fixture
async def answered(discord_env: Discord):
    return (await discord_env.ann.slash(discord_env.channel, "predict", song="hello")).response


async def test_why_explains_privately_to_anyone(discord_env: Discord, answered) -> None:
    result = await discord_env.ben.click(answered, label="Why?")
    assert result.response.ephemeral
    (embed,) = result.response.embeds
    assert embed.title == "Why 71.2 % for Hello — Adele"
    assert "Speaks for it: listeners." in embed.description
    assert "Known: the song's own listeners and plays" in embed.description
    assert "12.1 %" in embed.description
    assert "I am right 82 times in 100" in embed.description


async def test_refresh_asks_for_new_figures_and_replaces_the_answer_in_place(discord_env: Discord, answered) -> None:
    await discord_env.ann.click(answered, label="Refresh")
    assert discord_env.predictor.fresh == [False, True]
    (kept,) = [one async for one in discord_env.client.get_channel(discord_env.channel.id).history()]
    assert kept.id == answered.id
    assert kept.embeds[0].title == "Hello — Adele"
    assert len(kept.attachments) == 1


async def test_refresh_keeps_the_old_answer_when_new_figures_are_not_to_be_had(discord_env: Discord, answered) -> None:
    discord_env.predictor.faults.append(UpstreamUnavailable("down"))
    result = await discord_env.ann.click(answered, label="Refresh")
    assert result.followups[0].ephemeral
    assert result.followups[0].content == UpstreamUnavailable.user_message
    assert discord_env.channel.last_message.embeds[0].title == "Hello — Adele"


async def test_another_users_refresh_is_refused(discord_env: Discord, answered) -> None:
    result = await discord_env.ben.click(answered, label="Refresh")
    assert result.response.ephemeral
    assert result.response.content == messages.NOT_YOURS
    assert discord_env.predictor.fresh == [False]
    assert discord_env.counted[ResultCode.REFUSED] == 1


async def test_compare_asks_for_the_second_song_and_answers_publicly(discord_env: Discord, answered) -> None:
    shown = await discord_env.ben.click(answered, label="Compare")
    assert shown.modal["title"] == messages.COMPARE_MODAL_TITLE
    result = await discord_env.ben.submit_modal(shown, {"second": "blinding lights"})
    assert not result.response.ephemeral
    assert "against 71.2 %" in result.response.embeds[0].description
    assert result.response.attachments


async def test_two_people_may_compare_the_same_song_at_once(discord_env: Discord, answered) -> None:
    forms = [await person.click(answered, label="Compare") for person in (discord_env.ann, discord_env.ben)]
    for person, form, second in zip(
        (discord_env.ann, discord_env.ben), forms, ("blinding lights", "hello"), strict=True
    ):
        result = await person.submit_modal(form, {"second": second})
        assert result.response.attachments, "the form of the one is not that of the other"


async def test_a_comparison_from_a_private_answer_is_private(discord_env: Discord) -> None:
    answer = (await discord_env.ann.slash(discord_env.channel, "predict", song="hello", private=True)).response
    shown = await discord_env.ann.click(answer, label="Compare")
    result = await discord_env.ann.submit_modal(shown, {"second": "blinding lights"})
    assert result.response.ephemeral
    assert result.response.attachments


async def test_buttons_mean_the_same_after_a_restart(discord_env: Discord, answered) -> None:
    history = discord_env.predictor.history
    await discord_env.env.restart_bot(discord_env.build())
    assert discord_env.predictor.history is history
    why = await discord_env.ann.click(answered, label="Why?")
    assert why.response.embeds[0].title == "Why 71.2 % for Hello — Adele"
    await discord_env.ann.click(answered, label="Refresh")
    assert discord_env.predictor.fresh[-1]


async def test_the_commands_are_not_registered_again_by_a_restart(discord_env: Discord) -> None:
    await discord_env.env.restart_bot(discord_env.build())
    assert len(discord_env.calls("PUT", "/commands")) == 1


@pytest.mark.parametrize(
    "custom_id",
    ["hm:why:AAAAAAAAAAAA", "hm:new:AAAAAAAAAAAA:{user}:0", "hm:pick:AAAAAAAAAAAA:{user}:9999999999:00:-"],
)
async def test_a_token_nobody_gave_out_is_answered_with_a_sentence(discord_env: Discord, custom_id: str) -> None:
    result = await forged(discord_env, custom_id.format(user=discord_env.ann.id))
    told = result.response if result.response and result.response.content == messages.FORGOTTEN else result.followups[0]
    assert told.content == messages.FORGOTTEN
    assert discord_env.counted == {ResultCode.FORGOTTEN: 1}


@pytest.mark.parametrize(
    "custom_id",
    [
        "hm:why:short",
        "hm:why:AAAAAAAAAAAA:extra",
        "hm:new:AAAAAAAAAAAA:-1:0",
        "hm:new:AAAAAAAAAAAA:1:7",
        "hm:reload",
        "hm:pick:'; DROP TABLE asked;--",
    ],
)
async def test_forged_ids_do_nothing(discord_env: Discord, custom_id: str) -> None:
    result = await forged(discord_env, custom_id)
    assert not result.acknowledged
    assert discord_env.predictor.asked == []
    assert discord_env.predictor.reloads == 0


async def test_a_forged_refresh_for_somebody_else_is_refused(discord_env: Discord) -> None:
    discord_env.predictor.history.remember(SongName("Hello", "Adele"))
    result = await forged(discord_env, f"hm:new:{HELLO}:{discord_env.ben.id}:0")
    assert result.response.content == messages.NOT_YOURS
    assert discord_env.predictor.asked == []


async def forged(simulated: Discord, custom_id: str):
    """Press a button with an id of our making on a message the bot sent."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="x", custom_id=custom_id))
    view.stop()
    channel = simulated.client.get_channel(simulated.channel.id)
    message = await channel.send("bait", view=view)
    return await simulated.ann.click(message, custom_id=custom_id)


HALFWAY = song_token(SongName("Halfway There", "Some Band"))


async def offered(simulated: Discord, song: str = "twins", **options):
    result = await simulated.ann.slash(simulated.channel, "predict", song=song, **options)
    return result.followups[0] if result.followups else result.response


def labels(message) -> list[str]:
    return [one.get("label") for row in message.components for one in row["components"]]


async def test_choices_are_for_the_asker_alone_and_leave_nothing_public(discord_env: Discord) -> None:
    message = await offered(discord_env)
    assert message.ephemeral
    assert message.content.startswith(messages.DID_YOU_MEAN)
    assert labels(message)[1] == "Hello — Adele · 1,000 listeners"
    assert len(message.components) == 4
    assert discord_env.channel.last_message is None


async def test_picking_answers_publicly_and_removes_the_choices(discord_env: Discord) -> None:
    message = await offered(discord_env)
    result = await discord_env.ann.click(message, label="Hello — Adele · 1,000 listeners")
    (answer,) = result.followups
    assert not answer.ephemeral
    assert answer.embeds[0].title == "Hello — Adele"
    assert answer.attachments
    assert result.response is None
    refresh = await discord_env.ann.click(answer, label="Refresh")
    assert refresh.acknowledged


async def test_a_pick_without_an_answer_leaves_the_choice(discord_env: Discord) -> None:
    message = await offered(discord_env)
    content, offers = message.content, labels(message)
    discord_env.predictor.faults.append(UpstreamUnavailable("down"))
    result = await discord_env.ann.click(message, label=offers[1])
    (told,) = result.followups
    assert told.ephemeral
    assert told.content == UpstreamUnavailable.user_message
    assert (message.content, labels(message)) == (content, offers)
    again = await discord_env.ann.click(message, label=offers[1])
    assert again.followups[0].embeds[0].title == "Hello — Adele"


async def test_a_pick_without_an_answer_leaves_the_answer_it_stands_under(discord_env: Discord) -> None:
    answer = (await discord_env.ann.slash(discord_env.channel, "predict", song="perhaps")).response
    before = (answer.content, answer.embeds[0].title, answer.components, len(answer.attachments))
    discord_env.predictor.faults.append(UpstreamUnavailable("down"))
    result = await discord_env.ann.select(answer, [HALFWAY])
    assert result.followups[0].ephemeral
    assert discord_env.channel.last_message.id == answer.id
    assert (answer.content, answer.embeds[0].title, answer.components, len(answer.attachments)) == before
    again = await discord_env.ann.select(answer, [HALFWAY])
    assert again.followups[0].embeds[0].title == "Halfway There — Some Band"


async def test_refused_presses_cost_the_server_nothing(start_discord: StartDiscord) -> None:
    simulated = await start_discord(chat=Limit(3, 600))
    answer = (await simulated.ann.slash(simulated.channel, "predict", song="perhaps")).response
    for _ in range(3):
        refused = await simulated.ben.select(answer, [HALFWAY])
        assert messages.NOT_YOURS in refused.response.content
        refused = await simulated.ben.click(answer, label="Refresh")
        assert refused.response.content == messages.NOT_YOURS
    picked = await simulated.ann.select(answer, [HALFWAY])
    assert picked.followups[0].embeds[0].title == "Halfway There — Some Band"


async def test_a_private_question_stays_private_after_picking(discord_env: Discord) -> None:
    message = await offered(discord_env, private=True)
    result = await discord_env.ann.click(message, label="Hello — Adele · 1,000 listeners")
    assert result.followups[0].ephemeral


async def test_labels_too_long_for_buttons_make_a_list(discord_env: Discord) -> None:
    message = await offered(discord_env, "twins long")
    (select,) = message.components[0]["components"]
    assert len(select["options"]) == 4
    assert all(len(option["label"]) <= 100 for option in select["options"])
    result = await discord_env.ann.select(message, [HELLO])
    assert result.followups[0].embeds[0].title == "Hello — Adele"


@pytest.mark.parametrize("song", ["twins", "twins long"])
async def test_choices_are_disabled_after_two_minutes(discord_env: Discord, song: str) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song=song)

    def disabled() -> set[bool]:
        return {one.get("disabled", False) for row in result.followups[0].components for one in row["components"]}

    await discord_env.env.advance_time(119)
    assert disabled() == {False}
    await discord_env.env.advance_time(2)
    assert disabled() == {True}


async def test_picking_ends_the_time(discord_env: Discord) -> None:
    message = await offered(discord_env)
    await discord_env.ann.click(message, label="Hello — Adele · 1,000 listeners")
    before = len(discord_env.env.http_requests)
    await discord_env.env.advance_time(300)
    assert len(discord_env.env.http_requests) == before


async def test_a_choice_works_after_a_restart_but_not_after_its_time(discord_env: Discord) -> None:
    message = await offered(discord_env)
    await discord_env.env.restart_bot(discord_env.build())
    result = await discord_env.ann.click(message, label="Hello — Adele · 1,000 listeners")
    assert result.followups[0].embeds[0].title == "Hello — Adele"

    late = await offered(discord_env)
    discord_env.clock.now_s += 121
    refused = await discord_env.ann.click(late, label="Hello — Adele · 1,000 listeners")
    assert refused.response.content == messages.CHOICE_OVER
    assert discord_env.counted[ResultCode.REFUSED] == 1


async def test_another_users_choice_is_refused(discord_env: Discord) -> None:
    state = ChoiceState(ReplyOptions(discord_env.ben.id, private=False, animated=False), int(discord_env.clock()) + 60)
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="x", custom_id=f"hm:pick:{HELLO}:{state}"))
    view.stop()
    message = await discord_env.client.get_channel(discord_env.channel.id).send("bait", view=view)
    result = await discord_env.ann.click(message, label="x")
    assert result.response.content == messages.NOT_YOURS
    assert discord_env.predictor.asked == []


async def test_a_choice_of_a_comparison_goes_on_with_the_comparison(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "compare", first="twins", second="blinding lights")
    picked = await discord_env.ann.click(result.followups[0], label="Hello — Adele · 1,000 listeners")
    (answer,) = picked.followups
    assert "92.3 % against 71.2 %" in answer.embeds[0].description
    assert discord_env.predictor.asked[-2:] == ["Blinding Lights - The Weeknd", "Hello - Adele"], "the picked one last"


@pytest.mark.parametrize("against", [None, "AbCdEfGhIj-_"])
@pytest.mark.parametrize("item", [PickButton, PickSelect])
def test_the_state_survives_its_custom_id_within_its_100_characters(item, against: str | None) -> None:
    state = ChoiceState(
        ReplyOptions(2**63, private=True, animated=True), 99_999_999_999, against and SongToken(against)
    )
    custom_id = f"hm:pick:{HELLO}:{state}" if item is PickButton else f"hm:list:{state}"
    match = re.fullmatch(item.__discord_ui_compiled_template__, custom_id)
    assert len(custom_id) <= 100
    assert ChoiceState.parse(match) == state


async def test_under_an_answer_in_doubt_the_others_are_listed(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="perhaps")
    answer = result.response
    assert answer.embeds[0].title == "Hello — Adele"
    assert messages.NOT_MEANT_PICK in answer.embeds[0].description
    assert messages.NOT_MEANT in str(answer.components)
    picked = await discord_env.ann.select(answer, [HALFWAY])
    assert picked.followups[0].embeds[0].title == "Halfway There — Some Band"
    assert not picked.followups[0].ephemeral
    assert discord_env.channel.last_message.id == picked.followups[0].id


async def test_the_others_are_for_the_asker_alone(discord_env: Discord) -> None:
    result = await discord_env.ann.slash(discord_env.channel, "predict", song="perhaps")
    refused = await discord_env.ben.select(result.response, [HALFWAY])
    assert messages.NOT_YOURS in refused.response.content


@pytest.mark.parametrize("restart", [False, True])
async def test_a_song_of_a_ranking_opens_beside_it_for_anyone(discord_env: Discord, restart: bool) -> None:
    ranking = (await discord_env.ann.slash(discord_env.channel, "artist", name="The Weeknd")).response
    if restart:
        await discord_env.env.restart_bot(discord_env.build())
    menu = ranking.components[1]["components"][0]
    songs = [option["value"] for option in menu["options"]]
    result = await discord_env.ben.select(ranking, songs[:1], custom_id=menu["custom_id"])
    assert not result.response.ephemeral
    assert result.response.embeds[0].title == "Song 26 — The Weeknd"
    assert len(result.response.attachments) == 1
    kept = [one async for one in discord_env.client.get_channel(discord_env.channel.id).history()]
    assert [bool(one.embeds) for one in kept] == [True, True]
    again = await discord_env.ann.select(ranking, songs[1:2], custom_id=menu["custom_id"])
    assert again.response.embeds[0].title == "Song 27 — The Weeknd"


async def test_a_short_ranking_has_one_menu(discord_env: Discord) -> None:
    ranking = (await discord_env.ann.slash(discord_env.channel, "artist", name="Few")).response
    (row,) = ranking.components
    (menu,) = row["components"]
    assert menu["placeholder"] == messages.RANKING_OPEN
    assert len(menu["options"]) == 2
