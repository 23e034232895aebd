from datetime import timedelta

import pytest
from PIL import Image

from core.domain import Origin
from core.render.footer import draw_footer, source_words
from core.render.theme import GROUND, MARGIN_PX, STALE
from tests.fakes.predictions import NOW, prediction


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (prediction(), "Last.fm, 2 minutes ago"),
        (prediction(age=timedelta(days=3)), "Last.fm, 3 days ago"),
        (prediction(origin=Origin.RECORDED), "Recorded figures of November 2026"),
        (prediction(origin=Origin.CATALOGUE), "Recorded 2026, no listener figures"),
    ],
)
def test_the_source_and_its_age(made, words):
    assert source_words(made.source, NOW) == words


def drawn(made):
    picture = Image.new("RGB", (1200, 630), tuple(GROUND))
    draw_footer(picture, made.source, made.assessment, NOW)
    return picture


def test_stale_figures_are_marked_in_their_colour():
    colours = [{c for _, c in drawn(prediction(stale=stale)).getcolors(1 << 20)} for stale in (False, True)]
    assert [tuple(STALE) in seen for seen in colours] == [False, True]


@pytest.mark.parametrize("age", [timedelta(), timedelta(days=11), timedelta(days=4000)])
@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("origin", Origin)
def test_it_keeps_to_the_lower_edge_and_the_margins(age, stale, origin):
    picture = drawn(prediction(age=age, stale=stale, origin=origin))
    left, top, right, bottom = picture.convert("L").point(lambda level: 255 if level > 30 else 0).getbbox()
    assert left >= MARGIN_PX
    assert right <= 1200 - MARGIN_PX + 2
    assert top > 570
    assert bottom < 610
    # The brand at the right stands clear of the words.
    assert picture.crop((1030, 570, 1050, 620)).getcolors() == [(20 * 50, tuple(GROUND))]
