"""Packs of encoded files: image files one after another as they came, decoded in threads when they are drawn.

For data whose pixels would fill the disk. What is drawn is to the last bit what a pack of pixels gives.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.data.packing.bit_depth import Scale
from zerosum.data.packing.decode import PixelFormat, reason
from zerosum.data.packing.rows import render
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import cores

FILES, OFFSETS = "files.bin", "offsets.npy"
BLOCK = 256
"""Neighbours on the disk that are drawn near each other: what is read from a slow disk is read in their order."""
LARGEST_PIXEL_BYTES = 8 << 30
"""Bytes of pixels above which files are packed as they are, where the choice is left open."""


class EncodedRows:
    """(M, H, W, C) uint8 or uint16 images that are decoded when they are asked for.

    Args:
        place: folder of the pack.
        plan: what every image becomes.
        index: rows of the pack that are shown, in order; None for all.
    """

    def __init__(self, place: Path, plan: PixelFormat, index: np.ndarray | None = None) -> None:
        self.place, self.plan, self._index = place, plan, index
        self._offsets = np.load(place / OFFSETS, allow_pickle=False)
        self._bytes = np.memmap(place / FILES, np.uint8, "r")
        self.dtype = np.dtype(np.uint16 if plan.bits == 16 else np.uint8)
        if len(self._bytes) != self._offsets[-1]:
            raise ValueError(f"{place / FILES} is cut short")

    def __len__(self) -> int:
        return len(self._offsets) - 1 if self._index is None else len(self._index)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(M, H, W, C)."""
        return (len(self), self.plan.height, self.plan.width, self.plan.channels)

    @property
    def ndim(self) -> int:
        """4."""
        return 4

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray | EncodedRows:
        """Decode an image, or those of an array of rows; a slice is a view that decodes nothing."""
        if isinstance(rows, slice):
            return EncodedRows(
                self.place, self.plan, np.arange(len(self))[rows] if self._index is None else self._index[rows]
            )
        if isinstance(rows, int | np.integer):
            return self.take(np.array([rows]))[0]
        return self.take(np.arange(len(self))[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Decode all images."""
        return self.take(np.arange(len(self))).astype(dtype or self.dtype, copy=False)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Decode the images at (N,) rows on all cores: (N, H, W, C).

        Raises:
            InputError: one cannot be decoded.
        """
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)

        def decode(place: int) -> None:
            found[place] = self._decoded(int(rows[place]))

        list(_decoders().map(decode, range(len(rows))))
        return found

    def _decoded(self, row: int) -> np.ndarray:
        stored = row if self._index is None else int(self._index[row])
        content = self._bytes[self._offsets[stored] : self._offsets[stored + 1]].tobytes()
        try:
            return render(io.BytesIO(content), self.plan)
        except Exception as error:  # decoders raise almost anything on damaged bytes
            raise InputError(f"Image {stored} of the pack {self.place} {reason(error)}: delete that folder.") from error


@cache
def _decoders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=cores(), thread_name_prefix="zerosum-decode")


def plan_to_json(plan: PixelFormat) -> dict[str, Any]:
    """Return a plan as JSON can hold it."""
    return asdict(plan)


def plan_from_json(found: Mapping[str, Any]) -> PixelFormat:
    """Return the plan that `plan_to_json` wrote."""
    scales = {kind: Scale(**scale) for kind, scale in found["scales"].items()}
    return PixelFormat(**{**found, "scales": scales})
