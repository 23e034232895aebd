"""The console chat: the same answers, for one person at a terminal or a pipe, with cards as files."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot import messages
from bot.messages import Surface, commands_on
from bot.replies import command_line, headline, no_command_reply
from bot.reply import Choice, Line, LineKind, Picture, Question, Reply, ResultCode, text_reply
from bot.service import SongService
from core.domain import Assessment, FeatureValue, Prediction, Verdict, VerdictBands
from core.language import say
from core.text import percent
from core.words import figure, standing

NAME_MAX_BYTES: Final = 80
"""Longest part of a file name that one song makes; two of them with an ending fit the 255 bytes of file systems."""

TREND_FILE: Final = "{song}-trend"
"""Name of the file of a song's development."""

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
    if reply.trend is not None:
        return TREND_FILE.format(song=_slug(str(reply.trend.prediction.song.name)))
    if reply.ranking is not None:
        return _slug(reply.ranking.artist)
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
    """Return whether a window would open before the eyes of whoever types: not so on the far end of an SSH session."""
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


STYLES: Final = {Verdict.POPULAR: "green", Verdict.MEDIUM: "yellow", Verdict.NOT_POPULAR: "red"}

GAUGE_CELLS: Final = 40
"""Width of the gauge, so that each of its cells stands for 2.5 %."""

WIDTH_MAX: Final = 88
"""Widest that an answer is set, in cells; longer lines are hard to read."""


def reply_view(reply: Reply, width: int, *, gauges: bool) -> Iterable[RenderableType]:
    """Set a reply in at most ``width`` cells, without its picture and its choices.

    ``gauges`` shows where the confidence stands; they are left out where the card itself is shown.
    """
    if reply.prediction is not None:
        yield _answer(reply, reply.prediction, min(width, WIDTH_MAX), gauges=gauges)
        return
    if reply.title:
        yield Text(reply.title, style="bold")
    if reply.compared is not None and gauges:
        yield Text(reply.lines[0].text, style="bold")
        for prediction in reply.compared:
            assessment = prediction.assessment
            yield Text(f"{headline(assessment)} · {prediction.song.name}", style=STYLES[assessment.verdict])
            yield gauge(assessment)
        yield from (Text(line.text) for line in reply.lines if line.kind is LineKind.TEXT)
        return
    # The songs of a ranking are listed with the numbers that open them.
    yield from (_line_view(line) for line in reply.lines if line.kind is not LineKind.RANK)


def _line_view(line: Line) -> RenderableType:
    """Set a line; a table in columns, of which the first gives way where the terminal is narrow."""
    if not line.cells:
        return Text(line.text)
    headings, *rows = line.cells
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if place else "left", no_wrap=place > 0, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def gauge(assessment: Assessment) -> Table:
    """Draw the confidence on a scale of two lines, whose bands begin at the numbers below it."""
    needle = min(GAUGE_CELLS - 1, int(assessment.probability * GAUGE_CELLS))
    scale = Text()
    for cell in range(GAUGE_CELLS):
        verdict = assessment.bands.verdict((cell + 0.5) / GAUGE_CELLS)
        strength = "bold" if verdict is assessment.verdict else "dim"
        mark = "●" if cell == needle else "━" if cell < needle else "─"
        # The needle's cell may begin in the band before; what it says is the verdict's.
        colour = STYLES[assessment.verdict if cell == needle else verdict]
        scale.append(mark, style=f"{strength} {colour}")
    grid = Table.grid(padding=(0, 1))
    grid.add_row(scale, Text(percent(assessment.probability), style=f"bold {STYLES[assessment.verdict]}"))
    grid.add_row(Text(_ticks(assessment.bands), style="dim"))
    return grid


def _ticks(bands: VerdictBands) -> str:
    """Write the bounds of the bands below their cells."""
    line = list("0".ljust(GAUGE_CELLS))
    for share in (bands.medium, bands.popular, 1.0):
        text = f"{share * 100:.0f}"
        begin = min(round(share * GAUGE_CELLS), GAUGE_CELLS - len(text))
        line[begin : begin + len(text)] = text
    return "".join(line)


def _answer(reply: Reply, prediction: Prediction, width: int, *, gauges: bool) -> Panel:
    assessment = prediction.assessment
    style = STYLES[assessment.verdict]
    texts = {line.kind: line.text for line in reply.lines}
    parts: list[RenderableType] = [Text(texts[LineKind.HEADLINE], style=f"bold {style}")]
    if gauges:
        parts.append(gauge(assessment))
    parts.append(Text(texts[LineKind.MEANING]))
    parts += [Text(texts[kind]) for kind in (LineKind.GROWTH, LineKind.POPULARITY) if kind in texts]
    parts.append(_figure_table(assessment.features))
    if LineKind.WHY in texts:
        parts.append(Text(texts[LineKind.WHY]))
    parts.append(Text(texts[LineKind.SOURCE], style="dim"))
    if reply.title_url:
        parts.append(Text(reply.title_url, style="dim"))
    return Panel(Group(*parts), title=Text(texts[LineKind.SONG]), border_style=style, width=width)


_JUSTIFIED: Final[tuple[JustifyMethod, ...]] = ("left", "right", "left")


def _figure_table(features: tuple[FeatureValue, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading, justify in zip(messages.CONSOLE_COLUMNS, _JUSTIFIED, strict=True):
        table.add_column(say(heading), justify=justify)
    for feature in features:
        table.add_row(Text(say(feature.label)), Text(figure(feature)), Text(standing(feature)))
    return table


PROMPT: Final = "♪ "

QUIT: Final = frozenset({"quit", "exit"})

ALIASES: Final = {"start": "help"}
"""Other names of commands, as people know them from elsewhere."""

_COMMANDS: Final = {command.name: command for command in commands_on(Surface.CONSOLE)}

CHOICE_DIGITS: Final = 2
"""Longest number that is taken for a choice; "505", "911" and "1979" are songs."""

LEAVES_OPEN: Final = frozenset(
    {ResultCode.INFORMED, ResultCode.BAD_QUESTION, ResultCode.UPSTREAM_FAULT, ResultCode.FAULT}
)
"""After these a choice stays open: nothing was answered, or nothing about songs."""

EXIT_CODES: Final = {
    ResultCode.PREDICTED: 0,
    ResultCode.COMPARED: 0,
    ResultCode.RANKED: 0,
    ResultCode.TREND: 0,
    ResultCode.EXPLAINED: 0,
    ResultCode.INFORMED: 0,
    ResultCode.BAD_QUESTION: 2,
    ResultCode.FAULT: 2,
}
"""Exit code of a single question by its result; any other result is 1: no answer."""


@dataclass(frozen=True, slots=True)
class _OpenChoice:
    """Songs on offer, and what the picked one is to be compared with.

    Attributes:
        choices: The songs, numbered from 1.
        against: The other song of a comparison; as typed while it is not clear itself.
        stays: Whether it stays open when a song was picked.
    """

    choices: tuple[Choice, ...] = ()
    against: Question | None = None
    stays: bool = False


class ConsoleChat:
    """Reads questions from a stream and prints answers; saves each card, prints its path and shows it if that can be.

    Whoever types here runs the bot, so the administrators' commands are theirs too.
    """

    def __init__(
        self, service: SongService, cards_dir: Path, console: Console, *, display: CardDisplay | None = None
    ) -> None:
        """Take what answers, where cards go, where to print, and how cards are shown: by default as text alone."""
        self._service = service
        self.cards_dir = cards_dir
        self._cards = CardFiles(cards_dir)
        self._console = console
        self._display = display or CardDisplay()
        self._open = _OpenChoice()

    async def chat(self, *, interactive: bool) -> None:
        """Answer line after line until /quit or the end of input; prompts only when ``interactive``."""
        if interactive:
            self._console.print(say(messages.CONSOLE_GREETING), style="dim")
        while True:
            typed = await _in_daemon_thread(lambda: self._read_line(interactive))
            if typed is None or _leaves(typed):
                return
            if typed.strip():
                await self.handle(typed.strip())

    async def handle(self, typed: str) -> ResultCode:
        """Answer one line and print the answer."""
        reply = await self.answer(typed)
        await self._show(reply)
        return reply.code

    async def answer(self, typed: str) -> Reply:
        """Answer one line: a command, the number of an offered song, or a song."""
        if typed.startswith("/"):
            reply = await self._commanded(typed)
        elif typed.isdecimal() and len(typed) <= CHOICE_DIGITS:
            reply = await self._chosen(int(typed))
        else:
            reply = await self._service.predict(typed)
        picked_from_list = self._open.stays and typed.isdecimal() and len(typed) <= CHOICE_DIGITS
        if picked_from_list:
            reply = replace(reply, choices=())  # others that may be meant would take the list's numbers
        elif reply.choices:
            self._open = _OpenChoice(reply.choices, reply.against, stays=reply.ranking is not None)
        elif reply.code not in LEAVES_OPEN:
            self._open = _OpenChoice()
        return reply

    async def save_card(self, reply: Reply) -> Path | None:
        """Draw and save the card of a reply, if it has one, and return where.

        Raises:
            OSError: The folder does not take it.
        """
        picture = await _picture(reply)
        return None if picture is None else await asyncio.to_thread(self._cards.save, reply, picture)

    async def _chosen(self, number: int) -> Reply:
        """Answer for the song of that number among those on offer."""
        opened = self._open
        if not opened.choices:
            return self._note(say(messages.CONSOLE_NO_CHOICE, number=number))
        if not 1 <= number <= len(opened.choices):
            return self._note(say(messages.CONSOLE_NO_SUCH_NUMBER, n=len(opened.choices), number=number))
        token = opened.choices[number - 1].token
        if opened.against is None:
            return await self._service.predict(token)
        if isinstance(opened.against, str):
            return await self._service.compare(token, opened.against)
        return await self._service.compare(opened.against, token)

    async def _commanded(self, typed: str) -> Reply:
        """Answer a command; /help also lists those that only the console has."""
        written, _, rest = typed.partition(" ")
        name = written.removeprefix("/").casefold()
        command = _COMMANDS.get(ALIASES.get(name, name))
        if command is None or command.name in QUIT:
            # Only a single question brings /quit here, which has nothing to leave.
            listed = [one for one in _COMMANDS.values() if one is not command]
            return self._service.note("console", no_command_reply(written, listed))
        reply = await self._service.run_command(command, rest, is_admin=True)
        if command.name != "help":
            return reply
        own = [one for one in _COMMANDS.values() if one.administrators or one.surfaces == {Surface.CONSOLE}]
        return replace(reply, lines=(*reply.lines, *text_reply(reply.code, *map(command_line, own)).lines))

    def _note(self, sentence: str) -> Reply:
        return self._service.note("console", text_reply(ResultCode.BAD_QUESTION, sentence, private=True))

    def _read_line(self, interactive: bool) -> str | None:
        try:
            return self._console.input(PROMPT) if interactive else next(sys.stdin, None)
        except EOFError:
            return None

    async def _show(self, reply: Reply) -> None:
        picture = await _picture(reply)
        for part in reply_view(reply, self._console.width, gauges=not (picture is not None and self._display.inline)):
            self._console.print(part)
        if reply.prediction is not None and reply.choices:
            self._console.print(Text(say(messages.NOT_MEANT)))
        for number, choice in enumerate(reply.choices, start=1):
            self._console.print(Text(f"  {number}. {choice.label}"))
        if reply.choices:
            self._console.print(say(messages.CONSOLE_PICK), style="dim")
        if picture is not None:
            await self._show_card(reply, picture)

    async def _show_card(self, reply: Reply, picture: Picture) -> None:
        view = self._display.view(picture.data, self._console.width)
        if view is not None:
            # Scaling and packing it takes tenths of a second of a core.
            await asyncio.to_thread(self._console.print, view)
        try:
            path = await asyncio.to_thread(self._cards.save, reply, picture)
        except OSError as error:
            fault = say(messages.CONSOLE_CARD_NOT_SAVED, folder=self.cards_dir, reason=error.strerror)
            self._console.print(Text(fault), soft_wrap=True)
            return
        self._console.print(Text(say(messages.CONSOLE_CARD, path=path)), soft_wrap=True)
        if not await asyncio.to_thread(self._display.open, path):
            self._console.print(say(messages.CONSOLE_NO_WINDOW), style="dim")


def _leaves(typed: str) -> bool:
    """Return whether a line is /quit, whatever is typed after it."""
    return typed.strip().partition(" ")[0].casefold() in {f"/{name}" for name in QUIT}


def _in_daemon_thread(read: Callable[[], str | None]) -> asyncio.Future[str | None]:
    """Read in a thread that nothing waits for: a line may never be typed, and Ctrl-C is to end the chat even so."""
    line: Future[str | None] = Future()

    def run() -> None:
        line.set_running_or_notify_cancel()  # from here on it is never cancelled itself, only the wait for it
        try:
            line.set_result(read())
        except Exception as error:  # noqa: BLE001 - raised where the line is awaited
            line.set_exception(error)

    threading.Thread(target=run, name="console-input", daemon=True).start()
    return asyncio.wrap_future(line)


async def _picture(reply: Reply) -> Picture | None:
    return None if reply.card is None else await reply.card()
