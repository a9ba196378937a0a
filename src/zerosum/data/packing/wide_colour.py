"""Colour of 16 bits a channel, which Pillow has no mode for: read as two images, of the high and of the low bytes."""

from __future__ import annotations

import sys
from typing import BinaryIO

import numpy as np
from PIL.ImageFile import ImageFile

from zerosum.data.packing.colour_profile import profile_of
from zerosum.data.packing.open_image import open_image, upright

NATIVE_LOW = "B" if sys.byteorder == "little" else "L"
LOW_BYTES = {
    f"{mode};16{order}": f"{mode};16{other}"
    for mode in ("RGB", "RGBA")
    for order, other in (("B", "L"), ("L", "B"), ("N", NATIVE_LOW))
}
"""Pillow's layout that takes the low bytes for the high ones, by the layout of a file."""


def is_wide_colour(image: ImageFile) -> bool:
    """Whether an image that is not loaded yet has colour of 16 bits a channel that can be read whole.

    One with a colour profile is converted to sRGB at 8 bits instead.
    """
    layouts = {_layout(tile[3]) for tile in image.tile}
    plain = "transparency" not in image.info and profile_of(image) != "converted"
    return plain and len(layouts) == 1 and layouts <= LOW_BYTES.keys()


def wide_colour(file: BinaryIO) -> np.ndarray | None:
    """Decode colour of 16 bits a channel, upright: (H, W, 3 or 4) uint16; None where a file has none."""
    with open_image(file, header=True) as image:
        if not is_wide_colour(image):
            return None
    high, low = (_bytes(file, low=low) for low in (False, True))
    return high.astype(np.uint16) << 8 | low


def _bytes(file: BinaryIO, *, low: bool) -> np.ndarray:
    file.seek(0)
    with open_image(file) as image:
        if low:
            image.tile = [(*tile[:3], _swapped(tile[3])) for tile in image.tile]  # pyright: ignore
        image.load()
        return np.asarray(upright(image))


def _layout(args: object) -> str:
    """Pillow's name for the layout of a file's bytes: what its decoder is given, or the first of that."""
    return str(args[0] if isinstance(args, tuple) and args else args)


def _swapped(args: object) -> str | tuple[object, ...]:
    other = LOW_BYTES[_layout(args)]
    return (other, *args[1:]) if isinstance(args, tuple) else other
