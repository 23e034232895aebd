"""The cover on the picture: rounded, with a glow, and the ground tinted by its colour; drawn when there is none."""

from __future__ import annotations

import colorsys
import hashlib
import io
import unicodedata
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from core.domain import Cover, SongName
from core.render.fonts import Weight
from core.render.shapes import rounded_mask
from core.render.text import CAP_HEIGHT_EM, clusters, fit
from core.render.theme import GROUND, HEIGHT_PX, WHITE, WIDTH_PX, Colour, tint

DRAWN_SIDE_PX: Final = 420
NOTE: Final = "♪"
"""Stands on a drawn cover when no letter of the title can be drawn."""

_GLOW_PX: Final = 64
_GLOW_STRENGTH: Final = 0.42
_CORNER_SHARE: Final = 0.055
_INITIALS_SIZE_SHARE: Final = 0.42
_GROOVES: Final = 7
_GROOVE_STRENGTH: Final = 0.045
_SHADES: Final = 128
_JPEG_QUALITY: Final = 88


def cover_art(cover: Cover | None, name: SongName) -> Image.Image:
    """Open decoded cover art, mode "RGB", or draw a cover for ``name`` when there is none."""
    if cover is None:
        return drawn_cover(name)
    return Image.frombytes("RGB", (cover.side_px, cover.side_px), cover.rgb)


def draw_cover(cover: Cover | None, name: SongName) -> bytes:
    """Encode the cover of :func:`cover_art` as JPEG."""
    body = io.BytesIO()
    cover_art(cover, name).save(body, "JPEG", quality=_JPEG_QUALITY)
    return body.getvalue()


@lru_cache(maxsize=1)
def _sleeve(side_px: int) -> bytes:
    """Compute the shade of each pixel, in ``_SHADES`` steps from light to dark, and as much again in a groove."""
    y, x = np.mgrid[0:side_px, 0:side_px] / side_px
    shade = np.clip(0.5 * (x + y), 0, 1) * (_SHADES - 1)
    # Grooves of a record around the upper right corner.
    distance = np.hypot(x - 0.92, y - 0.10)
    groove = np.abs((distance * _GROOVES) % 1.0 - 0.5) < 0.04
    places: bytes = (shade.round() + _SHADES * groove).astype(np.uint8).tobytes()
    return places


@lru_cache(maxsize=8)
def drawn_cover(name: SongName) -> Image.Image:
    """Draw a record sleeve with the title's initials, in a colour that the name always gets; mode "RGB"."""
    side = DRAWN_SIDE_PX
    digest = hashlib.blake2b(str(name).encode("utf-8", "replace"), digest_size=2).digest()
    hue = int.from_bytes(digest, "big") / 65536
    light, dark = (
        np.array(colorsys.hls_to_rgb(where % 1.0, lightness, 0.52)) * 255
        for where, lightness in ((hue, 0.44), (hue + 0.07, 0.17))
    )
    shares = np.arange(_SHADES)[:, None] / (_SHADES - 1)
    plain = light * (1 - shares) + dark * shares
    palette = np.clip(np.concatenate([plain, plain + 255 * _GROOVE_STRENGTH]), 0, 255).round().astype(np.uint8)
    sleeve = Image.frombytes("P", (side, side), _sleeve(side))
    sleeve.putpalette(palette.tobytes())
    picture = sleeve.convert("RGB")
    size = round(side * _INITIALS_SIZE_SHARE)
    letters = fit(initials(name.title), size, round(side * 0.84), Weight.BOLD)
    if letters.mask is None:
        letters = fit(NOTE, size, side, Weight.BOLD)
    baseline = round(side / 2 + CAP_HEIGHT_EM * size / 2)
    letters.lay(picture, (side - letters.width) // 2, baseline, WHITE)
    return picture


def initials(title: str) -> str:
    """Take the first letters of the first two words, in capitals; scripts without capitals give one letter.

    A title without letters gives the note.
    """
    words = [[piece for piece in clusters(word) if piece[0].isalnum()] for word in title.split()]
    firsts = [pieces[0] for pieces in words if pieces]
    cased = [first.upper() for first in firsts if unicodedata.category(first[0]) in ("Lu", "Ll", "Lt", "Nd")]
    if firsts and firsts[0].upper() in cased[:1]:
        return "".join(cased[:2])
    return firsts[0] if firsts else NOTE


def dominant(art: Image.Image) -> Colour:
    """Find the colour that a person would name a cover by: its most frequent strong hue, else its mean."""
    small = np.asarray(art.resize((24, 24), Image.Resampling.BOX), dtype=np.float32).reshape(-1, 3) / 255
    high, low = small.max(axis=1), small.min(axis=1)
    strength = (high - low) * high
    if strength.mean() < 0.02:
        return Colour(*(round(float(c) * 255) for c in small.mean(axis=0)))
    bins = (_hues(small) * 12).astype(int) % 12
    best = int(np.bincount(bins, weights=strength, minlength=12).argmax())
    chosen = bins == best
    mean = np.average(small[chosen], axis=0, weights=strength[chosen] + 1e-6)
    return Colour(*(round(float(c) * 255) for c in mean))


def _hues(pixels: NDArray[np.floating]) -> NDArray[np.floating]:
    """Compute the hues of pixels, shape (n, 3) to (n,), 0 to 1 around the circle of colours; 0 for greys."""
    red, green, blue = pixels.T
    high = pixels.max(axis=1)
    span = np.where(high > pixels.min(axis=1), high - pixels.min(axis=1), 1)
    # Each sixth of the circle lies between two primaries: where the pixel stands there.
    sixths = np.select(
        [red == high, green == high], [(green - blue) / span, 2 + (blue - red) / span], 4 + (red - green) / span
    )
    hues: NDArray[np.floating] = sixths / 6 % 1
    return hues


@lru_cache(maxsize=4)
def _falloff(centre: tuple[int, int]) -> bytes:
    """Compute how much tint each pixel of the ground takes, 0 to 255, strongest around ``centre``."""
    y, x = np.mgrid[0:HEIGHT_PX, 0:WIDTH_PX]
    share = np.exp(-(((x - centre[0]) / 430.0) ** 2 + ((y - centre[1]) / 420.0) ** 2))
    levels: bytes = (share * 255).round().astype(np.uint8).tobytes()
    return levels


def tinted_ground(colour: Colour, centre: tuple[int, int]) -> Image.Image:
    """Fill a whole picture with near black, tinted around ``centre`` by a cover's ``colour``; mode "RGB"."""
    strongest = np.array(tint(colour), dtype=np.float32)
    base = np.array(GROUND, dtype=np.float32)
    palette = base + (strongest - base) * np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    picture = Image.frombytes("P", (WIDTH_PX, HEIGHT_PX), _falloff(centre))
    picture.putpalette(palette.round().astype(np.uint8).tobytes())
    return picture.convert("RGB")


@lru_cache(maxsize=8)
def _glow(side_px: int) -> Image.Image:
    mask = Image.new("L", (side_px + 2 * _GLOW_PX,) * 2)
    mask.paste(255, (_GLOW_PX, _GLOW_PX, _GLOW_PX + side_px, _GLOW_PX + side_px))
    blurred = mask.filter(ImageFilter.GaussianBlur(_GLOW_PX / 2.4))
    return blurred.point(lambda share: int(share * _GLOW_STRENGTH))


def lay_cover(
    picture: Image.Image, art: Image.Image, corner: tuple[int, int], side_px: int, accent: Colour | None
) -> None:
    """Put ``art`` with round corners at ``corner`` (top left), glowing in ``accent`` if one is given."""
    if accent is not None:
        picture.paste(tuple(accent), (corner[0] - _GLOW_PX, corner[1] - _GLOW_PX), _glow(side_px))
    if art.size != (side_px, side_px):
        art = art.resize((side_px, side_px), Image.Resampling.LANCZOS)
    picture.paste(art, corner, rounded_mask(side_px, side_px, round(side_px * _CORNER_SHARE)))
