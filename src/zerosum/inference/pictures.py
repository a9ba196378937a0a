"""One image file of a network: decoded for it, and its result written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.packing.bit_depth import integers_of
from zerosum.data.packing.decode import PixelFormat, with_channels
from zerosum.data.packing.rows import read
from zerosum.data.packing.wide import doubled, resized, with_wide_channels
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.inference.opacity import without_opacity, without_wide_opacity
from zerosum.media.wide_images import write_wide
from zerosum.runtime.atomic_files import replacing

Size = Literal["trained", "own"]

FORMATS: dict[str, str] = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
"""Kinds of picture that are written, by ending."""


@dataclass(frozen=True)
class Loaded:
    """A decoded image, ready for the network."""

    name: str
    plain: Image.Image
    """Upright, at its own size: L, LA, RGB or RGBA."""
    pixels: Tensor
    """(C', H', W') uint8 or uint16, at the network's size."""
    own: np.ndarray | None = None
    """(H, W, bands) uint16: the image's own levels at its own size, where the network takes 16 bits."""


def load_picture(name: str, file: BinaryIO, *, plan: PixelFormat, size: Size) -> Loaded:
    """Decode an image: upright at its own size, and as the (C', H', W') that the network takes."""
    plain, wide = read(file, plan)
    own = wide
    if wide is not None:
        shape = (plan.height, plan.width)
        if wide.shape[2] in (2, 4) and plan.channels in (1, 3):
            wide = without_wide_opacity(wide)
        given = wide if size == "own" or wide.shape[:2] == shape else resized(wide, shape)
        pixels = with_wide_channels(given, plan.channels)
        return Loaded(name, plain, torch.from_numpy(pixels).permute(2, 0, 1), own)
    shown = with_channels(without_opacity(plain) if plan.channels in (1, 3) else plain, plan.channels)
    if size == "trained" and shown.size != (plan.width, plan.height):
        shown = shown.resize((plan.width, plan.height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.array(shown).reshape(shown.height, shown.width, plan.channels)
    if plan.bits == 8:
        return Loaded(name, plain, torch.from_numpy(pixels).permute(2, 0, 1))
    return Loaded(name, plain, torch.from_numpy(doubled(pixels)).permute(2, 0, 1), doubled(pixels_in(plain)))


def pixels_in(plain: Image.Image) -> np.ndarray:
    """Return the pixels of an L, LA, RGB or RGBA image with an axis for its bands: (H, W, bands) uint8."""
    return np.array(plain).reshape(plain.height, plain.width, len(plain.getbands()))


def finished(spec: Spec, plain: Image.Image, result: Tensor) -> Image.Image | np.ndarray:
    """Bring a result (C, H, W) to its source's size, times the factor by which a spec enlarges, and opacity.

    Of 16 bits it comes as levels, (H, W, C) uint16.
    """
    size = (spec.factor * plain.width, spec.factor * plain.height)
    pixels = result.permute(1, 2, 0).numpy()
    if pixels.dtype == np.uint16:
        pixels = pixels if pixels.shape[1::-1] == size else resized(pixels, (size[1], size[0]))
        if plain.mode not in ("LA", "RGBA") or pixels.shape[2] in (2, 4):
            return pixels
        opacity = plain.getchannel("A").resize(size, Image.Resampling.LANCZOS)
        return np.concatenate([pixels, doubled(np.array(opacity))[..., None]], axis=2)
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
    image = image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)
    if plain.mode in ("LA", "RGBA") and image.mode in ("L", "RGB"):
        image.putalpha(plain.getchannel("A").resize(size, Image.Resampling.LANCZOS))
    return image


def write_picture(image: Image.Image, path: Path) -> Path:
    """Write a picture whole or not at all, in the format of its ending.

    Raises:
        InputError: The format has no transparency, and the picture has.
        StorageError: The disk refuses.
    """
    kind = FORMATS[path.suffix.lower()]
    if kind in ("JPEG", "BMP") and image.mode in ("LA", "RGBA"):
        raise InputError(f"The result has transparency, which {path.name} cannot hold: end the name in .png.")
    with replacing(path) as partial:
        image.save(partial, format=kind, **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))
    return path


def write_result(result: Image.Image | np.ndarray, path: Path, spec: Spec) -> Path:
    """Write a picture, or levels (H, W, C) uint16 as the numbers of a spec's range.

    Raises:
        InputError: The format cannot hold it.
        StorageError: The disk refuses.
    """
    if isinstance(result, Image.Image):
        return write_picture(result, path)
    opacity = result.shape[2] in (2, 4)
    numbers = integers_of(result[..., :-1] if opacity else result, spec.range)
    return write_wide(np.concatenate([numbers, result[..., -1:]], axis=2) if opacity else numbers, path)
