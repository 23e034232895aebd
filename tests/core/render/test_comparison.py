from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.render.comparison import draw_comparison
from core.render.theme import ACCENTS, WHITE
from tests.fakes.predictions import FEATURES, NOW, plain_cover, prediction

GREY = plain_cover(90, 90, 90)
BADGE_Y = 40 + 168 - 21


def opened(first, second):
    with Image.open(io.BytesIO(draw_comparison(first, GREY, second, None, NOW))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
        return picture.convert("RGB")


def badge(picture, left):
    """Count white pixels in the row of the badge."""
    strip = picture.crop((left + 192, BADGE_Y - 16, left + 420, BADGE_Y + 16))
    return sum(n for n, c in strip.getcolors(1 << 20) if c == tuple(WHITE))


@pytest.mark.parametrize(
    ("first", "second", "marked"),
    [(0.9, 0.2, (True, False)), (0.2, 0.9, (False, True)), (0.5, 0.5, (True, True)), (0.50001, 0.5, (True, True))],
)
def test_the_likelier_hit_is_marked_and_equal_percentages_are_a_draw(first, second, marked):
    picture = opened(prediction(probability=first), prediction("Hello", "Adele", probability=second))
    assert (badge(picture, 52) > 1000, badge(picture, 632) > 1000) == marked


def test_each_half_shows_its_own_gauge():
    picture = np.asarray(opened(prediction(probability=0.99), prediction("Hello", "Adele", probability=0.01)))
    gauges = [picture[270:380, left : left + 232] for left in (52, 632)]
    green, red = (tuple(ACCENTS[v]) for v in list(ACCENTS)[::2])
    assert [(np.all(gauge == green, axis=2)).sum() > 500 for gauge in gauges] == [True, False]
    assert [(np.all(gauge == red, axis=2)).sum() > 500 for gauge in gauges] == [False, True]


def test_the_greater_figure_is_brighter():
    few = tuple(replace(f, value=f.value / 100) for f in FEATURES)
    picture = opened(prediction(), prediction("Hello", "Adele", features=few))
    for left, brightest in ((52, True), (632, False)):
        values = picture.crop((left + 380, 450, left + 516, 560))
        assert (tuple(WHITE) in {c for _, c in values.getcolors(1 << 20)}) is brightest


def test_long_names_stay_in_their_halves():
    long = "A title that goes on and on until nobody can remember how it began " * 3
    reference, picture = (
        np.asarray(opened(prediction(name, name), prediction("Hello", "Adele"))).astype(int) for name in ("Hi", long)
    )
    changed = np.nonzero(np.abs(picture - reference).max(axis=2) > 8)
    assert changed[1].max() <= 570
    assert changed[0].max() < 184
