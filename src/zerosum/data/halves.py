"""Images that hold a pair side by side, as two sides of half images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import BinaryIO, Literal

from PIL import Image, ImageOps

from zerosum.data.decode import Unusable, open_image
from zerosum.data.files import Files

STORABLE = ("1", "L", "LA", "I;16", "I", "F", "RGB", "RGBA", "CMYK")
"""Pillow's modes that a TIFF keeps as they are."""


def halves(files: Files) -> tuple[Files, Files]:
    """View files of side-by-side pairs as the files of their left halves, and of their right ones.

    Each half is cut out of the upright image before anything is scaled, so that neither bleeds into the other.
    """
    return (
        replace(files, open=_half(files.open, "left")),
        replace(files, open=_half(files.open, "right"), others=()),
    )


def _half(read: Callable[[str], BinaryIO], which: Literal["left", "right"]) -> Callable[[str], BinaryIO]:
    def open_half(name: str) -> BinaryIO:
        with read(name) as file, open_image(file) as image:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            width, height = image.size
            if width % 2 or width <= height:
                raise Unusable(
                    f"is {height}x{width} (height x width), which is no pair side by side: give the targets with "
                    "--target, or make sources with --degrade"
                )
            box = (0, 0, width // 2, height) if which == "left" else (width // 2, 0, width, height)
            return _stored(image, box)

    return open_half


def _stored(image: Image.Image, box: tuple[int, int, int, int]) -> BinaryIO:
    plain: Image.Image = image
    if "transparency" in image.info or image.mode in ("La", "RGBa", "PA"):
        plain = image.convert("RGBA")
    elif image.mode not in STORABLE:
        plain = image.convert("RGB")
    half = BytesIO()
    plain.crop(box).save(half, format="TIFF")
    half.seek(0)
    return half
