"""A terminal that answers what programs ask it, and shows what they draw in it."""

from __future__ import annotations

import base64
import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

CELL_PX = (10, 20)
"""Width and height of a cell."""

_KITTY = re.compile(rb"\x1b_G([^;\x1b]*);?([^\x1b]*)\x1b\\")
_ASKED = re.compile(_KITTY.pattern + rb"|\x1b\[c", re.DOTALL)
_SIXEL = re.compile(rb'\x1bP[\d;]*q"1;1;(\d+);(\d+)(.*?)\x1b\\', re.DOTALL)
_SIXEL_PART = re.compile(rb"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|!(\d+)(.)|([$-])|([?-~])", re.DOTALL)


@dataclass(frozen=True)
class Session:
    """What a program wrote in the terminal, and how it ended."""

    written: bytes
    returncode: int

    @property
    def text(self) -> str:
        """What can be read of it, without pictures and colours."""
        plain = _KITTY.sub(b"", _SIXEL.sub(b"", self.written))
        return re.sub(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[78])", "", plain.decode(errors="replace")).replace("\r\n", "\n")

    def kitty_pictures(self) -> list[Image.Image]:
        """Return the pictures sent by Kitty's protocol, in order."""
        pictures: dict[str, bytes] = {}
        for control, payload in _KITTY.findall(self.written):
            fields = dict(field.split("=") for field in control.decode().split(","))
            if fields.get("f") == "100":
                pictures[fields["i"]] = pictures.get(fields["i"], b"") + payload
        return [Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for data in pictures.values()]

    def sixel_pictures(self) -> list[Image.Image]:
        """Return the pictures sent as sixels, in order."""
        return [_drawn(int(width), int(height), body) for width, height, body in _SIXEL.findall(self.written)]


def _drawn(width: int, height: int, body: bytes) -> Image.Image:
    """Draw sixels: six rows at a time, a bit for each, in the colour last chosen."""
    image = Image.new("RGB", (width, height))
    pixels = image.load()
    assert pixels is not None
    palette: dict[bytes, tuple[int, int, int]] = {}
    colour, x, top = (0, 0, 0), 0, 0
    for number, red, green, blue, times, repeated, control, single in _SIXEL_PART.findall(body):
        if number:
            if red:
                palette[number] = tuple(round(int(part) * 2.55) for part in (red, green, blue))  # type: ignore[assignment]
            colour = palette[number]
        elif control:
            x, top = 0, top + (6 if control == b"-" else 0)
        else:
            bits = (repeated or single)[0] - 0x3F
            for column in range(x, x + int(times or 1)):
                for row in range(6):
                    if bits >> row & 1 and column < width and top + row < height:
                        pixels[column, top + row] = colour
            x += int(times or 1)
    return image


def run_in_terminal(
    arguments: list[str],
    *,
    kitty: bool = False,
    sixel: bool = False,
    columns: int = 100,
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
    typed: bytes = b"",
    timeout_s: float = 120.0,
) -> Session:
    """Run a program in a terminal that shows pictures by Kitty's protocol, as sixels, or not at all.

    ``typed`` is what a person types once the program has asked its questions and prompts.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, columns * CELL_PX[0], 40 * CELL_PX[1]))
    process = subprocess.Popen(  # noqa: S603 - our own programs
        arguments,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env={**(os.environ if environment is None else environment), "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    written, unanswered, ends_at = b"", b"", time.monotonic() + timeout_s
    try:
        while time.monotonic() < ends_at:
            if not select.select([ours], [], [], 0.5)[0]:
                continue
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the program has ended
                break
            if not chunk:
                break
            written += chunk
            unanswered = (unanswered + chunk)[-256:]
            # Answered in the order in which they were asked, as terminals do.
            for asked in _ASKED.finditer(unanswered):
                if asked[0] == b"\x1b[c":
                    os.write(ours, b"\x1b[?62;4c" if sixel else b"\x1b[?62c")
                elif kitty and b"a=q" in asked[1]:
                    os.write(ours, b"\x1b_G" + asked[1].split(b",")[0] + b";OK\x1b\\")
                unanswered = unanswered[unanswered.index(asked[0]) + len(asked[0]) :]
            if typed and "♪".encode() in written:
                os.write(ours, typed)
                typed = b""
        process.wait(timeout=max(0.1, ends_at - time.monotonic()))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)
    return Session(written, process.returncode)
