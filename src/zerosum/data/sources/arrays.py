"""Array files: .npy, .npz, and the idx files of MNIST and its like. No pickle in them is ever read."""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from numpy.lib.npyio import NpzFile

from zerosum.data.sources.image_array import ImageArray, table_of, with_labels
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.byte_budget import spendable
from zerosum.runtime.regular_files import open_regular
from zerosum.text import listed, memory

IDX_SPLITS = {"train": "train", "test": "t10k"}


def read_npy(path: Path, split: str) -> ImageArray:
    """Read one array of images.

    Raises:
        InputError: The file cannot be read as numbers of a shape that images have.
    """
    refuse_split(path, split)
    with reading(path):
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(images, np.ndarray):
            raise InputError(f"{path} holds several arrays: name it .npz.")
        return table_of(images, str(path))


def files_of_images(folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """Return the .npy files of a folder that hold an image (H, W, C) each, as `zerosum sample` writes; none of others.

    One file alone, or one of as many channels as pixels on a side, is rather an array of many gray images (N, H, W).

    Args:
        folder: where they lie.
        names: all that was found there, none of it an image file.
    """
    found = sorted(name for name in names if name.lower().endswith(".npy"))
    if len(found) < 2 or any("/" in name for name in found):
        return ()
    try:
        with reading(folder / found[0]), open_regular(folder / found[0]) as file:
            version = npy.read_magic(file)
            shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    except InputError:
        return ()
    is_image = len(shape) == 3 and shape[2] < min(shape[:2]) and dtype.kind in "buif"
    return tuple(folder / name for name in found) if is_image else ()


def read_each(paths: Sequence[Path], split: str) -> ImageArray:
    """Read files of an image (H, W, C) each as one array of images.

    Raises:
        InputError: They are of several shapes or types, or cannot be read.
    """
    refuse_split(paths[0].parent, split)
    images: list[np.ndarray] = []
    for path in paths:
        with reading(path), open_regular(path) as file:
            _require_memory(path.parent, len(paths) * path.stat().st_size)
            image = np.load(file, allow_pickle=False)  # pyright: ignore[reportArgumentType]
        first = images[0] if images else image
        if (image.shape, image.dtype) != (first.shape, first.dtype):
            raise InputError(
                f"{path} has the shape {image.shape} of {image.dtype}, and {paths[0].name} {first.shape} of "
                f"{first.dtype}: bring the files of a folder to one shape and type."
            )
        images.append(image)
    return table_of(np.stack(images), str(paths[0].parent))


def read_npz(path: Path, split: str) -> ImageArray:
    """Read images and, where there are any, labels and class names from named arrays.

    The arrays are x_train and y_train (x_test, y_test for the split test), or images and labels, or a single one of any
    name; class_names beside them names the classes.

    Raises:
        InputError: Which array holds the images cannot be told, or they cannot be read.
    """
    with reading(path), open_regular(path) as file:
        archive = np.load(file, allow_pickle=False)  # pyright: ignore[reportArgumentType]
        if not isinstance(archive, NpzFile):
            raise InputError(f"{path} is no .npz archive: name it .npy.")
        with archive:
            return _from_archive(path, archive, split)


def _from_archive(path: Path, archive: NpzFile, split: str) -> ImageArray:
    keys = archive.files
    images_key = _images_key(path, keys, split)
    table = table_of(member(path, archive, images_key), f"{images_key} in {path}")
    labels_key = {"images": "labels"}.get(images_key, f"y_{split}")
    if labels_key not in keys:
        return table
    named = member(path, archive, "class_names").astype(str).reshape(-1).tolist() if "class_names" in keys else ()
    # A class that one split lacks must not shift the numbers of the others.
    rest = [key for key in keys if key.startswith("y_") and key != labels_key]
    others = [member(path, archive, key).reshape(-1) for key in rest]
    return with_labels(table, member(path, archive, labels_key), tuple(named), f"{labels_key} in {path}", others)


def member(path: Path, archive: NpzFile, key: str) -> np.ndarray:
    """Read an array of an archive, once its size is known to fit into memory."""
    for member in archive.zip.infolist():  # pyright: ignore[reportOptionalMemberAccess]
        if member.filename.removesuffix(".npy") == key:
            _require_memory(path, member.file_size)
    found = archive[key]
    if not isinstance(found, np.ndarray):
        raise InputError(f"{key} in {path} is no array of numbers.")
    return found


def _require_memory(path: Path, size: int) -> None:
    if size > spendable():
        raise InputError(
            f"{path} would unpack to {memory(size)}, more than there is memory for: store the array as .npy, which is "
            "read piece by piece."
        )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn whatever a reader of arrays raises on damaged or hostile bytes into one sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def find_idx(folder: Path, split: str) -> tuple[Path, Path | None] | None:
    """Find the images and the labels of a split among the idx files of a folder, or return None if it has none.

    Raises:
        InputError: The folder has idx files, but not of this split.
    """
    candidates = sorted(folder.glob("*images?idx3-ubyte*"))
    if not candidates:
        return None
    start = IDX_SPLITS.get(split, split)
    images = next((path for path in candidates if path.name.startswith(f"{start}-")), None)
    if images is None:
        raise NoSuchSplit(
            f"{folder} has no split {split}: it holds {listed([path.name for path in candidates])}; "
            "choose --split train or test."
        )
    return images, labels_beside(images)


def labels_beside(images: Path) -> Path | None:
    """The idx file of labels that belongs to one of images, if it lies beside it."""
    plain = images.name.removesuffix(".gz").replace("images", "labels").replace("idx3", "idx1")
    beside = (images.with_name(name) for name in (plain, f"{plain}.gz"))
    return next((path for path in beside if path != images and path.is_file()), None)


def read_idx(images: Path, labels: Path | None) -> ImageArray:
    """Read idx files of images and, where there is one, of labels.

    Raises:
        InputError: A file is damaged, or no idx file of bytes with as many axes as it should have.
    """
    table = table_of(idx_array(idx_bytes(images), 3, images), str(images))
    return table if labels is None else with_labels(table, idx_array(idx_bytes(labels), 1, labels), (), str(labels))


def idx_bytes(path: Path) -> bytes:
    """Read an idx file, uncompressed: as much of it as its header announces, and one byte more if there is one.

    Raises:
        InputError: It cannot be read, its compression is damaged, or it announces more than there is memory for.
    """
    with reading(path), open_regular(path) as stored:
        packed = stored.read(2) == b"\x1f\x8b"
        stored.seek(0)
        file = gzip.GzipFile(fileobj=stored) if packed else stored
        start = file.read(4)
        axes = start[3] if start[:3] == b"\0\0\x08" and len(start) == 4 else 0
        lengths = file.read(4 * axes)
        size = math.prod(np.frombuffer(lengths[: len(lengths) // 4 * 4], dtype=">u4").tolist()) if axes else 0
        _require_memory(path, size)
        return start + lengths + file.read(size + 1)


def idx_array(content: bytes, axes: int, path: Path) -> np.ndarray:
    """Read the content of an idx file of bytes: an array with `axes` axes.

    Raises:
        InputError: The magic number or the length is not that of such a file.

    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", file formats: magic number 0x00000800 + axes, then
    the length of each axis as a big-endian 32-bit integer, then the values.
    """
    start = 4 * (1 + axes)
    header = np.frombuffer(content[:start].ljust(start, b"\0"), dtype=">u4").astype(np.int64)
    if header[0] != 0x800 + axes:
        raise InputError(f"{path} is no idx file of bytes with {axes} axes: expected the magic number {0x800 + axes}.")
    values = np.frombuffer(content, dtype=np.uint8)[start:]
    if values.size != (wanted := math.prod(header[1:].tolist())):
        raise InputError(f"{path} is cut short or too long: {values.size:,} values where {wanted:,} belong.")
    return values.reshape(header[1:])


def refuse_split(path: Path, split: str) -> None:
    """Refuse any split but the default for data that have none.

    Raises:
        InputError: Another split than train was asked for.
    """
    if split != "train":
        raise NoSuchSplit(f"{path} has no split {split}: it holds one set of images; leave out --split.")


def _images_key(path: Path, keys: list[str], split: str) -> str:
    if f"x_{split}" in keys:
        return f"x_{split}"
    splits = [key.removeprefix("x_") for key in keys if key.startswith("x_")]
    if splits:
        raise NoSuchSplit(f"{path} has no split {split}: choose --split {' or '.join(splits)}.")
    if "images" in keys or len(keys) == 1:
        refuse_split(path, split)
        return "images" if "images" in keys else keys[0]
    raise InputError(
        f"{path} holds {listed(keys, most=8) or 'nothing'}: expected x_train and y_train, or images and labels, "
        "or a single array."
    )


def _unreadable(path: Path, error: Exception) -> InputError:
    if any(word in str(error) for word in ("allow_pickle", "pickled", "Python objects")):
        return InputError(f"{path} holds Python objects, which are never read from a file: store arrays of numbers.")
    return InputError(f"{path} cannot be read: it is damaged or no such file ({error}).")
