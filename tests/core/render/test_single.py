import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from PIL import Image, ImageChops

from core.domain import RecordedPopularity, Verdict
from core.render.single import (
    COLUMN_LEFT,
    COLUMN_RIGHT,
    CONFIDENCE_BASELINE,
    CONFIDENCE_LEFT,
    COVER_CORNER,
    COVER_SIDE_PX,
    GAUGE,
    draw_card,
    popularity_words,
)
from core.render.theme import ACCENTS, WHITE
from tests.fakes.predictions import NOW, plain_cover, prediction

GREY = plain_cover(90, 90, 90)
LONG = "A title that goes on and on until nobody can remember how it began, let alone how it may end " * 2


def opened(made, cover=GREY):
    with Image.open(io.BytesIO(draw_card(made, cover, NOW))) as picture:
        assert picture.format == "PNG"
        return picture.convert("RGB")


def test_it_is_a_png_of_the_size_that_chats_show():
    with Image.open(io.BytesIO(draw_card(prediction(), GREY, NOW))) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", (1200, 630), "RGB")
        picture.verify()


@pytest.mark.parametrize(
    ("probability", "verdict"), [(0.923, Verdict.POPULAR), (0.5, Verdict.MEDIUM), (0.031, Verdict.NOT_POPULAR)]
)
def test_verdict_arc_and_words_have_the_accent(probability, verdict):
    picture = opened(prediction(probability=probability))
    accents = {c for _, c in picture.getcolors(1 << 20)} & {tuple(a) for a in ACCENTS.values()}
    assert accents == {tuple(ACCENTS[verdict])}
    words = picture.crop((CONFIDENCE_LEFT, 325, COLUMN_RIGHT, 375))
    assert sum(n for n, c in words.getcolors(1 << 20) if c == tuple(ACCENTS[verdict])) > 1000


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_the_gauge_shows_the_probability(probability):
    picture = opened(prediction(probability=probability))
    ring = GAUGE.radius_px - GAUGE.ring_px / 2
    accent = ACCENTS[prediction(probability=probability).assessment.verdict]
    for spot in (0.1, 0.3, 0.45, 0.6, 0.8, 0.95):
        x, y = GAUGE.point(spot, ring)
        assert (picture.getpixel((round(x), round(y))) == tuple(accent)) is (spot < probability)
    x, y = GAUGE.point(probability, GAUGE.radius_px * 0.4)
    assert picture.getpixel((round(x), round(y))) == tuple(WHITE)


def number_box(picture):
    white = np.asarray(picture.crop((CONFIDENCE_LEFT, 210, COLUMN_RIGHT, 320))).min(axis=2) > 240
    rows, columns = np.nonzero(white)
    return columns.min(), columns.max(), rows.min() + 210, rows.max() + 210


def test_the_percentage_is_the_largest_type_and_fits():
    for probability in (0.0, 0.5, 0.999, 1.0):
        left, right, top, bottom = number_box(opened(prediction(probability=probability)))
        assert left >= 0
        assert CONFIDENCE_LEFT + right < COLUMN_RIGHT
        assert bottom == pytest.approx(CONFIDENCE_BASELINE, abs=2)
        assert bottom - top > 62


def test_cards_differ_by_every_figure_shown():
    cards = {
        draw_card(made, GREY, NOW)
        for made in (
            prediction(),
            prediction(probability=0.924),
            prediction(title="Blinding Light"),
            prediction(artist="The Weeknds"),
            prediction(stale=True),
            prediction(push=None),
            prediction(features=()),
            prediction(age=timedelta(minutes=3)),
        )
    }
    assert len(cards) == 8


@pytest.mark.parametrize("title", [LONG, "W" * 200, "夜" * 200, "أنت عمري " * 30])
def test_long_names_stay_in_their_column(title):
    reference, picture = (
        np.asarray(opened(prediction(title=name, artist=name), GREY)).astype(int) for name in ("", title)
    )
    changed = np.nonzero(np.abs(picture - reference).max(axis=2) > 8)
    assert changed[1].min() >= COLUMN_LEFT - 3
    assert changed[1].max() <= COLUMN_RIGHT + 2
    assert changed[0].min() >= 40
    assert changed[0].max() < GAUGE.hub[1] - GAUGE.radius_px


def test_the_cover_fills_its_place():
    picture = opened(prediction(), plain_cover(10, 60, 200))
    x, y = COVER_CORNER
    middle = COVER_SIDE_PX // 2
    for spot in (
        (x + 2, y + middle),
        (x + middle, y + 2),
        (x + COVER_SIDE_PX - 3, y + middle),
        (x + middle, y + middle),
    ):
        assert picture.getpixel(spot) == (10, 60, 200)


def test_the_ground_takes_the_tint_of_the_cover():
    red, blue = (opened(prediction(), plain_cover(*c)).getpixel((20, 250)) for c in ((220, 20, 20), (20, 20, 220)))
    assert red[0] > red[2] + 10
    assert blue[2] > blue[0] + 10


def test_without_a_cover_one_is_drawn():
    picture = opened(prediction(), None)
    place = picture.crop((COVER_CORNER[0], COVER_CORNER[1], COVER_CORNER[0] + 420, COVER_CORNER[1] + 420))
    assert len(place.getcolors(1 << 20)) > 500


def test_the_same_prediction_gives_the_same_card():
    assert draw_card(prediction(), None, NOW) == draw_card(prediction(), None, NOW)


def test_another_process_draws_the_same_card():
    drawing = partial(draw_card, prediction(), GREY, NOW)
    assert pickle.loads(pickle.dumps(drawing))() == draw_card(prediction(), GREY, NOW)  # noqa: S301 - our own
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(drawing).result() == draw_card(prediction(), GREY, NOW)


@pytest.mark.parametrize(
    ("popularity", "verdict", "words"),
    [
        (RecordedPopularity(71, 2022), Verdict.POPULAR, ("Spotify popularity 71 of 100 in 2022",)),
        (RecordedPopularity(71, 2022), Verdict.MEDIUM, ("Spotify popularity 71 of 100 in 2022",)),
        (
            RecordedPopularity(60, 2022),
            Verdict.NOT_POPULAR,
            ("Spotify popularity 60 of 100 in 2022", "popular then, unlike the verdict"),
        ),
        (
            RecordedPopularity(59, 2022),
            Verdict.POPULAR,
            ("Spotify popularity 59 of 100 in 2022", "not popular then, unlike the verdict"),
        ),
        (
            RecordedPopularity(0, 2022, rerelease=True),
            Verdict.POPULAR,
            ("Spotify popularity 0 of 100 in 2022", "of a compilation with it"),
        ),
    ],
)
def test_the_recorded_popularity_in_words(popularity, verdict, words):
    assert popularity_words(popularity, verdict) == words


@pytest.mark.parametrize("probability", [0.031, 0.923])
def test_the_recorded_popularity_stands_below_the_cover_and_touches_nothing_else(probability):
    left, top = COVER_CORNER[0], COVER_CORNER[1] + COVER_SIDE_PX
    without = opened(prediction(probability=probability))
    shown = opened(prediction(probability=probability, popularity=RecordedPopularity(100, 2022)))
    box = ImageChops.difference(without, shown).getbbox()
    assert box is not None
    assert left <= box[0]
    assert box[2] <= left + COVER_SIDE_PX
    assert top + 10 < box[1]
    assert box[3] < 570
