from __future__ import annotations

import pytest
from PIL import Image

from core.domain import Verdict, VerdictBands
from core.render.shapes import Gauge
from core.render.theme import ACCENTS, GROUND, PARTS_CONTRAST_MIN, WHITE, Colour, contrast

GAUGE = Gauge(hub=(300, 300), radius_px=140)
RING_MIDDLE = GAUGE.radius_px - GAUGE.ring_px / 2
BANDS = VerdictBands()


def drawn(probability, reached=None, bands=BANDS):
    picture = Image.new("RGB", (600, 400), tuple(GROUND))
    GAUGE.draw_zones(picture, bands, reached)
    GAUGE.draw_needle(picture, probability)
    return picture


def at(picture, probability, distance):
    x, y = GAUGE.point(probability, distance)
    return picture.getpixel((round(x), round(y)))


def near(pixel, colour, tolerance=6):
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("reached", Verdict)
def test_the_reached_zone_alone_has_its_full_colour(reached):
    picture = drawn(0.0, reached)
    for spot, verdict in ((0.2, Verdict.NOT_POPULAR), (0.55, Verdict.MEDIUM), (0.85, Verdict.POPULAR)):
        assert near(at(picture, spot, RING_MIDDLE), ACCENTS[verdict]) is (verdict is reached)


@pytest.mark.parametrize("reached", [None, *Verdict])
def test_every_zone_stands_out_of_the_ground(reached):
    picture = drawn(0.0, reached)
    for spot in (0.2, 0.55, 0.85):
        assert contrast(Colour(*at(picture, spot, RING_MIDDLE)), GROUND) >= PARTS_CONTRAST_MIN


@pytest.mark.parametrize(("probability", "tip"), [(0.0, (176, 300)), (0.5, (300, 176)), (1.0, (424, 300))])
def test_the_needle_points_left_up_and_right(probability, tip):
    picture = drawn(probability)
    middle = ((tip[0] + 300) // 2, (tip[1] + 300) // 2)
    assert near(picture.getpixel(middle), WHITE)


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.5, 0.77, 1.0])
def test_there_is_one_needle(probability):
    picture = drawn(probability)
    white = [p / 100 for p in range(101) if near(at(picture, p / 100, GAUGE.radius_px * 0.4), WHITE)]
    assert white
    assert all(abs(p - probability) <= 0.06 for p in white)


@pytest.mark.parametrize("bands", [BANDS, VerdictBands(medium=0.2, popular=0.5)])
def test_the_zones_lie_at_the_bands(bands):
    picture = drawn(0.0, bands=bands)

    def strongest(probability):
        red, green, blue = at(picture, probability, RING_MIDDLE)
        return "red" if red > 1.6 * max(green, blue) else "green" if green > red else "amber"

    for spot in (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.95):
        expected = {"Not popular": "red", "Medium": "amber", "Popular": "green"}[bands.verdict(spot)]
        assert strongest(spot) == expected


def test_all_of_it_stays_in_its_box():
    picture = drawn(0.97)
    left, top, right, bottom = GAUGE.box
    top -= 20  # the numbers outside the ring
    picture.paste(tuple(GROUND), (left, top, right, bottom))
    assert picture.getcolors() == [(600 * 400, tuple(GROUND))]


@pytest.mark.parametrize("probability", [-0.5, 1.7])
def test_impossible_values_stay_on_the_scale(probability):
    drawn(probability)
