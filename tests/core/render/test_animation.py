import io

import numpy as np
import pytest
from PIL import Image, ImageSequence

from core.domain import Cover, Verdict, VerdictBands
from core.render import animation
from core.render.animation import FRAMES, SIZE_PX, draw_animation, progress
from core.render.card import ACTION_BOX, GAUGE, RESULT_LEFT, draw_card
from core.render.theme import ACCENTS
from tests.fakes.predictions import NOW, plain_cover, prediction

SCALE = SIZE_PX[0] / 1200
MAX_BYTES = 900_000


def noise_cover():
    """Make the cover that compresses worst."""
    pixels = np.random.default_rng(7).integers(0, 256, 420 * 420 * 3, dtype=np.uint8)
    return Cover(pixels.tobytes(), 420)


def frames(made, cover=None):
    with Image.open(io.BytesIO(draw_animation(made, cover, NOW))) as film:
        return [frame.convert("RGB") for frame in ImageSequence.Iterator(film)], film.info


def needle(frame):
    """Tell which probability the needle points at, from the whitest spots around the hub."""
    spots = {
        p: sum(frame.getpixel((round(x * SCALE), round(y * SCALE))))
        for p in [n / 100 for n in range(101)]
        for x, y in [GAUGE.point(p, GAUGE.radius_px * 0.45)]
    }
    whitest = [p for p, light in spots.items() if light >= max(spots.values()) - 30]
    return sum(whitest) / len(whitest)


@pytest.mark.parametrize("probability", [0.05, 0.55, 0.95])
def test_the_needle_sweeps_to_its_place_and_rests(probability):
    shown, _ = frames(prediction(probability=probability), plain_cover(60, 60, 60))
    assert len(shown) == FRAMES
    assert {frame.size for frame in shown} == {SIZE_PX}
    places = [needle(frame) for frame in shown]
    assert places[0] == pytest.approx(0, abs=0.03)
    assert places[-1] == pytest.approx(probability, abs=0.03)
    assert places[FRAMES // 4] < places[-1] + 0.15


@pytest.mark.parametrize(("probability", "verdict"), [(0.699, Verdict.MEDIUM), (0.399, Verdict.NOT_POPULAR)])
def test_overshooting_never_leaves_the_band_of_the_verdict(probability, verdict, monkeypatch):
    shown = []
    monkeypatch.setattr(animation, "draw_moving", lambda _, assessment, at: shown.append(at))
    frames(prediction(probability=probability))
    assert max(shown) >= probability - 0.02
    assert VerdictBands().verdict(max(shown)) is verdict


@pytest.mark.parametrize("probability", [0.05, 0.55, 0.95])
def test_nothing_gives_the_verdict_away_before_the_needle_rests(probability):
    shown, _ = frames(prediction(probability=probability), plain_cover(60, 60, 60))
    verdict_word = tuple(round(edge * SCALE) for edge in (RESULT_LEFT, 340, ACTION_BOX[2], 396))
    gauge = tuple(round(edge * SCALE) for edge in GAUGE.box)
    for frame in shown[:-1]:
        assert len(frame.crop(verdict_word).getcolors()) < 12
        pixels = np.asarray(frame.crop(gauge)).astype(int)
        for accent in ACCENTS.values():
            assert (np.abs(pixels - np.array(accent)).max(axis=2) < 12).sum() == 0


def test_it_is_played_once():
    _, info = frames(prediction())
    assert "loop" not in info


def test_the_last_frame_is_the_card():
    shown, _ = frames(prediction(), plain_cover(60, 60, 60))
    with Image.open(io.BytesIO(draw_card(prediction(), plain_cover(60, 60, 60), NOW))) as card:
        small = np.asarray(card.resize(SIZE_PX, Image.Resampling.HAMMING)).astype(int)
    assert np.abs(np.asarray(shown[-1]).astype(int) - small).mean() < 3


def test_only_the_box_of_the_gauge_moves():
    shown, _ = frames(prediction(), noise_cover())
    first = np.asarray(shown[0]).astype(int)
    for frame in shown[1:]:
        rows, columns = np.nonzero(np.abs(np.asarray(frame).astype(int) - first).max(axis=2))
        assert columns.min() >= ACTION_BOX[0] * SCALE - 1
        assert rows.min() >= ACTION_BOX[1] * SCALE - 1
        assert rows.max() <= ACTION_BOX[3] * SCALE + 1


def test_even_the_worst_cover_keeps_it_small():
    assert len(draw_animation(prediction(probability=1.0), noise_cover(), NOW)) <= MAX_BYTES


def test_progress_starts_at_nothing_and_ends_at_all():
    assert progress(0) == pytest.approx(0)
    assert progress(1) == pytest.approx(1)
    assert max(progress(n / 50) for n in range(51)) < 1.15
