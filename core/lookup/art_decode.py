"""Image bytes from outside, made into a cover: checked by what they are, not by what they are called."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageOps

from core.domain import Cover

SIDE_PX: Final = 420

PIXELS_MAX: Final = 16_000_000
"""Largest image decoded, 4,000 x 4,000: about 50 MB for a moment."""

SIDE_MIN_PX: Final = 32
"""Smaller images are tracking dots and placeholders."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
_BEHIND: Final = (18, 18, 18)


class NotAnImage(Exception):
    """The bytes are no image of a known type and fair size; the text is one short word for the log."""


def image_format(body: bytes) -> str | None:
    """Tell JPEG, PNG, WEBP and GIF by their first bytes; None for all else."""
    if body.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if body.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "WEBP"
    return None


def decode_cover(body: bytes) -> Cover:
    """Decode, crop to the central square and resize to ``SIDE_PX``; of animations the first frame.

    The size is read from the header and checked before any pixel is decoded.

    Raises:
        NotAnImage: Not one of the known types, damaged, too large or too small.
    """
    kind = image_format(body)
    if kind is None:
        raise NotAnImage("type")
    try:
        with Image.open(io.BytesIO(body), formats=(kind,)) as image:
            square = _square(image)
    except NotAnImage:
        raise
    except Exception as error:
        # Decoders meet damage with many kinds of exceptions (struct.error, SyntaxError, EOFError, zlib.error ...).
        raise NotAnImage("damaged") from error
    if square.mode == "RGBA":
        ground = Image.new("RGBA", square.size, (*_BEHIND, 255))
        square = Image.alpha_composite(ground, square).convert("RGB")
    return Cover(square.tobytes(), SIDE_PX)


def _square(image: Image.Image) -> Image.Image:
    width, height = image.size
    if width * height > PIXELS_MAX:
        raise NotAnImage("pixels")
    if min(width, height) < SIDE_MIN_PX:
        raise NotAnImage("small")
    image.draft("RGB", (SIDE_PX, SIDE_PX))
    whole = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return ImageOps.fit(whole, (SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
