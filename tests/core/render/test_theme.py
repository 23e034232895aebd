import colorsys

import pytest
from PIL import Image

from core.domain import Verdict
from core.render.card import COLUMN_LEFT, COVER_CORNER, COVER_SIDE_PX, RESULT_LEFT
from core.render.cover import lay_cover, tinted_ground
from core.render.theme import (
    ACCENTS,
    GROUND,
    QUIET,
    SHAPES,
    TEXT,
    TEXT_CONTRAST_MIN,
    WARNING,
    WHITE,
    Colour,
    contrast,
    tint,
)

CENTRE = (COVER_CORNER[0] + COVER_SIDE_PX // 2, COVER_CORNER[1] + COVER_SIDE_PX // 2)
COVER_COLOURS = [
    *(
        Colour(*(round(c * 255) for c in colorsys.hls_to_rgb(hue / 12, lightness, 1.0)))
        for hue in range(12)
        for lightness in (0.3, 0.5, 0.8)
    ),
    WHITE,
    Colour(0, 0, 0),
    Colour(128, 128, 128),
]


def test_contrast_has_the_known_extremes():
    assert contrast(WHITE, Colour(0, 0, 0)) == pytest.approx(21.0)
    assert contrast(WHITE, WHITE) == 1.0
    assert contrast(Colour.from_hex("#777777"), WHITE) == pytest.approx(4.48, abs=0.01)


def brightest(ground, box):
    colours = ground.crop(box).getcolors(1 << 20)
    return max((Colour(*pixel) for _, pixel in colours), key=lambda colour: colour.luminance)


@pytest.mark.parametrize("colour", COVER_COLOURS)
def test_all_text_is_readable_on_the_ground_of_any_cover(colour):
    ground = tinted_ground(colour, CENTRE)
    beside = brightest(ground, (COLUMN_LEFT, 0, 1200, 630))
    for text in (WHITE, TEXT, QUIET):
        assert contrast(text, beside) >= TEXT_CONTRAST_MIN
    behind_verdict = brightest(ground, (RESULT_LEFT, 0, 1200, 630))
    for text in ACCENTS.values():
        assert contrast(text, behind_verdict) >= TEXT_CONTRAST_MIN
    below = brightest(ground, (0, 476, 1200, 630))
    for text in (QUIET, WARNING):
        assert contrast(text, below) >= TEXT_CONTRAST_MIN


@pytest.mark.parametrize("verdict", Verdict)
def test_the_glow_stays_clear_of_the_text(verdict):
    ground = Image.new("RGB", (1200, 630), tuple(GROUND))
    lay_cover(ground, Image.new("RGB", (420, 420)), COVER_CORNER, COVER_SIDE_PX, ACCENTS[verdict])
    assert contrast(QUIET, brightest(ground, (COLUMN_LEFT, 0, 1200, 630))) >= TEXT_CONTRAST_MIN
    assert contrast(QUIET, brightest(ground, (0, 476, 1200, 630))) >= TEXT_CONTRAST_MIN
    beside_cover = ground.getpixel((COVER_CORNER[0] - 8, CENTRE[1]))
    assert Colour(*beside_cover).luminance > GROUND.luminance * 2


@pytest.mark.parametrize("hue", range(12))
def test_the_tint_keeps_the_hue(hue):
    dark = tint(Colour(*(round(c * 255) for c in colorsys.hls_to_rgb(hue / 12, 0.5, 1.0))))
    got, lightness, _ = colorsys.rgb_to_hls(*dark.unit)
    assert min(abs(got - hue / 12), 1 - abs(got - hue / 12)) < 0.08
    assert lightness < 0.2


def test_every_verdict_has_its_own_colour_and_shape():
    assert len(set(ACCENTS.values())) == len(set(SHAPES.values())) == len(Verdict)
