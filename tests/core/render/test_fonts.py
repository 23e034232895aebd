import hashlib
import re
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.render import fonts
from core.render.fonts import Weight, drawable
from core.render.text import ink

SCRIPTS = [
    "Blinding Lights",
    "夜に駆ける",
    "봄날",
    "أنت عمري",
    "שלום חבר",
    "छम्मक छल्लो",
    "เพลงรัก",
    "Αθήνα",
    "Москва",
    "ქართული",
    "தமிழ்",
    "తెలుగు",
    "বাংলা",
    "ਪੰਜਾਬੀ",
    "ગુજરાતી",
    "ಕನ್ನಡ",
    "മലയാളം",
    "Հայ",
    "Tiếng Việt",
]


@pytest.mark.parametrize("weight", Weight)
@pytest.mark.parametrize("text", SCRIPTS)
def test_draws_every_letter_of(text, weight):
    assert drawable(text, weight) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Song \U0001f1e9\U0001f1ea", "Song"),
        ("Thumbs 👍🏽", "Thumbs 👍"),
        ("Song (\U0001f1e9\U0001f1ea) [\ue000]", "Song"),
        ("a\u202eb\u200bc\x00d\ufeff", "abcd"),
        ("a\n\t b\u3000c", "a b c"),
        ("e" + "\u0301" * 40, "é" + "\u0301" * 3),
        ("\u0301\u0301", ""),
        ("\ufffd\U000fffff", ""),
        ("❤\ufe0f", "❤"),
        ("", ""),
    ],
)
def test_leaves_out_what_must_not_be_drawn(text, left):
    assert len(drawable(text, Weight.BOLD)) <= len(left) + 1
    assert drawable(text, Weight.BOLD).rstrip("\u0301") == left.rstrip("\u0301")


@pytest.mark.parametrize("weight", Weight)
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=30))
def test_no_glyph_is_ever_missing(weight, text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ink(text, 20, weight)


def test_typefaces_are_those_that_their_list_names():
    folder = fonts._FOLDER
    table = (folder / "README.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `([^`]+)` .* \| `([0-9a-f]{64})` \|$", table, re.MULTILINE))
    lying = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.?tf")}
    assert listed == lying
    used = {path.name for weight in Weight for path in fonts._files(weight) if path.parent == folder}
    assert used == set(lying), "each file is used"
    assert "SIL OPEN FONT LICENSE" in (folder / "OFL.txt").read_text("utf-8")
