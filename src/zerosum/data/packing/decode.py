"""One image file: what its header says, and how it becomes a row of the packed array."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from zerosum.data.options import SMALLEST_SIDE
from zerosum.data.packing.bit_depth import Scale

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # JPEG includes MPO
GRAY_MODES = ("1", "L", "LA", "La")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
ORIENTATION = 274  # the EXIF and TIFF tag
TIFF_WIDTH, TIFF_HEIGHT, TIFF_BITS = 256, 257, 258


class Unusable(Exception):  # noqa: N818  (the sentence "a.png ..." reads on)
    """This image cannot be used; the text completes the sentence "a.png ..."."""


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What the header of an image file says."""

    height: int
    """Pixels, once upright."""

    width: int
    mode: str
    """Pillow's name for the channels: L, RGB, RGBA, P, CMYK, I;16, F, ..."""

    bits: int
    """Bits of one channel: 1, 8, 16 or 32."""

    colour: bool
    alpha: bool
    """Whether the file carries opacity; only its pixels tell whether all of them are opaque."""

    turned: bool
    """Whether an orientation tag turns or mirrors the stored pixels."""

    frames: int

    @property
    def wide(self) -> str | None:
        """The kind of numbers, "integer" or "float", where Pillow keeps more than 8 bits of a channel; else None."""
        if self.mode == "F":
            return "float"
        return "integer" if self.mode.startswith("I") else None


@dataclass(frozen=True, kw_only=True)
class PixelFormat:
    """How every image of a data set becomes a row of the same shape."""

    height: int
    width: int
    channels: int
    scales: dict[str, Scale]
    """How wide numbers become 8 bits, by the value of `Facts.wide`."""


@contextmanager
def no_bombs() -> Iterator[None]:
    """Turn Pillow's warning about a decompression bomb into an error, in the threads that decode as well."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def inspect(file: BinaryIO, *, smallest: int = SMALLEST_SIDE) -> ImageHeader:
    """Read the header of an image.

    Raises:
        Unusable: The image is too large to be meant, or has a side of less than `smallest` pixels.
    """
    with open_image(file) as image:
        width, height = image.size
        if image.format == "TIFF":  # Pillow swaps the size by itself here, but not in every version
            width, height = int(image.tag_v2[TIFF_WIDTH]), int(image.tag_v2[TIFF_HEIGHT])  # pyright: ignore
        orientation = image.getexif().get(ORIENTATION, 1)
        if orientation in (5, 6, 7, 8):
            width, height = height, width
        if min(width, height) < smallest:
            raise Unusable(f"is only {height}x{width} pixels, less than {smallest} a side")
        raw = str(image.tile[0][3]) if image.tile else ""
        wide = image.mode == "F" or image.mode.startswith("I")
        gray = wide or image.mode in GRAY_MODES or raw.startswith("LA")
        return ImageHeader(
            height=height,
            width=width,
            mode=image.mode,
            bits=_bits(image, raw),
            colour=not gray,
            alpha=not wide and (image.mode in ALPHA_MODES or "transparency" in image.info),
            turned=orientation in range(2, 9),
            # The further frames of an MPO are previews and second views that a phone adds to a photograph.
            frames=1 if image.format == "MPO" else getattr(image, "n_frames", 1),
        )


def open_image(file: BinaryIO) -> ImageFile:
    """Open an image of one of the formats that zerosum reads, and refuse a decompression bomb.

    Raises:
        Unusable: The header claims more pixels than Pillow's limit.
    """
    image = Image.open(file, formats=FORMATS)
    if Image.MAX_IMAGE_PIXELS is not None and image.width * image.height > Image.MAX_IMAGE_PIXELS:
        raise Unusable(f"claims {image.height}x{image.width} pixels, more than the limit against decompression bombs")
    return image


def extent(file: BinaryIO) -> tuple[float, float]:
    """Smallest and largest number in an image.

    Raises:
        Unusable: Some number is not finite.
    """
    with open_image(file) as image:
        values = np.asarray(image)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise Unusable("holds numbers that are not finite (NaN or infinity)")
    return low, high


def translucent(file: BinaryIO) -> bool:
    """Whether any pixel of an image is not opaque."""
    with open_image(file) as image:
        lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return lowest < 255  # pyright: ignore[reportOperatorIssue]  (a pair of pairs only for several channels)


def render(file: BinaryIO, plan: PixelFormat) -> np.ndarray:
    """Decode an image and bring it to the plan's shape: (H, W, C) uint8.

    Raises:
        Unusable: The header claims more pixels than Pillow's limit.
    """
    with open_image(file) as image:
        if image.format in ("JPEG", "MPO"):
            # Twice the target leaves the Lanczos filter enough to work on; the DCT does the rest of the shrinking.
            cover = max(plan.height, plan.width) / min(image.size)
            image.draft(None, (int(2 * cover * image.width), int(2 * cover * image.height)))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return fit(with_channels(to_plain(image, plan), plan.channels), plan)


def to_plain(image: Image.Image, plan: PixelFormat) -> Image.Image:
    """Bring an image of any mode to 8-bit L, LA, RGB or RGBA, keeping its alpha."""
    if image.mode == "F" or image.mode.startswith("I"):
        scale = plan.scales["float" if image.mode == "F" else "integer"]
        return Image.fromarray(scale.apply(np.asarray(image)))
    if image.mode in ("LA", "RGBA"):
        return image
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    if image.mode == "PA" or "transparency" in image.info:
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode in GRAY_MODES else "RGB")


def with_channels(image: Image.Image, channels: int) -> Image.Image:
    """Give an L, LA, RGB or RGBA image 1, 2, 3 or 4 channels.

    Alpha that must go is composited on white; colour that must go becomes luma (ITU-R BT.601, Pillow's own weights).
    """
    if channels in (1, 3) and image.mode in ("LA", "RGBA"):
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    return image if image.mode == mode else image.convert(mode)


def fit(image: Image.Image, plan: PixelFormat) -> np.ndarray:
    """Scale an image to cover the plan's size (Lanczos, antialiased) and cut out its centre: (H, W, C) uint8."""
    width, height = image.size
    if (height, width) != (plan.height, plan.width):
        scale = max(plan.width / width, plan.height / height)
        left, top = (width - plan.width / scale) / 2, (height - plan.height / scale) / 2
        # Rounding must not push the box out of the image by the last bit of a float.
        box = (max(left, 0), max(top, 0), min(width - left, width), min(height - top, height))
        image = image.resize((plan.width, plan.height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return np.asarray(image).reshape(plan.height, plan.width, plan.channels)


def reason(error: Exception) -> str:
    """Why an image cannot be used, to complete the sentence "a.png ..."."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    match error:
        case Unusable():
            return text
        case PermissionError():
            return "may not be read (permission denied)"
        case FileNotFoundError():
            return "has vanished"
        case UnidentifiedImageError():
            return "is no image that can be read"
        case Image.DecompressionBombError() | Image.DecompressionBombWarning():
            return "claims more pixels than the limit against decompression bombs"
        case OSError() if "truncated" in text:
            return "is cut short"
        case _:
            return f"cannot be decoded ({text})"


def _bits(image: ImageFile, raw: str) -> int:
    if image.mode == "1":
        return 1
    if image.mode in ("I", "F"):
        return 32
    stored = image.tag_v2.get(TIFF_BITS, (8,)) if image.format == "TIFF" else (8,)  # pyright: ignore
    return 16 if ";16" in raw or image.mode.startswith("I;16") or max(stored) > 8 else 8
