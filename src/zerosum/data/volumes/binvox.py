"""Reading .binvox files, the grids that P. Min's program of that name writes."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np

from zerosum.data.packing.open_image import Unusable
from zerosum.data.volumes.grids import LARGEST_GIVEN

LONGEST_HEADER = 16
"""Lines within which the word data has to come."""


def read_binvox(file: BinaryIO) -> np.ndarray:
    """Read a grid (X, Y, Z), bool, with the file's y, its vertical axis, as the last one, and its z backwards as y.

    The format is a header of lines (#binvox 1, dim, translate, scale, data), and then pairs of bytes, a value and how
    often it is repeated; y runs fastest, then z, then x. The axes are turned, as those of a mesh whose y points
    upwards are: two of them exchanged would make a mirror image.

    Raises:
        Unusable: It is damaged, or no such file.

    Source: https://www.patrickmin.com/binvox/binvox.html.
    """
    if not file.readline(64).startswith(b"#binvox"):
        raise Unusable("is no binvox file: it does not begin with #binvox")
    sides: list[int] = []
    for _ in range(LONGEST_HEADER):
        words = file.readline(256).split()
        if words[:1] == [b"dim"]:
            sides = [int(word) for word in words[1:]]
        if words[:1] == [b"data"]:
            break
    else:
        raise Unusable("is no binvox file: its header has no line data")
    if len(sides) != 3 or not all(1 <= side <= LARGEST_GIVEN for side in sides):
        raise Unusable(f"claims {sides} cells; expected three sides of at most {LARGEST_GIVEN}")
    x, z, y = sides
    body = np.frombuffer(file.read(2 * x * y * z + 1), dtype=np.uint8)
    if len(body) % 2 or int(body[1::2].sum(dtype=np.int64)) != x * y * z:
        raise Unusable(f"is cut short or too long: {x * y * z:,} cells belong in it")
    return np.repeat(body[::2], body[1::2]).reshape(x, z, y)[:, ::-1] > 0
