import io

import pytest
from PIL import Image

from core.lookup.cover import SIDE_PX, NotAnImage, decode_cover
from tests.fakes.art_server import SVG, moving_gif, picture, png_bomb


def pixel(cover, x=SIDE_PX // 2, y=SIDE_PX // 2):
    return Image.frombytes("RGB", (cover.side_px, cover.side_px), cover.rgb).getpixel((x, y))


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP"])
def test_known_types_become_a_square_cover(fmt):
    cover = decode_cover(picture(fmt, (200, 40, 40)))
    assert cover.side_px == SIDE_PX
    assert len(cover.rgb) == SIDE_PX * SIDE_PX * 3
    assert pixel(cover) == pytest.approx((200, 40, 40), abs=6)


def test_of_an_animation_the_first_frame_is_taken():
    assert pixel(decode_cover(moving_gif())) == (255, 0, 0)


def test_the_middle_of_a_wide_image_is_cut_out():
    wide = Image.new("RGB", (900, 300), "blue")
    wide.paste("red", (300, 0, 600, 300))
    file = io.BytesIO()
    wide.save(file, "PNG")
    cover = decode_cover(file.getvalue())
    assert {pixel(cover, 20, 20), pixel(cover), pixel(cover, 400, 400)} == {(255, 0, 0)}


def test_transparency_is_laid_on_a_dark_ground():
    assert max(pixel(decode_cover(picture("PNG", (255, 255, 255, 0))))) < 40


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (SVG, "type"),
        (b"", "type"),
        (b"<html></html>", "type"),
        (b"BM" + b"\0" * 200, "type"),
        (b"\xff\xd8\xff" + b"\0" * 500, "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"GIF89a", "damaged"),
        (b"RIFF\x04\0\0\0WEBP", "damaged"),
        (picture("PNG", size=(900, 900))[:-400], "damaged"),
        (picture("PNG", size=(1, 1)), "small"),
        (png_bomb(), "damaged"),
        (png_bomb(5000), "pixels"),
    ],
)
def test_refuses(body, reason):
    with pytest.raises(NotAnImage, match=reason):
        decode_cover(body)
