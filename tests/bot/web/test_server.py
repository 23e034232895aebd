"""Where the page is served, to whom, and what it sends with everything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from bot import messages
from bot.monitoring import Health, Metrics
from bot.service import SongService
from bot.web.server import page_server, preferred
from core.errors import SettingsError
from core.settings import Settings
from tests.bot.web.conftest import PageClient
from tests.fakes.predictor import FakePredictor

OpenPage = Callable[..., Awaitable[PageClient]]


def taken_port() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


async def served(settings: Settings, predictor: FakePredictor) -> tuple[str | None, list[str]]:
    """Open the page and close it again; returns its address and what was said."""
    said: list[str] = []
    service = SongService(predictor)  # type: ignore[arg-type]
    async with page_server(settings, service, Health(Metrics()), said.append) as address:
        if address is not None:
            async with aiohttp.ClientSession() as session, session.get(address) as response:
                assert response.status == 200
    return address, said


async def test_it_is_on_by_itself_on_this_machine_alone(
    settings_for: Callable[..., Settings], predictor: FakePredictor
) -> None:
    address, said = await served(settings_for(web_port=0), predictor)
    assert address is not None
    assert address.startswith("http://127.0.0.1:")
    assert said == [f"The page is at {address}"]


async def test_beyond_this_machine_it_is_off_until_that_is_said(
    settings_for: Callable[..., Settings], predictor: FakePredictor
) -> None:
    anywhere = "0.0.0.0"  # noqa: S104
    assert await served(settings_for(web_port=0, web_host=anywhere), predictor) == (
        None,
        [messages.WEB_OFF.format(host=anywhere)],
    )
    address, _ = await served(settings_for(web_port=0, web_host=anywhere, web="on"), predictor)
    assert address is not None


async def test_whoever_waits_at_the_end_is_told_of_the_restart(
    settings_for: Callable[..., Settings], predictor: FakePredictor
) -> None:
    async def ask(address: str) -> tuple[int, dict[str, Any]]:
        async with aiohttp.ClientSession() as session, session.get(f"{address}/api/reply?text=hello") as response:
            return response.status, await response.json()

    predictor.gate.clear()
    service = SongService(predictor)  # type: ignore[arg-type]
    async with page_server(settings_for(web_port=0), service, Health(Metrics()), lambda _: None) as address:
        assert address is not None
        asking = [asyncio.create_task(ask(address)) for _ in range(5)]
        async with asyncio.timeout(60):
            while len(predictor.asked) < 5:  # noqa: ASYNC110 - until all of them wait
                await asyncio.sleep(0.01)
    for status, told in await asyncio.gather(*asking):
        assert status == 200
        assert told["lines"][0]["text"] == messages.RESTARTING


async def test_limits_count_by_what_the_proxy_wrote_in_the_last_of_several_headers(
    settings_for: Callable[..., Settings], predictor: FakePredictor
) -> None:
    settings = settings_for(web_port=0, web_url="https://hits.example", user_limit_count=1, user_limit_window_s=600)
    service = SongService(predictor)  # type: ignore[arg-type]
    async with (
        page_server(settings, service, Health(Metrics()), lambda _: None) as address,
        aiohttp.ClientSession(headers={"Host": "hits.example"}) as session,
    ):

        async def status(*written: str) -> int:
            headers = CIMultiDict([("X-Forwarded-For", line) for line in written])
            async with session.get(f"{address}/api/reply?text=hello", headers=headers) as response:
                return response.status

        assert await status("198.51.100.1", "203.0.113.7") == 200
        assert await status("198.51.100.2", "203.0.113.7") == 429, "the first line is what the asker made up"
        assert await status("198.51.100.1", "203.0.113.8") == 200


async def test_it_can_be_switched_off(settings_for: Callable[..., Settings], predictor: FakePredictor) -> None:
    assert await served(settings_for(web="off"), predictor) == (None, [])


async def test_a_taken_port_is_said_and_the_next_free_one_used(
    settings_for: Callable[..., Settings], predictor: FakePredictor
) -> None:
    with closing(taken_port()) as taken:
        port = taken.getsockname()[1]
        address, said = await served(settings_for(web_port=port), predictor)
    assert address is not None
    free = int(address.rpartition(":")[2])
    assert free > port
    assert said == [messages.WEB_MOVED.format(port=port, free=free), messages.WEB_SERVED.format(url=address)]


async def test_the_ports_of_others_in_the_process_are_left_to_them(
    settings_for: Callable[..., Settings], predictor: FakePredictor
) -> None:
    with closing(taken_port()) as found:
        port = found.getsockname()[1]
    settings = settings_for(
        web_port=port, health_port=port + 1, telegram_webhook_url="https://x.example/", telegram_webhook_port=port
    )
    address, _ = await served(settings, predictor)
    assert address is not None
    assert int(address.rpartition(":")[2]) >= port + 2


@pytest.mark.parametrize("host", ["198.51.100.7", "no.such.host.invalid"])
async def test_a_host_that_is_not_ours_stops_the_start_only_if_the_page_was_asked_for(
    settings_for: Callable[..., Settings], predictor: FakePredictor, host: str
) -> None:
    with pytest.raises(SettingsError, match=f"^WEB_HOST: {host} is no address of this machine"):
        await served(settings_for(web_port=0, web_host=host, web="on"), predictor)


async def test_a_loopback_that_cannot_be_bound_costs_the_page_alone(
    settings_for: Callable[..., Settings], predictor: FakePredictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.links.is_loopback", lambda host: True)
    monkeypatch.setattr("bot.web.server.is_loopback", lambda host: True)
    address, said = await served(settings_for(web_port=0, web_host="198.51.100.7"), predictor)
    assert address is None
    assert said[0].startswith("There is no page: WEB_HOST: 198.51.100.7")


async def test_everything_is_sent_with_the_headers_that_keep_it_in(page: PageClient) -> None:
    for path in ("/", "/song/nothing", "/static/page.js", "/api/suggest?text=h", "/nowhere", "/healthz"):
        response = await page.get(path)
        headers = response.headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; ")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Server"] == "web"
        assert "Set-Cookie" not in headers
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/", "/api/predict?q=hello", "/song/x", "/static/page.js"])
async def test_another_host_name_is_refused(page: PageClient, predictor: FakePredictor, path: str) -> None:
    response = await page.get(path, headers={"Host": "evil.example"})
    assert (response.status, await response.text()) == (421, messages.WEB_OTHER_HOST)
    assert predictor.asked == []
    assert (await page.get(path, headers={"Host": "localhost:1"})).status in {200, 404}


async def test_another_site_spends_no_visitors_questions(page: PageClient, predictor: FakePredictor) -> None:
    other = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/api/predict?q=hello", "/api/reply?text=hello", "/cover/x.jpg", "/api/suggest"):
        response = await page.get(path, headers=other)
        assert (response.status, await response.text()) == (403, messages.WEB_OTHER_SITE)
    assert predictor.asked == []
    assert (await page.get("/", headers=other)).status == 200  # whoever follows a link
    assert (await page.get("/api/predict?q=hello", headers={"Sec-Fetch-Site": "none"})).status == 200


async def test_files_last_if_their_very_content_is_asked_for(page: PageClient) -> None:
    html = await (await page.get("/")).text()
    address = html.partition('rel="stylesheet" href="')[2].partition('"')[0]
    for path, lasting in ((address, True), ("/static/page.css", False), ("/static/page.css?v=0", False)):
        response = await page.get(path)
        assert response.headers["Content-Type"] == "text/css; charset=utf-8"
        assert ("immutable" in response.headers["Cache-Control"]) is lasting
    for missing in ("/static/page.html", "/static/..%2fpage.html", "/static/"):
        response = await page.get(missing)
        assert (response.status, await response.text()) == (404, messages.WEB_NOT_HERE)


async def test_what_is_not_here_is_said_on_a_page_to_who_reads_pages(page: PageClient) -> None:
    response = await page.get("/nowhere/at/all", headers={"Accept": "text/html,*/*"})
    assert (response.status, response.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert f'data-fault="{messages.WEB_NOT_HERE}"' in await response.text()
    response = await page.get("/nowhere/at/all")
    assert (response.status, await response.text()) == (404, messages.WEB_NOT_HERE)


async def test_only_reading_is_allowed(page: PageClient) -> None:
    assert (await page.post("/api/reply", data=b"x")).status == 405
    assert (await page.head("/")).status == 200


async def test_how_the_bot_is_can_be_asked_here_too(page: PageClient) -> None:
    response = await page.get("/healthz", headers={"Host": "10.0.0.3"})
    assert (await response.json())["status"] == "ok"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("de-AT, de;q=0.9, en;q=0.8", "de"),
        ("ko, pt-PT;q=0.5, fr;q=0.7", "fr"),
        ("ko-KR,ko;q=0.9", "en"),
        ("en-US,en;q=0.9,de;q=0.8", "en"),
        ("nl, en;q=0.7, ja;q=0.3", "en"),
        ("de;q=0, es;q=0.1", "es"),
        ("ja;q=nonsense, hi", "hi"),
        ("de;q=2, fr;q=0.2", "fr"),
        (",;;q=1,,", "en"),
        ("x" * 8_000, "en"),
    ],
)
def test_a_browser_gets_the_language_it_likes_best_of_ours(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


async def test_each_browser_is_answered_in_its_language_and_programs_in_english(page: PageClient) -> None:
    german = {"Accept-Language": "de-DE,de;q=0.9"}
    response = await page.get("/", headers=german)
    assert '<html lang="de">' in await response.text()
    assert response.headers["Vary"] == "Accept-Language"
    told = await (await page.get("/api/reply?text=hello", headers=german)).json()
    assert told["answers"][0]["figures"][0]["value"] == "1.804.210"
    document = await (await page.get("/api/predict?q=hello", headers=german)).json()
    assert document["prediction"]["figures"][0]["display"] == "1,804,210"
    assert "71.2 %" in document["text"]
