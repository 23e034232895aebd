"""The card as a short film: the needle sweeps from 0 % to its place, once."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Final

from PIL import Image

from core.domain import Cover, Prediction, Verdict, VerdictBands
from core.render.card import ACTION_BOX, GAUGE, card_without_result, draw_moving, draw_result
from core.render.theme import ACCENTS, WIDTH_PX

FRAMES: Final = 24
SIZE_PX: Final = (800, 420)
"""Size of the film; chats show it no larger, and it keeps the file small."""

_FRAME_MS: Final = 50
_LAST_FRAME_MS: Final = 4000
_OVERSHOOT: Final = 1.1
_COLOURS: Final = 255
_FILTER: Final = Image.Resampling.HAMMING
_SAMPLE_PX: Final = (320, 168)
_SWATCH_PX: Final = 16


def progress(share: float) -> float:
    """Map the share of time passed to the share of the way: fast at first, a little too far, then back to 1."""
    rest = share - 1
    return 1 + (_OVERSHOOT + 1) * rest**3 + _OVERSHOOT * rest**2


def draw_animation(prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    """Draw the animated card as GIF, 800 x 420, ``FRAMES`` frames, played once.

    Until the needle rests no zone and no word gives the verdict away, and overshooting never leaves the verdict's band.
    Only the box in which something moves is drawn anew for each frame.
    """
    still = card_without_result(prediction, cover, now)
    final = still.copy()
    draw_result(final, prediction)
    palette = _palette(still, final)
    scale = SIZE_PX[0] / WIDTH_PX
    left, top, right, bottom = (round(edge * scale) for edge in ACTION_BOX)
    last = final.resize(SIZE_PX, _FILTER).quantize(palette=palette, dither=Image.Dither.NONE)
    frames: list[Image.Image] = []
    for number in range(FRAMES - 1):
        scene = _moving(still, prediction, progress(number / (FRAMES - 1)))
        part = scene.resize((right - left, bottom - top), _FILTER, box=ACTION_BOX)
        frame = last.copy()
        frame.paste(part.quantize(palette=palette, dither=Image.Dither.NONE), (left, top))
        frames.append(frame)
    file = io.BytesIO()
    frames[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=[*frames[1:], last],
        duration=[_FRAME_MS] * (FRAMES - 1) + [_LAST_FRAME_MS],
        optimize=False,
        disposal=1,
    )
    return file.getvalue()


def _palette(still: Image.Image, final: Image.Image) -> Image.Image:
    """Choose the colours of the film from a small copy of its end, the empty gauge and each accent."""
    width, height = _SAMPLE_PX
    zones = still.copy()
    GAUGE.draw_zones(zones, VerdictBands())
    gauge = zones.resize((width // 2, height // 2), Image.Resampling.BOX, box=GAUGE.box)
    sample = Image.new("RGB", (width, height + gauge.height))
    sample.paste(final.resize(_SAMPLE_PX, Image.Resampling.BOX))
    sample.paste(gauge, (0, height))
    for place, accent in enumerate(ACCENTS.values()):
        left = gauge.width + place * _SWATCH_PX
        sample.paste(tuple(accent), (left, height, left + _SWATCH_PX, height + _SWATCH_PX))
    return sample.quantize(_COLOURS, dither=Image.Dither.NONE)


def _moving(still: Image.Image, prediction: Prediction, way: float) -> Image.Image:
    """Draw the needle at the share ``way`` of its way; the number beside it is where the needle is."""
    assessment = prediction.assessment
    at = assessment.probability * way
    if way > 1:
        at = min(at, _band_end(assessment.bands, assessment.verdict))
    scene = still.copy()
    draw_moving(scene, assessment, max(0.0, at))
    return scene


def _band_end(bands: VerdictBands, verdict: Verdict) -> float:
    """Return the greatest probability, of those written with one decimal of a percent, that gives ``verdict``."""
    ends = {Verdict.NOT_POPULAR: bands.medium - 0.001, Verdict.MEDIUM: bands.popular - 0.001, Verdict.POPULAR: 1.0}
    return ends[verdict]
