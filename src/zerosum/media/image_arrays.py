"""Samples as the numbers of their data: 16-bit files, arrays, and stacks of pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import Tensor

from zerosum.data.batch import to_levels
from zerosum.data.packing.bit_depth import fits_integers, integers_of, range_of_results
from zerosum.data.spec import Spec
from zerosum.media.image_grid import is_picture, require_finite
from zerosum.media.wide_images import write_stack, write_wide
from zerosum.runtime.atomic_files import replacing

TIFFS = (".tif", ".tiff")
ENDINGS = (".npy", *TIFFS)
"""Of files that hold all samples."""


def write_each(samples: Tensor, out: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write (N, C, H, W) images in [-1, 1] as 16-bit PNGs: into a folder, or one into a .png.

    Raises:
        InputError: A value is not finite.
        StorageError: The disk refuses.
    """
    images = integers_of(_levels(samples, spec), spec.range)
    names = [out] if is_picture(out) else [out / f"sample-{number:04d}.png" for number in range(len(images))]
    return [write_wide(image, name, metadata) for image, name in zip(images, names, strict=True)]


def write_all(samples: Tensor, out: Path, spec: Spec) -> Path:
    """Write (N, C, H, W) images in [-1, 1] into one file.

    A .npy gets (N, H, W, C), or (N, H, W) of one channel, as data may come: uint8, or the numbers of the range that 16
    bits stand for. A .tif gets a page of each.

    Raises:
        InputError: A value is not finite, or a TIFF does not hold such images.
        StorageError: The disk refuses.
    """
    if out.suffix.lower() != ".npy":
        levels = _levels(samples, spec)
        write_stack(list(integers_of(levels, spec.range) if spec.bits == 16 else levels), out)
        return out
    return write_array(_array(samples, spec), out)


def write_each_array(samples: Tensor, folder: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write each of (N, C, H, W) images in [-1, 1] as a .npy: what `write_all` puts at its place in one for all.

    The metadata lie beside them, in sample.json.

    Raises:
        InputError: A value is not finite.
        StorageError: The disk refuses.
    """
    images = _array(samples, spec)
    paths = [write_array(image, folder / f"sample-{number:04d}.npy") for number, image in enumerate(images)]
    with replacing(folder / "sample.json") as partial:
        partial.write_text(json.dumps(dict(metadata), indent=2), encoding="utf-8")
    return paths


def write_array(array: np.ndarray, out: Path) -> Path:
    """Write a .npy whole or not at all.

    Raises:
        StorageError: The disk refuses.
    """
    with replacing(out) as partial, partial.open("wb") as file:
        np.save(file, array, allow_pickle=False)
    return out


def numbers_of(levels: np.ndarray, spec: Spec) -> np.ndarray:
    """Return the numbers of a spec's range that 16-bit levels stand for: uint16 if they fit, int64, or float32."""
    if fits_integers(spec.range):
        return integers_of(levels, spec.range)
    scale = range_of_results(spec.range)
    return scale.invert(levels).astype(np.int64 if scale.holds_integers else np.float32)


def note_on_files(samples: int, out: Path, spec: Spec) -> str | None:
    """Say where files of 16-bit samples hold other numbers than the data, or fewer bits."""
    if spec.bits == 8:
        return None
    if is_picture(out) and samples > 1:
        return "The picture has 8 bits a channel: a folder, or a name that ends in .npy or .tif, keeps 16."
    if fits_integers(spec.range) or out.suffix.lower() == ".npy" or spec.shape[0] > 4:
        return None
    scale = range_of_results(spec.range)
    return f"0..65535 in the files stand for {scale.low:.6g}..{scale.high:.6g}: a name in .npy keeps those numbers."


def _array(samples: Tensor, spec: Spec) -> np.ndarray:
    """Bring (N, C, H, W) in [-1, 1] to (N, H, W, C), or (N, H, W) of one channel, as data may come."""
    levels = _levels(samples, spec)
    array = numbers_of(levels, spec) if spec.bits == 16 else levels
    return array[..., 0] if array.shape[-1] == 1 else array


def _levels(samples: Tensor, spec: Spec) -> np.ndarray:
    """Bring (N, C, H, W) in [-1, 1] to (N, H, W, C) uint8 or uint16."""
    require_finite(samples)
    return np.ascontiguousarray(to_levels(samples.detach(), spec.bits).permute(0, 2, 3, 1).numpy())
