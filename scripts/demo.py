"""Write what people see for six songs and an artist: the picture, the Discord embed's text and the Telegram caption.

The days of the development that is shown are made up, as nothing is recorded of several days.

    python scripts/demo.py                 # into demo/, over the recorded figures
    python scripts/demo.py --no-covers     # without fetching covers
    python scripts/demo.py --readme        # the README's pictures, into docs/
    python scripts/demo.py --sheets        # cards in every language and eight scripts, as large and as small as seen

Ends with 0 when everything is written, 1 when a song could not be answered.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import re
import shutil
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from discord import Embed  # noqa: E402

from bot.discord_bot.formatting import format_embed  # noqa: E402
from bot.discord_bot.interaction import ReplyOptions  # noqa: E402
from bot.discord_bot.views import view_for  # noqa: E402
from bot.monitoring import Health, Metrics  # noqa: E402
from bot.reply import Picture, Reply, stored_card  # noqa: E402
from bot.service import SongService  # noqa: E402
from bot.telegram_bot.formatting import CAPTION_MAX, reply_html  # noqa: E402
from bot.telegram_bot.keyboards import ButtonSigner, Keyboards  # noqa: E402
from bot.trends import trend_reply  # noqa: E402
from bot.web.server import page_server  # noqa: E402
from core.assembly import build_predictor  # noqa: E402
from core.domain import Origin, Prediction, SongName  # noqa: E402
from core.errors import HitmeterError  # noqa: E402
from core.figure_log import FigureLog, FileTable  # noqa: E402
from core.language import LANGUAGES, speaking  # noqa: E402
from core.predictor import Predictor  # noqa: E402
from core.render.renderer import CardRenderer  # noqa: E402
from core.render.theme import Colour  # noqa: E402
from core.settings import load_settings  # noqa: E402
from scripts.demo_pictures import (  # noqa: E402
    DISCORD,
    TELEGRAM,
    Column,
    Message,
    Paragraph,
    contact_sheet,
    discord_picture,
    evening_cover,
    from_html,
    from_markdown,
    telegram_picture,
)

SONGS = (
    "Blinding Lights - The Weeknd",
    "Chammak Challo - Akon",
    "夜に駆ける - YOASOBI",
    "Группа крови - Kino",
    "Everything I Need - Skylar Grey",
    "Tropicana - Boomdabash",
)
"""A hit, middling songs and obscure ones, in four scripts."""

RECORDED: dict[str, object] = {
    "lastfm_api_key": None,
    "art_downloads": False,
    **dict.fromkeys(("itunes_search_url", "deezer_search_url", "musicbrainz_url")),
}
"""Settings with which nobody is asked for anything."""

SCRIPTS = (
    ("Everything I Wanted to Say", "A Latin Name"),
    ("Группа крови на рукаве", "Кино"),
    ("Όλα σε θυμίζουν", "Χάρις Αλεξίου"),
    ("أنت عمري", "أم كلثوم"),
    ("ירושלים של זהב", "שולי נתן"),
    ("तुम ही हो", "अरिजीत सिंह"),
    ("夜に駆ける", "ヨアソビ"),
    ("봄날은 간다", "방탄소년단"),
)
"""Titles and artists in eight scripts."""

ARTIST = "The Weeknd"

DEVELOPED = "Get Lucky - Daft Punk"
MADE_UP = "{title} (made-up days)"
"""How the song is called, so that nobody takes its development for a real one."""

MADE_UP_DAYS = (120, 97, 71, 52, 30, 21, 13, 6)
"""Days before the recorded figures of which others are made up."""

MADE_UP_GROWTH = 0.005
"""Share of the listeners that each made-up day adds."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ASKED_ON_PAGE = "is blinding lights a hit?"
PAGE_PX = {"width": 820, "height": 1080}
"""The window in which the page is photographed."""

COMPARED = ("Blinding Lights - The Weeknd", "Bohemian Rhapsody - Queen")


def main(argv: list[str] | None = None) -> int:
    """Answer every song and write what each platform shows."""
    parser = argparse.ArgumentParser(description="Write what people see for six songs and an artist.")
    parser.add_argument("--out", type=Path, default=ROOT / "demo", help="folder to write into (default: demo)")
    parser.add_argument("--no-covers", action="store_true", help="draw covers and ask nobody for releases")
    parser.add_argument("--readme", action="store_true", help="draw the README's pictures into docs/ instead")
    parser.add_argument("--sheets", action="store_true", help="draw cards in every language and script instead")
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        if options.readme:
            return asyncio.run(write_readme_pictures(ROOT / "docs"))
        if options.sheets:
            return asyncio.run(write_contact_sheets(options.out))
        return asyncio.run(write_demo(options.out, covers=not options.no_covers))
    except HitmeterError as error:
        sys.stderr.write(f"{error.user_message}\n{error}\n")
        return 1


async def write_demo(out: Path, *, covers: bool) -> int:
    """Answer over the recorded figures, whatever key is set, so that the pictures are the same everywhere."""
    loaded = load_settings()
    changes = RECORDED if not covers else {"lastfm_api_key": None, "art_downloads": loaded.art_downloads}
    predictor = build_predictor(loaded.model_copy(update=changes)).predictor
    failed = 0
    try:
        service = SongService(predictor)
        for number, song in enumerate(SONGS, start=1):
            stem = f"{number}-{_stem(song)}"
            failed += not await write(out, stem, await service.predict(song))
        failed += not await write(out, "7-compared", await service.compare(*COMPARED))
        moving = await service.predict(SONGS[0])
        failed += not save_picture(out, "8-animated", await _picture(moving, animated=True))
        failed += not await write(out, "9-artist", await service.artist(ARTIST))
        failed += not await write_trend(out, "10-trend-of-made-up-days", predictor)
    finally:
        await predictor.aclose()
    return 1 if failed else 0


async def write_readme_pictures(out: Path) -> int:
    """Draw what the README shows, with our own cover: comparison, moving card, a message of each platform, the page.

    The page is photographed in a real browser, and its picture stays as it was where there is none.
    """
    settings = load_settings().model_copy(update=RECORDED | {"web": True, "web_port": 0, "user_limit_count": 0})
    predictor = build_predictor(settings).predictor
    try:
        service = SongService(predictor)
        reply, compared = await service.predict(SONGS[0]), await service.compare(*COMPARED)
        if reply.prediction is None or compared.compared is None:
            sys.stderr.write(f"{reply.text}\n{compared.text}\n")
            return 1
        cover, (first, second) = evening_cover(), compared.compared
        async with CardRenderer() as renderer:
            card = await renderer.card(reply.prediction, cover)
            pictures = {
                "compare.png": await renderer.compare(first, cover, second, None),
                "animation.gif": await renderer.animation(reply.prediction, cover),
                "discord.png": _discord_message(reply, card),
                "telegram.png": _telegram_message(reply, card),
            }
        if CHROMIUM is None:
            sys.stderr.write("There is no Chromium here: page.png stays as it is.\n")
        else:
            async with page_server(settings, service, Health(Metrics()), lambda _: None) as address:
                assert address is not None  # noqa: S101 - it is wanted
                pictures["page.png"] = await _page_picture(address, CHROMIUM)
    finally:
        await predictor.aclose()
    for name, data in pictures.items():
        (out / name).write_bytes(data)
        print(out / name)
    return 0


async def write_contact_sheets(out: Path) -> int:
    """Draw a card under names of eight scripts in every language, on a sheet in full size and one as phones show it."""
    predictor = build_predictor(load_settings().model_copy(update=RECORDED)).predictor
    try:
        prediction = await predictor.predict_song(SongName("Get Lucky", "Daft Punk"))
    finally:
        await predictor.aclose()
    if not isinstance(prediction, Prediction):
        return 1
    cards: list[list[bytes]] = []
    async with CardRenderer() as renderer:
        for language in LANGUAGES:
            with speaking(language):
                named = (
                    replace(prediction, song=replace(prediction.song, title=title, artist=artist))
                    for title, artist in SCRIPTS
                )
                cards.append([await renderer.card(one, evening_cover()) for one in named])
    # A language to a row; the large sheet has one script for each.
    large = [[row[place % len(row)]] for place, row in enumerate(cards)]
    for width_px, rows in ((1200, large), (400, cards)):
        path = out / f"sheet-{width_px}.png"
        path.write_bytes(contact_sheet(rows, width_px))
        print(path)
    return 0


def _discord_message(reply: Reply, card: bytes) -> bytes:
    picture = Picture(card, "card.png", "image/png", "")
    embed = format_embed(reply, picture)
    view = view_for(reply, ReplyOptions(asker_id=1, private=False, animated=False), 0.0)
    rows: dict[int, list[str]] = {}
    for item in () if view is None else view.children:
        label = getattr(getattr(item, "item", item), "label", None)
        if label:
            rows.setdefault(int(hasattr(item, "url") and item.url is not None), []).append(label)
    message = Message(
        above=from_markdown(embed.description or "", DISCORD),
        columns=[
            Column(field.name or "", " ".join((field.value or "").split()), not field.inline) for field in embed.fields
        ],
        card=card,
        below=[Paragraph(embed.footer.text or "", 22, colour=DISCORD.quiet)],
        buttons=list(rows.values()),
    )
    accent = Colour.from_hex(str(embed.colour))
    return discord_picture(message, accent, embed.title or "", f"ann used /predict {SONGS[0].lower()}")


def _telegram_message(reply: Reply, card: bytes) -> bytes:
    keyboard = Keyboards(ButtonSigner("1:demo")).under(reply, None)
    rows = [] if keyboard is None else [[button.text for button in row] for row in keyboard.inline_keyboard]
    return telegram_picture(Message(from_html(reply_html(reply, CAPTION_MAX), TELEGRAM), card, buttons=rows))


async def _page_picture(address: str, chromium: str) -> bytes:
    """Ask on the page as people do, and photograph it when its needle rests."""
    from playwright.async_api import async_playwright  # among the packages for development

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium)
        try:
            page = await browser.new_page(viewport=PAGE_PX, locale="en", reduced_motion="reduce")
            await page.goto(address)
            box = page.get_by_role("combobox")
            await box.fill(ASKED_ON_PAGE)
            await box.press("Enter")
            await page.locator(".song.covered.settled").wait_for()
            picture: bytes = await page.screenshot()
            return picture
        finally:
            await browser.close()


async def write_trend(out: Path, stem: str, predictor: Predictor) -> bool:
    """Write the development of a song over made-up days; tell whether it could be drawn."""
    answer = await predictor.predict(DEVELOPED)
    if not isinstance(answer, Prediction) or answer.song.listeners is None or answer.song.playcount is None:
        return save_picture(out, stem, None)
    song = replace(answer.song, title=MADE_UP.format(title=answer.song.title))
    source = replace(answer.source, origin=Origin.LASTFM)
    log = FigureLog(FileTable(None))
    for days in MADE_UP_DAYS:
        share = math.exp(-MADE_UP_GROWTH * days)
        then = replace(song, listeners=round(song.listeners * share), playcount=round(song.playcount * share))
        log.note(then, replace(source, as_of=source.as_of - timedelta(days=days)))
    await log.flush()
    figures, growth = await log.history(song, source), await log.growth(song, source)
    await log.aclose()
    trend = await predictor.trend(replace(answer, song=song, source=source, growth=growth), figures)
    reply = trend_reply(trend, source.as_of)
    drawn = Picture(await predictor.trend_card(trend), f"{stem}.png", "image/png", reply.text)
    return await write(out, stem, replace(reply, card=stored_card(drawn)))


async def write(out: Path, stem: str, reply: Reply) -> bool:
    """Write one answer for both platforms; tell whether there was one with its card."""
    picture = await _picture(reply)
    embed = format_embed(reply, picture)
    (out / f"{stem}.discord.txt").write_text(embed_text(embed), encoding="utf-8")
    (out / f"{stem}.telegram.html").write_text(reply_html(reply, CAPTION_MAX) + "\n", encoding="utf-8")
    return save_picture(out, stem, picture)


def save_picture(out: Path, stem: str, picture: Picture | None) -> bool:
    """Write a picture; tell whether there was one."""
    if picture is None:
        sys.stderr.write(f"{stem}: no card\n")
        return False
    path = out / f"{stem}{Path(picture.filename).suffix}"
    path.write_bytes(picture.data)
    print(path)
    return True


async def _picture(reply: Reply, *, animated: bool = False) -> Picture | None:
    return None if reply.card is None else await reply.card(animated=animated)


def embed_text(embed: Embed) -> str:
    """Set an embed as text, top to bottom."""
    parts = [embed.title, embed.url, embed.description]
    parts += [f"{field.name}: {' '.join((field.value or '').split())}" for field in embed.fields]
    parts.append(embed.footer.text)
    return "\n".join(part for part in parts if part) + "\n"


def _stem(song: str) -> str:
    return re.sub(r"\W+", "-", song.casefold()).strip("-")


if __name__ == "__main__":
    raise SystemExit(main())
