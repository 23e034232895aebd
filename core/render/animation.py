"""The card as a short film: the needle sweeps from 0 % to its place, once."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Final

from PIL import Image

from core.domain import Cover, Prediction
from core.render.single import ACTION_BOX, accent_of, card_without_value, draw_value
from core.render.theme import WIDTH_PX

FRAMES: Final = 24
SIZE_PX: Final = (800, 420)
"""Size of the film; chats show it no larger, and it keeps the file small."""

_FRAME_MS: Final = 50
_LAST_FRAME_MS: Final = 4000
_OVERSHOOT: Final = 1.1
_COLOURS: Final = 255


def progress(share: float) -> float:
    """Map the share of time passed to the share of the way: fast at first, a little too far, then back to 1."""
    rest = share - 1
    return 1 + (_OVERSHOOT + 1) * rest**3 + _OVERSHOOT * rest**2


def draw_animation(prediction: Prediction, cover: Cover | None, now: datetime) -> bytes:
    """Draw the animated card as GIF, 800 x 420, ``FRAMES`` frames, played once.

    Only the box of the gauge and the number is drawn anew in each frame.
    """
    accent, target = accent_of(prediction), prediction.assessment.probability
    still = card_without_value(prediction, cover, now)
    final = still.copy()
    draw_value(final, target, prediction.confidence_pct, accent)
    palette = final.resize(SIZE_PX, Image.Resampling.BOX).quantize(_COLOURS, dither=Image.Dither.NONE)
    scale = SIZE_PX[0] / WIDTH_PX
    left, top, right, bottom = (round(edge * scale) for edge in ACTION_BOX)
    frames: list[Image.Image] = []
    for number in range(FRAMES):
        way = progress(number / (FRAMES - 1))
        scene = final if number == FRAMES - 1 else still.copy()
        if scene is not final:
            at = min(1.0, max(0.0, target * way))
            draw_value(scene, at, round(at * 100, 1), accent)
        if not frames:
            small = scene.resize(SIZE_PX, Image.Resampling.LANCZOS)
            frames.append(small.quantize(palette=palette, dither=Image.Dither.NONE))
            continue
        part = scene.resize((right - left, bottom - top), Image.Resampling.LANCZOS, box=ACTION_BOX)
        frame = frames[0].copy()
        frame.paste(part.quantize(palette=palette, dither=Image.Dither.NONE), (left, top))
        frames.append(frame)
    file = io.BytesIO()
    durations = [_FRAME_MS] * (FRAMES - 1) + [_LAST_FRAME_MS]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], duration=durations, optimize=False, disposal=1)
    return file.getvalue()
