from __future__ import annotations

import io
import pickle
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from PIL import Image

from core.domain import Origin, Source, Verdict, VerdictBands
from core.render.ranking import draw_ranking
from core.render.shapes import small_gauge
from core.render.theme import ACCENTS, MARGIN_PX, WARNING, WHITE, WIDTH_PX
from tests.fakes.hostile_text import PIECES
from tests.fakes.predictions import NOW, plain_cover
from tests.fakes.predictor import ranking

GREY = plain_cover(90, 90, 90)


def opened(made, cover=GREY):
    with Image.open(io.BytesIO(draw_ranking(made, cover, NOW))) as picture:
        assert (picture.format, picture.size) == ("PNG", (1200, 630))
        return picture.convert("RGB")


def ink_of(picture, box):
    """Count the pixels that stand out of the dark ground."""
    return int((np.asarray(picture.crop(box)).max(axis=2) > 130).sum())


@pytest.mark.parametrize("songs", [1, 2, 10, 30])
def test_there_is_a_row_for_each_song_ten_at_most(songs):
    picture = opened(ranking("The Weeknd", songs))
    rows = [ink_of(picture, (416, 46 + 53 * n, 1148, 96 + 53 * n)) > 300 for n in range(10)]
    assert rows == [n < songs for n in range(10)]


def test_verdicts_have_their_colours_and_stay_inside_the_margins():
    picture = opened(ranking("The Weeknd", 30))
    colours = {colour for _, colour in picture.crop((960, 40, 1148, 570)).getcolors(1 << 20)}
    assert tuple(ACCENTS[Verdict.POPULAR]) in colours
    assert ink_of(picture, (WIDTH_PX - MARGIN_PX + 1, 0, WIDTH_PX, 630)) == 0


def test_an_old_source_stands_out():
    made = ranking("The Weeknd")
    count = dict.fromkeys((False, True), 0)
    for stale in count:
        picture = opened(replace(made, source=replace(made.source, stale=stale)))
        count[stale] = sum(n for n, c in picture.crop((52, 440, 368, 570)).getcolors(1 << 20) if c == tuple(WARNING))
    assert count[False] == 0 < count[True]


def test_a_list_with_some_recorded_figures_is_not_called_one_without_listeners():
    whole = replace(ranking("The Weeknd"), source=Source(Origin.CATALOGUE, datetime(2022, 10, 15, tzinfo=UTC)))
    bare = replace(
        whole, songs=tuple(replace(one, song=replace(one.song, listeners=None)) for one in whole.songs), surprise=None
    )
    box = (52, 470, 368, 570)
    assert opened(whole).crop(box).tobytes() != opened(bare).crop(box).tobytes()


@pytest.mark.parametrize("name", PIECES)
def test_any_name_is_drawn(name):
    made = ranking(name)
    songs = tuple(replace(one, song=replace(one.song, title=name)) for one in made.songs)
    opened(replace(made, songs=songs), None)


def test_the_drawing_goes_to_another_process():
    drawing = pickle.loads(pickle.dumps(partial(draw_ranking, ranking("Adele"), None, NOW)))  # noqa: S301 - our own
    assert drawing().startswith(b"\x89PNG")


@pytest.mark.parametrize("percent", [0, 30, 55, 85, 100])
def test_the_needle_of_a_small_gauge_points_at_its_percentage(percent):
    gauge = small_gauge(24, VerdictBands(), percent / 100)
    angle = np.pi * (1 - percent / 100)
    x, y = 26 + 14 * np.cos(angle), 26 - 14 * np.sin(angle)
    assert gauge.getpixel((round(x), round(y)))[:3] == tuple(WHITE)


def test_the_needle_of_a_small_gauge_stays_in_the_verdicts_zone():
    assert small_gauge(24, VerdictBands(), 0.6999).tobytes() == small_gauge(24, VerdictBands(), 0.69).tobytes()
    assert small_gauge(24, VerdictBands(), 0.7001).tobytes() != small_gauge(24, VerdictBands(), 0.6999).tobytes()
