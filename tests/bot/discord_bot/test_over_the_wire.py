"""Real discord.py speaks HTTP and WebSocket to a loopback Discord."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from bot import messages
from tests.fakes import discord_payloads as payloads
from tests.fakes.discord_server import DiscordServer
from tests.fakes.predictor import FakePredictor
from tests.fakes.served_discord import served, settings


async def test_a_whole_conversation_over_a_dropped_connection_a_429_and_a_502(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    serving: list[bool] = []
    async with served(settings(tmp_path), predictor, server, on_serving=serving.append):
        assert server.gateway.identified == 1
        assert {one["name"] for one in server.commands} >= {"predict", "compare", "Predict this song"}

        predictor.gate.clear()
        asked = await server.interact(payloads.command("predict", song="hello"))
        await asyncio.wait_for(asked.acknowledged.wait(), 60)
        assert asked.response == {"type": 5}

        server.gateway.drop()
        missed = await server.interact(payloads.command("help"))
        await asyncio.wait_for(missed.acknowledged.wait(), 60)
        assert (server.gateway.identified, server.gateway.resumed) == (1, 1)
        assert serving == [True, False, True]
        assert messages.HELP_TITLE in str(missed.response)

        server.faults.append((429, {"Via": "1.1 loopback"}, {"retry_after": 0.01, "global": False, "message": "slow"}))
        server.faults.append((502, {}, {"message": "bad gateway"}))
        predictor.gate.set()
        (answer,) = await server.wait_for(("PATCH", "/messages/@original"))

    assert server.statuses("PATCH", asked.payload["token"]) == [429, 502, 200]
    assert server.statuses("POST", f"/webhooks/{payloads.APPLICATION_ID}/{asked.payload['token']}") == []
    ((name, data),) = answer.files
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert name == "hitmeter-card.png"
    assert answer.body["embeds"][0]["title"] == "Hello — Adele"
    assert "71.2 %" in answer.body["attachments"][0]["description"]
    assert answer.body["allowed_mentions"] == {"parse": []}


async def test_each_person_is_answered_in_the_language_of_their_client(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        (predict,) = (one for one in server.commands if one["name"] == "predict")
        assert predict["name_localizations"]["es-419"] == predict["name_localizations"]["es-ES"] != "predict"
        assert "en-GB" not in predict["name_localizations"]
        helped = await server.interact(payloads.command("help") | {"locale": "de"})
        german = await server.interact(payloads.command("privacy") | {"locale": "de"})
        polish = await server.interact(payloads.command("privacy") | {"locale": "pl"})
        async with asyncio.timeout(60):
            await asyncio.gather(*(one.acknowledged.wait() for one in (helped, german, polish)))
        assert "/prognose" in str(helped.response), "as the menu calls it"
        assert "Datenschutz" in str(german.response)
        assert messages.PRIVACY_TITLE in str(polish.response)
        await server.interact(payloads.command("predict", song="hello") | {"locale": "de"})
        (answer,) = await server.wait_for(("PATCH", "/messages/@original"))
    assert "▲ Beliebt · 71,2\xa0%" in answer.body["embeds"][0]["description"]


async def test_a_private_answer_follows_the_public_placeholder(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        asked = await server.interact(payloads.command("predict", song="zzzz"))
        token = asked.payload["token"]
        server.faults.append((502, {}, {"message": "bad gateway"}))
        followed, _ = await server.wait_for(("POST", f"/webhooks/{payloads.APPLICATION_ID}/{token}"), ("DELETE", token))
    assert followed.body["flags"] == 64
    assert "no song like" in followed.body["content"]
    assert asked.original is None


async def test_an_interaction_that_expired_is_one_log_line(
    server: DiscordServer, predictor: FakePredictor, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(settings(tmp_path), predictor, server):
        late = payloads.command("predict", song="hello")
        given = await server.interact(late)
        given.expired = True
        predictor.gate.clear()
        other = await server.interact(payloads.command("predict", song="hello"))
        await other.acknowledged.wait()
        other.expired = True
        predictor.gate.set()
        await server.wait_for(("PATCH", other.payload["token"]), refused=True)
        third = await server.interact(payloads.command("help"))
        await asyncio.wait_for(third.acknowledged.wait(), 60)
    over = [one.getMessage() for one in caplog.records if "event=discord_interaction_over" in one.getMessage()]
    assert len(over) == 2
    assert any("10062" in line for line in over)
    assert any("50027" in line for line in over)
    assert not [one for one in caplog.records if one.exc_info]


async def test_an_answer_refused_as_too_large_comes_as_text(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        server.faults.append((413, {}, {"message": "Request entity too large", "code": 40005}))
        await server.interact(payloads.command("predict", song="hello"))
        (answer,) = await server.wait_for(("PATCH", "/messages/@original"))
    assert answer.files == []
    assert "▲ Popular · 71.2 %" in answer.body["content"]


async def test_an_answer_whose_connection_broke_is_sent_again_in_full(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        server.faults.append((0, {}, None))
        await server.interact(payloads.command("predict", song="hello"))
        (answer,) = await server.wait_for(("PATCH", "/messages/@original"))
    assert [name for name, _ in answer.files] == ["hitmeter-card.png"]


async def test_a_hundred_questions_at_once_are_each_answered_once(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    configured = settings(tmp_path, user_limit_count=0)
    async with served(configured, predictor, server):
        asked = [await server.interact(payloads.command("predict", song="hello")) for _ in range(100)]
        await server.wait_for(*(("PATCH", one.payload["token"]) for one in asked))
    assert all(server.statuses("PATCH", one.payload["token"]) == [200] for one in asked)
    assert len(predictor.asked) == 100


async def test_the_applications_owner_is_an_administrator(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        other = await server.interact(payloads.command("reload"))
        await asyncio.wait_for(other.acknowledged.wait(), 60)
        assert other.response["data"]["content"] == messages.ADMINISTRATORS_ONLY
        owner = payloads.command("reload") | {"user": payloads.user(payloads.OWNER_ID, "owner")}
        given = await server.interact(owner)
        (told,) = await server.wait_for(("PATCH", given.payload["token"]))
    assert told.body["content"] == messages.RELOADED.format(date="22 Nov 2026")
    assert predictor.reloads == 1


async def test_an_open_choice_does_not_outlive_the_connection(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        asked = await server.interact(payloads.command("predict", song="twins", private=True))
        (offered,) = await server.wait_for(("PATCH", asked.payload["token"]))
        assert offered.body["components"]
        for _ in range(500):
            if timers():
                break
            await asyncio.sleep(0.01)
        assert timers()
    await asyncio.sleep(0)
    assert not timers()


def timers() -> list[str]:
    """List the tasks that wait for a choice to be over."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    return [name for name in names if "timeout_task" in name]


async def test_a_command_that_is_gone_is_told_with_an_id(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        given = await server.interact(payloads.command("gone"))
        await asyncio.wait_for(given.acknowledged.wait(), 60)
    assert "noted as" in given.response["data"]["content"]
    assert given.response["data"]["flags"] == 64


async def test_an_answer_that_discord_takes_in_no_form_is_logged(
    server: DiscordServer, predictor: FakePredictor, tmp_path, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = (403, {}, {"message": "Missing Access", "code": 50001})
    async with served(settings(tmp_path), predictor, server):
        server.faults.extend([refusal, refusal])
        given = await server.interact(payloads.command("predict", song="hello"))
        while len(server.statuses("PATCH", given.payload["token"])) < 2:
            await server.wait_for(("PATCH", given.payload["token"]), refused=True)
            await asyncio.sleep(0)
    assert "event=discord_answer_lost code=predicted" in caplog.text


async def test_a_placeholder_that_somebody_deleted_is_not_missed(
    server: DiscordServer, predictor: FakePredictor, tmp_path
) -> None:
    async with served(settings(tmp_path), predictor, server):
        predictor.gate.clear()
        asked = await server.interact(payloads.command("predict", song="zzzz"))
        await asked.acknowledged.wait()
        predictor.gate.set()
        token = asked.payload["token"]
        await server.wait_for(("POST", f"/webhooks/{payloads.APPLICATION_ID}/{token}"))
        asked.original = None
        await server.wait_for(("DELETE", token), refused=True)
        still = await server.interact(payloads.command("help"))
        await asyncio.wait_for(still.acknowledged.wait(), 60)
