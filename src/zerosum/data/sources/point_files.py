"""Points in .npy files: one file, or the only one of a folder, as `zerosum sample --out FOLDER` writes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.sources import toys
from zerosum.data.sources.find import built_in
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import open_regular


def is_points(source: str | Path) -> bool:
    """Whether a source is the name of a mixture, or a file or folder of points (M, 2), by its header.

    >>> is_points("ring8"), is_points("digits")
    (True, False)
    """
    if built_in(source) is not None:
        return built_in(source) in toys.NAMES
    try:
        return file_of(source) is not None
    except (OSError, ValueError, EOFError):  # whatever reads it as something else says what is wrong
        return False


def file_of(source: str | Path) -> Path | None:
    """Return the .npy file of points (M, 2) that a path leads to; None where there is none."""
    path = absolute(source)
    if path.is_dir():
        found = sorted(path.glob("*.npy"))
        path = found[0] if len(found) == 1 else path
    if path.suffix.lower() != ".npy" or not path.is_file():
        return None
    with open_regular(path):  # a pipe is never opened
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    return path if values.ndim == 2 and values.shape[1] == 2 and values.dtype.kind in "iuf" else None


def read_points(source: str | Path, options: DataConfig) -> np.ndarray:
    """Read points: (M, 2) float32.

    Raises:
        InputError: there are none, one is not finite, or there is no such split.
    """
    path = file_of(source)
    if path is None:
        raise InputError(f"{source} holds no points: give a .npy of (M, 2) numbers, or {' or '.join(toys.NAMES)}.")
    if options.split != "train":
        raise NoSuchSplit(f"{path} has no split {options.split}: it is one set of points; leave out --split.")
    points = np.load(path, allow_pickle=False).astype(np.float32)
    if len(points) == 0:
        raise InputError(f"{path} holds no point: expected (M, 2) numbers, M of 1 or more.")
    if not np.isfinite(points).all():
        raise InputError(f"{path} holds numbers that are not finite (NaN or infinity): leave such points out.")
    return points
