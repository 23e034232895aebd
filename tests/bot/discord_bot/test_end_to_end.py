"""The whole chain on Discord: a command in, Last.fm asked, the committed model, a real card out."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest
from PIL import Image

from bot.reply import ResultCode
from core.assembly import build_predictor
from core.figure_log import FigureLog
from core.settings import Settings
from tests.fakes.chain import ARTISTS, SONGS
from tests.fakes.lastfm_server import FakeLastFm, Fault
from tests.fakes.simulated_discord import Discord, StartDiscord


@pytest.fixture
async def lastfm():
    async with FakeLastFm(SONGS, ARTISTS, keep_alive=False) as fake:
        yield fake


@pytest.fixture
async def simulated(
    lastfm: FakeLastFm,
    settings_for: Callable[..., Settings],
    start_discord: StartDiscord,
    monkeypatch: pytest.MonkeyPatch,
):
    # The simulated Discord is done when no timer of less than a minute runs: none is to run for the tests' sake.
    monkeypatch.setitem(FigureLog.__init__.__kwdefaults__, "flush_s", 0.01)
    predictor = build_predictor(settings_for(lastfm.url)).predictor
    yield await start_discord(predictor=predictor)
    await predictor.aclose()


async def test_a_question_becomes_an_embed_and_a_card(simulated: Discord) -> None:
    result = await simulated.ann.slash(simulated.channel, "predict", song="blinding lights", artist="the weeknd")
    (embed,) = result.response.embeds
    assert embed.title == "Blinding Lights — The Weeknd"
    assert "▲ Popular" in embed.description
    fields = {one.name: one.value for one in embed.fields}
    assert fields["Listeners"].startswith("2,275,434\ntop ")
    assert "Last.fm, just now" in embed.footer.text
    (attachment,) = result.response.attachments
    with Image.open(io.BytesIO(await attachment.read())) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
    for said in ("Blinding Lights — The Weeknd", "▲ Popular", "2,275,434", "Why:", "model of"):
        assert said in attachment.description


async def test_the_animated_card_is_a_gif_that_moves(simulated: Discord) -> None:
    result = await simulated.ann.slash(
        simulated.channel, "predict", song="cellar door song - basement five trio", animated=True
    )
    with Image.open(io.BytesIO(await result.response.attachments[0].read())) as picture:
        assert picture.format == "GIF"
        assert picture.n_frames > 10


async def test_a_slow_lastfm_is_waited_for_behind_an_immediate_acknowledgement(
    simulated: Discord, lastfm: FakeLastFm
) -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    async def hold(_: dict[str, str]) -> None:
        asked.set()
        await released.wait()

    lastfm.on_request = hold
    asking = asyncio.create_task(simulated.ann.slash(simulated.channel, "predict", song="blinding lights - the weeknd"))
    await asyncio.wait_for(asked.wait(), 60)
    acknowledged = simulated.calls("POST", "/callback")
    assert [one.json["type"] for one in acknowledged] == [5]
    assert simulated.calls("PATCH") == []
    released.set()
    result = await asking
    assert result.response.embeds[0].title == "Blinding Lights — The Weeknd"


async def test_namesakes_are_offered_privately_and_the_pick_is_answered(simulated: Discord) -> None:
    offered = await simulated.ann.slash(simulated.channel, "predict", song="hello")
    (message,) = offered.followups
    assert message.ephemeral
    labels = [one["label"] for row in message.components for one in row["components"]]
    picked = await simulated.ann.click(message, label=next(one for one in labels if "Lionel Richie" in one))
    assert picked.followups[0].embeds[0].title == "Hello — Lionel Richie"


async def test_why_refresh_and_compare_under_a_real_answer(simulated: Discord, lastfm: FakeLastFm) -> None:
    answer = await simulated.ann.slash(simulated.channel, "predict", song="blinding lights - the weeknd")
    why = await simulated.ben.click(answer.response, label="Why?")
    assert "When I say Popular, I am right 88 times in 100." in why.response.embeds[0].description
    before = lastfm.count("track.getInfo")
    await simulated.ann.click(answer.response, label="Refresh")
    assert lastfm.count("track.getInfo") == before + 1
    shown = await simulated.ben.click(answer.response, label="Compare")
    compared = await simulated.ben.submit_modal(shown, {"second": "cellar door song - basement five trio"})
    assert "Blinding Lights — The Weeknd is the likelier hit" in compared.response.embeds[0].description
    with Image.open(io.BytesIO(await compared.response.attachments[0].read())) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))


async def test_a_long_link_is_taken_whole(simulated: Discord) -> None:
    link = f"https://www.last.fm/music/The+Weeknd/_/Blinding+Lights?utm_source={'x' * 600}"
    result = await simulated.ann.slash(simulated.channel, "predict", song=link)
    assert result.response.embeds[0].title == "Blinding Lights — The Weeknd"
    form = await simulated.ben.click(result.response, label="Compare")
    compared = await simulated.ben.submit_modal(
        form, {"second": link.replace("The+Weeknd/_/Blinding+Lights", "Adele/_/Hello")}
    )
    assert compared.response.attachments


async def test_completion_knows_what_the_channel_asked_and_asks_nobody(simulated: Discord, lastfm: FakeLastFm) -> None:
    await simulated.ann.slash(simulated.channel, "predict", song="blinding lights - the weeknd")
    before = len(lastfm.requests)
    choices = await simulated.ben.autocomplete(simulated.channel, "predict", "song", "blinding")
    assert [one["name"] for one in choices] == ["blinding", "Blinding Lights - The Weeknd"]
    assert len(lastfm.requests) == before


async def test_an_outage_is_one_private_sentence(simulated: Discord, lastfm: FakeLastFm) -> None:
    lastfm.break_next(Fault.status(403))
    result = await simulated.ann.slash(simulated.channel, "predict", song="blinding lights - the weeknd")
    assert result.followups[0].ephemeral
    assert "try again" in result.followups[0].content
    assert simulated.counted == {ResultCode.UPSTREAM_FAULT: 1}


async def test_the_model_report_fits_an_embed(simulated: Discord) -> None:
    short = await simulated.ann.slash(simulated.channel, "model")
    (embed,) = short.response.embeds
    assert "When I say Popular, I am right 88 times in 100." in embed.description
    (picture,) = short.response.attachments
    assert picture.filename == "hitmeter-calibration.png"
    full = await simulated.ann.slash(simulated.channel, "model", full=True)
    (embed,) = full.response.embeds
    assert len(embed) <= 6000
    assert "What it cannot know" in embed.description
