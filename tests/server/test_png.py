"""PNG files as the server writes them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from zerosum.server import png


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16", "1"])
def test_other_programs_read_what_was_written(mode: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=np.uint8)
    picture = Image.fromarray(pixels).convert("L").convert("I;16") if mode == "I;16" else Image.fromarray(pixels)
    picture = picture if picture.mode == mode else picture.convert(mode)
    with Image.open(io.BytesIO(png.encode(picture, {"seed": "7", "name": "é"}))) as again:
        again.load()  # checks every chunk's sum
        assert again.mode == mode
        assert again.text == {"seed": "7", "name": "é"}  # type: ignore[attr-defined]
        assert again.tobytes() == picture.tobytes()
