"""The exact cells of a volume beside its surface, in the extras of a .glb: a surface alone is rescaled when read."""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
import zlib

import numpy as np

from zerosum.data.volumes.grids import LARGEST_GIVEN
from zerosum.runtime import untrusted_json

KEY = "cells"
"""Name of the extra."""


def as_text(grid: np.ndarray) -> str:
    """Encode a grid (X, Y, Z) bool: its shape, then its bits, compressed, in base 64.

    >>> int(cells_in(glb_of(as_text(np.eye(8, dtype=bool)[None].repeat(8, 0)))).sum())
    64
    """
    bits = zlib.compress(np.packbits(grid).tobytes(), 9)
    return f"{'x'.join(map(str, grid.shape))}:{base64.b64encode(bits).decode()}"


def glb_of(text: str) -> bytes:
    """Make a .glb without geometry that holds cells."""
    scene = f'{{"asset":{{"version":"2.0"}},"scenes":[{{"extras":{{"{KEY}":"{text}"}}}}]}}'.encode()
    scene += b" " * (-len(scene) % 4)
    return struct.pack("<4sIIII", b"glTF", 2, 20 + len(scene), len(scene), 0x4E4F534A) + scene


def cells_in(content: bytes) -> np.ndarray | None:
    """Decode the cells that a .glb holds: (X, Y, Z) bool; None where it holds none, or damaged ones."""
    try:
        magic, _, _, length, kind = struct.unpack_from("<4sIII4s", content)
        if magic != b"glTF" or kind != b"JSON":
            return None
        text = untrusted_json.parse(content[20 : 20 + length].decode())["scenes"][0]["extras"][KEY]
        match = re.fullmatch(r"(\d{1,4})x(\d{1,4})x(\d{1,4}):([\w+/=]+)", text, re.ASCII)
        sides = () if match is None else tuple(map(int, match.groups()[:3]))
        if match is None or not 0 < min(sides) <= max(sides) <= LARGEST_GIVEN:
            return None
        wanted = -(-math.prod(sides) // 8)
        bits = zlib.decompressobj().decompress(base64.b64decode(match[4]), wanted + 1)
    except (struct.error, ValueError, LookupError, TypeError, binascii.Error, zlib.error):
        return None
    if len(bits) != wanted:
        return None
    return np.unpackbits(np.frombuffer(bits, np.uint8), count=math.prod(sides)).astype(bool).reshape(sides)
