import io

import numpy as np
import pytest
from PIL import Image

from core.domain import SongName
from core.render.cover import DRAWN_SIDE_PX, NOTE, cover_art, dominant, draw_cover, drawn_cover, initials, lay_cover
from core.render.theme import Colour
from tests.fakes.predictions import plain_cover


@pytest.mark.parametrize(
    ("title", "letters"),
    [
        ("Blinding Lights", "BL"),
        ("hello", "H"),
        ("the end of it all", "TE"),
        ("(I Can't Get No) Satisfaction", "IC"),
        ("99 Luftballons", "9L"),
        ("ärger", "Ä"),
        ("夜に駆ける", "夜"),
        ("봄날", "봄"),
        ("أنت عمري", "أ"),
        ("छम्मक छल्लो", "छ"),
        ("क्षमा", "क्ष"),
        ("🔥🔥", NOTE),
        ("!!!", NOTE),
        ("", NOTE),
    ],
)
def test_initials(title, letters):
    assert initials(title) == letters


def test_a_name_always_gets_the_same_cover_and_another_name_another():
    one, again, other = (np.asarray(drawn_cover(SongName(t, "X"))) for t in ("Hello", "Hello", "Hullo"))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize("title", ["Blinding Lights", "夜に駆ける", "\ue000", "🔥", ""])
def test_something_white_stands_on_a_drawn_cover(title):
    picture = np.asarray(drawn_cover(SongName(title, "X")))
    assert picture.shape == (DRAWN_SIDE_PX, DRAWN_SIDE_PX, 3)
    assert (picture.min(axis=2) > 245).sum() > 1500


def test_lone_surrogates_do_no_harm():
    drawn_cover(SongName("a\ud800", "b"))


@pytest.mark.parametrize("cover", [None, plain_cover(200, 40, 40)])
def test_a_cover_alone_is_a_jpeg_of_what_the_card_shows(cover):
    name = SongName("Hello", "Adele")
    with Image.open(io.BytesIO(draw_cover(cover, name))) as shown:
        assert (shown.format, shown.size) == ("JPEG", (DRAWN_SIDE_PX, DRAWN_SIDE_PX))
        difference = np.asarray(shown, dtype=float) - np.asarray(cover_art(cover, name), dtype=float)
        assert np.abs(difference).mean() < 4


def test_a_given_cover_is_used():
    art = cover_art(plain_cover(10, 200, 30), SongName("Hello", "Adele"))
    assert art.getcolors() == [(420 * 420, (10, 200, 30))]


@pytest.mark.parametrize("colour", [(200, 30, 30), (30, 30, 200), (120, 120, 120), (0, 0, 0), (255, 255, 255)])
def test_the_dominant_colour_of_one_colour_is_it(colour):
    assert dominant(Image.new("RGB", (420, 420), colour)) == pytest.approx(colour, abs=1)


def test_a_strong_colour_dominates_much_grey():
    art = Image.new("RGB", (420, 420), (90, 90, 90))
    art.paste((220, 20, 40), (0, 0, 210, 210))
    red, green, blue = dominant(art)
    assert red > 2 * max(green, blue)


def test_the_cover_is_laid_in_its_place_with_round_corners_and_a_glow():
    picture = Image.new("RGB", (600, 600))
    accent = Colour(0, 255, 0)
    lay_cover(picture, Image.new("RGB", (420, 420), (255, 0, 0)), (90, 90), 420, accent)
    assert picture.getpixel((300, 300)) == (255, 0, 0)
    assert picture.getpixel((92, 300)) == (255, 0, 0)
    assert picture.getpixel((91, 91))[0] < 40
    red, green, _ = picture.getpixel((80, 300))
    assert green > 32 > red
    assert picture.getpixel((80, 300))[1] > picture.getpixel((50, 300))[1]


def test_without_accent_there_is_no_glow():
    picture = Image.new("RGB", (300, 300))
    lay_cover(picture, Image.new("RGB", (420, 420), (255, 0, 0)), (90, 90), 100, None)
    assert picture.getpixel((140, 140)) == (255, 0, 0)
    assert picture.getpixel((80, 140)) == (0, 0, 0)
