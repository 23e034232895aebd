from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.language import LANGUAGES
from core.render.fonts import Weight
from core.settings import ROOT, Settings
from scripts import demo
from scripts.demo_pictures import DISCORD, TELEGRAM, Column, _rows, from_html, from_markdown
from tests.fakes.telegram_html import parse_html


@pytest.fixture(autouse=True)
def one_song(settings_for: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "demo_songs.csv").write_bytes((ROOT / "data" / "demo_songs.csv").read_bytes())
    monkeypatch.setattr(demo, "load_settings", settings_for)
    monkeypatch.setattr(demo, "SONGS", demo.SONGS[:1])


def test_the_demo_writes_what_each_platform_shows(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    assert demo.main(["--out", str(out), "--no-covers"]) == 0
    stem = "1-blinding-lights-the-weeknd"
    assert sorted(path.name for path in out.iterdir()) == sorted([
        f"{stem}.discord.txt", f"{stem}.png", f"{stem}.telegram.html",
        "10-trend-of-made-up-days.discord.txt", "10-trend-of-made-up-days.png",
        "10-trend-of-made-up-days.telegram.html", "7-compared.discord.txt", "7-compared.png",
        "7-compared.telegram.html", "8-animated.gif", "9-artist.discord.txt", "9-artist.png", "9-artist.telegram.html",
    ])  # fmt: skip
    assert "% then, " in (out / "10-trend-of-made-up-days.discord.txt").read_text(encoding="utf-8")
    caption = parse_html((out / f"{stem}.telegram.html").read_text(encoding="utf-8")).text
    embed = (out / f"{stem}.discord.txt").read_text(encoding="utf-8")
    for said in ("Blinding Lights — The Weeknd", "▲ Popular", "recorded in May 2025"):
        assert said in caption
        assert said in embed
    with Image.open(out / f"{stem}.png") as card:
        assert card.size == (1200, 630)


def test_a_song_without_an_answer_is_told_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "SONGS", ("Blinding Lights - The Weeknd", "zzzz qqqq - xxxx"))
    assert demo.main(["--out", str(tmp_path / "demo"), "--no-covers"]) == 1
    assert "2-zzzz-qqqq-xxxx: no card" in capsys.readouterr().err


def test_the_readme_pictures_are_real_replies_in_drawn_frames(tmp_path: Path) -> None:
    out = tmp_path / "docs"
    out.mkdir()
    assert asyncio.run(demo.write_readme_pictures(out)) == 0
    sizes = {}
    for path in out.iterdir():
        with Image.open(path) as picture:
            sizes[path.name] = (picture.format, picture.size[0], getattr(picture, "n_frames", 1) > 1)
    assert sizes == {
        "compare.png": ("PNG", 1200, False), "animation.gif": ("GIF", 800, True),
        "discord.png": ("PNG", 1200, False), "telegram.png": ("PNG", 1200, False),
        **({"page.png": ("PNG", 820, False)} if demo.CHROMIUM else {}),
    }  # fmt: skip


def test_wide_columns_stand_alone() -> None:
    columns = [Column(str(n), "", wide) for n, wide in enumerate((False, False, False, False, True, False))]
    assert [[column.name for column in row] for row in _rows(columns)] == [["0", "1", "2"], ["3"], ["4"], ["5"]]


def test_markup_is_read_as_platforms_do() -> None:
    bold, plain = from_markdown("**▲ Popular**\nWhy: [x](https://x.test) \\*now\\*", DISCORD)
    assert (bold.text, bold.weight, plain.text) == ("▲ Popular", Weight.BOLD, "Why: x *now*")
    bold, link = from_html('<b>A &amp; B</b>\n<a href="https://x.test">song &lt;3</a>', TELEGRAM)
    assert (bold.text, bold.weight, link.text) == ("A & B", Weight.BOLD, "song <3")


def test_the_contact_sheets_have_every_language_and_script(tmp_path: Path) -> None:
    assert demo.main(["--out", str(tmp_path), "--sheets"]) == 0
    rows = len(LANGUAGES)
    for width, height, columns in ((1200, 630, 1), (400, 210, len(demo.SCRIPTS))):
        with Image.open(tmp_path / f"sheet-{width}.png") as sheet:
            assert sheet.size == (columns * (width + 12) + 12, rows * (height + 12) + 12)
