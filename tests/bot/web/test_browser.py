"""The page in a real browser over the real bot: recorded songs, the committed model, drawn cards.

Skipped where there is no Chromium; Debian has it as the package ``chromium``.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot import messages
from bot.monitoring import Health, Metrics
from bot.service import SongService
from bot.web.server import page_server
from core.assembly import build_predictor
from core.settings import ROOT, Settings

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on the PATH")

playwright_api = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
axe_module = pytest.importorskip("axe_playwright_python.async_playwright", reason="axe-playwright-python is missing")
expect = playwright_api.expect

PATIENCE_MS = 120_000
"""No test measures time, and a busy machine takes its own."""
expect.set_options(timeout=PATIENCE_MS)

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 400, "height": 860}

SERIOUS = {"serious", "critical"}


@pytest.fixture
async def address(settings_for: Callable[..., Settings]) -> AsyncIterator[str]:
    """The page as ``make run`` serves it, without a limit on questions."""
    settings = settings_for(None, web_port=0, user_limit_count=0)
    settings.data_dir.mkdir(parents=True)
    shutil.copy(ROOT / "data" / "demo_songs.csv", settings.data_dir)
    predictor = build_predictor(settings).predictor
    try:
        async with page_server(settings, SongService(predictor), Health(Metrics()), lambda _: None) as address:
            assert address is not None
            yield address
    finally:
        await predictor.aclose()


@asynccontextmanager
async def browsing(address: str, *, broken: bool = False, **options: Any) -> AsyncIterator[Any]:
    """Open a browser's window; fails if the page complained, or asked for anything that is not from here.

    ``broken`` lets the browser say that requests failed.
    """
    complaints: list[str] = []
    async with playwright_api.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, timeout=PATIENCE_MS)
        try:
            context = await browser.new_context(base_url=address, **options)
            context.set_default_timeout(PATIENCE_MS)

            def watch(page: Any) -> None:
                page.on("console", lambda said: complaints.append(said.text) if said.type != "log" else None)
                page.on("pageerror", lambda error: complaints.append(str(error)))

            context.on("page", watch)
            context.on(
                "request",
                lambda made: complaints.append(made.url) if not made.url.startswith((f"{address}/", "data:")) else None,
            )
            yield context
            assert await context.cookies() == []
        finally:
            await browser.close()
    assert [said for said in complaints if not (broken and said.startswith("Failed to load resource"))] == []


async def serious_findings(page: Any) -> list[str]:
    """Look the page over by the rules of WCAG that a program can check."""
    found = await axe_module.Axe().run(page)
    return [
        f"{one['id']}: {[node['html'][:160] for node in one['nodes']]}"
        for one in found.response["violations"]
        if one["impact"] in SERIOUS
    ]


async def needle_deg(song: Any) -> float:
    turned: str = await song.locator(".needle").get_attribute("transform")
    return float(turned.removeprefix("rotate(").split()[0])


async def test_a_visit(address: str) -> None:
    """Type a misspelt song, pick it, read it, ask why, compare, go back and forth, and hand the link on."""
    async with browsing(address, viewport=DESKTOP) as context:
        page = await context.new_page()
        await page.goto("/")
        box = page.get_by_role("combobox", name="Song and artist")
        await expect(box).to_be_focused()
        await expect(page.get_by_role("button", name="Smells Like Teen Spirit")).to_be_visible()

        await box.press_sequentially("blnding lihgts", delay=20)
        option = page.get_by_role("option", name="Blinding Lights The Weeknd")
        await expect(option).to_be_visible()
        await expect(box).to_have_attribute("aria-expanded", "true")
        assert await serious_findings(page) == []
        await box.press("ArrowDown")
        await expect(option).to_have_attribute("aria-selected", "true")
        await expect(box).to_have_attribute("aria-activedescendant", "suggestion-0")
        await box.press("Enter")

        song = page.locator(".song")
        await expect(song).to_contain_class("covered settled")
        await expect(page.get_by_role("heading", name="Blinding Lights")).to_be_visible()
        await expect(page.get_by_role("img", name="▲ Popular · 9")).to_be_visible()
        await expect(page.get_by_role("img", name="Cover of Blinding Lights — The Weeknd")).to_be_visible()
        percent = float((await song.locator(".percent").inner_text()).removesuffix(" %"))
        assert 70 <= percent <= 100
        assert await needle_deg(song) == pytest.approx(percent * 1.8 - 90, abs=0.1)
        await expect(page.get_by_role("row", name="Listeners 1,973,131")).to_be_visible()
        await expect(page.get_by_role("status")).to_contain_text("Blinding Lights — The Weeknd")
        await expect(page).to_have_title("Blinding Lights — The Weeknd · Hitmeter")
        first = page.url
        assert "/song/" in first
        picture = await context.request.get(
            await page.get_by_role("link", name="Card as picture").get_attribute("href")
        )
        assert (await picture.body()).startswith(b"\x89PNG")

        why = page.get_by_role("button", name="Why?")
        await why.click()
        await expect(page.locator(".why")).to_contain_text("Speaks for it:")
        await expect(why).to_have_attribute("aria-expanded", "true")
        assert await serious_findings(page) == []
        await why.click()
        await expect(page.locator(".why")).to_be_hidden()

        await page.get_by_role("button", name="Compare").click()
        await expect(box).to_be_focused()
        await box.fill("hello adele")
        await box.press("Enter")
        pair = page.locator(".pair")
        await expect(pair.get_by_role("heading", name="Hello")).to_be_visible()
        await expect(pair.locator(".song.settled")).to_have_count(2)
        await expect(pair.get_by_text("Likelier hit").locator("visible=true")).to_have_count(1)
        await expect(page.get_by_role("heading", name="is the likelier hit")).to_be_visible()
        assert "/compare/" in page.url
        assert await serious_findings(page) == []

        await page.go_back()
        await expect(pair).to_be_hidden()
        assert page.url == first
        await expect(page).to_have_title("Blinding Lights — The Weeknd · Hitmeter")
        await page.go_forward()
        await expect(pair).to_be_visible()
        await page.go_back()
        await page.go_back()
        await expect(page.get_by_role("heading", name="Is this song a hit?")).to_be_visible()

        shared = await context.new_page()
        await shared.goto(first)
        await expect(shared.get_by_role("heading", name="Blinding Lights")).to_be_visible()
        await expect(shared.locator(".song.settled.covered")).to_have_count(1)
        card = await shared.locator('meta[property="og:image"]').get_attribute("content")
        assert (await (await context.request.get(card)).body()).startswith(b"\x89PNG")


async def test_a_phone_without_motion(address: str) -> None:
    """Nothing is wider than the screen, nothing moves, and choices, commands and sentences can be touched."""
    async with browsing(address, viewport=PHONE, has_touch=True, reduced_motion="reduce") as context:
        page = await context.new_page()

        async def fits() -> None:
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert await serious_findings(page) == []

        await page.goto("/?q=love")
        await fits()
        choices = page.locator(".choices button")
        await choices.last.tap()
        song = page.locator(".song")
        # Without motion everything is in its place from the beginning.
        await expect(song).to_contain_class("settled covered")
        assert await needle_deg(song) > -90
        await fits()
        await page.get_by_role("button", name="/model").tap()
        await expect(page.get_by_role("heading", name="How good is the model?")).to_be_visible()
        box = page.get_by_role("combobox", name="Song and artist")
        await box.fill("/model full")
        await box.press("Enter")
        await expect(page.locator("table.cells").last).to_contain_text("ROC-AUC")
        await fits()
        await box.tap()
        await box.press_sequentially("/co")
        await page.get_by_role("option", name="/compare").tap()
        await expect(box).to_have_value("/compare ")
        await box.fill("zzzz qqqq xxxx")
        await page.get_by_role("button", name="Ask").tap()
        await expect(page.get_by_text("I found no song like “zzzz qqqq xxxx”.", exact=True)).to_be_visible()
        for text in ("<img src=x onerror=alert(1)>", "/" + "<b>x</b>"):
            await box.fill(text)
            await box.press("Enter")
            await expect(page.locator(".said").last).to_have_text(text)
        assert await page.locator("#turns b, #turns img[src='x']").count() == 0
        await fits()


def broken_with(sentence: str) -> Callable[[Any], Awaitable[None]]:
    """Make what answers requests as a bot with a fault of its own does."""

    async def answer(route: Any) -> None:
        await route.fulfill(status=500, content_type="text/plain", body=sentence)

    return answer


async def test_a_bot_that_is_gone_or_at_fault_is_said_in_one_sentence(address: str) -> None:
    async with browsing(address, broken=True, viewport=PHONE) as context:
        page = await context.new_page()
        await page.goto("/")
        box = page.get_by_role("combobox", name="Song and artist")
        line = page.locator(".line").last
        await page.route("**/api/**", broken_with("A fault."))
        await box.fill("hello")
        await box.press("Enter")
        await expect(line).to_have_text("A fault.")
        await page.route("**/api/**", lambda route: route.abort())
        await box.fill("hello")
        await box.press("Enter")
        await expect(line).to_have_text(messages.WEB_UNREACHABLE)
        await page.unroute_all()
        await box.fill("hello")
        await box.press("Enter")
        await expect(page.locator(".song.settled")).to_have_count(1)


async def test_what_fails_below_an_answer_is_said_in_one_line_and_can_be_tried_again(address: str) -> None:
    async with browsing(address, broken=True, viewport=DESKTOP) as context:
        page = await context.new_page()
        await page.goto("/?q=blinding lights - the weeknd")
        await expect(page.locator(".song")).to_contain_class("settled")
        why, refresh = (page.get_by_role("button", name=name) for name in ("Why?", "Refresh"))
        failed, status = page.locator(".failed"), page.get_by_role("status")

        for number, button in enumerate((why, refresh, why, refresh)):
            said = f"Fault number {number}."
            await page.route("**/api/**", broken_with(said))
            await button.press("Enter")
            await expect(failed).to_have_text(said)
            await expect(failed).to_be_visible()
            await expect(status).to_have_text(said)
            await expect(button).to_be_focused()
        await expect(why).to_have_attribute("aria-expanded", "false")
        assert await serious_findings(page) == []
        await page.unroute_all()

        await why.press("Enter")
        await expect(page.locator(".why")).to_contain_text("Speaks for it:")
        await expect(status).to_contain_text("Speaks for it:")
        await expect(failed).to_be_hidden()
        await refresh.press("Enter")
        await expect(page.locator(".why")).to_have_count(0)  # the explanation of the old figures went with them
        await expect(status).to_contain_text("Blinding Lights — The Weeknd")
        await expect(refresh).to_be_focused()


async def test_a_copied_link_is_said_for_two_seconds_after_the_last_click(address: str) -> None:
    async with browsing(address, viewport=DESKTOP, permissions=["clipboard-read", "clipboard-write"]) as context:
        page = await context.new_page()
        await page.goto("/?q=blinding lights - the weeknd")
        await expect(page.locator(".song")).to_contain_class("settled")
        link = page.locator('[data-do="link"]')
        await page.clock.install()
        await page.clock.pause_at(await page.evaluate("Date.now() + 60_000"))
        for _ in range(2):
            await link.click()
            await expect(link).to_have_text(messages.WEB_LINK_COPIED)
            await page.clock.run_for(1_500)
            await expect(link).to_have_text(messages.WEB_LINK_COPIED)
        await page.clock.run_for(1_000)
        await expect(link).to_have_text(messages.WEB_LINK)
        assert "/song/" in await page.evaluate("navigator.clipboard.readText()")


async def test_a_comparison_that_asks_back_is_kept_by_its_address(address: str) -> None:
    async with browsing(address, viewport=DESKTOP) as context:
        page = await context.new_page()
        await page.goto("/?q=blinding lights - the weeknd")
        await page.get_by_role("button", name="Compare").click()
        box = page.get_by_role("combobox", name="Song and artist")
        await box.fill("love")
        await box.press("Enter")
        choices = page.locator(".choices button")
        await expect(choices.last).to_be_visible()
        await page.reload()
        await choices.last.click()
        await expect(page.locator(".pair .song.settled")).to_have_count(2)
        await expect(page.get_by_role("heading", name="Blinding Lights", exact=True)).to_be_visible()
        assert "/compare/" in page.url
        await page.goto("/?song=made-up&q=love")
        await expect(page.locator(".line")).to_have_text(messages.WEB_LINK_UNKNOWN)


async def test_the_sentence_for_an_unknown_link_stays_with_its_address(address: str) -> None:
    async with browsing(address, broken=True, viewport=DESKTOP) as context:
        page = await context.new_page()
        await page.goto("/song/nothing")
        unknown = page.get_by_text(messages.WEB_LINK_UNKNOWN)
        await expect(unknown).to_be_visible()
        box = page.get_by_role("combobox", name="Song and artist")
        await box.fill("blinding lights - the weeknd")
        await box.press("Enter")
        song = page.get_by_role("heading", name="Blinding Lights")
        await expect(song).to_be_visible()
        await page.go_back()
        await page.reload()
        await expect(unknown).to_be_visible()
        await page.go_forward()
        await expect(song).to_be_visible()
        await expect(unknown).to_be_hidden()


async def test_long_links_are_taken_and_longer_texts_are_answered_with_a_sentence(address: str) -> None:
    async with browsing(address, viewport=PHONE) as context:
        page = await context.new_page()
        await page.goto("/")
        box = page.get_by_role("combobox", name="Song and artist")
        looked_up: list[str] = []
        page.on("request", lambda made: looked_up.append(made.url) if "/api/suggest" in made.url else None)
        await box.fill("x" * 201)
        await page.wait_for_timeout(500)  # suggestions are asked for at a pause in typing
        assert looked_up == []
        await box.fill(f"https://www.last.fm/music/The+Weeknd/_/Blinding+Lights?utm_source={'x' * 600}")
        await box.press("Enter")
        await expect(page.get_by_role("heading", name="Blinding Lights")).to_be_visible()
        sentence = page.locator(".turn").last.get_by_text("That is more than 200 characters.")
        for text in ("x" * 300, "長い" * 2_000, "長い" * 20_000):
            await box.fill(text)
            await box.press("Enter")
            await expect(sentence).to_be_in_viewport()
        assert len(page.url) < 8_000
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
