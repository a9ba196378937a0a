"""One image file: what its header says, and how it becomes a row of the packed array."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from zerosum.data.options import SMALLEST_SIDE
from zerosum.data.packing.bit_depth import Scale, float_scale, integer_scale
from zerosum.data.packing.colour_profile import Profile, in_srgb, profile_of
from zerosum.data.packing.open_image import Unusable, open_image, orientation
from zerosum.data.packing.padding import cover_box, padded, within
from zerosum.data.packing.wide_colour import is_wide_colour
from zerosum.runtime.regular_files import NotRegularError

GRAY_MODES = ("1", "L", "LA", "La")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")
TIFF_WIDTH, TIFF_HEIGHT, TIFF_BITS, TIFF_PHOTOMETRIC, TIFF_SAMPLES = 256, 257, 258, 262, 277


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
    profile: Profile = "none"
    """What becomes of the colour profile."""

    wide_colour: bool = False
    """Whether several channels of 16 bits can be read whole."""

    dropped: int = 0
    """Bands that are neither colour nor opacity, and are not read."""

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
    """How wide numbers become levels, by the value of `Facts.wide`."""

    bits: Literal[8, 16] = 8
    """Of a channel: 8 or 16."""

    padded: bool = False
    """Whether images lie whole within the size, not cut to it."""


def inspect(file: BinaryIO, *, smallest: int = SMALLEST_SIDE) -> ImageHeader:
    """Read the header of an image.

    Raises:
        Unusable: The image is too large to be meant, or has a side of less than `smallest` pixels.
    """
    with open_image(file, header=True) as image:
        # Before the orientation is looked for: that may read an image to its end.
        raw, wide_colour = str(image.tile[0][3]) if image.tile else "", is_wide_colour(image)
        width, height = image.size
        if image.format == "TIFF":  # Pillow swaps the size by itself here, but not in every version
            width, height = int(image.tag_v2[TIFF_WIDTH]), int(image.tag_v2[TIFF_HEIGHT])  # pyright: ignore
        way = orientation(image)
        if way in (5, 6, 7, 8):
            width, height = height, width
        if min(width, height) < smallest:
            raise Unusable(f"is only {height}x{width} pixels, less than {smallest} a side")
        wide = image.mode == "F" or image.mode.startswith("I")
        gray = wide or image.mode in GRAY_MODES or raw.startswith("LA")
        return ImageHeader(
            height=height,
            width=width,
            mode=image.mode,
            bits=_bits(image, raw),
            colour=not gray,
            alpha=not wide and (image.mode in ALPHA_MODES or "transparency" in image.info),
            turned=way != 1,
            # The further frames of an MPO are previews and second views that a phone adds to a photograph.
            frames=1 if image.format == "MPO" else getattr(image, "n_frames", 1),
            profile=profile_of(image),
            wide_colour=wide_colour,
            dropped=_dropped(image),
        )


def extent(file: BinaryIO) -> tuple[float, float, bool]:
    """Smallest and largest number in an image, and whether all are bytes doubled (257 times 0..255): 8 bits in 16.

    Raises:
        Unusable: Some number is not finite.
    """
    with open_image(file) as image:
        values = np.asarray(image)
    low, high = _finite_extremes(values)
    return low, high, low >= 0 and high <= 65535 and values.dtype.kind in "ui" and not (values % 257).any()


def _finite_extremes(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low + high):
        raise Unusable("holds numbers that are not finite (NaN or infinity)")
    return low, high


def to_plain(image: Image.Image, plan: PixelFormat) -> Image.Image:
    """Bring an image of any mode to 8-bit L, LA, RGB or RGBA, keeping its alpha.

    Wide numbers whose kind the plan has no scale for have one of their own.

    Raises:
        Unusable: Some number is not finite.
    """
    wide = levels_of_wide(image, replace(plan, bits=8))
    if wide is not None:
        return Image.fromarray(wide[..., 0])
    plain = in_srgb(_eight_bits(in_srgb(image)))
    scale = plan.scales.get("byte")
    if scale is None:
        return plain
    table = scale.apply(np.arange(256)).tolist()
    return plain.point([level for band in plain.getbands() for level in (range(256) if band == "A" else table)])


def levels_of_wide(image: Image.Image, plan: PixelFormat) -> np.ndarray | None:
    """Return the wide numbers of an image as levels of the plan's bits, (H, W, 1); None where it has 8 bits.

    Raises:
        Unusable: Some number is not finite.
    """
    if image.mode != "F" and not image.mode.startswith("I"):
        return None
    values = np.asarray(image)
    low, high = _finite_extremes(values)
    kind, own = ("float", float_scale) if image.mode == "F" else ("integer", integer_scale)
    levels = (plan.scales.get(kind) or own(low, high)).apply(values, plan.bits)
    return (2**plan.bits - 1 - levels if white_is_zero(image) else levels).astype(levels.dtype)[..., None]


def white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF counts from white; Pillow inverts such files only of 8 bits or less."""
    return getattr(image, "tag_v2", {}).get(TIFF_PHOTOMETRIC) == 0


def _eight_bits(image: Image.Image) -> Image.Image:
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
    """Scale an image to cover the plan's size, or to lie within it (Lanczos, antialiased): (H, W, C) uint8."""
    size = (plan.height, plan.width)
    if plan.padded:
        tall, wide = within((image.height, image.width), size)
        scaled = image if image.size == (wide, tall) else image.resize((wide, tall), Image.Resampling.LANCZOS)
        return padded(np.asarray(scaled).reshape(tall, wide, plan.channels), size)
    if (image.height, image.width) != size:
        box = cover_box((image.height, image.width), size)
        image = image.resize((plan.width, plan.height), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    return np.asarray(image).reshape(plan.height, plan.width, plan.channels)


def reason(error: Exception) -> str:
    """Why an image cannot be used, to complete the sentence "a.png ..."."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    match error:
        case Unusable():
            return text
        case NotRegularError():
            return "is no regular file (a named pipe, a socket, a device or a folder)"
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


def _dropped(image: ImageFile) -> int:
    """Bands of a TIFF that Pillow leaves out, such as near infrared beside red, green and blue."""
    if image.format != "TIFF":
        return 0
    kept = [band for band in image.getbands() if band != "X"]  # of RGBX, as which Pillow 10.3 reads such images
    return max(0, int(image.tag_v2.get(TIFF_SAMPLES, 1)) - len(kept))  # pyright: ignore


def _bits(image: ImageFile, raw: str) -> int:
    if image.mode == "1":
        return 1
    if image.mode in ("I", "F"):
        return 32
    stored = image.tag_v2.get(TIFF_BITS, (8,)) if image.format == "TIFF" else (8,)  # pyright: ignore
    return 16 if ";16" in raw or image.mode.startswith("I;16") or max(stored) > 8 else 8
