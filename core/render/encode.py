"""Pictures as PNG files, written quickly.

Pillow tries five filters on every row, which takes longer than drawing the card does. For these pictures the filter
"up" with run-length matching gives files of the same size in a third of the time, so it alone is used here.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
from PIL import Image

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_BITS: Final = 8
_RGB: Final = 2
_FILTER_UP: Final = 2
_WINDOW_BITS: Final = 15
_MEMORY: Final = 9


def png(picture: Image.Image) -> bytes:
    """Encode a picture of mode "RGB" as PNG (W3C Portable Network Graphics, third edition)."""
    width, height = picture.size
    rows = np.asarray(picture.convert("RGB")).reshape(height, width * 3)
    filtered = np.empty((height, 1 + width * 3), dtype=np.uint8)
    filtered[:, 0] = _FILTER_UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW_BITS, _MEMORY, zlib.Z_RLE)
    header = struct.pack(">IIBBBBB", width, height, _BITS, _RGB, 0, 0, 0)
    body = packer.compress(filtered.tobytes()) + packer.flush()
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
