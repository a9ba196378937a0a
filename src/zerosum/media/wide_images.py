"""Files of images of 16 bits a channel: PNG of 1 to 4 channels, and gray TIFF, which Pillow lacks or has in part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum.data.packing.wide_png import png
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing


def write_wide(pixels: np.ndarray, path: Path, metadata: Mapping[str, str] | None = None) -> Path:
    """Write an image (H, W, C) uint16 whole or not at all, as the PNG or TIFF that its name ends in.

    Raises:
        InputError: The format does not hold it.
        StorageError: The disk refuses.
    """
    ending, gray = path.suffix.lower(), pixels.shape[2] == 1
    if ending in (".tif", ".tiff") and gray:
        write_stack([pixels], path)
        return path
    if ending != ".png":
        raise InputError(f"The result has 16 bits a channel, which {path.name} cannot hold: end the name in .png.")
    with replacing(path) as partial:
        partial.write_bytes(png(pixels, metadata or {}))
    return path


def write_stack(images: Sequence[np.ndarray], path: Path) -> None:
    """Write images (H, W, 1) uint16, or (H, W, C) uint8 of at most 4 channels, as the pages of a TIFF.

    Raises:
        InputError: They have several channels of 16 bits, or more than 4 channels.
        StorageError: The disk refuses.
    """
    channels = images[0].shape[2]
    if channels > 4 or (images[0].dtype == np.uint16 and channels > 1):
        raise InputError(
            f"A TIFF is written of gray images of 16 bits, and these have {channels} channels: end the "
            f"name in {'.npy' if channels > 4 else '.png or .npy'}."
        )
    pages = [Image.fromarray(image[..., 0] if channels == 1 else image) for image in images]
    with replacing(path) as partial:
        pages[0].save(partial, format="TIFF", save_all=True, append_images=pages[1:], compression="tiff_adobe_deflate")
