from __future__ import annotations

import io
import pickle
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import numpy as np
import pytest
from PIL import Image

from core.domain import DatedFigures, Growth, Trend, Verdict
from core.render.theme import ACCENTS, MARGIN_PX, WARNING, WHITE, WIDTH_PX
from core.render.trend import draw_trend
from tests.fakes.hostile_text import PIECES
from tests.fakes.predictions import NOW, plain_cover, prediction

GREY = plain_cover(90, 90, 90)
FIRST = date(2026, 11, 1)


def trend(*listeners: int, then: float | None = 0.3, step_days: int = 7, **how) -> Trend:
    figures = tuple(
        DatedFigures(FIRST + timedelta(days=step_days * n), count, 10 * count) for n, count in enumerate(listeners)
    )
    return Trend(prediction(**how), figures, then)


def opened(made: Trend, cover=GREY):
    with Image.open(io.BytesIO(draw_trend(made, cover, NOW))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
        return picture.convert("RGB")


def white_heights(picture, x):
    """Return the rows in which the curve is at a column."""
    column = np.asarray(picture)[270:520, x]
    return np.nonzero((column == tuple(WHITE)).all(axis=1))[0] + 270


def test_the_curve_rises_with_the_listeners():
    picture = opened(trend(1_000, 1_500, 2_000))
    left, middle, right = (white_heights(picture, x).mean() for x in (160, 450, 750))
    assert left > middle > right


def test_the_same_listeners_lie_in_the_middle():
    picture = opened(trend(1_000, 1_000, 1_000))
    assert {round(white_heights(picture, x).mean()) for x in (200, 450, 700)} == {392}


def test_days_without_figures_take_their_room():
    made = trend(1_000, 1_000, 2_000)
    late = replace(made.figures[1], day=made.figures[2].day - timedelta(days=1))
    early = replace(made.figures[1], day=made.figures[0].day + timedelta(days=1))
    heights = [
        white_heights(opened(replace(made, figures=(made.figures[0], one, made.figures[2]))), 450).mean()
        for one in (early, late)
    ]
    assert heights[0] < heights[1]


def test_both_chances_have_the_colour_of_their_verdict():
    picture = opened(trend(1_000, 2_000, then=0.05, probability=0.9))
    for box, verdict in (((940, 210, 1148, 380), Verdict.NOT_POPULAR), ((940, 390, 1148, 560), Verdict.POPULAR)):
        colours = {colour for _, colour in picture.crop(box).getcolors(1 << 20)}
        assert tuple(ACCENTS[verdict]) in colours
        assert tuple(WHITE) in colours


def test_counts_that_would_be_written_alike_are_written_out():
    alike, apart = opened(trend(2_000_000, 2_000_900)), opened(trend(2_000_000, 3_000_000))
    box = (MARGIN_PX, 262, 200, 292)

    def width(picture):
        return np.nonzero(np.asarray(picture.crop(box)).max(axis=2).max(axis=0) > 120)[0].max()

    assert width(alike) > width(apart) + 30


def test_growth_stands_beside_the_names_else_where_the_figures_are_from():
    plain = trend(1_000, 2_000)
    grown = replace(plain, prediction=replace(plain.prediction, growth=Growth(21, 0.118, 0.9)))
    box = (232, 126, 1148, 166)
    assert opened(plain).crop(box).tobytes() != opened(grown).crop(box).tobytes()
    stale = opened(trend(1_000, 2_000, stale=True)).crop(box)
    assert tuple(WARNING) in {colour for _, colour in stale.getcolors(1 << 20)}


@pytest.mark.parametrize("count", [2, 3, 41, 1_000])
def test_any_number_of_days_is_drawn_inside_the_margins(count):
    picture = opened(trend(*range(1_000, 1_000 + count), step_days=3))
    assert int((np.asarray(picture.crop((WIDTH_PX - MARGIN_PX + 1, 0, WIDTH_PX, 630))).max(axis=2) > 130).sum()) == 0


@pytest.mark.parametrize("then", [0.0, 0.00001, 0.99999, 1.0])
def test_the_ends_of_the_scale_are_drawn(then):
    opened(trend(0, 10**12, then=then, probability=then))


@pytest.mark.parametrize("name", PIECES[::4])
def test_any_name_is_drawn(name):
    opened(trend(1_000, 2_000, title=name, artist=name), None)


@pytest.mark.parametrize("made", [trend(1_000), trend(1_000, 2_000, then=None)])
def test_with_nothing_to_compare_there_is_nothing_to_draw(made):
    with pytest.raises(ValueError, match="no development"):
        draw_trend(made, GREY, NOW)


def test_the_drawing_goes_to_another_process():
    drawing = pickle.loads(pickle.dumps(partial(draw_trend, trend(1_000, 2_000), None, NOW)))  # noqa: S301 - our own
    assert drawing().startswith(b"\x89PNG")
