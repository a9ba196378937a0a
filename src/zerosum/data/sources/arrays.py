"""Array files: .npy, .npz, and the idx files of MNIST and its like. No pickle in them is ever read."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path

import numpy as np

from zerosum.data.sources.image_array import ImageArray, table_of, with_labels
from zerosum.errors import InputError, NoSuchSplit
from zerosum.text import listed

IDX_SPLITS = {"train": "train", "test": "t10k"}


def read_npy(path: Path, split: str) -> ImageArray:
    """Read one array of images.

    Raises:
        InputError: The file cannot be read as numbers of a shape that images have.
    """
    refuse_split(path, split)
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(images, np.ndarray):
        raise InputError(f"{path} holds several arrays: name it .npz.")
    return table_of(images, str(path))


def read_npz(path: Path, split: str) -> ImageArray:
    """Read images and, where there are any, labels and class names from named arrays.

    The arrays are x_train and y_train (x_test, y_test for the split test), or images and labels, or a single one of any
    name; class_names beside them names the classes.

    Raises:
        InputError: No array can be told to be the images, or they cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{path} is no .npz archive: name it .npy.")
            keys = archive.files
            images_key = _images_key(path, keys, split)
            table = table_of(archive[images_key], f"{images_key} in {path}")
            labels_key = {"images": "labels"}.get(images_key, f"y_{split}")
            if labels_key not in keys:
                return table
            named = archive["class_names"].astype(str).reshape(-1).tolist() if "class_names" in keys else ()
            # A class that one split lacks must not shift the numbers of the others.
            others = [archive[key].reshape(-1) for key in keys if key.startswith("y_") and key != labels_key]
            return with_labels(table, archive[labels_key], tuple(named), f"{labels_key} in {path}", others)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
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
    """Read an idx file, uncompressed.

    Raises:
        InputError: It cannot be read, or its compression is damaged.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


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
    if values.size != header[1:].prod():
        raise InputError(f"{path} is cut short or too long: {values.size:,} values where {header[1:].prod():,} belong.")
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
