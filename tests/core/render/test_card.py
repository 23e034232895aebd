from __future__ import annotations

import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from PIL import Image, ImageChops

from core.domain import Block, Growth, Origin, Reason, RecordedPopularity, Song, Verdict
from core.render.card import (
    COLUMN_LEFT,
    COLUMN_RIGHT,
    COVER_CORNER,
    COVER_SIDE_PX,
    GAUGE,
    RESULT_BASELINE,
    RESULT_LEFT,
    Row,
    draw_card,
    draw_footer,
    draw_reasons,
    draw_rows,
    figures,
    growth_words,
    png,
    popularity_words,
    short_popularity_words,
    source_words,
)
from core.render.fonts import Weight
from core.render.text import ink
from core.render.theme import ACCENTS, GROUND, MARGIN_PX, TYPE_MIN_PX, WARNING, WHITE
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
    ("probability", "verdict"), [(0.923, Verdict.POPULAR), (0.6, Verdict.MEDIUM), (0.031, Verdict.NOT_POPULAR)]
)
def test_the_verdict_has_its_colour_and_the_zones_keep_theirs(probability, verdict):
    picture = opened(prediction(probability=probability))
    words = picture.crop((RESULT_LEFT, 336, COLUMN_RIGHT, 396))
    assert sum(n for n, c in words.getcolors(1 << 20) if c == tuple(ACCENTS[verdict])) > 1000
    ring = GAUGE.radius_px - GAUGE.ring_px / 2
    for spot, zone in ((0.2, Verdict.NOT_POPULAR), (0.48, Verdict.MEDIUM), (0.78, Verdict.POPULAR)):
        x, y = GAUGE.point(spot, ring)
        assert (picture.getpixel((round(x), round(y))) == tuple(ACCENTS[zone])) is (zone is verdict)


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_the_needle_shows_the_probability(probability):
    picture = opened(prediction(probability=probability))
    for spot in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = GAUGE.point(spot, GAUGE.radius_px * 0.4)
        assert (picture.getpixel((round(x), round(y))) == tuple(WHITE)) is (spot == probability)


def number_box(picture):
    white = np.asarray(picture.crop((RESULT_LEFT, 236, COLUMN_RIGHT, 330))).min(axis=2) > 240
    rows, columns = np.nonzero(white)
    return columns.min(), columns.max(), rows.min() + 236, rows.max() + 236


def test_the_percentage_is_the_largest_type_and_fits():
    for probability in (0.0, 0.5, 0.999, 1.0):
        left, right, top, bottom = number_box(opened(prediction(probability=probability)))
        assert left >= 0
        assert RESULT_LEFT + right < COLUMN_RIGHT
        assert bottom == pytest.approx(RESULT_BASELINE, abs=2)
        assert bottom - top > 50


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
    assert changed[0].min() >= 24
    assert changed[0].max() < 232


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
        (RecordedPopularity(71, 2022), Verdict.POPULAR, ("Spotify 2022: 71 of 100",)),
        (RecordedPopularity(71, 2022), Verdict.MEDIUM, ("Spotify 2022: 71 of 100",)),
        (
            RecordedPopularity(60, 2022),
            Verdict.NOT_POPULAR,
            ("Spotify 2022: 60 of 100", "popular then, unlike now"),
        ),
        (RecordedPopularity(59, 2022), Verdict.POPULAR, ("Spotify 2022: 59 of 100", "not popular then")),
        (
            RecordedPopularity(0, 2022, rerelease=True),
            Verdict.POPULAR,
            ("Spotify 2022: 0 of 100", "of a compilation with it"),
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
    assert box[3] < 580


def test_the_rows_are_the_figures_of_song_and_artist_written_short():
    rows = figures(prediction().assessment)
    assert [(row.label, row.value, row.standing) for row in rows] == [
        ("Listeners", "2.3M", "top 1 %"),
        ("Plays", "37.2M", "top 1 %"),
        ("Artist listeners", "4.5M", "top 1 %"),
    ]


def test_what_is_unknown_is_left_out_and_without_listeners_the_ranked_figures_are_shown():
    artist_alone = prediction(features=tuple(f for f in FEATURES if f.block is not Block.TRACK)).assessment
    assert [row.key for row in figures(artist_alone)] == ["artist_listeners"]
    catalogue = prediction(features=tuple(f for f in FEATURES if f.block in (None, Block.AUDIO))).assessment
    assert [(row.key, row.value) for row in figures(catalogue)] == [("duration", "3:20"), ("danceability", "51 %")]
    assert figures(prediction(features=()).assessment) == ()


def test_nothing_leaves_the_rows_and_values_are_never_cut():
    picture = Image.new("RGB", (800, 300), tuple(GROUND))
    rows = (Row("a", "An exceedingly long name of a figure, even for this card", "1,234.5 M", "bottom 19 %"),) * 2
    draw_rows(picture, rows, 60, 660, 60, 37, standings=True)
    left, _, right, _ = picture.convert("L").point(lambda level: 255 if level > 30 else 0).getbbox()
    assert left >= 58
    assert right <= 662
    value = ink("1,234.5 M", TYPE_MIN_PX, Weight.BOLD)
    rank = ink("bottom 19 %", TYPE_MIN_PX)
    end = 660 - rank.width - 26
    assert {c for _, c in picture.crop((end - value.width - 20, 35, end - value.width - 6, 65)).getcolors()} == {
        tuple(GROUND)
    }


@pytest.mark.parametrize(("push", "colour"), [(0.7, Verdict.POPULAR), (-0.7, Verdict.NOT_POPULAR)])
@pytest.mark.parametrize("probability", [0.05, 0.95])
def test_reasons_have_the_colour_of_their_push_whatever_the_verdict(push, colour, probability):
    picture = Image.new("RGB", (1200, 100), tuple(GROUND))
    made = prediction(probability=probability, push=Reason("listeners", "many listeners", push, 2_000_000, "listeners"))
    draw_reasons(picture, made.assessment, 40, 60, 600)
    accents = {c for _, c in picture.getcolors(1 << 20)} & {tuple(a) for a in ACCENTS.values()}
    assert accents == {tuple(ACCENTS[colour])}


def test_as_many_reasons_as_fit_are_shown_whole():
    def width(*labels):
        reasons = tuple(Reason(label, label, 1.0) for label in labels)
        made = prediction()
        picture = Image.new("RGB", (1200, 100), tuple(GROUND))
        draw_reasons(picture, replace(made.assessment, reasons=reasons), 40, 60, 600)
        return picture.convert("L").point(lambda level: 255 if level > 30 else 0).getbbox()

    long = "released in the year nineteen hundred"
    assert width("many plays", long) == width("many plays", long, long)
    assert width("many plays", "big artist", "new") != width("many plays", "big artist")
    # A single one that does not fit is cut rather than left out.
    assert width("W" * 80)[2] <= 642


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (prediction(), "Last.fm, 2 minutes ago"),
        (prediction(age=timedelta(days=3)), "Last.fm, 3 days ago"),
        (prediction(age=timedelta(days=3), stale=True), "Not up to date: Last.fm, 3 days ago"),
        (prediction(origin=Origin.RECORDED), "Last.fm, recorded Nov 2026"),
        (prediction(origin=Origin.CATALOGUE), "Recorded 2026, no listeners"),
    ],
)
def test_the_source_and_its_age(made, words):
    assert source_words(made.source, NOW) == words


def test_stale_figures_are_marked_in_their_colour():
    colours = []
    for stale in (False, True):
        below = opened(prediction(stale=stale)).crop((COVER_CORNER[0], 470, COVER_CORNER[0] + COVER_SIDE_PX, 570))
        colours.append({c for _, c in below.getcolors(1 << 20)})
    assert [tuple(WARNING) in seen for seen in colours] == [False, True]


@pytest.mark.parametrize(
    ("song", "words"),
    [
        (Song(title="Hello", artist="Adele"), ""),
        (Song(title="Hello", artist="Adele", album="25", released=date(2015, 10, 23)), "25 · 2015"),
        (Song(title="Hello", artist="Adele", album="hello", genres=("soul", "pop")), "soul"),
    ],
)
def test_what_is_known_of_the_release(song, words):
    answer = replace(prediction(), song=song)
    assert " · ".join(answer.about) == words
    tagged = replace(answer, assessment=replace(answer.assessment, tags=("britpop",)))
    assert " · ".join(tagged.about) == (words if song.genres else " · ".join(filter(None, (words, "britpop"))))


def test_the_footer_keeps_to_the_lower_edge_and_the_margins():
    picture = Image.new("RGB", (1200, 630), tuple(GROUND))
    draw_footer(picture, 0.121)
    left, top, right, bottom = picture.convert("L").point(lambda level: 255 if level > 30 else 0).getbbox()
    assert left >= MARGIN_PX
    assert right <= 1200 - MARGIN_PX + 2
    assert top > 570
    assert bottom < 620


@pytest.mark.parametrize("size", [(1, 1), (1200, 630), (7, 300), (300, 1)])
def test_every_pixel_comes_back(size):
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with Image.open(io.BytesIO(png(Image.fromarray(pixels)))) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", size, "RGB")
        assert (np.asarray(picture) == pixels).all()


def below_cover(picture):
    return picture.crop((COVER_CORNER[0], 470, COVER_CORNER[0] + COVER_SIDE_PX, 575))


@pytest.mark.parametrize("popularity", [None, RecordedPopularity(80, 2022), RecordedPopularity(12, 2022)])
def test_growth_has_a_line_below_the_cover_beside_whatever_else_stands_there(popularity):
    made = prediction(popularity=popularity)
    grown = replace(made, growth=Growth(21, 0.118, 0.93))
    before, after = below_cover(opened(made)), below_cover(opened(grown))
    assert before.tobytes() != after.tobytes()
    lines = np.asarray(after).max(axis=2).max(axis=1) > 120
    starts = int((np.diff(lines.astype(int)) == 1).sum()) + int(lines[0])
    assert starts >= 3
    # Nothing reaches the footer, nor beyond the cover.
    assert not lines[-3:].any()


def test_growth_is_said_in_a_line_and_another_one():
    assert growth_words(Growth(21, 0.118)) == ("+12 % listeners in 3 weeks",)
    assert growth_words(Growth(5, -0.004, 0.999)) == ("−0.4 % listeners in 5 days", "faster than 99 % of songs")


@pytest.mark.parametrize(
    ("popularity", "words"),
    [
        (RecordedPopularity(80, 2022), "Spotify 2022: 80 of 100"),
        (RecordedPopularity(12, 2022), "Spotify 2022: 12, unlike now"),
        (RecordedPopularity(12, 2022, rerelease=True), "Spotify 2022: 12, re-released"),
    ],
)
def test_popularity_in_a_single_line(popularity, words):
    assert short_popularity_words(popularity, Verdict.POPULAR) == words
