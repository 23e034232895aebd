"""The gauge and the answers as a terminal without colour shows them."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from bot import messages
from bot.console import GAUGE_CELLS, gauge, reply_view
from bot.replies import comparison_reply, model_reply
from bot.reply import LineKind
from core.domain import Assessment, Block, VerdictBands
from core.language import LANGUAGES, speaking
from core.predictor import Comparison
from core.text import percent
from tests.fakes.predictor import FakePredictor, prediction


def printed(assessment: Assessment, *, colour: bool = False) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=80, force_terminal=colour, color_system="standard" if colour else None).print(
        gauge(assessment)
    )
    return out.getvalue().splitlines()


def assessed(probability: float, bands: VerdictBands | None = None) -> Assessment:
    bands = bands or VerdictBands()
    verdict = bands.verdict(probability)
    return replace(prediction("Hello").assessment, probability=probability, bands=bands, verdict=verdict)


@pytest.mark.parametrize(
    ("probability", "cell"),
    [(0.0, 0), (0.399, 15), (0.4, 16), (0.5, 20), (0.699, 27), (0.7, 28), (0.999, 39), (1.0, 39)],
)
def test_the_needle_stands_where_the_confidence_does_and_the_bounds_below_it(probability: float, cell: int) -> None:
    scale, ticks = printed(assessed(probability))
    assert scale[:GAUGE_CELLS] == "━" * cell + "●" + "─" * (GAUGE_CELLS - cell - 1)
    assert scale.rstrip().endswith(f" {percent(probability)}")
    assert [ticks.index(bound) for bound in ("0", "40", "70", "100")] == [0, 16, 28, 37]


def test_the_bounds_are_those_of_the_model() -> None:
    _, ticks = printed(assessed(0.5, VerdictBands(medium=0.25, popular=0.5)))
    assert ticks.split() == ["0", "25", "50", "100"]
    assert ticks.index("25") == 10


@pytest.mark.parametrize(("probability", "code"), [(0.1, "31"), (0.5, "33"), (0.69999, "33"), (0.9, "32")])
def test_needle_and_number_have_the_colour_of_the_verdict(probability: float, code: str) -> None:
    scale = printed(assessed(probability), colour=True)[0]
    assert scale.partition("●")[0].rpartition("\x1b[")[2].startswith(f"1;{code}m")
    assert f"\x1b[1;{code}m{probability * 100:.1f} %" in scale


def test_a_comparison_shows_a_gauge_for_each_song() -> None:
    reply = comparison_reply(Comparison(prediction("Hello"), prediction("Obscure Demo")))
    out = io.StringIO()
    console = Console(file=out, width=80)
    for part in reply_view(reply, 80, gauges=True):
        console.print(part)
    shown = out.getvalue()
    assert shown.count("●") == 2
    assert shown.index("likelier hit") < shown.index("Hello — Adele\n") < shown.index("Obscure Demo — Nobody Known\n")


def test_a_comparison_warns_if_only_one_song_has_listener_figures() -> None:
    first, second = prediction("Hello"), prediction("Obscure Demo")
    bare = replace(second, assessment=replace(second.assessment, view=(Block.GENRES, Block.AUDIO)))
    warning = messages.COMPARE_UNLIKE.format(name=second.song.name)
    assert warning in comparison_reply(Comparison(first, bare)).text
    assert warning not in comparison_reply(Comparison(first, second)).text
    bare_first = replace(first, assessment=bare.assessment)
    assert "No listener figures" not in comparison_reply(Comparison(bare_first, bare)).text
    out = io.StringIO()
    console = Console(file=out, width=100)
    for part in reply_view(comparison_reply(Comparison(first, bare)), 100, gauges=True):
        console.print(part)
    assert warning in out.getvalue()


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_table_of_the_model_fits_a_terminal_and_lines_up(spoken: str) -> None:
    predictor = FakePredictor()
    predictor.history.close()
    with speaking(spoken):
        reply = model_reply(predictor.report(), full=True)
    out = io.StringIO()
    console = Console(file=out, width=80)
    for part in reply_view(reply, 80, gauges=True):
        console.print(part)
    lines = out.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= 80
    (table,) = (line for line in reply.lines if line.kind is LineKind.TABLE)
    begin = next(n for n, line in enumerate(lines) if "ROC-AUC" in line and "Brier" in line)
    last = table.cells[-1]
    end = next(line for line in lines[begin:] if all(cell in line for cell in last[1:]))
    for column in ("ROC-AUC", "F1", "ECE"):
        place = cell_len(lines[begin].partition(column)[0] + column)
        assert end_of_cell(end, place), (lines[begin], end)
    assert {cell_len(line) for line in table.text.splitlines()} == {cell_len(table.text.splitlines()[0])}


def end_of_cell(line: str, place: int) -> bool:
    """Whether a figure ends at so many cells from the left."""
    width = 0
    for n, letter in enumerate(line):
        width += cell_len(letter)
        if width == place:
            return not letter.isspace() and line[n + 1 : n + 2].strip() == ""
    return False
