from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from core.settings import ROOT, Settings
from scripts import demo
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
    assert sorted(path.name for path in out.iterdir()) == [
        f"{stem}.discord.txt", f"{stem}.png", f"{stem}.telegram.html",
        "7-compared.discord.txt", "7-compared.png", "7-compared.telegram.html", "8-animated.gif",
    ]  # fmt: skip
    caption = parse_html((out / f"{stem}.telegram.html").read_text(encoding="utf-8")).text
    embed = (out / f"{stem}.discord.txt").read_text(encoding="utf-8")
    for said in ("Blinding Lights — The Weeknd", "▲ Popular", "Recorded figures of"):
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
