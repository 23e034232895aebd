import pytest
from PIL import Image

from core.domain import FeatureValue, Reason
from core.render.bars import Rows, chosen_features, strongest_push
from core.render.fonts import Weight
from core.render.text import fit
from core.render.theme import FILL, GROUND, TRACK, Colour
from tests.fakes.predictions import FEATURES, prediction

ROWS = Rows(left=60, top=20, width_px=628, pitch_px=40)
ACCENT = Colour(0, 200, 0)


def drawn(features, push=None):
    picture = Image.new("RGB", (800, 300), tuple(GROUND))
    ROWS.draw(picture, features, push, ACCENT)
    return picture


def feature(percentile, label="Listeners", display="1"):
    return FeatureValue("listeners", label, 1.0, "", display, percentile)


@pytest.mark.parametrize("percentile", [0, 10, 50, 82, 100])
def test_a_bar_is_filled_to_the_percentile(percentile):
    picture = drawn((feature(percentile),))
    columns = ROWS.columns((feature(percentile),))
    for spot in (5, 20, 45, 55, 75, 90, 95):
        if abs(spot - percentile) > 4:
            colour = picture.getpixel((columns.bar_left + round(columns.bar_px * spot / 100), 40))
            assert colour == tuple(FILL if spot < percentile else TRACK)


def test_the_strongest_push_has_the_accent_and_a_sign():
    push = Reason("plays", "Plays", -0.7)
    picture = drawn(FEATURES[:2], push)
    bar_left = ROWS.columns(FEATURES[:2]).bar_left
    assert picture.getpixel((bar_left + 20, 40)) == tuple(FILL)
    assert picture.getpixel((bar_left + 20, 80)) == tuple(ACCENT)
    signs = [picture.getpixel((ROWS.left - 16, y)) for y in (40, 80)]
    assert signs == [tuple(GROUND), tuple(ACCENT)]


@pytest.mark.parametrize(("push", "wide_at_top"), [(0.7, False), (-0.7, True)])
def test_the_sign_points_where_it_pushes(push, wide_at_top):
    picture = drawn(FEATURES[:1], Reason("listeners", "Listeners", push))
    sign = picture.crop((ROWS.left - 26, 30, ROWS.left - 6, 50))

    def width(y):
        return sum(sign.getpixel((x, y)) != tuple(GROUND) for x in range(sign.width))

    assert (width(6) > width(13)) is wide_at_top


def test_nothing_leaves_the_rows():
    wordy = feature(50, label="An exceedingly long name of a feature", display="1,234,567,890,123,456 things")
    picture = drawn((wordy,))
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
