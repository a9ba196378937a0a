"""What a user's word for data leads to: image files, an array, or points."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from zerosum.data.options import DataConfig
from zerosum.data.sources import aged_digits, arrays, builtin, moving, shapes, tones, toys
from zerosum.data.sources.archive import list_zip
from zerosum.data.sources.folder import list_folder
from zerosum.data.sources.image_array import ImageArray
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.indexed import find_indexed, name_elsewhere
from zerosum.data.sources.label_table import label_bytes
from zerosum.data.sources.shards import is_elsewhere
from zerosum.data.sources.splits import choose_split
from zerosum.data.volumes import shapes3d
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import ProgressCallback

BUILT_IN = (*builtin.NAMES, shapes.NAME, *toys.NAMES, *tones.NAMES, *moving.NAMES, shapes3d.NAME)
"""Names of data sets that need no path."""

PACKED = (".tgz", ".tar.gz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".7z", ".rar")
"""Endings of archives that are not read."""


@dataclass(frozen=True, kw_only=True)
class StoredArray:
    """An array that lies in files, or in an installed package, and is read only when it must be."""

    paths: tuple[Path, ...] = ()
    """The files; none where a package brings the array along."""

    read: Callable[[], ImageArray]

    mapped: bool = False
    """Whether reading it only maps it into memory, so that it may be larger than memory and need not be packed."""


@dataclass(frozen=True, kw_only=True)
class Toy:
    """Samples that are no images and made by rule: a mixture of Gaussians, tones, or moving things, by their name."""

    name: str
    unit: str = "points"
    """What the samples are called, in the plural."""


def find(
    source: str | Path, options: DataConfig, progress: ProgressCallback | None = None
) -> ImageFiles | StoredArray | Toy:
    """Find data by a name or a path. The names of built-in data sets win; write ./mnist for a folder of that name.

    Raises:
        InputError: There are no such data, or they are of a kind that cannot be used.
    """
    name = built_in(source)
    if name in toys.NAMES:
        return Toy(name=name)
    if name in tones.NAMES:
        return Toy(name=name, unit="sounds")
    if name in moving.NAMES:
        return Toy(name=str(name), unit="clips")
    if name == "digits":
        if options.split != "train":
            raise NoSuchSplit(f"digits has no split {options.split}: it is one set of 1,797 images; leave out --split.")
        return StoredArray(read=builtin.digits)
    if name == aged_digits.NAME:
        if options.split not in aged_digits.COUNTS:
            raise NoSuchSplit(f"{name} has no split {options.split}: choose --split train or test.")
        return StoredArray(read=partial(aged_digits.read, options.split))
    if name == shapes.NAME:
        shapes.combinations_of(options.split)
        return StoredArray(read=partial(shapes.images, options.split))
    if name is not None:
        paths = builtin.locate(name, options, progress)
        return StoredArray(paths=tuple(paths), read=partial(builtin.read, name, paths, options))
    if (indexed := find_indexed(source, options, progress)) is not None:
        return _checked(indexed, options)
    path = absolute(source)
    try:
        found = _at(path, options) if path.exists() else None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error
    if found is None:
        raise InputError(
            f"There is no file or folder {path}, nor a built-in data set {source}: {_nearest(source, path)}"
        )
    return found


def built_in(source: str | Path) -> str | None:
    """The built-in data set that a source names, or None if it is a path.

    >>> built_in("Fashion_MNIST"), built_in("./mnist")
    ('fashion-mnist', None)
    """
    plain = str(source).lower().replace("_", "-") if isinstance(source, str) else ""
    return plain if plain in BUILT_IN else None


def is_there(source: str | Path) -> bool:
    """Whether a source is a built-in name, a place elsewhere, or a path or a pattern at which something lies."""
    if built_in(source) is not None or is_elsewhere(source):
        return True
    path = absolute(source)
    return path.exists() or ("{" in path.name and path.parent.is_dir()) or "*" in path.name


def name_of(source: str | Path) -> str:
    """A source as it is written down: a built-in name as it is, a path made absolute."""
    return built_in(source) or name_elsewhere(source) or str(absolute(source))


def shadowed(source: str | Path) -> tuple[str, ...]:
    """Say that a folder or file of a built-in data set's name lies here too, and was left aside."""
    if built_in(source) is None or not os.path.lexists(source):
        return ()
    return (f"{source} is the built-in data set; the {source} that lies here was left aside: ./{source} names it.",)


def with_default_size(source: str | Path, options: DataConfig) -> DataConfig:
    """The options with the default size of a source: the 8x8 digits come at 32x32, where networks for images begin."""
    return replace(options, size="32") if built_in(source) == "digits" and options.size is None else options


def _at(path: Path, options: DataConfig) -> ImageFiles | StoredArray:
    if path.is_dir():
        pair = arrays.find_idx(path, options.split)
        if pair is not None:
            return _idx(*pair)
        files = list_folder(path)
        if not files.names and (each := arrays.files_of_images(path, files.others)):
            return StoredArray(paths=each, read=partial(arrays.read_each, each, options.split))
        return _checked(choose_split(files, options), options)
    if not path.is_file():
        raise InputError(f"{path} is no folder and no regular file: give a folder of images, a .zip or an array file.")
    name, split = path.name.lower(), options.split
    if name.endswith(".zip"):
        return _checked(choose_split(list_zip(path), options), options)
    if name.endswith(".npz"):
        return StoredArray(paths=(path,), read=partial(arrays.read_npz, path, split))
    if name.endswith(".npy"):
        return StoredArray(paths=(path,), read=partial(arrays.read_npy, path, split), mapped=True)
    if name.endswith(PACKED):
        raise InputError(f"{path} is an archive of a kind that is not read: give its folder, a .zip or a .tar.")
    if name.endswith(("ubyte", ".gz")):
        arrays.refuse_split(path, split)
        return _idx(path, arrays.labels_beside(path))
    raise InputError(
        f"{path} is one file of a kind that is not read as a data set: give a folder, .zip or .tar of images, a "
        f".parquet, .npz or .npy, an idx .gz, or one of {', '.join(BUILT_IN)}."
    )


def _checked(files: ImageFiles, options: DataConfig) -> ImageFiles:
    """See that a labels table is there before anything is decoded."""
    label_bytes(files, options)
    return files


def _idx(images: Path, labels: Path | None) -> StoredArray:
    paths = (images,) if labels is None else (images, labels)
    return StoredArray(paths=paths, read=partial(arrays.read_idx, images, labels))


def _nearest(source: str | Path, path: Path) -> str:
    """What may have been meant, to end a sentence."""
    close = difflib.get_close_matches(str(source).lower(), BUILT_IN, n=1)
    if close:
        return f"did you mean {close[0]}?"
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, beside, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else f"give a path, or one of {', '.join(BUILT_IN)}."
