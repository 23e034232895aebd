"""The console chat: the same answers, for one person at a terminal or a pipe."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from bot import messages
from bot.card_files import CardDisplay, CardFiles
from bot.console_view import reply_view
from bot.messages import Surface, commands_on
from bot.reply import Choice, Picture, Question, Reply, ResultCode, text_reply
from bot.reports import command_line
from bot.service import SongService

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
    """

    choices: tuple[Choice, ...] = ()
    against: Question | None = None


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
            self._console.print(messages.CONSOLE_GREETING, style="dim")
        while True:
            typed = await asyncio.to_thread(self._read_line, interactive)
            if typed is None or typed.strip().casefold() in {f"/{name}" for name in QUIT}:
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
        if reply.choices:
            self._open = _OpenChoice(reply.choices, reply.against)
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
            return self._note(messages.CONSOLE_NO_CHOICE.format(number=number))
        if not 1 <= number <= len(opened.choices):
            return self._note(messages.CONSOLE_NO_SUCH_NUMBER.format(n=len(opened.choices), number=number))
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
            listed = [f"/{name}" for name in _COMMANDS]
            listed = [", ".join(listed[:-1]), listed[-1]]
            return self._note(messages.CONSOLE_NO_COMMAND.format(command=written, commands=messages.AND.join(listed)))
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
            self._console.print(Text(messages.NOT_MEANT))
        for number, choice in enumerate(reply.choices, start=1):
            self._console.print(Text(f"  {number}. {choice.label}"))
        if reply.choices:
            self._console.print(messages.CONSOLE_PICK, style="dim")
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
            fault = messages.CONSOLE_CARD_NOT_SAVED.format(folder=self.cards_dir, reason=error.strerror)
            self._console.print(Text(fault), soft_wrap=True)
            return
        self._console.print(Text(messages.CONSOLE_CARD.format(path=path)), soft_wrap=True)
        if not await asyncio.to_thread(self._display.open, path):
            self._console.print(messages.CONSOLE_NO_WINDOW, style="dim")


async def _picture(reply: Reply) -> Picture | None:
    return None if reply.card is None else await reply.card()
