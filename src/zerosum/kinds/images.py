"""The door through which all data come in: a name, a folder, an archive or an array file becomes a `Dataset`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np

from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import MADE_ANEW, Packed, digest, discard, key_of, reopen, reopen_in_range
from zerosum.data.packing.identity import content_of, digests
from zerosum.data.packing.levels import levels_of
from zerosum.data.packing.open_image import no_bombs
from zerosum.data.packing.pack_images import pack_files
from zerosum.data.sources import toys
from zerosum.data.sources.find import StoredArray, Toy, built_in, find, name_of, shadowed, with_default_size
from zerosum.data.sources.image_array import ImageArray, chunks, pack_table, settle, spec_of
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.label_table import label_bytes
from zerosum.data.sources.splits import split_of
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import shown

__all__ = ["DataConfig", "open"]


def open(  # noqa: A001
    source: str | Path,
    *,
    options: DataConfig = DataConfig(),
    progress: ProgressCallback | None = None,
) -> Dataset:
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
    dataset = _in_range_of_training(_opened(source, options, progress), source, options, progress)
    aside = shadowed(source)
    return replace(dataset, notes=(*dataset.notes, *aside)) if aside else dataset


def _in_range_of_training(
    dataset: Dataset, source: str | Path, options: DataConfig, progress: ProgressCallback | None
) -> Dataset:
    """Open another split anew where the training data have other numbers for black and white."""
    if dataset.spec.range is None or options.range is not None or split_of(options.split) in ("train", None):
        return dataset
    try:
        trained = _opened(source, replace(options, split="train"), progress).spec.range
    except InputError:  # there is nothing to train on
        return dataset
    if trained in (None, dataset.spec.range):
        return dataset
    return _opened(source, replace(options, range=trained), progress)


def _opened(source: str | Path, options: DataConfig, progress: ProgressCallback | None) -> Dataset:
    found = find(source, options, progress)
    if isinstance(found, Toy):
        return _toy(found.name, options)
    if isinstance(found, StoredArray) and not found.paths:
        return _in_memory(found.read(), options, name_of(source))
    cache = options.cache_folder()
    name = _key(source, found, options, progress)
    key = name(options.range)
    if isinstance(found, StoredArray) and found.mapped and (dataset := _as_it_is(found.read(), options, source, key)):
        return dataset
    packed, damaged = reopen_in_range(cache, name, options.range), False
    if packed is None:
        damaged = discard(cache, key)
        with no_bombs():
            if isinstance(found, ImageFiles):
                pack_files(cache, key, found, options, progress)
            else:
                pack_table(cache, key, found.read(), options, progress)
        packed = reopen(cache, key)
    return _dataset(packed, name_of(source), (MADE_ANEW,) if damaged else ())


def _key(
    source: str | Path, found: ImageFiles | StoredArray, options: DataConfig, progress: ProgressCallback | None
) -> Callable[[str | None], str]:
    """Name of the pack, by the range of its numbers.

    It changes with the content of every file, option and label, and with nothing else.
    """
    elsewhere = ("range", "cache", "target", "degrade", "direction")  # change nothing of what is packed
    asked = {name: value for name, value in asdict(options).items() if name not in elsewhere}
    cache = options.cache_folder()
    if isinstance(found, StoredArray):
        form = built_in(source) or found.paths[0].suffix
        return partial(key_of, form, digests(found.paths, cache, progress), asked)
    table = (label_bytes(found, options) or b"").hex()
    return partial(key_of, content_of(found, cache, progress), found.prefix, asked, table)


def _dataset(packed: Packed | None, source: str, remarks: tuple[str, ...]) -> Dataset:
    if packed is None:
        raise InputError(f"The packed form of {source} was deleted while it was being opened: try again.")
    return Dataset(
        samples=packed.samples,
        labels=packed.labels,
        spec=packed.spec,
        source=source,
        fingerprint=packed.fingerprint,
        notes=tuple(map(shown, (*packed.notes, *remarks))),
    )


def _as_it_is(table: ImageArray, options: DataConfig, source: str | Path, key: str) -> Dataset | None:
    """A mapped array that already holds what would be packed, or None. Its key is of its content: its fingerprint."""
    plan, table = settle(table, options)
    shape = (plan.height, plan.width, plan.channels)
    if (
        table.scale is not None
        or table.samples.dtype != np.uint8
        or table.samples.shape[1:] != shape
        or not table.samples.flags.c_contiguous
    ):
        return None
    levels = levels_of([table.samples[:: max(1, len(table.samples) // 256)]])
    return Dataset(
        samples=table.samples,
        labels=table.labels,
        spec=spec_of(table, plan),
        source=name_of(source),
        fingerprint=key,
        notes=(*table.notes, "The file is used where it lies, without a copy.", *levels.warnings([])),
    )


def _in_memory(table: ImageArray, options: DataConfig, source: str) -> Dataset:
    """Data that an installed package brings along: too small to be worth a file."""
    plan, table = settle(table, options)
    samples, spec = np.concatenate(list(chunks(table, plan))), spec_of(table, plan)
    return Dataset(
        samples=samples,
        labels=table.labels,
        spec=spec,
        source=source,
        fingerprint=digest(samples, table.labels, spec),
        notes=table.notes,
    )


def _toy(name: str, options: DataConfig) -> Dataset:
    if options.size is not None or options.channels is not None or options.labels not in (None, "none"):
        raise InputError(f"{name} is made of points: leave out --size and --channels, and --labels unless it is none.")
    if options.fit != "cover":
        raise InputError(f"{name} is made of points: leave out --fit {options.fit}.")
    if options.range is not None:
        raise InputError(f"{name} is made of points: leave out --range.")
    samples, labels = toys.points(name, options.split)
    centres, sigma = toys.modes(name)
    kept: np.ndarray | None = None if options.labels == "none" else labels
    spec = Spec(shape=(2,), classes=() if kept is None else tuple(str(mode) for mode in range(len(centres))))
    note = f"{toys.POINTS:,} points of {len(centres)} modes with a standard deviation of {sigma}, in their own units."
    return Dataset(
        samples=samples,
        labels=kept,
        spec=spec,
        source=name,
        fingerprint=digest(samples, kept, spec),
        notes=(note,),
    )
