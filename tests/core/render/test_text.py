import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.render.fonts import Weight
from core.render.text import CAP_HEIGHT_EM, ELLIPSIS, clusters, fit, ink, two_lines
from core.render.theme import WHITE

LONG = [
    "Bohemian Rhapsody: The Very Long Live Aid Performance (Remastered 2011 Deluxe Edition)",
    "夜に駆けるとても長い題名の曲でありましてどうしても二行になってしまうのです、すみません。",
    "أنت عمري - الأغنية الطويلة جدا التي لا تنتهي أبدا في هذا العالم الكبير الذي نعيش فيه",
    "छम्मक छल्लो और एक बहुत ही लंबा शीर्षक जो दो पंक्तियों में भी नहीं समाता है कभी भी",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2,
    "W" * 400,
    "i" * 400,
]
ROOM_PX = 628


def laid(line):
    """Draw a line in the middle of a large picture and return where its ink lies, relative to pen and baseline."""
    picture = Image.new("RGB", (1600, 400))
    line.lay(picture, 400, 200, WHITE)
    left, top, right, bottom = picture.getbbox()
    return left - 400, top - 200, right - 400, bottom - 200


@pytest.mark.parametrize("size", [24, 54, 96])
@pytest.mark.parametrize("text", ["H", "Hp", "HÁ", "H,", "H|g", "Hम्"])
def test_letters_stand_on_the_baseline(text, size):
    picture = Image.new("L", (800, 400))
    line = ink(text, size, Weight.BOLD)
    picture.paste(line.mask, (line.left, 200 - line.above))
    stem = np.asarray(picture)[:, : round(size * 0.18)].max(axis=1) > 100
    rows = np.nonzero(stem)[0]
    assert rows[-1] + 1 == 200
    assert rows[-1] + 1 - rows[0] == pytest.approx(size * CAP_HEIGHT_EM, abs=1.6)


@pytest.mark.parametrize("text", LONG)
@pytest.mark.parametrize("size", [24, 44, 54])
def test_a_fitted_line_stays_in_its_box(text, size):
    line = fit(text, size, ROOM_PX, Weight.BOLD)
    left, top, right, bottom = laid(line)
    assert left >= -3
    assert right <= ROOM_PX + 2
    assert top >= -1.2 * size
    assert bottom <= 0.5 * size
    assert line.text.endswith(ELLIPSIS)
    assert right > 0.7 * ROOM_PX


@pytest.mark.parametrize("text", LONG)
def test_two_lines_stay_in_their_box_and_end_in_an_ellipsis(text):
    lines = two_lines(text, 44, ROOM_PX, Weight.BOLD)
    assert len(lines) == 2
    assert all(laid(line)[2] <= ROOM_PX + 2 for line in lines)


def test_words_are_not_torn():
    first, second = two_lines("Bohemian Rhapsody and some more words for the second", 44, ROOM_PX, Weight.BOLD)
    assert f"{first.text} {second.text}" == "Bohemian Rhapsody and some more words for the second"


def test_short_text_is_left_alone():
    assert fit("Hello", 30, 600).text == "Hello"
    assert [line.text for line in two_lines("Hello", 44, ROOM_PX)] == ["Hello"]


def test_japanese_lines_do_not_begin_with_a_comma():
    for length in range(10, 30):
        lines = two_lines("夜" * length + "、" + "夜" * 20, 44, ROOM_PX)
        assert lines[1].text[0] not in "、。"


@pytest.mark.parametrize("text", ["$x^2$", "\\alpha_{a}", "100% \\frac12", "a_b^c", "$", "$$"])
def test_mathematics_is_drawn_literally(text):
    assert ink(text, 40).text == text
    # Every sign takes room; mathematics would swallow the dollars, backslashes and braces.
    assert ink(text, 40).width >= 0.85 * sum(ink(char, 40).width for char in text if char != " ")


def test_arabic_is_joined():
    joined, apart = ink("سلام", 60).width, sum(ink(char, 60).width for char in "سلام")
    assert joined < 0.85 * apart


def test_devanagari_forms_conjuncts():
    assert ink("क्ष", 60).width < 0.9 * (ink("क्", 60).width + ink("ष", 60).width)


def test_hebrew_runs_from_right_to_left():
    picture = Image.new("L", (400, 200))
    line = ink("ווווש", 60, Weight.BOLD)
    picture.paste(line.mask, (0, 0))
    columns = np.nonzero(np.asarray(picture).max(axis=0) > 100)[0]
    gaps = np.nonzero(np.diff(columns) > 2)[0]
    # The wide last letter stands at the left.
    assert columns[gaps[0]] - columns[0] > columns[-1] - columns[gaps[-1] + 1]


def test_nothing_drawable_draws_nothing():
    line = fit("\ue000\u202e", 40, 300)
    picture = Image.new("RGB", (300, 100))
    line.lay(picture, 10, 60, WHITE)
    assert line.width == 0
    assert picture.getbbox() is None


@pytest.mark.parametrize(
    ("text", "pieces"),
    [("abc", ["a", "b", "c"]), ("क्षि", ["क्षि"]), ("é", ["é"]), ("เพลง", ["เ", "พ", "ล", "ง"])],
)
def test_clusters(text, pieces):
    assert clusters(text) == pieces


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=250), room=st.integers(60, 700))
def test_anything_fits(text, room):
    line = fit(text, 30, room, Weight.BOLD)
    assert line.width <= room + 3
