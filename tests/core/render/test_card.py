from __future__ import annotations

import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from PIL import Image, ImageChops

from core.domain import FeatureValue, Origin, Reason, RecordedPopularity, Verdict
from core.render.card import (
    COLUMN_LEFT,
    COLUMN_RIGHT,
    CONFIDENCE_BASELINE,
    CONFIDENCE_LEFT,
    COVER_CORNER,
    COVER_SIDE_PX,
    GAUGE,
    Rows,
    chosen_features,
    draw_card,
    draw_footer,
    png,
    popularity_words,
    source_words,
    strongest_push,
)
from core.render.fonts import Weight
from core.render.text import fit
from core.render.theme import ACCENTS, FILL, GROUND, MARGIN_PX, STALE, TRACK, WHITE, Colour
from tests.fakes.predictions import FEATURES, NOW, plain_cover, prediction

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


ROWS = Rows(left=60, top=20, width_px=628, pitch_px=40)
ACCENT = Colour(0, 200, 0)


def drawn_rows(features, push=None):
    picture = Image.new("RGB", (800, 300), tuple(GROUND))
    ROWS.draw(picture, features, push, ACCENT)
    return picture


def feature(percentile, label="Listeners", display="1"):
    return FeatureValue("listeners", label, 1.0, "", display, percentile)


@pytest.mark.parametrize("percentile", [0, 10, 50, 82, 100])
def test_a_bar_is_filled_to_the_percentile(percentile):
    picture = drawn_rows((feature(percentile),))
    columns = ROWS.columns((feature(percentile),))
    for spot in (5, 20, 45, 55, 75, 90, 95):
        if abs(spot - percentile) > 4:
            colour = picture.getpixel((columns.bar_left + round(columns.bar_px * spot / 100), 40))
            assert colour == tuple(FILL if spot < percentile else TRACK)


def test_the_strongest_push_has_the_accent_and_a_sign():
    push = Reason("plays", "Plays", -0.7)
    picture = drawn_rows(FEATURES[:2], push)
    bar_left = ROWS.columns(FEATURES[:2]).bar_left
    assert picture.getpixel((bar_left + 20, 40)) == tuple(FILL)
    assert picture.getpixel((bar_left + 20, 80)) == tuple(ACCENT)
    signs = [picture.getpixel((ROWS.left - 16, y)) for y in (40, 80)]
    assert signs == [tuple(GROUND), tuple(ACCENT)]


@pytest.mark.parametrize(("push", "wide_at_top"), [(0.7, False), (-0.7, True)])
def test_the_sign_points_where_it_pushes(push, wide_at_top):
    picture = drawn_rows(FEATURES[:1], Reason("listeners", "Listeners", push))
    sign = picture.crop((ROWS.left - 26, 30, ROWS.left - 6, 50))

    def width(y):
        return sum(sign.getpixel((x, y)) != tuple(GROUND) for x in range(sign.width))

    assert (width(6) > width(13)) is wide_at_top


def test_nothing_leaves_the_rows():
    wordy = feature(50, label="An exceedingly long name of a feature", display="1,234,567,890,123,456 things")
    picture = drawn_rows((wordy,))
    box = picture.convert("L").point(lambda level: 255 if level > 30 else 0).getbbox()
    assert box[0] >= ROWS.left - 2
    assert box[2] <= ROWS.right + 2
    # The gaps before the bar and behind it stay free.
    columns = ROWS.columns((wordy,))
    for x in (columns.bar_left - 4, columns.bar_left + columns.bar_px + 4):
        assert {picture.getpixel((x, y)) for y in range(20, 60)} == {tuple(GROUND)}


def test_features_without_percentile_are_no_bars():
    assert [f.key for f in chosen_features(prediction().assessment, 9)] == [
        "listeners",
        "plays",
        "plays_per_listener",
        "artist_listeners",
        "duration",
        "danceability",
    ]


def test_at_most_five_and_some_of_each_block():
    chosen = chosen_features(prediction().assessment)
    assert [f.key for f in chosen] == ["listeners", "plays", "artist_listeners", "duration", "danceability"]


def test_the_strongest_push_is_among_them():
    push = Reason("plays_per_listener", "Plays per listener", 0.4)
    chosen = chosen_features(prediction(push=push).assessment)
    assert [f.key for f in chosen] == ["listeners", "plays", "plays_per_listener", "artist_listeners", "duration"]
    two = chosen_features(prediction(push=Reason("danceability", "Danceability", -1)).assessment, 2)
    assert [f.key for f in two] == ["listeners", "danceability"]


@pytest.mark.parametrize("key", ["tags", "key"])
def test_a_push_that_is_no_bar_takes_no_place(key):
    chosen = chosen_features(prediction(push=Reason(key, "x", 1)).assessment)
    assert len(chosen) == 5
    assert key not in {feature.key for feature in chosen}


def test_without_features_and_reasons_there_is_nothing():
    assessment = prediction(features=(), push=None).assessment
    assert chosen_features(assessment) == ()
    assert strongest_push(assessment) is None


@pytest.mark.parametrize("label", ["A", "Plays per listener", "Artist's plays per listener", "W" * 60])
@pytest.mark.parametrize("display", ["1", "37,246,021", "3,412,512,003"])
def test_bars_keep_their_room_and_values_are_never_cut(label, display):
    columns = ROWS.columns((feature(50, label, display), feature(99, "B", "2")))
    assert columns.bar_px >= 96
    assert columns.bar_left >= ROWS.left + columns.name_px
    assert columns.value_right + columns.standing_px < ROWS.right
    assert fit(display, 24, columns.value_px, Weight.BOLD).text == display


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


def drawn_footer(made):
    picture = Image.new("RGB", (1200, 630), tuple(GROUND))
    draw_footer(picture, made.source, made.assessment, NOW)
    return picture


def test_stale_figures_are_marked_in_their_colour():
    colours = [{c for _, c in drawn_footer(prediction(stale=stale)).getcolors(1 << 20)} for stale in (False, True)]
    assert [tuple(STALE) in seen for seen in colours] == [False, True]


@pytest.mark.parametrize("age", [timedelta(), timedelta(days=11), timedelta(days=4000)])
@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize("origin", Origin)
def test_it_keeps_to_the_lower_edge_and_the_margins(age, stale, origin):
    picture = drawn_footer(prediction(age=age, stale=stale, origin=origin))
    left, top, right, bottom = picture.convert("L").point(lambda level: 255 if level > 30 else 0).getbbox()
    assert left >= MARGIN_PX
    assert right <= 1200 - MARGIN_PX + 2
    assert top > 570
    assert bottom < 610
    # The brand at the right stands clear of the words.
    assert picture.crop((1030, 570, 1050, 620)).getcolors() == [(20 * 50, tuple(GROUND))]


@pytest.mark.parametrize("size", [(1, 1), (1200, 630), (7, 300), (300, 1)])
def test_every_pixel_comes_back(size):
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with Image.open(io.BytesIO(png(Image.fromarray(pixels)))) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", size, "RGB")
        assert (np.asarray(picture) == pixels).all()
