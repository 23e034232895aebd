"""How quickly cards are drawn, still and moving."""

from __future__ import annotations

import io
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final

from PIL import Image

from core.domain import Cover, Prediction
from core.render.animation import FRAMES, draw_animation
from core.render.card import draw_card
from scripts.benchmarks.measuring import Row, interleaved_ms, median, percentile, timed_ms
from scripts.benchmarks.plain_card import draw_plain_card
from tests.fakes.predictions import prediction

REPETITIONS: Final = 40
ANIMATIONS: Final = 10
NOW: Final = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
TIMES_FASTER, CARD_MS = 4.0, 40.0
TIMES_ONE_CARD, ANIMATION_BYTES = 12.0, 900_000
COVER_PX: Final = 420
GRAIN: Final = 0.06
JPEG_QUALITY: Final = 88


def photograph(seed: int, side_px: int = COVER_PX) -> Cover:
    """Make a cover with the colours and the unrest of a photograph, as it comes out of a JPEG file."""
    rng = random.Random(seed)  # noqa: S311 - repeats, guards nothing
    coarse = Image.frombytes("RGB", (24, 24), rng.randbytes(24 * 24 * 3))
    smooth = coarse.resize((side_px, side_px), Image.Resampling.BICUBIC)
    grain = Image.frombytes("RGB", (side_px, side_px), rng.randbytes(side_px * side_px * 3))
    file = io.BytesIO()
    Image.blend(smooth, grain, GRAIN).save(file, "JPEG", quality=JPEG_QUALITY)
    with Image.open(file) as photo:
        return Cover(photo.convert("RGB").tobytes(), side_px)


def measure_card() -> Row:
    """Draw cards that were never drawn before, covers included, beside the plain way."""
    cover = photograph(1)
    fresh = count()
    drawn = interleaved_ms(
        {
            "ours": lambda: draw_card(_another(next(fresh)), cover, NOW),
            "plain": lambda: draw_plain_card(_another(next(fresh)), cover, NOW),
        },
        REPETITIONS,
    )
    ours_ms, plain_ms = median(drawn["ours"]), median(drawn["plain"])
    return Row(
        what="one card, cover included, none drawn before",
        against=f"a fresh matplotlib figure of the same content: {plain_ms:.0f} ms",
        measured=f"{ours_ms:.1f} ms, p95 {percentile(drawn['ours'], 95):.1f} ms",
        ratio=plain_ms / ours_ms,
        target=f">= {TIMES_FASTER:.0f} times faster, <= {CARD_MS:.0f} ms",
        reached=plain_ms / ours_ms >= TIMES_FASTER and ours_ms <= CARD_MS,
        figures={"card_ms": ours_ms, "card_p95_ms": percentile(drawn["ours"], 95), "plain_ms": plain_ms},
    )


def measure_animation() -> Row:
    """Draw moving cards beside still ones."""
    cover = photograph(1)
    fresh = count(1000)
    sizes: list[int] = []
    drawn = interleaved_ms(
        {
            "moving": lambda: sizes.append(len(draw_animation(_another(next(fresh)), cover, NOW))),
            "still": lambda: draw_card(_another(next(fresh)), cover, NOW),
        },
        ANIMATIONS,
    )
    with Image.open(io.BytesIO(draw_animation(_another(0), cover, NOW))) as film:
        frames = getattr(film, "n_frames", 1)
    ratio = median(drawn["moving"]) / median(drawn["still"])
    return Row(
        what=f"animated card, {frames} frames",
        against=f"one card: {median(drawn['still']):.1f} ms",
        measured=f"{median(drawn['moving']):.0f} ms, {max(sizes) / 1000:,.0f} kB at most",
        ratio=ratio,
        target=f"<= {TIMES_ONE_CARD:.0f} times one card, <= {ANIMATION_BYTES // 1000} kB",
        reached=frames == FRAMES and ratio <= TIMES_ONE_CARD and max(sizes) <= ANIMATION_BYTES,
        figures={"animation_ms": median(drawn["moving"]), "animation_bytes": max(sizes), "frames": frames},
    )


def card_alone_ms(repetitions: int = REPETITIONS) -> float:
    """Return the median time of one card with a drawn cover, drawn alone."""
    for number in range(3):
        draw_card(_another(number), None, NOW)
    return median([timed_ms(lambda n=n: draw_card(_another(10_000 + n), None, NOW)) for n in range(repetitions)])  # type: ignore[misc]


def _another(number: int) -> Prediction:
    """Make a prediction whose every line of text and confidence differ from the others'."""
    made = prediction(
        f"Blinding Lights {number}",
        f"The Weeknd {number}",
        probability=(0.05 + 0.017 * number) % 1,
        age=timedelta(minutes=number % 50),
    )
    features = tuple(
        replace(feature, display=f"{feature.display}{number % 97}", percentile=(7.3 * number + 11 * place) % 100)
        for place, feature in enumerate(made.assessment.features)
    )
    return replace(made, assessment=replace(made.assessment, features=features))
