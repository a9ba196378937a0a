"""The door through which all data come in: a name, a folder, an archive or an array file becomes a `Dataset`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import Images
from zerosum.data.dataset import SampleDataset, channels_first, gather
from zerosum.data.jitter import Draw, views
from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import Packed, digest, key_of, reopen
from zerosum.data.packing.decode import no_bombs
from zerosum.data.packing.pack_images import pack_files
from zerosum.data.sources import toys
from zerosum.data.sources.find import StoredArray, Toy, built_in, find, name_of, with_default_size
from zerosum.data.sources.image_array import ImageArray, chunks, pack_table, settle, spec_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.labels import table_bytes
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds.base import Kind
from zerosum.media import image_grid

__all__ = ["DataConfig", "open"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageDataset(SampleDataset):
    """(M, H, W, C) uint8 images, channels last."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Images:
        """Gather images at (N,) rows: (N, C, H, W) uint8, a channels-last view."""
        (chosen,) = rows
        image = self.real(chosen) if draw is None else channels_first(views(gather(self.samples, chosen), draw))
        return Images(image=image, label=self.labels_at(chosen))

    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the images at (N,) rows, without labels: (N, C, H, W) uint8."""
        return channels_first(gather(self.samples, rows))


def open(  # noqa: A001
    source: str | Path,
    *,
    options: DataConfig = DataConfig(),
    progress: Callable[[str, int, int], None] | None = None,
) -> ImageDataset:
    """Open data by a path or by a name.

    Images are decoded once and packed into the cache; as long as neither they nor the options change, they are opened
    from there at once. Everything that is done to the data is said in the notes of what is returned.

    Args:
        source: A folder or .zip of images; a .npz, .npy or idx .gz file, or a folder of idx files; or a name: digits,
            mnist, fashion-mnist, cifar10, stacked-mnist (looked for under $ZEROSUM_DATA, else downloaded), ring8,
            grid25.
        options: Size, channels, labels, split, cache, and what to do about corrupt files.
        progress: Told of a stage ("download", "look", "pack"), what is done and what there is to do: bytes or images.

    Raises:
        InputError: There are no such data, or they cannot be used; the sentence says why and how to go on.
        StorageError: The cache cannot be written to.
    """
    options = with_default_size(source, options.checked())
    found = find(source, options, progress)
    if isinstance(found, Toy):
        raise InputError(f"{source} is made of points, and images are needed here: name data of images.")
    if isinstance(found, StoredArray) and not found.stamps:
        return _in_memory(found.read(), options, name_of(source))
    cache = options.cache_folder()
    key = _key(source, found, options)
    if isinstance(found, StoredArray) and found.mapped and (dataset := _as_it_is(found.read(), options, source, key)):
        return dataset
    packed = reopen(cache, key)
    if packed is None:
        with no_bombs():
            if isinstance(found, ImageFiles):
                pack_files(cache, key, found, options, progress)
            else:
                pack_table(cache, key, found.read(), options, progress)
        packed = reopen(cache, key)
    return _dataset(packed, name_of(source))


def _key(source: str | Path, found: ImageFiles | StoredArray, options: DataConfig) -> str:
    """Name of the pack: it changes with every file, option and label, and with nothing else."""
    elsewhere = ("cache", "target", "degrade", "direction")  # change nothing of what is packed
    asked = {name: value for name, value in asdict(options).items() if name not in elsewhere}
    if isinstance(found, StoredArray):
        return key_of(name_of(source), found.stamps, asked)
    own_words = options.labels in (None, "none", "folders")
    table = "" if own_words else table_bytes(found, str(options.labels)).decode(errors="replace")
    return key_of(sorted(found.stamps.items()), found.names, asked, table)


def _dataset(packed: Packed | None, source: str) -> ImageDataset:
    if packed is None:
        raise InputError(f"The packed form of {source} was deleted while it was being opened: try again.")
    return ImageDataset(
        samples=packed.samples,
        labels=packed.labels,
        spec=packed.spec,
        source=source,
        fingerprint=packed.fingerprint,
        notes=packed.notes,
    )


def _as_it_is(table: ImageArray, options: DataConfig, source: str | Path, key: str) -> ImageDataset | None:
    """A mapped array that already holds what would be packed, or None. It is not read, so its stamps are its print."""
    plan, table = settle(table, options)
    shape = (plan.height, plan.width, plan.channels)
    if table.samples.dtype != np.uint8 or table.samples.shape[1:] != shape or not table.samples.flags.c_contiguous:
        return None
    return ImageDataset(
        samples=table.samples,
        labels=table.labels,
        spec=spec_of(table, plan),
        source=name_of(source),
        fingerprint=key,
        notes=(*table.notes, "The file is used where it lies, without a copy."),
    )


def _in_memory(table: ImageArray, options: DataConfig, source: str) -> ImageDataset:
    """Data that an installed package brings along: too small to be worth a file."""
    plan, table = settle(table, options)
    samples, spec = np.concatenate(list(chunks(table, plan))), spec_of(table, plan)
    return ImageDataset(
        samples=samples,
        labels=table.labels,
        spec=spec,
        source=source,
        fingerprint=digest(samples, table.labels, spec),
        notes=table.notes,
    )


def draw(samples: Tensor, real: Tensor | None = None) -> Image.Image:
    """Draw (N, C, H, W) images in [-1, 1] in a grid."""
    return image_grid.grid(samples)


def save(samples: Tensor, out: Path, metadata: Mapping[str, str]) -> list[Path]:
    """Write (N, C, H, W) images in [-1, 1]: a file each into a folder, or all into one .png."""
    if not image_grid.is_picture(out):
        return image_grid.save_images(samples, out, prefix="sample", metadata=metadata)
    if len(samples) == 1 and samples.shape[1] in image_grid.MODES:
        image_grid.save_image(samples, out, metadata)
        return [out]
    image_grid.write_png(image_grid.grid(samples), out, metadata)
    return [out]


def example(spec: Spec, count: int) -> ImageDataset:
    """Make random images of a spec."""
    samples = random_images(spec.shape, count, seed=0)
    return ImageDataset(samples=samples, labels=None, spec=spec, source="random", fingerprint="random", notes=())


def random_images(shape: tuple[int, ...], count: int, *, seed: int) -> np.ndarray:
    """Draw (count, H, W, C) uint8 noise of a shape (C, H, W)."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape[1:], shape[0]), dtype=np.uint8)


KIND = Kind(
    name="images",
    unit="images",
    batch=Images,
    open=open,
    accepts=lambda source: built_in(source) not in toys.NAMES,
    unused=("target", "degrade", "direction"),
    draw=draw,
    save=save,
    example=example,
    draw_neighbours=image_grid.side_by_side,
    memory_format=torch.channels_last,
)
