"""Replies as a terminal shows them: panel, gauge and table, which read well without colour too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.replies import headline
from bot.reply import LineKind, Reply
from core.domain import Assessment, FeatureValue, Prediction, Verdict, VerdictBands
from core.model.display import percent

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
    yield from (Text(line.text) for line in reply.lines)


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
    if LineKind.POPULARITY in texts:
        parts.append(Text(texts[LineKind.POPULARITY]))
    parts.append(_feature_table(assessment.features))
    if LineKind.WHY in texts:
        parts.append(Text(texts[LineKind.WHY]))
    parts.append(Text(texts[LineKind.SOURCE], style="dim"))
    if reply.title_url:
        parts.append(Text(reply.title_url, style="dim"))
    return Panel(Group(*parts), title=Text(texts[LineKind.SONG]), border_style=style, width=width)


def _feature_table(features: tuple[FeatureValue, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("Figure")
    table.add_column("Value", justify="right")
    table.add_column("Among all songs")
    for feature in features:
        table.add_row(Text(feature.label), Text(feature.display), Text(feature.standing or ""))
    return table
