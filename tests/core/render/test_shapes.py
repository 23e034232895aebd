from __future__ import annotations

import pytest
from PIL import Image

from core.domain import Verdict, VerdictBands
from core.render.shapes import Gauge
from core.render.theme import ACCENTS, GROUND, WHITE

GAUGE = Gauge(hub=(300, 300), radius_px=140)
RING_MIDDLE = GAUGE.radius_px - GAUGE.ring_px / 2
BANDS = VerdictBands()


def drawn(probability, accent=ACCENTS[Verdict.POPULAR], bands=BANDS):
    picture = Image.new("RGB", (600, 400), tuple(GROUND))
    GAUGE.draw(picture, probability, accent, bands)
    return picture


def at(picture, probability, distance):
    x, y = GAUGE.point(probability, distance)
    return picture.getpixel((round(x), round(y)))


def near(pixel, colour, tolerance=6):
    return all(abs(a - b) <= tolerance for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.25, 0.5, 0.66, 0.9, 1.0])
def test_the_arc_ends_at_the_value(probability):
    picture = drawn(probability)
    for spot in (0.02, 0.15, 0.3, 0.45, 0.55, 0.65, 0.8, 0.98):
        if abs(spot - probability) > 0.02:
            assert near(at(picture, spot, RING_MIDDLE), ACCENTS[Verdict.POPULAR]) is (spot < probability)


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
    assert all(abs(p - probability) <= 0.03 for p in white)


@pytest.mark.parametrize("bands", [BANDS, VerdictBands(medium=0.2, popular=0.5)])
def test_the_zones_lie_at_the_bands(bands):
    picture = drawn(0.0, bands=bands)

    def strongest(probability):
        red, green, blue = at(picture, probability, RING_MIDDLE)
        return "red" if red > 1.6 * max(green, blue) else "green" if green > red else "amber"

    for spot in (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.95):
        expected = {"Not popular": "red", "Medium": "amber", "Popular": "green"}[bands.verdict(spot)]
        assert strongest(spot) == expected


@pytest.mark.parametrize("verdict", Verdict)
def test_the_arc_has_the_accent(verdict):
    assert near(at(drawn(0.3, ACCENTS[verdict]), 0.2, RING_MIDDLE), ACCENTS[verdict])


def test_all_of_it_stays_in_its_box():
    picture = drawn(0.97)
    left, top, right, bottom = GAUGE.box
    picture.paste(tuple(GROUND), (left, top, right, bottom))
    assert picture.getcolors() == [(600 * 400, tuple(GROUND))]


@pytest.mark.parametrize("probability", [-0.5, 1.7])
def test_impossible_values_stay_on_the_scale(probability):
    drawn(probability)
