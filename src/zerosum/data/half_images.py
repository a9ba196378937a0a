"""Halves of images that hold a pair side by side, cut before anything is scaled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO, Literal

import numpy as np
from PIL import Image

from zerosum.data.packing.decode import white_is_zero
from zerosum.data.packing.open_image import Unusable, open_image, upright
from zerosum.data.packing.wide_colour import wide_colour
from zerosum.data.packing.wide_png import png
from zerosum.data.sources.image_files import ImageFiles

STORABLE = ("1", "L", "LA", "I;16", "I", "F", "RGB", "RGBA", "CMYK")
"""Pillow's modes that a TIFF keeps as they are."""


def halves(files: ImageFiles) -> tuple[ImageFiles, ImageFiles]:
    """View files of side-by-side pairs as the files of their left halves, and of their right ones.

    Each half is cut out of the upright image before anything is scaled, so that neither bleeds into the other.
    """
    return (
        replace(files, open=_half(files.open, "left")),
        replace(files, open=_half(files.open, "right"), others=()),
    )


def _half(read: Callable[[str], BinaryIO], which: Literal["left", "right"]) -> Callable[[str], BinaryIO]:
    def open_half(name: str) -> BinaryIO:
        with read(name) as file:
            deep = wide_colour(file)
            if deep is not None:
                columns = _columns(deep.shape[1], deep.shape[0], which)
                return BytesIO(png(deep[:, columns], {}))
            file.seek(0)
            with open_image(file) as image:
                image.load()
                whole = upright(image)
                columns = _columns(*whole.size, which)
                return _stored(whole, (columns.start, 0, columns.stop, whole.height))

    return open_half


def _columns(width: int, height: int, which: Literal["left", "right"]) -> slice:
    """Return the columns of one half.

    Raises:
        Unusable: The image is no pair side by side.
    """
    if width % 2 or width <= height:
        raise Unusable(
            f"is {height}x{width} (height x width), which is no pair side by side: give the targets with "
            "--target, or make sources with --degrade"
        )
    return slice(0, width // 2) if which == "left" else slice(width // 2, width)


def _stored(image: Image.Image, box: tuple[int, int, int, int]) -> BinaryIO:
    plain: Image.Image = image
    if image.mode.startswith("I;16"):  # a half is stored in this machine's order of bytes, and counted from black
        values = np.asarray(image).astype(np.uint16)
        plain = Image.fromarray(65535 - values if white_is_zero(image) else values)
    elif "transparency" in image.info or image.mode in ("La", "RGBa", "PA"):
        plain = image.convert("RGBA")
    elif image.mode not in STORABLE:
        plain = image.convert("RGB")
    half = BytesIO()
    plain.crop(box).save(half, format="TIFF")
    half.seek(0)
    return half
