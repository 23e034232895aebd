import io

import numpy as np
import pytest
from PIL import Image

from core.render.encode import png


@pytest.mark.parametrize("size", [(1, 1), (1200, 630), (7, 300), (300, 1)])
def test_every_pixel_comes_back(size):
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    with Image.open(io.BytesIO(png(Image.fromarray(pixels)))) as picture:
        assert (picture.format, picture.size, picture.mode) == ("PNG", size, "RGB")
        assert (np.asarray(picture) == pixels).all()
