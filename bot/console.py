"""The console chat: the same answers, for one person at a terminal or a pipe."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bot import words
from bot.answers import Answers
from bot.replies import percent
from bot.reply import Choice, LineKind, Picture, Reply, ResultCode
from core.domain import FeatureValue, Prediction, Verdict

GREETING: Final = "Name a song, or /help, or /quit."
PICK: Final = "Type its number."
NOT_SAVED: Final = "The card could not be saved in {folder}: {reason}."
PROMPT: Final = "♪ "

STYLES: Final = {Verdict.POPULAR: "green", Verdict.MEDIUM: "yellow", Verdict.NOT_POPULAR: "red"}
BAR_CELLS: Final = 40

EXIT_CODES: Final = {
    ResultCode.PREDICTED: 0,
    ResultCode.COMPARED: 0,
    ResultCode.INFORMED: 0,
    ResultCode.BAD_QUESTION: 2,
    ResultCode.FAULT: 2,
}
"""Exit code of a single question by its result; any other result is 1: no answer."""


class ConsoleChat:
    """Reads questions from a stream and prints answers; saves each card and prints its path."""

    def __init__(self, answers: Answers, cards_dir: Path, console: Console) -> None:
        """Take what answers, where cards go and where to print."""
        self._answers = answers
        self._cards_dir = cards_dir
        self._console = console
        self._choices: tuple[Choice, ...] = ()

    async def chat(self, *, interactive: bool) -> None:
        """Answer line after line until /quit or the end of input; prompts only when ``interactive``."""
        if interactive:
            self._console.print(GREETING, style="dim")
        while True:
            typed = await asyncio.to_thread(self._read_line, interactive)
            if typed is None or typed.strip().casefold() in {"/quit", "/exit"}:
                return
            if typed.strip():
                await self.handle(typed.strip())

    async def handle(self, typed: str) -> ResultCode:
        """Answer one line: a command, the number of an offered song, or a song."""
        command, _, rest = typed.partition(" ")
        match command.casefold():
            case "/help" | "/start":
                reply = self._answers.help()
            case "/privacy":
                reply = self._answers.privacy()
            case "/model":
                reply = await self._answers.model()
            case "/compare":
                reply = await self._answers.compare_typed(rest)
            case _ if typed.isdecimal() and 1 <= int(typed) <= len(self._choices):
                reply = await self._answers.predict_token(self._choices[int(typed) - 1].token)
            case "/predict":
                reply = await self._answers.predict(rest)
            case _:
                reply = await self._answers.predict(typed)
        self._choices = reply.choices
        self._show(reply)
        return reply.code

    def _read_line(self, interactive: bool) -> str | None:
        try:
            return self._console.input(PROMPT) if interactive else next(sys.stdin, None)
        except EOFError:
            return None

    def _show(self, reply: Reply) -> None:
        if reply.prediction is not None:
            self._console.print(self._answer(reply, reply.prediction))
        else:
            if reply.title:
                self._console.print(Text(reply.title, style="bold"))
            for line in reply.lines:
                self._console.print(Text(line.text))
        if reply.prediction is not None and reply.choices:
            self._console.print(Text(words.NOT_MEANT))
        for number, choice in enumerate(reply.choices, start=1):
            self._console.print(Text(f"  {number}. {choice.label}"))
        if reply.choices:
            self._console.print(PICK, style="dim")
        if reply.picture is not None:
            self._console.print(Text(self._saved(reply.picture, reply)), soft_wrap=True)

    def _answer(self, reply: Reply, prediction: Prediction) -> RenderableType:
        assessment = prediction.assessment
        style = STYLES[assessment.verdict]
        texts = {line.kind: line.text for line in reply.lines}
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=1.0, completed=assessment.probability, width=BAR_CELLS, complete_style=style),
            Text(percent(assessment.probability), style=f"bold {style}"),
        )
        parts: list[RenderableType] = [
            Text(texts[LineKind.HEADLINE], style=f"bold {style}"),
            bar,
            Text(texts[LineKind.MEANING]),
            *([Text(texts[LineKind.POPULARITY])] if LineKind.POPULARITY in texts else []),
            _feature_table(assessment.features),
        ]
        if LineKind.WHY in texts:
            parts.append(Text(texts[LineKind.WHY]))
        parts.append(Text(texts[LineKind.SOURCE], style="dim"))
        if reply.title_url:
            parts.append(Text(reply.title_url, style="dim"))
        return Panel(Group(*parts), title=Text(texts[LineKind.SONG]), border_style=style, width=self._width())

    def _width(self) -> int:
        return min(self._console.width, 88)

    def _saved(self, picture: Picture, reply: Reply) -> str:
        try:
            return f"Card: {self._save(picture, reply)}"
        except OSError as error:
            return NOT_SAVED.format(folder=self._cards_dir, reason=error.strerror)

    def _save(self, picture: Picture, reply: Reply) -> Path:
        """Write the picture under a name made from the song, or from what was asked."""
        other = "comparison" if reply.code is ResultCode.COMPARED else Path(picture.filename).stem
        name = other if reply.prediction is None else str(reply.prediction.song.name)
        stem = re.sub(r"[^\w]+", "-", name.casefold()).strip("-")[:60] or "card"
        self._cards_dir.mkdir(parents=True, exist_ok=True)
        path = self._cards_dir / f"{stem}.png"
        path.write_bytes(picture.data)
        return path


def _feature_table(features: tuple[FeatureValue, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Figure")
    table.add_column("Value", justify="right")
    table.add_column("Among all songs")
    for feature in features:
        table.add_row(Text(feature.label), Text(feature.display), Text(feature.standing or ""))
    return table
