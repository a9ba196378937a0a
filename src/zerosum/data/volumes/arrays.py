"""Array files of volumes: .npy and .npz, of numbers or of packed bits. No pickle in them is ever read."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
from numpy.lib import format as npy

from zerosum.data.options import DataConfig
from zerosum.data.packing.open_image import Unusable
from zerosum.data.sources.arrays import member, reading
from zerosum.data.volumes import grids
from zerosum.data.volumes.grids import Decoded
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.regular_files import open_regular
from zerosum.text import listed

CHUNK = 64
"""Volumes that are converted at once."""

_parsing = threading.Lock()
"""Python 3.11's parser, by which numpy reads headers, fails now and then on several threads at once."""

EXPECTED = "(M, X, Y, Z) numbers from 0 to 1, or (M, X * Y * Z / 8) bits of np.packbits"


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeArray:
    """M volumes of one size, with or without the number of the class of each."""

    values: np.ndarray
    """(M, X, Y, Z) numbers, or (M, V / 8) packed bits of cubes."""

    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def numbers(self) -> dict[str, int] | None:
        """Return the number of the class by the volume's name, or None."""
        if self.labels is None:
            return None
        return {_name(row): number for row, number in enumerate(self.labels.tolist())}

    def decoded(self) -> Iterator[Decoded]:
        """Yield all volumes in order."""
        for start in range(0, len(self), CHUNK):
            rows = self.values[start : start + CHUNK]
            side = _side(rows.shape)
            many = grids.unpacked(np.ascontiguousarray(rows), side) if side else rows
            for row, values in enumerate(many, start):
                try:
                    grid = grids.occupied(values)
                    grids.require_shape(grid)
                    yield Decoded(_name(row), grid)
                except Unusable as error:
                    yield Decoded(_name(row), error)


def read_array(path: Path, options: DataConfig) -> VolumeArray:
    """Read an array file.

    A .npz has x_train and y_train (x_test, y_test), or volumes and labels, or one array of any name, or one array a
    class; class_names beside them names the classes.

    Raises:
        InputError: No array in it can be volumes, or there is no such split.
    """
    if options.labels not in (None, "none"):
        raise InputError(f"--labels {options.labels} is of files, and {path} is an array: leave it out.")
    with reading(path):
        if path.suffix.lower() == ".npy":
            _require_train(path, options)
            found = VolumeArray(values=_required(np.load(path, mmap_mode="r", allow_pickle=False), str(path)))
        else:
            with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:  # pyright: ignore
                found = _from_archive(path, archive, options)
    if len(found) == 0:
        raise InputError(f"{path} is empty, of shape {found.values.shape}: expected {EXPECTED}.")
    return replace(found, labels=None, classes=()) if options.labels == "none" else found


def read_one(file: BinaryIO) -> np.ndarray:
    """Read the one grid of an array file: (X, Y, Z) bool.

    Raises:
        Unusable: It holds something else.
    """
    with _parsing:
        found = np.load(file, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            found = next((values for values in map(found.__getitem__, found.files) if values.ndim >= 3), np.empty(0))
    while found.ndim > 3 and found.shape[0] == 1:
        found = found[0]
    if found.ndim != 3:
        raise Unusable(f"has the shape {found.shape}; expected one volume (X, Y, Z) a file")
    return grids.occupied(found)


def is_volumes(path: Path, *, single: bool = False) -> bool:
    """Whether an array file holds cubes, by its header: (M, S, S, S) with S of 8 or more, or bits of such.

    Args:
        path: The file.
        single: Whether one volume alone, (S, S, S), is meant.
    """
    with open_regular(path) as file:
        if path.suffix.lower() == ".npy":
            shapes = [_shape_of(file)]
        else:
            with zipfile.ZipFile(file) as archive:
                shapes = [_shape_of(archive.open(name)) for name in archive.namelist() if name.endswith(".npy")]
    return any(_is_cube(shape[1:] if not single and len(shape) > 3 else shape) or _is_bits(shape) for shape in shapes)


def _shape_of(file: IO[bytes]) -> tuple[int, ...]:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape if dtype.kind in "buif" else ()


def _is_cube(shape: tuple[int, ...]) -> bool:
    sides = shape[1:] if len(shape) == 4 and shape[0] == 1 else shape
    return len(sides) == 3 and len(set(sides)) == 1 and sides[0] >= grids.SMALLEST


def _is_bits(shape: tuple[int, ...]) -> bool:
    return _side(shape) >= 16


def _side(shape: tuple[int, ...]) -> int:
    """Return the cells a side of cubes packed as bits (M, V / 8); 0 where an array is no such thing."""
    if len(shape) != 2:
        return 0
    side = round((8 * shape[1]) ** (1 / 3))
    return side if side >= grids.SMALLEST and side**3 == 8 * shape[1] else 0


def _required(values: np.ndarray, name: str) -> np.ndarray:
    """Return an array as (M, X, Y, Z) or (M, V / 8)."""
    if values.ndim == 5 and values.shape[1] == 1:
        values = values[:, 0]
    bits = values.dtype == np.uint8 and _side(values.shape)
    if values.dtype.kind not in "buif" or not (values.ndim == 4 or bits):
        raise InputError(f"{name} has the shape {values.shape} of {values.dtype}: expected {EXPECTED}.")
    return values


def _from_archive(path: Path, archive: np.lib.npyio.NpzFile, options: DataConfig) -> VolumeArray:
    keys = archive.files
    named = member(path, archive, "class_names").astype(str).reshape(-1).tolist() if "class_names" in keys else []
    splits = [key.removeprefix("x_") for key in keys if key.startswith("x_")]
    if splits and options.split not in splits:
        raise NoSuchSplit(f"{path} has no split {options.split}: choose --split {' or '.join(splits)}.")
    if not splits:
        _require_train(path, options)
    chosen = [f"x_{options.split}"] if splits else ["volumes"] if "volumes" in keys else _candidates(path, archive)
    parts = [_required(member(path, archive, key), f"{key} in {path}") for key in chosen]
    if len(parts) > 1:
        if len({part.shape[1:] for part in parts}) > 1:
            raise InputError(f"{path} holds volumes of several sizes ({listed(chosen)}): bring them to one size first.")
        labels = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        return VolumeArray(values=np.concatenate(parts), labels=labels, classes=tuple(chosen))
    key = f"y_{options.split}" if splits else "labels"
    if key not in keys:
        return VolumeArray(values=parts[0])
    labels = member(path, archive, key).reshape(-1)
    return _labelled(VolumeArray(values=parts[0]), labels, tuple(named), f"{key} in {path}")


def _candidates(path: Path, archive: np.lib.npyio.NpzFile) -> list[str]:
    """Return the arrays that can be volumes, each of a class of its own."""
    with zipfile.ZipFile(path) as stored:
        shapes = {key: _shape_of(stored.open(f"{key}.npy")) for key in archive.files if key != "labels"}
    found = [key for key, shape in shapes.items() if len(shape) in (4, 5) or _side(shape)]
    if not found:
        raise InputError(f"{path} holds {listed(archive.files, most=8) or 'nothing'}: expected {EXPECTED}.")
    return found


def _labelled(array: VolumeArray, labels: np.ndarray, classes: tuple[str, ...], name: str) -> VolumeArray:
    if labels.shape != (len(array),) or labels.dtype.kind not in "ui":
        raise InputError(
            f"{name} has the shape {labels.shape} and holds {labels.dtype}: expected {len(array):,} integers, one "
            "class number for each volume."
        )
    values = np.unique(labels)
    if classes and (values[0] < 0 or values[-1] >= len(classes)):
        raise InputError(f"{name} holds the classes {values[0]} to {values[-1]}, but {len(classes)} are named.")
    if not classes:
        classes, labels = tuple(map(str, values)), np.searchsorted(values, labels)
    return replace(array, labels=labels.astype(np.int64), classes=classes)


def _require_train(path: Path, options: DataConfig) -> None:
    if options.split != "train":
        raise NoSuchSplit(f"{path} has no split {options.split}: it holds one set of volumes; leave out --split.")


def _name(row: int) -> str:
    return f"volume {row}"
