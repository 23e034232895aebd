"""Cards as files: where the console saves pictures, and how it shows them to the person at the terminal."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType

from bot.reply import Picture, Reply

NAME_MAX_BYTES: Final = 80
"""Longest part of a file name that one song makes; two of them with an ending fit the 255 bytes of file systems."""

CARD_CELLS: Final = 64
"""Widest that a card is shown in the terminal, in cells: its smallest type can be read, and half the screen is free."""

OPENING_S: Final = 2.0
"""Longest wait for the program that opens a window to say that it cannot."""

InlineImage = Callable[[io.BytesIO, int], RenderableType]
"""Makes of a picture and a width in cells what the terminal shows as that picture."""


class CardFiles:
    """Saves cards in a folder."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when the first card is saved."""
        self._folder = folder

    def save(self, reply: Reply, picture: Picture) -> Path:
        """Write the picture of a reply under a name made from its songs.

        Raises:
            OSError: The folder does not take it.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{file_stem(reply, picture)}{Path(picture.filename).suffix}"
        path.write_bytes(picture.data)
        return path


def file_stem(reply: Reply, picture: Picture) -> str:
    """Name the file of a reply's picture, without its ending: by the song, by both songs, or by what it shows."""
    if reply.prediction is not None:
        return _slug(str(reply.prediction.song.name))
    if reply.compared is not None:
        return "-vs-".join(_slug(str(prediction.song.name)) for prediction in reply.compared)
    return Path(picture.filename).stem


def _slug(name: str) -> str:
    """Write a song's name as part of a file name; what does not fit is told apart by a short digest."""
    words = re.sub(r"[^\w]+", "-", name.casefold()).strip("-")
    kept = words.encode(errors="ignore")[:NAME_MAX_BYTES].decode(errors="ignore")
    if kept and kept == words:
        return kept
    digest = hashlib.blake2b(name.encode(errors="replace"), digest_size=4).hexdigest()
    return f"{kept.rstrip('-') or 'card'}-{digest}"


class CardDisplay:
    """Shows a saved card inline in the terminal or in a window, or leaves it to the text.

    Attributes:
        inline: Whether the terminal shows the card itself, so that the text needs no gauge.
        opens: Whether each card is opened in a window.
    """

    def __init__(
        self, inline_image: InlineImage | None = None, open_window: Callable[[Path], bool] | None = None
    ) -> None:
        """Take what shows pictures in the terminal and what opens a window; None for what there is not."""
        self._inline_image = inline_image
        self._open_window = open_window
        self.inline = inline_image is not None
        self.opens = open_window is not None

    @classmethod
    def of_terminal(cls, mode: str, console: Console, *, environment: Mapping[str, str] = os.environ) -> CardDisplay:
        """Find out how cards can be shown; asks the terminal what it can, and blocks for 0.3 s at most.

        Args:
            mode: "inline", "window", "text", or "auto": the first of them that can be.
            console: Where answers are printed; a pipe or file is shown text alone.
            environment: Tells of a desktop.
        """
        if mode == "text" or not console.is_terminal or console.is_dumb_terminal:
            return cls()
        if mode != "window" and sys.stdin.isatty() and (image := _inline_image()) is not None:
            return cls(inline_image=image)
        if mode == "window" or (mode == "auto" and has_desktop(environment)):
            return cls(open_window=open_window)
        return cls()

    def view(self, picture: bytes, width: int) -> RenderableType | None:
        """Return what the terminal shows as the picture, at most ``width`` cells wide; None if it shows none."""
        return None if self._inline_image is None else self._inline_image(io.BytesIO(picture), min(width, CARD_CELLS))

    def open(self, path: Path) -> bool:
        """Open a window with the picture, if that is to be; returns whether nothing went wrong. Blocks for 2 s."""
        return self._open_window is None or self._open_window(path)


def has_desktop(environment: Mapping[str, str], platform: str = sys.platform) -> bool:
    """Tell whether a window would open before the eyes of whoever types: not so on the far end of an SSH session."""
    if "SSH_CONNECTION" in environment or "SSH_TTY" in environment:
        return False
    if platform in {"darwin", "win32"}:
        return True
    has_screen = bool(environment.get("WAYLAND_DISPLAY") or environment.get("DISPLAY"))
    return has_screen and shutil.which("xdg-open", path=environment.get("PATH")) is not None


def open_window(path: Path) -> bool:
    """Open a picture with the desktop's own program and return whether that began; it outlives the chat."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 - a picture we wrote
        return True
    command = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        process = subprocess.Popen(  # noqa: S603 - the desktop's own command and a picture we wrote
            [command, str(path.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return process.wait(OPENING_S) == 0
    except subprocess.TimeoutExpired:
        return True  # the program that shows it goes on
    except OSError:
        return False


def _inline_image() -> InlineImage | None:
    """Ask the terminal whether it shows pictures, by Kitty's protocol or as sixels (iTerm2 takes these)."""
    # Imported here: loading it asks the terminal, which only a person's is to be asked.
    from textual_image.renderable import Image, SixelImage, TGPImage

    if Image not in (SixelImage, TGPImage):
        return None
    return lambda picture, width: Image(picture, width=width, height="auto")
