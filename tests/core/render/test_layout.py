"""Whatever song is drawn: no small type, enough contrast, and nothing touches anything else."""

import io
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise, product

import numpy as np
import pytest
from babel.messages.pofile import read_po
from PIL import Image

from core.domain import Block, FeatureValue, Origin, Prediction, Reason, RecordedPopularity, Song
from core.language import DOMAIN, FOLDER, LANGUAGES, speaking
from core.model.features import BY_KEY, Group
from core.model.features import FEATURES as FEATURE_TABLE
from core.render.calibration import draw_calibration
from core.render.card import GAUGE, SIGN_GAP_PX, SIGN_PX, draw_card, png
from core.render.comparison import HALF_PX, draw_comparison
from core.render.text import ELLIPSIS, Ink, fits
from core.render.theme import (
    HEIGHT_PX,
    PARTS_CONTRAST_MIN,
    TEXT_CONTRAST_MIN,
    TYPE_MIN_PX,
    WIDTH_PX,
    Colour,
    contrast,
)
from core.words import reason_words
from tests.core.render.test_calibration import REPORT
from tests.fakes.predictions import FEATURES, NOW, plain_cover, prediction

TITLES = (
    "Blinding Lights",
    "A",
    "Pneumonoultramicroscopicsilicovolcanoconiosis Blues",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
    "Everything I Wanted to Say but Never Had the Time to Tell You (feat. Somebody Else) - Live at Home",
    "夜に駆ける",
    "我們都是這樣長大的所以我們不應該再害怕任何事情",
    "봄날은 간다",
    "Группа крови на рукаве, мой порядковый номер на рукаве",
    "أنت عمري وأنت كل ما أتمناه من هذه الحياة الدنيا",
    "तुम ही हो कुङ्कुमार्द्र दुःखहृत्",
    "เพลงที่ฉันชอบฟังที่สุดในโลกนี้",
    "Þjóðvegurinn, fjörðurinn ég geng",
)
ARTISTS = (
    "Q",
    "The Weeknd",
    "ञानकुमारी एवं साथी कलाकार समूह मुंबई",
    "An Artist Whose Name Goes On, and Then On Again, Forever",
)
LONG_REASONS = (
    Reason("tags", "tags: alternative rock, singer-songwriter", 1.2),
    Reason("listeners", "many listeners", 0.9, 959_432, "listeners"),
    Reason("age_years", "released 3 weeks ago", -0.4),
)
WIDE = tuple(replace(f, percentile=0.2, label=f.label + " of everybody everywhere") for f in FEATURES)
COVERS = (plain_cover(255, 255, 255), plain_cover(0, 0, 0), plain_cover(240, 20, 20), plain_cover(90, 180, 250), None)
TOUCHING_PX = 2


def made_up() -> list[Prediction]:
    """Make forty answers that differ in all that is drawn."""
    songs = []
    for n in range(40):
        one = prediction(
            probability=(0.0, 1.0, 0.699, 0.42, 0.0499, 0.931)[n % 6],
            origin=list(Origin)[n % 3],
            stale=n % 4 == 0,
            age=timedelta(days=n * 11, minutes=2),
            features=(FEATURES, WIDE, FEATURES[4:], ())[n % 4 if n % 5 else 0],
            popularity=(None, RecordedPopularity(100, 2022), RecordedPopularity(0, 2022, rerelease=True))[n % 3],
        )
        song = Song(
            title=TITLES[n % len(TITLES)],
            artist=ARTISTS[n % len(ARTISTS)],
            album="An Album by Whatever Name, the Deluxe Edition of the Anniversary" if n % 2 else None,
            released=date(1958 + n, 3, 1) if n % 3 else None,
            genres=("singer-songwriter",) if n % 5 else (),
        )
        assessment = replace(one.assessment, reasons=LONG_REASONS[n % 3 :] + LONG_REASONS[: n % 3])
        songs.append(replace(one, song=song, assessment=assessment))
    return songs


@dataclass(frozen=True)
class Written:
    """A text as it was laid: its box, and how it stands out of what was below it."""

    text: str
    size_px: int
    box: tuple[int, int, int, int]
    contrast: float


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Written]:
    """Collect every text that is laid on a whole picture."""
    laid: list[Written] = []
    lay = Ink.lay

    def noting(self: Ink, picture: Image.Image, x: int, baseline: int, colour: Colour, *, right: bool = False) -> None:
        if self.mask is not None and picture.size == (WIDTH_PX, HEIGHT_PX):
            ink_box = self.mask.getbbox() or (0, 0, 0, 0)
            left, top = (x - self.width if right else x) + self.left, baseline - self.above
            box = (left + ink_box[0], top + ink_box[1], left + ink_box[2], top + ink_box[3])
            below = np.asarray(picture.crop(box)).reshape(-1, 3)
            # The shade that is nearest to the text's own lightness is the hardest to read on.
            worst = min(contrast(Colour(*map(int, shade)), colour) for shade in np.unique(below, axis=0))
            laid.append(Written(self.text, self.size_px, box, worst))
        lay(self, picture, x, baseline, colour, right=right)

    monkeypatch.setattr(Ink, "lay", noting)
    return laid


def check(written: list[Written]) -> None:
    """Assert what holds for all text of a picture."""
    assert written
    for one in written:
        assert one.size_px >= TYPE_MIN_PX, one
        assert one.contrast >= TEXT_CONTRAST_MIN, one
        assert one.box[0] >= 0, one
        assert one.box[1] >= 0, one
        assert one.box[2] <= WIDTH_PX, one
        assert one.box[3] <= HEIGHT_PX, one
    for place, one in enumerate(written):
        for other in written[place + 1 :]:
            apart = (
                one.box[2] + TOUCHING_PX <= other.box[0]
                or other.box[2] + TOUCHING_PX <= one.box[0]
                or one.box[3] + TOUCHING_PX <= other.box[1]
                or other.box[3] + TOUCHING_PX <= one.box[1]
            )
            assert apart, (one, other)


@pytest.mark.parametrize("number", range(40))
def test_a_card_can_be_read(number: int, written: list[Written]) -> None:
    drawn = draw_card(made_up()[number], COVERS[number % len(COVERS)], NOW)
    check(written)
    with Image.open(io.BytesIO(drawn)) as picture:
        ring = GAUGE.radius_px - GAUGE.ring_px / 2
        ground = Colour(*picture.getpixel((GAUGE.hub[0], GAUGE.hub[1] - GAUGE.radius_px - 12)))
        for spot in (0.15, 0.55, 0.88):
            x, y = GAUGE.point(spot, ring)
            pixel = Colour(*picture.getpixel((round(x), round(y))))
            assert contrast(pixel, ground) >= PARTS_CONTRAST_MIN


@pytest.mark.parametrize("number", range(0, 40, 2))
def test_a_comparison_can_be_read(number: int, written: list[Written]) -> None:
    first, second = made_up()[number : number + 2]
    draw_comparison(first, COVERS[number % len(COVERS)], second, COVERS[(number + 3) % len(COVERS)], NOW)
    check([one for one in written if one.text not in ("Likelier hit", "A draw")])
    for badge in (one for one in written if one.text in ("Likelier hit", "A draw")):
        assert badge.contrast >= TEXT_CONTRAST_MIN


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_calibration_can_be_read_in_every_language(language: str, written: list[Written]) -> None:
    with speaking(language):
        draw_calibration(REPORT)
    check(written)
    assert [one.text for one in written if ELLIPSIS in one.text] == []


@pytest.mark.parametrize("cover", COVERS[:2])
def test_a_white_and_a_black_cover_keep_their_edge(cover) -> None:
    with Image.open(io.BytesIO(draw_card(prediction(), cover, NOW))) as picture:
        inside, outside = (Colour(*picture.getpixel((x, 250))) for x in (56, 44))
    assert contrast(inside, outside) >= 1.15


SHORT = Song(title="Hello", artist="Adele")
LISTENED = tuple(
    FeatureValue(key, BY_KEY[key].label, 98_765_432, BY_KEY[key].unit, 0.2, block)
    for key, block in (("listeners", Block.TRACK), ("playcount", Block.TRACK), ("artist_listeners", Block.ARTIST))
)
HEARD = tuple(
    FeatureValue(feature.key, feature.label, 0.5, feature.unit, 0.2, Block.AUDIO)
    for feature in FEATURE_TABLE
    if feature.shown and feature.group in (Group.AUDIO, Group.DURATION)
)
POPULARITIES = (
    None,
    RecordedPopularity(100, 2022),
    RecordedPopularity(1, 2022),
    RecordedPopularity(1, 2022, rerelease=True),
)


def in_our_words() -> list[Prediction]:
    """Make answers about a song of short names in all the words that cards have."""
    features = [LISTENED, *(HEARD[start : start + 3] for start in range(0, len(HEARD), 3))]
    made = []
    for number, (probability, origin, stale) in enumerate(product((0.999, 0.5, 0.001), Origin, (False, True))):
        one = prediction(
            probability=probability,
            origin=origin,
            stale=stale,
            age=timedelta(days=29),
            features=features[number % len(features)],
            popularity=POPULARITIES[number % len(POPULARITIES)],
        )
        made.append(replace(one, song=SHORT, assessment=replace(one.assessment, reasons=LONG_REASONS[1:])))
    return made


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_of_ours_is_cut_in_any_language(language: str, written: list[Written]) -> None:
    with speaking(language):
        for number, made in enumerate(in_our_words()):
            written.clear()
            draw_card(made, COVERS[number % len(COVERS)], NOW)
            check(written)
            assert [one.text for one in written if ELLIPSIS in one.text] == []
        whole = [replace(made, assessment=replace(made.assessment, features=LISTENED)) for made in in_our_words()]
        for first, second in pairwise(whole):
            written.clear()
            draw_comparison(first, None, second, None, NOW)
            assert [one.text for one in written if ELLIPSIS in one.text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_room_beside_its_arrow(language: str) -> None:
    with (FOLDER / f"{DOMAIN}.pot").open("rb") as file:
        template = read_po(file)
    labels = [str(one.id) for one in template if one.id and ("core/model/explain.py", None) in one.locations]
    assert len(labels) > 40
    room = HALF_PX - SIGN_PX - SIGN_GAP_PX
    with speaking(language):
        # What a song itself brings, its tags, may be cut.
        said = [reason_words(Reason("", label, 1.0, 11.4, "years ago", names=("pop",))) for label in labels]
    assert [words for words in said if not fits(words, TYPE_MIN_PX, room)] == []


def test_the_check_finds_what_touches(written: list[Written]) -> None:
    made = prediction(features=(FeatureValue("x", "y", 1.0, "", 5.0, Block.AUDIO),))
    picture = Image.open(io.BytesIO(draw_card(made, None, NOW)))
    check(written)
    from core.render.text import ink

    ink("over the title", 40).lay(picture.convert("RGB"), 530, 70, Colour(255, 255, 255))
    with pytest.raises(AssertionError):
        check(written)
    assert png(picture)
