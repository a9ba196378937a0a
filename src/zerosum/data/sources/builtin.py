"""Built-in data sets, by name: found in the user's folder, or downloaded and checked."""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from zerosum.data.options import DataConfig
from zerosum.data.sources.arrays import idx_array, idx_bytes, read_npz
from zerosum.data.sources.download import fetch, md5_of
from zerosum.data.sources.image_array import ImageArray, table_of, with_labels
from zerosum.errors import InputError, NoSuchSplit
from zerosum.runtime.paths import absolute
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted

NAMES = ("digits", "aged-digits", "mnist", "fashion-mnist", "cifar10", "stacked-mnist")
FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR_ARCHIVE = "cifar-10-binary.tar.gz"


@dataclass(frozen=True, kw_only=True)
class Published:
    """What its publisher says of a data set."""

    mirrors: tuple[str, ...]
    md5: dict[str, str]
    """Digest by file name: of an idx file as it is uncompressed, of an archive as it is."""

    classes: tuple[str, ...]


def published(name: str) -> Published:
    """Where a data set comes from, and how to know it.

    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database"; Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST",
    https://arxiv.org/abs/1708.07747; Krizhevsky 2009, "Learning multiple layers of features from tiny images",
    https://www.cs.toronto.edu/~kriz/cifar.html (the binary version: no pickle is ever read).
    """
    if name == "cifar10":
        md5 = {CIFAR_ARCHIVE: "c32a1d4ab5d03f1284b67883e8d87530"}
        return Published(mirrors=("https://www.cs.toronto.edu/~kriz/",), md5=md5, classes=CIFAR)
    idx = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    if name == "mnist":
        mirrors = (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        )
        md5 = (
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        )
        return Published(mirrors=mirrors, md5=dict(zip(idx, md5, strict=True)), classes=tuple("0123456789"))
    md5 = (
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    )
    mirrors = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
    return Published(mirrors=mirrors, md5=dict(zip(idx, md5, strict=True)), classes=FASHION)


def locate(name: str, options: DataConfig, progress: ProgressCallback | None = None) -> tuple[Path, ...]:
    """Find the files of a data set's split: under $ZEROSUM_DATA, then in the cache, then at its publisher.

    Args:
        name: "mnist", "fashion-mnist", "cifar10", or "stacked-mnist", which is made of mnist.
        options: Their split and cache count.
        progress: Told of bytes downloaded.

    Returns:
        The idx files of images and labels; or the one archive.

    Raises:
        InputError: There is no such split, or the files are nowhere and cannot be downloaded.
    """
    name = "mnist" if name == "stacked-mnist" else name
    if options.split not in ("train", "test"):
        raise NoSuchSplit(f"{name} has no split {options.split}: choose --split train or test.")
    kept = os.environ.get("ZEROSUM_DATA")
    home = options.cache_folder() / "downloads" / name
    folders = [absolute(kept) / alias for alias in (name, name.replace("-", "_"))] if kept else []
    for folder in (*folders, home):
        found = _in_folder(name, folder, options.split)
        if found:
            return found
    wanted = _file_names(name, options.split)
    place = folders[0] if folders else home
    advice = f"put {' and '.join(wanted)} into {place} and try again."
    for file in wanted:
        if not (home / file).exists():
            urls = [mirror + file for mirror in published(name).mirrors]
            fetch(urls, home / file, check=partial(genuine, name, file=file), advice=advice, progress=progress)
    return tuple(home / file for file in wanted)


def read(name: str, files: Sequence[Path], options: DataConfig) -> ImageArray:
    """Read what `locate` has found.

    Raises:
        InputError: A file is damaged, or not the published one.
    """
    if name == "stacked-mnist":
        return stack(read("mnist", files, options), options.split)
    if files[0].suffix == ".npz":
        table = read_npz(files[0], options.split)
        count = counted(len(table.samples), "image")
        note = (
            f"Read from {files[0].name}: {count}, JPEG copies of a part of {name}; no published score applies to them."
        )
        return replace(table, notes=(*table.notes, note))
    if name == "cifar10":
        genuine(name, files[0], CIFAR_ARCHIVE)
        return read_cifar(files[0], options.split)
    images, labels = (genuine(name, path, path.name) for path in files)
    table = table_of(idx_array(images, 3, files[0]), name)
    table = with_labels(table, idx_array(labels, 1, files[1]), published(name).classes, f"{name}'s labels")
    return _padded(table, 32) if options.sides() == (32, 32) else table


def digits() -> ImageArray:
    """The 1,797 handwritten digits of 8x8 pixels that scikit-learn brings along, 0..16 stretched to 0..255.

    Source: E. Alpaydin and C. Kaynak 1998, "Optical Recognition of Handwritten Digits", UCI; the copy of scikit-learn.
    """
    pixels, labels = _digits()
    table = table_of(np.rint(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8), "digits")
    return with_labels(table, labels, tuple("0123456789"), "digits' labels")


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Read pixels (1797, 64) in 0..16 and labels (1797,); not through scikit-learn, which takes a second to import."""
    found = find_spec("sklearn")
    place = Path(found.origin).parent if found and found.origin else Path(os.devnull)
    file = place / "datasets" / "data" / "digits.csv.gz"
    if not file.is_file():
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    rows = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    return rows[:, :-1], rows[:, -1]


def genuine(name: str, path: Path, file: str) -> bytes:
    """Read a published file: an idx file uncompressed, an archive as it is.

    Args:
        name: Of the data set.
        path: Where the file lies.
        file: What its publisher calls it.

    Raises:
        InputError: It is not the one that was published.
    """
    content = path.read_bytes() if file == CIFAR_ARCHIVE else idx_bytes(path)
    if md5_of(content) != published(name).md5[file if file == CIFAR_ARCHIVE else file.removesuffix(".gz")]:
        raise InputError(f"{path} is not the {file} that was published for {name}: delete it and get it again.")
    return content


def read_cifar(archive: Path, split: str) -> ImageArray:
    """Read a split of CIFAR-10 from its binary archive, without extracting it.

    Each record is a label byte and 3 x 32 x 32 bytes, red, green, blue.

    Raises:
        InputError: The archive is damaged.
    """
    names = [f"data_batch_{number}.bin" for number in range(1, 6)] if split == "train" else ["test_batch.bin"]
    batches = {}
    try:
        with tarfile.open(archive) as members:
            for member in members:
                stream = members.extractfile(member) if Path(member.name).name in names else None
                if stream is not None:
                    batches[Path(member.name).name] = np.frombuffer(stream.read(), dtype=np.uint8).reshape(-1, 3073)
        records = np.concatenate([batches[name] for name in names])
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, KeyError) as error:
        raise InputError(f"{archive} is damaged ({error}): delete it and get it again.") from error
    table = table_of(records[:, 1:].reshape(-1, 3, 32, 32), str(archive))
    return with_labels(table, records[:, 0], CIFAR, f"the labels in {archive}")


def _in_folder(name: str, folder: Path, split: str) -> tuple[Path, ...] | None:
    """The files of a split in a folder, the idx files compressed or not; None unless all are there."""
    choices = [(folder / file, folder / file.removesuffix(".gz")) for file in _file_names(name, split)]
    if name == "cifar10":
        choices = [(folder / CIFAR_ARCHIVE, *sorted(folder.glob("*.npz")))]
    found = [next((path for path in paths if path.is_file()), None) for paths in choices]
    return tuple(path for path in found if path is not None) if all(found) else None


def _file_names(name: str, split: str) -> tuple[str, ...]:
    if name == "cifar10":
        return (CIFAR_ARCHIVE,)
    start = "train" if split == "train" else "t10k"
    return (f"{start}-images-idx3-ubyte.gz", f"{start}-labels-idx1-ubyte.gz")


COUNTS = {"train": 128_000, "test": 26_000}


def stack(digits: ImageArray, split: str) -> ImageArray:
    """Stack a split of MNIST, the same way every time, so that there are 1,000 modes to count.

    The protocol is that of PacGAN's published code in the setting of VEEGAN (Lin et al. 2018, section 4.2,
    https://arxiv.org/abs/1712.04086): 128,000 fixed training images, and 26,000 made alike of the test digits.

    Args:
        digits: M images (M, H, W, 1) with labels of 10 classes.
        split: "train" or "test", which decides the number and the randomness.

    Returns:
        Images (N, H, W, 3), and labels in [0, 1000): the first colour's digit is the hundreds.
    """
    assert digits.labels is not None
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([1000, *split.encode()])))
    rows = generator.integers(len(digits.samples), size=(COUNTS[split], 3))
    images = np.empty((COUNTS[split], *digits.samples.shape[1:3], 3), digits.samples.dtype)
    for colour in range(3):
        images[..., colour] = digits.samples[rows[:, colour], :, :, 0]
    labels = digits.labels[rows] @ np.array([100, 10, 1])
    note = f"{COUNTS[split]:,} images, each of three digits drawn from the {len(digits.samples):,} of MNIST's {split}."
    return ImageArray(
        samples=images,
        labels=labels,
        classes=tuple(f"{label:03}" for label in range(1000)),
        notes=(*digits.notes, note),
    )


def _padded(table: ImageArray, side: int) -> ImageArray:
    """Put zeros around square images that are smaller than `side`, as the published 32x32 forms of MNIST do."""
    here = table.samples.shape[1]
    before, after = (side - here) // 2, (side - here + 1) // 2
    wide = np.pad(table.samples, ((0, 0), (before, after), (before, after), (0, 0)))
    note = f"Images of {here}x{here} are padded with zeros to {side}x{side}, not scaled."
    return replace(table, samples=wide, notes=(*table.notes, note))
