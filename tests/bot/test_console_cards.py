"""Cards as files, in terminals that answer as real ones do, and in windows of a stand-in desktop."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from rich.console import Console

from bot.console import NAME_MAX_BYTES, CardDisplay, CardFiles, file_stem, has_desktop, open_window
from bot.replies import comparison_reply, prediction_reply
from bot.reply import Picture, Reply, ResultCode
from core.predictor import Comparison
from tests.fakes.command import command
from tests.fakes.predictor import NOW, prediction
from tests.fakes.terminal import CELL_PX, Session, run_in_terminal

PICTURE = Picture(b"\x89PNG", "hitmeter-card.png", "image/png", "Card")


def answer(title: str, artist: str | None = None) -> Reply:
    return prediction_reply(prediction(title, artist=artist), NOW)


def comparison(first: str, second: str) -> Reply:
    return comparison_reply(Comparison(prediction(first), prediction(second)))


@pytest.mark.parametrize(
    ("reply", "stem"),
    [
        (answer("Blinding Lights"), "blinding-lights-the-weeknd"),
        (answer("Группа крови", "Кино"), "группа-крови-кино"),
        (comparison("Hello", "Halfway There"), "hello-adele-vs-halfway-there-some-band"),
        (comparison("Halfway There", "Hello"), "halfway-there-some-band-vs-hello-adele"),
        (Reply(code=ResultCode.INFORMED, lines=()), "curve"),
    ],
)
def test_a_picture_is_named_by_what_it_shows(reply: Reply, stem: str) -> None:
    assert file_stem(reply, replace(PICTURE, filename="curve.png")) == stem


def test_names_that_do_not_fit_stay_apart() -> None:
    long = [file_stem(comparison("東" * 90 + ending, "Hello"), PICTURE) for ending in ("a", "b")]
    assert long[0] != long[1]
    odd = [file_stem(answer(title, "!!!"), PICTURE) for title in ("???", "***", "../..")]
    assert len(set(odd)) == 3
    for stem in (*long, *odd, file_stem(comparison("😀x" * 99, "é" * 300), PICTURE)):
        assert "/" not in stem
        assert len(f"{stem}.png".encode()) <= 255
        assert len(stem.encode()) <= 2 * (NAME_MAX_BYTES + 9) + 4


def test_each_comparison_keeps_its_own_file(tmp_path: Path) -> None:
    files = CardFiles(tmp_path / "cards")
    paths = [
        files.save(comparison(*pair), PICTURE) for pair in (("Hello", "Halfway There"), ("Hello", "Blinding Lights"))
    ]
    assert len({path for path in paths if path.read_bytes() == PICTURE.data}) == 2


SHOW = """
import sys
from dataclasses import replace
sys.path.insert(0, sys.argv[1])
from rich.console import Console
from bot.console import CardDisplay
mode, picture, patience_s = sys.argv[2:]
if patience_s:
    # An answer that is sure to come may take longer on a busy machine than a person's terminal ever does.
    from textual_image import _terminal
    read = _terminal.read
    _terminal.read = lambda fd, length, timeout: read(fd, length, float(patience_s))
console = Console()
display = CardDisplay.of_terminal(mode, console, environment={})
print("inline", display.inline, "opens", display.opens)
view = display.view(open(picture, "rb").read(), console.width)
if view is not None:
    console.print(view)
print("after")
"""


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture whose quarters have four colours, as large as a card."""
    image = Image.new("RGB", (1200, 630), "#1db954")
    image.paste("#ef4444", (600, 0, 1200, 315))
    image.paste("#f59e0b", (0, 315, 600, 630))
    image.paste("#101020", (600, 315, 1200, 630))
    path = tmp_path_factory.mktemp("card") / "card.png"
    image.save(path)
    return path


def shown(card: Path, mode: str, **terminal: object) -> Session:
    patience_s = "60" if terminal.get("kitty") or terminal.get("sixel") else ""
    return run_in_terminal(command(SHOW, mode, str(card), patience_s), **terminal)  # type: ignore[arg-type]


def looks_like(picture: Image.Image, card: Path) -> bool:
    with Image.open(card) as original:
        difference = ImageChops.difference(picture, original.convert("RGB").resize(picture.size))
    return max(ImageStat.Stat(difference).mean) < 4


@pytest.mark.parametrize("mode", ["auto", "inline"])
def test_a_kitty_shows_the_card_itself(card: Path, mode: str) -> None:
    session = shown(card, mode, kitty=True)
    assert session.returncode == 0, session.text
    (picture,) = session.kitty_pictures()
    assert picture.width == 64 * CELL_PX[0]
    assert looks_like(picture, card)
    assert "inline True opens False" in session.text
    assert session.sixel_pictures() == []


@pytest.mark.parametrize(("columns", "cells"), [(100, 64), (40, 40)])
def test_a_terminal_with_sixels_shows_the_card_itself_as_wide_as_there_is_room(
    card: Path, columns: int, cells: int
) -> None:
    session = shown(card, "auto", sixel=True, columns=columns)
    assert session.returncode == 0, session.text
    (picture,) = session.sixel_pictures()
    assert picture.width == cells * CELL_PX[0]
    assert looks_like(picture, card)
    assert session.text.rstrip().endswith("after")


@pytest.mark.parametrize(("mode", "terminal"), [("auto", {}), ("inline", {}), ("text", {"kitty": True, "sixel": True})])
def test_other_terminals_and_the_setting_text_are_shown_no_picture(
    card: Path, mode: str, terminal: dict[str, bool]
) -> None:
    session = shown(card, mode, **terminal)
    assert session.returncode == 0, session.text
    assert "inline False opens False" in session.text
    assert session.kitty_pictures() == session.sixel_pictures() == []
    assert mode != "text" or b"\x1b[c" not in session.written, "nothing is asked that nobody wants to know"


@pytest.mark.parametrize("mode", ["auto", "inline", "window", "text"])
def test_a_pipe_is_shown_text_alone(mode: str) -> None:
    display = CardDisplay.of_terminal(mode, Console(file=io.StringIO()), environment={"DISPLAY": ":0"})
    assert not display.inline
    assert not display.opens
    assert display.view(b"", 80) is None
    assert display.open(Path("nowhere.png"))


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on PATH whose xdg-open notes what it is to open; the note is its file "opened"."""
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\nexit $(cat {tmp_path}/code 2>/dev/null || echo 0)\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:/usr/bin:/bin")
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def test_a_window_is_opened_with_the_card(desktop: Path) -> None:
    card = desktop / "a card.png"
    assert open_window(card)
    assert (desktop / "opened").read_text().splitlines() == [str(card)]
    (desktop / "code").write_text("3")
    assert not open_window(card), "xdg-open says that no program could be found"


def test_without_a_program_for_it_no_window_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert not open_window(tmp_path / "card.png")


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ":10.0", "SSH_CONNECTION": "192.0.2.1 5 192.0.2.2 22"}, "linux", False),
        ({}, "darwin", True),
        ({"SSH_TTY": "/dev/ttys001"}, "darwin", False),
    ],
)
def test_a_desktop_is_known_by_its_signs(
    desktop: Path, environment: dict[str, str], platform: str, expected: bool
) -> None:
    assert has_desktop({**environment, "PATH": str(desktop / "bin")}, platform) is expected
    if platform == "linux":
        assert not has_desktop({**environment, "PATH": str(desktop)}, platform)
