"""The door through which all data come in: a name, a folder, an archive or an array file becomes a `Dataset`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import Images, as_uint8
from zerosum.data.dataset import SampleDataset, channels_first, gather, random_images, random_labels
from zerosum.data.default_recipe import recipe_for
from zerosum.data.jitter import Draw, views
from zerosum.data.options import DataConfig
from zerosum.data.packing.bit_depth import Depth
from zerosum.data.packing.cache import MADE_AGAIN, Packed, digest, discard, keys_of, reopen
from zerosum.data.packing.depth import depth_part, reopen_as
from zerosum.data.packing.identity import content_of, digests
from zerosum.data.packing.levels import levels_of
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.pack_images import pack_files
from zerosum.data.sizes import is_images, like
from zerosum.data.sources.find import StoredArray, Toy, built_in, find, name_of, shadowed, with_default_size
from zerosum.data.sources.image_array import ImageArray, chunks, pack_table, settle, spec_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.label_table import label_key
from zerosum.data.sources.splits import split_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds.base import OF_FEW_KINDS, Kind
from zerosum.media import image_arrays, image_grid
from zerosum.media.sample_shards import SHARDS, write_shard
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import shown

__all__ = ["DataConfig", "open"]

UNUSED, OWN = ("target", "degrade", "direction"), ("ages", "groups", "pack")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageDataset(SampleDataset):
    """(M, H, W, C) uint8 or uint16 images, channels last."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Images:
        """Gather images at (N,) rows: (N, C, H, W) uint8 or uint16, a channels-last view."""
        (chosen,) = rows
        image = gather(self.samples, chosen)
        image = image if draw is None else views(image, draw)
        return Images(image=channels_first(image), label=self.labels_at(chosen))

    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the images at (N,) rows, without labels, as features take them: (N, C, H, W) uint8."""
        return as_uint8(channels_first(gather(self.samples, rows)))


def open(  # noqa: A001
    source: str | Path,
    *,
    options: DataConfig = DataConfig(),
    progress: ProgressCallback | None = None,
) -> ImageDataset:
    """Open data by a path or by a name.

    Images are decoded once and packed into the cache; as long as neither they nor the options change, they are opened
    from there at once. Everything that is done to the data is said in the notes of what is returned.

    Args:
        source: A folder or .zip of images; .tar or .parquet shards, here, behind s3:// and the like, or of the Hub
            (hf:owner/name); a .npz, .npy or idx .gz file, or a folder of idx files; or a name: digits, aged-digits,
            mnist, fashion-mnist, cifar10, stacked-mnist (looked for under $ZEROSUM_DATA, else downloaded).
        options: Size, channels, labels, split, cache, and what to do about corrupt files.
        progress: Told of a stage ("download", "look", "pack"), what is done and what there is to do: bytes or images.

    Raises:
        InputError: There are no such data, or they cannot be used; the sentence says why and how to go on.
        StorageError: The cache cannot be written to.
    """
    options = with_default_size(source, options.checked())
    dataset = _in_range_of_training(_opened(source, options, progress), source, options, progress)
    aside = shadowed(source)
    return replace(dataset, notes=(*dataset.notes, *aside)) if aside else dataset


def _in_range_of_training(
    dataset: ImageDataset, source: str | Path, options: DataConfig, progress: ProgressCallback | None
) -> ImageDataset:
    """Open another split again where the training data have other numbers for black and white."""
    if dataset.spec.range is None or options.range is not None or split_of(options.split) in ("train", None):
        return dataset
    try:
        trained = _opened(source, replace(options, split="train"), progress).spec.range
    except NoSuchSplit:  # there is nothing to train on
        return dataset
    if trained in (None, dataset.spec.range):
        return dataset
    return _opened(source, replace(options, range=trained), progress)


def _opened(source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> ImageDataset:
    found = find(source, options, progress)
    if isinstance(found, Toy):
        raise InputError(f"{source} is made of {found.unit}, and images are needed here: name data of images.")
    if isinstance(found, StoredArray) and not found.paths:
        return _in_memory(found.read(), options, name_of(source))
    cache = options.cache_folder()
    name = _key(source, found, options, progress)
    key = name(options.range, options.depth)
    if isinstance(found, StoredArray) and found.mapped and (dataset := _as_it_is(found.read(), options, source, key)):
        return dataset
    packed, damaged = reopen_as(cache, name, options.range, options.depth), False
    if packed is None:
        damaged = discard(cache, key)
        with no_bombs():
            if isinstance(found, ImageFiles):
                pack_files(cache, key, found, options, progress)
            else:
                pack_table(cache, key, found.read(), options, progress)
        packed = reopen(cache, key)
    return _dataset(packed, name_of(source), (MADE_AGAIN,) if damaged else ())


def _key(
    source: str | Path, found: ImageFiles | StoredArray, options: DataConfig, progress: ProgressCallback | None
) -> Callable[[str | None, Depth], str]:
    """Name of the pack, by the range and the depth of its numbers.

    It changes with the content of every file, option and label, and with nothing else.
    """
    elsewhere = {"range", "depth", "cache", *UNUSED, *OF_FEW_KINDS} - {
        "ages",
        "groups",
    }  # change nothing of what is packed
    asked = {name: value for name, value in asdict(options).items() if name not in elsewhere}
    asked |= {} if options.pack == "auto" else {"pack": options.pack}
    cache = options.cache_folder()
    if isinstance(found, StoredArray):
        form = built_in(source) or found.paths[0].suffix
        parts = (form, digests(found.paths, cache, progress), asked)
    else:
        table = label_key(found, options)
        parts = (content_of(found, cache, progress), found.prefix, asked, table)
    key = keys_of(*parts)
    return lambda limits, depth: key(limits, *depth_part(depth))


def _dataset(packed: Packed | None, source: str, remarks: tuple[str, ...]) -> ImageDataset:
    if packed is None:
        raise InputError(f"The packed form of {source} was deleted while it was being opened: try again.")
    return ImageDataset(
        samples=packed.samples,
        labels=packed.labels,
        spec=packed.spec,
        source=source,
        fingerprint=packed.fingerprint,
        notes=tuple(map(shown, (*packed.notes, *remarks))),
    )


def _as_it_is(table: ImageArray, options: DataConfig, source: str | Path, key: str) -> ImageDataset | None:
    """A mapped array that already holds what would be packed, or None. Its key is of its content: its fingerprint."""
    plan, table = settle(table, options)
    shape = (plan.height, plan.width, plan.channels)
    if (
        table.scale is not None
        or plan.bits != 8
        or table.samples.dtype != np.uint8
        or table.samples.shape[1:] != shape
        or not table.samples.flags.c_contiguous
    ):
        return None
    levels = levels_of([table.samples[:: max(1, len(table.samples) // 256)]])
    return ImageDataset(
        samples=table.samples,
        labels=table.labels,
        spec=spec_of(table, plan),
        source=name_of(source),
        fingerprint=key,
        notes=(*table.notes, "The file is used where it lies, without a copy.", *levels.warnings([])),
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


def save(samples: Tensor, out: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write (N, C, H, W) images in [-1, 1]: a file each into a folder, or all into one .png, .npy, .tif or shard.

    A file in a folder is a PNG, or of more than 4 channels a .npy.
    Where a spec has 16 bits, files hold 16 bits in its range; but all in one .png is a picture of 8.

    Raises:
        InputError: The images cannot be shown, or a .tif or a shard does not hold them.
        StorageError: The disk refuses.
    """
    is_pictures = samples.shape[1] in image_grid.MODES
    if not out.is_dir() and out.suffix.lower() in SHARDS:
        if not is_pictures:
            raise InputError(f"{out.name} holds pictures, and these have {samples.shape[1]} channels: write a .npy.")
        with tempfile.TemporaryDirectory() as folder:
            return [write_shard(save(samples, Path(folder), metadata, spec), out, metadata)]
    if not out.is_dir() and out.suffix.lower() in image_arrays.ENDINGS:
        return [image_arrays.write_all(samples, out, spec)]
    is_picture = image_grid.is_picture(out)
    if not is_picture and not is_pictures:
        return image_arrays.write_each_array(samples, out, metadata, spec)
    if spec.bits == 16 and is_pictures and (len(samples) == 1 or not is_picture):
        return image_arrays.write_each(samples, out, metadata, spec)
    if not is_picture:
        return image_grid.save_images(samples, out, prefix="sample", metadata=metadata)
    if len(samples) == 1 and is_pictures:
        image_grid.save_image(samples, out, metadata)
        return [out]
    image_grid.write_png(image_grid.grid(samples), out, metadata)
    return [out]


def example(spec: Spec, count: int) -> ImageDataset:
    """Make random images of a spec, with labels where it has classes."""
    samples, labels = random_images(spec.shape, count, seed=0), random_labels(spec, count)
    return ImageDataset(samples=samples, labels=labels, spec=spec, source="random", fingerprint="random", notes=())


KIND = Kind(
    name="images", unit="images", batch=Images, recipe=recipe_for, open=open, accepts=is_images, unused=UNUSED, own=OWN,
    draw=draw, save=save, example=example, endings=(*image_arrays.TIFFS, *SHARDS),
    draw_neighbours=image_grid.side_by_side, memory_format=torch.channels_last, clusters=True, like=like, fallback=True,
)  # fmt: skip
