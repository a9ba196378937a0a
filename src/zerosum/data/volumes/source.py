"""What a user's word for volumes leads to: files with a volume each, an array of many, or procedural shapes."""

from __future__ import annotations

import itertools
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.sources.archive import list_zip
from zerosum.data.sources.find import built_in
from zerosum.data.sources.folder import list_folder
from zerosum.data.sources.image_files import SUFFIXES as PICTURES
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.labels import labelling
from zerosum.data.sources.splits import choose_split
from zerosum.data.volumes import arrays, binvox, cells, grids, meshes
from zerosum.data.volumes.grids import Decoded
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import cores, on_all_cores

SUFFIXES = (".binvox", *meshes.ENDINGS, ".npy", ".npz")
PLAIN = (".binvox", *meshes.ENDINGS)
"""Endings that nothing but volumes has."""

MESH_SIDE = 32
"""Cells a side of meshes where nobody says."""

FEW = 1000
"""Files of a folder that are looked at to say what it is made of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeSource:
    """Volumes that are still to be read."""

    place: str
    """Where they lie, for errors."""

    paths: tuple[Path, ...] = ()
    """The file of an array; none for a folder or an archive."""

    files: ImageFiles | None = None
    array: arrays.VolumeArray | None = None
    asked: int | None = None
    """Cells a side that were asked for."""

    classes: tuple[str, ...] = ()
    of: dict[str, int] | None = None
    """Number of the class by the volume's name; None without labels."""

    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._rows()) if self.files is None else len(self.files.names)

    def decoded(self) -> Iterator[Decoded]:
        """Yield all volumes in order, as they are stored."""
        if self.files is None:
            yield from self._rows().decoded()
            return
        work = partial(_tried, self.files, self.asked or MESH_SIDE)
        yield from on_all_cores(work, self.files.names, window=4 * cores())

    def _rows(self) -> arrays.VolumeArray:
        assert self.array is not None
        return self.array


def is_volumes(source: str | Path) -> bool:
    """Whether a source is made of volumes beyond doubt, by names and headers alone.

    >>> is_volumes("digits"), is_volumes("chair.off")
    (False, True)
    """
    if built_in(source) is not None:
        return built_in(source) == "shapes3d"
    name = str(source).lower()
    if name.endswith(PLAIN):
        return True
    try:
        path = absolute(source)
        if path.is_dir():
            return _holds_volumes(path, _walk(path))
        if name.endswith(".zip") and path.is_file():
            with zipfile.ZipFile(path) as archive:
                return _holds_volumes(None, itertools.islice(archive.namelist(), FEW))
        return name.endswith((".npy", ".npz")) and path.is_file() and arrays.is_volumes(path)
    except (OSError, InputError, zipfile.BadZipFile, ValueError):
        return False


def find_volumes(source: str | Path, options: DataConfig) -> VolumeSource:
    """Find volumes by a path.

    Raises:
        InputError: There are none, or they are of a kind that cannot be used.
    """
    path, asked = absolute(source), grids.side_of(options.size)
    name = path.name.lower()
    if not path.exists():
        raise InputError(
            f"There is no file or folder {path}: give a folder or .zip of {', '.join(SUFFIXES)} files, an array file "
            "of (M, X, Y, Z), or shapes3d."
        )
    if path.is_dir() or name.endswith(".zip"):
        listed = list_zip(path) if path.is_file() else list_folder(path)
        return _of_files(choose_split(_volumes_among(listed), options), options, asked)
    if name.endswith((".npy", ".npz")):
        array = arrays.read_array(path, options)
        return VolumeSource(
            place=str(path), paths=(path,), array=array, asked=asked, classes=array.classes, of=array.numbers()
        )
    raise InputError(f"{path} is one file, and a data set is needed: give the folder that holds such files, or a .zip.")


def _of_files(files: ImageFiles, options: DataConfig, asked: int | None) -> VolumeSource:
    labels = labelling(files, options)
    if labels.attributes:
        raise InputError(f"{options.labels} holds attributes, and volumes have classes: name one column of labels.")
    number = {name: index for index, name in enumerate(labels.classes)}
    of = None if labels.of is None else {name: number[label] for name, label in labels.of.items()}
    others = [name for name in files.others if not name.endswith(("dataset.json", ".mtl"))]
    left = (f"Left out because no volumes: {len(others):,} other files.",) if others else ()
    notes = (labels.sentence, *files.notes, *left)
    return VolumeSource(place=str(files.root), files=files, asked=asked, classes=labels.classes, of=of, notes=notes)


def _volumes_among(files: ImageFiles) -> ImageFiles:
    names = sorted((*files.names, *files.others))
    found = tuple(name for name in names if name.lower().endswith(SUFFIXES))
    if not found:
        raise InputError(
            f"{files.root} has no volumes: expected {', '.join(suffix[1:] for suffix in SUFFIXES)} files, in class "
            "folders or not."
        )
    chosen = set(found)
    return replace(files, names=found, others=tuple(name for name in names if name not in chosen))


def _tried(files: ImageFiles, side: int, name: str) -> Decoded:
    """Read the volume of a file, or find out why it cannot be read: decoders raise almost anything."""
    try:
        with files.open(name) as file:
            return _decode(file, name, side)
    except InputError:  # an extra that is not installed
        raise
    except Exception as error:
        return Decoded(name, error)


def _decode(file: BinaryIO, name: str, side: int) -> Decoded:
    ending, closed = PurePosixPath(name.lower()).suffix, True
    grid = cells.cells_in(file.read()) if ending == ".glb" else None
    is_mesh = ending in meshes.ENDINGS and grid is None
    if is_mesh:
        file.seek(0)
        vertices, faces, closed = meshes.load_mesh(file, ending)
        grid = meshes.voxelise(vertices, faces, side)
    elif grid is None:
        grid = binvox.read_binvox(file) if ending == ".binvox" else arrays.read_one(file)
    grids.require_shape(grid)
    return Decoded(name, grid, is_mesh=is_mesh, is_open=not closed)


def sized_by(source: str | Path, options: DataConfig) -> DataConfig:
    """Return options at whose size volumes are compared with those of a source: the size of its first one.

    Raises:
        InputError: There are no volumes at the source.
    """
    if options.size is not None or built_in(source) is not None:
        return options
    for found in find_volumes(source, options).decoded():
        if isinstance(found.grid, np.ndarray):
            return replace(options, size=str(grids.default_side(max(found.grid.shape))))
    return options


def _holds_volumes(folder: Path | None, names: Iterator[str]) -> bool:
    """Whether the first file that is an image or a volume is a volume; arrays in a folder count by their shape."""
    for name in names:
        ending = PurePosixPath(name.lower()).suffix
        if ending in PICTURES:
            return False
        if ending in PLAIN:
            return True
        if ending in (".npy", ".npz") and folder is not None:
            return arrays.is_volumes(folder / name, single=True)
    return False


def _walk(folder: Path) -> Iterator[str]:
    files = (
        os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names
    )
    return itertools.islice(files, FEW)
