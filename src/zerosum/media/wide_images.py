"""Files of images of 16 bits a channel: PNG of 1 to 4 channels, and gray TIFF, which Pillow lacks or has in part."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Number in a PNG's header for each number of channels (PNG specification, section 11.2.1)."""


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


def png(pixels: np.ndarray, metadata: Mapping[str, str]) -> bytes:
    r"""Encode an image (H, W, C) uint16 of 1 to 4 channels as a PNG, with metadata as text chunks.

    Every row is stored as its difference from the one above (PNG specification, section 9.2, filter 2).

    >>> png(np.zeros((2, 3, 1), np.uint16), {})[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels, dtype=">u2").view(np.uint8).reshape(height, -1)
    stored = np.empty((height, 1 + rows.shape[1]), np.uint8)
    stored[:, 0] = 2
    stored[:, 1:] = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, 0)
    texts = [_text(name, value) for name, value in metadata.items()]
    chunks = [(b"IHDR", header), *((b"iTXt", text) for text in texts), (b"IDAT", zlib.compress(stored.data, 6))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in (*chunks, (b"IEND", b"")))


def _text(name: str, value: str) -> bytes:
    """The content of an uncompressed iTXt chunk: keyword, no language, UTF-8 text."""
    return name.encode("latin-1", "replace") + b"\0\0\0\0\0" + value.encode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
