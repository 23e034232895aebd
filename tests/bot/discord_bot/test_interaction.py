from __future__ import annotations

from types import SimpleNamespace

import discord
import pytest
from simcord.backend.models.channel import Overwrite
from simcord.enums import OverwriteType

from bot import messages
from bot.discord_bot.interaction import InteractionHandler
from bot.discord_bot.views import view_for
from bot.rate_limits import Limit, RateLimiter
from bot.reply import ResultCode
from bot.service import SongService
from tests.fakes.predictor import FakePredictor
from tests.fakes.simulated_discord import Discord, StartDiscord


@pytest.fixture
def handler(predictor: FakePredictor) -> InteractionHandler:
    rate_limiter = RateLimiter(user=Limit(0, 1), chat=Limit(0, 1))
    return InteractionHandler(SongService(predictor), rate_limiter, view_for, admin_ids=[5])


def asked_by(user_id: int, application: object) -> SimpleNamespace:
    return SimpleNamespace(user=SimpleNamespace(id=user_id), client=SimpleNamespace(application=application))


def person(user_id: int) -> SimpleNamespace:
    return SimpleNamespace(id=user_id)


@pytest.mark.parametrize(
    ("user_id", "application", "admin"),
    [
        (5, None, True),
        (6, None, False),
        (1, SimpleNamespace(team=None, owner=person(1)), True),
        (2, SimpleNamespace(team=None, owner=person(1)), False),
        (8, SimpleNamespace(team=SimpleNamespace(members=[person(8)]), owner=person(1)), True),
        # The "owner" of an application of a team is a stand-in that nobody can be.
        (1, SimpleNamespace(team=SimpleNamespace(members=[person(8)]), owner=person(1)), False),
    ],
)
def test_administrators_are_the_owner_the_team_and_those_named(
    handler: InteractionHandler, user_id: int, application: object, admin: bool
) -> None:
    assert handler.is_admin(asked_by(user_id, application)) is admin


async def test_an_idle_handler_closes_at_once(handler: InteractionHandler) -> None:
    await handler.drain(60)


async def test_a_limit_is_told_once_with_the_seconds_left_then_there_is_silence(start_discord: StartDiscord) -> None:
    simulated = await start_discord(user=Limit(2, 60))
    for _ in range(2):
        await simulated.ann.slash(simulated.channel, "predict", song="hello")
    simulated.clock.now_s += 20
    told = await simulated.ann.slash(simulated.channel, "predict", song="hello")
    assert told.response.ephemeral
    assert told.response.content == "That was a lot at once. You can ask again in 40 seconds."
    silent = await simulated.ann.slash(simulated.channel, "predict", song="hello")
    assert silent.acknowledged
    assert silent.response is None
    assert silent.followups == []
    other = await simulated.ben.slash(simulated.channel, "predict", song="hello")
    assert other.response.embeds
    simulated.clock.now_s += 41
    again = await simulated.ann.slash(simulated.channel, "predict", song="hello")
    assert again.response.embeds
    assert simulated.counted == {ResultCode.PREDICTED: 4, ResultCode.LIMITED: 1}


async def test_buttons_count_towards_the_limit(start_discord: StartDiscord) -> None:
    simulated = await start_discord(user=Limit(1, 60))
    answer = (await simulated.ann.slash(simulated.channel, "predict", song="hello")).response
    told = await simulated.ann.click(answer, label="Why?")
    assert "again in 60 seconds" in told.response.content
    silent = await simulated.ann.click(answer, label="Refresh")
    assert silent.acknowledged
    assert silent.response.content == answer.content
    assert silent.followups == []
    assert len(simulated.predictor.asked) == 1


async def test_the_servers_limit_counts_everyone_there_but_not_private_chats(start_discord: StartDiscord) -> None:
    simulated = await start_discord(chat=Limit(1, 30))
    await simulated.ann.slash(simulated.channel, "predict", song="hello")
    told = await simulated.ben.slash(simulated.channel, "predict", song="hello")
    assert told.response.content == "This chat has asked a lot at once. It can ask again in 30 seconds."
    assert (await simulated.env.create_user("dora").slash("predict", song="hello")).response.embeds


async def test_help_stays_free(start_discord: StartDiscord) -> None:
    simulated = await start_discord(user=Limit(1, 60))
    for _ in range(3):
        assert (await simulated.ann.slash(simulated.channel, "help")).response.embeds


@pytest.mark.parametrize(
    ("denied", "named"),
    [
        ({"attach_files": False}, "Attach Files"),
        ({"embed_links": False}, "Embed Links"),
        ({"attach_files": False, "embed_links": False}, "Embed Links and Attach Files"),
    ],
)
async def test_without_permission_the_answer_is_plain_text_that_names_it(
    discord_env: Discord, denied: dict[str, bool], named: str
) -> None:
    channel = restricted(discord_env, denied)
    result = await discord_env.ann.slash(channel, "predict", song="hello")
    assert result.response.embeds == []
    assert result.response.attachments == []
    assert "▲ Popular · 71.2 %" in result.response.content
    assert "Hello — Adele" in result.response.content
    assert result.response.content.endswith(messages.PERMISSION_MISSING[" and " in named].format(names=named))
    assert result.response.components
    assert discord_env.predictor.drawn == [], "nothing is drawn that cannot be shown"


async def test_a_refresh_without_permission_replaces_the_card_by_text(discord_env: Discord) -> None:
    answer = (await discord_env.ann.slash(discord_env.channel, "predict", song="hello")).response
    deny(discord_env, discord_env.channel, {"attach_files": False})
    await discord_env.ann.click(answer, label="Refresh")
    kept = discord_env.channel.last_message
    assert kept.id == answer.id
    assert kept.attachments == []
    assert kept.embeds == []
    assert "Attach Files" in kept.content


async def test_a_comparison_without_permission_is_plain_text(discord_env: Discord) -> None:
    channel = restricted(discord_env, {"attach_files": False})
    result = await discord_env.ann.slash(channel, "compare", first="hello", second="blinding lights")
    assert result.response.embeds == []
    assert "likelier hit" in result.response.content
    assert "Attach Files" in result.response.content


def restricted(simulated: Discord, denied: dict[str, bool]):
    channel = simulated.guild.create_text_channel("quiet")
    deny(simulated, channel, denied)
    return channel


def deny(simulated: Discord, channel, denied: dict[str, bool]) -> None:
    """Take permissions from the bot in a channel, as an overwrite for its own member."""
    _, refused = discord.PermissionOverwrite(**denied).pair()
    bot_id = simulated.env.backend.bot_user.id
    channel._channel.overwrites.append(Overwrite(bot_id, OverwriteType.MEMBER, deny=refused.value))
