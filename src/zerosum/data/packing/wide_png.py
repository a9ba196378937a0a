"""PNG of 16 bits in 1 to 4 channels, which Pillow does not write: what `wide_colour` and Pillow read."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import numpy as np

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""Number in a PNG's header for each number of channels (PNG specification, section 11.2.1)."""


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
