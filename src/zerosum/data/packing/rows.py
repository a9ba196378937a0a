"""An image file as pixels of a plan: 8 bits a channel by Pillow, 16 bits by arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from PIL import Image

from zerosum.data.packing.bit_depth import Scale
from zerosum.data.packing.decode import PixelFormat, fit, levels_of_wide, to_plain, with_channels
from zerosum.data.packing.open_image import open_image, upright
from zerosum.data.packing.padding import cover_box, padded, within
from zerosum.data.packing.wide import doubled, resized, with_wide_channels
from zerosum.data.packing.wide_colour import wide_colour


def render(file: BinaryIO, plan: PixelFormat) -> np.ndarray:
    """Decode an image and bring it to the plan's shape: (H, W, C), uint8 or uint16 as its bits say.

    Raises:
        Unusable: The header claims more pixels than Pillow's limit.
    """
    colour = _colour(file, plan)
    if colour is not None:
        return fit_wide(with_wide_channels(colour, plan.channels), plan, alpha=plan.channels in (2, 4))
    with open_image(file) as image:
        if image.format in ("JPEG", "MPO"):
            # Twice the target leaves the Lanczos filter enough to work on; the DCT does the rest of the shrinking.
            cover = max(plan.height, plan.width) / min(image.size)
            image.draft(None, (int(2 * cover * image.width), int(2 * cover * image.height)))
        image.load()
        turned = upright(image)
        if plan.bits == 16 and (wide := levels_of_wide(turned, plan)) is not None:
            return fit_wide(with_wide_channels(wide, plan.channels), plan, alpha=plan.channels in (2, 4))
        return _at_depth(fit(with_channels(to_plain(turned, plan), plan.channels), plan), plan)


def whole(file: BinaryIO, plan: PixelFormat) -> np.ndarray:
    """Decode an image at its own size, with the plan's channels: (H, W, C), uint8 or uint16 as its bits say.

    Raises:
        Unusable: The header claims more pixels than Pillow's limit.
    """
    plain, wide = read(file, plan)
    if wide is not None:
        return with_wide_channels(wide, plan.channels)
    shown = with_channels(plain, plan.channels)
    return _at_depth(np.asarray(shown).reshape(shown.height, shown.width, plan.channels), plan)


def read(file: BinaryIO, plan: PixelFormat) -> tuple[Image.Image, np.ndarray | None]:
    """Decode an image, upright at its own size: as 8-bit L, LA, RGB or RGBA, and of a plan of 16 bits its levels.

    Returns:
        The picture; and (H, W, bands) uint16 where the file has more than 8 bits a channel and the plan too, else None.
    """
    colour = _colour(file, plan)
    with open_image(file) as image:
        image.load()
        turned = upright(image)
        wide = levels_of_wide(turned, plan) if plan.bits == 16 and colour is None else colour
        return to_plain(turned, plan), wide


def translucent(file: BinaryIO) -> bool:
    """Whether any pixel of an image is not opaque."""
    with open_image(file) as image:
        lowest, _ = image.convert("RGBA").getchannel("A").getextrema()
    return lowest < 255  # pyright: ignore[reportOperatorIssue]  (a pair of pairs only for several channels)


def levels_in(file: BinaryIO, scales: Mapping[str, Scale]) -> np.ndarray:
    """Distinct 16-bit levels of an image of wide numbers.

    Raises:
        Unusable: Some number is not finite.
    """
    colour = wide_colour(file) if "byte" not in scales else None
    if colour is not None:
        return np.unique(colour)
    with open_image(file) as image:
        levels = levels_of_wide(image, PixelFormat(height=1, width=1, channels=1, scales=dict(scales), bits=16))
        return np.unique(levels) if levels is not None else np.empty(0, np.uint16)


def fit_wide(image: np.ndarray, plan: PixelFormat, *, alpha: bool) -> np.ndarray:
    """Scale an image to cover the plan's size, or to lie within it, as `fit` does: (H, W, C) uint16."""
    if image.shape[:2] == (plan.height, plan.width):
        return image
    if plan.padded:
        inner = within((image.shape[0], image.shape[1]), (plan.height, plan.width))
        scaled = image if image.shape[:2] == inner else resized(image, inner, alpha=alpha)
        return padded(scaled, (plan.height, plan.width))
    box = cover_box((image.shape[0], image.shape[1]), (plan.height, plan.width))
    return resized(image, (plan.height, plan.width), box=box, alpha=alpha)


def _colour(file: BinaryIO, plan: PixelFormat) -> np.ndarray | None:
    """The colour of 16 bits of a file; None where it has none, or a range is asked for of 8-bit numbers."""
    found = wide_colour(file) if plan.bits == 16 and "byte" not in plan.scales else None
    file.seek(0)
    return found


def _at_depth(pixels: np.ndarray, plan: PixelFormat) -> np.ndarray:
    return pixels if plan.bits == 8 else doubled(pixels)
