"""Features of many images: in batches, by several processes, and kept on disk for the next time they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import key_of
from zerosum.data.packing.seal import is_sound, seal
from zerosum.data.packing.sweep import sweep
from zerosum.errors import InputError, StorageError
from zerosum.features.extractor import Extractor, Features
from zerosum.runtime.atomic_files import replacing, storing
from zerosum.runtime.device import without_tf32
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback

BATCH = 32
ALONE = World()

Extract = Callable[[Tensor], Features]
"""An `Extractor`, or any other map from samples to features."""


def extract(
    extractor: Extract,
    batches: Iterable[Tensor],
    *,
    count: int,
    progress: ProgressCallback | None = None,
    world: World = ALONE,
) -> Features:
    """See images that are made or read on the way.

    Args:
        extractor: what sees them.
        batches: (N_i, C, H, W) uint8: those of this process, which are batches rank, rank + size, ... of all.
        count: images altogether, or how many of the first are wanted.
        progress: told "features", and how many images are done of how many.
        world: the processes that share the work; all get the whole result, as one process would.

    Raises:
        InputError: There are fewer images than `count`.
    """
    parts = list(stream(extractor, batches, count=count, progress=progress, world=world))
    logits = [part.logits for part in parts if part.logits is not None]
    return Features(features=torch.cat([part.features for part in parts]), logits=torch.cat(logits) if logits else None)


def stream(
    extractor: Extract,
    batches: Iterable[Tensor],
    *,
    count: int,
    progress: ProgressCallback | None = None,
    world: World = ALONE,
) -> Iterator[Features]:
    """Yield what `extract` returns, batch by batch and in order: for what need not be held in memory at once.

    Raises:
        InputError: There are fewer images than `count`.
    """
    coming, done = iter(batches), 0
    if progress is not None:
        progress("features", 0, count)
    while done < count:
        turn = world.gather(_next(extractor, coming))
        for outputs in turn:
            if isinstance(outputs, InputError):  # of any process: all stop with its sentence
                raise outputs
            if isinstance(outputs, Features) and done < count:
                yield _first(outputs, count - done)
                done = min(count, done + len(outputs.features))
        if all(outputs is None for outputs in turn):
            break
        if progress is not None:
            progress("features", done, count)
    if done < count:
        raise InputError(f"Features of {count:,} images were asked for, and there are {done:,}: ask for no more.")


def of_dataset(
    extractor: Extractor,
    dataset: SampleDataset,
    *,
    n: int | None = None,
    seed: int = 0,
    cache: Path,
    progress: ProgressCallback | None = None,
    world: World = ALONE,
) -> Features:
    """See images of a data set, once: the next time they come from the cache, mapped into memory.

    A file of the cache whose seal or shape is not whole is made again.

    Args:
        extractor: what sees them.
        dataset: images; its fingerprint, the rows and the extractor's identity name the file in the cache.
        n: how many, drawn without repetition; all of them, in their order, if not given.
        seed: of the draw.
        cache: folder; it must be one that all processes share.
        progress: told "features", and how many images are done of how many.
        world: the processes that share the work.

    Raises:
        InputError: `n` is more than there are.
        StorageError: The cache cannot be written to or read.
    """
    chosen = rows(dataset, n=n, seed=seed)
    drawn = None if len(chosen) == len(dataset) else (n, seed)
    path = cache / "features" / f"{key_of(dataset.fingerprint, drawn, extractor.identity)}.npy"
    there = any(world.gather(world.is_first and _sound(path, len(chosen), extractor.width)))
    if not there:
        own = [chosen[start : start + BATCH] for start in range(world.rank * BATCH, len(chosen), world.size * BATCH)]
        seen = stream(extractor, map(dataset.real, own), count=len(chosen), progress=progress, world=world)
        if world.is_first:
            _write(path, seen, len(chosen))
            sweep(cache)
        else:
            for _ in seen:
                pass
    world.wait()
    return _read(path, extractor.width)


def rows(dataset: SampleDataset, *, n: int | None = None, seed: int = 0) -> np.ndarray:
    """Choose (n,) rows of a data set without repetition, or all of them in order: those that `of_dataset` sees.

    Raises:
        InputError: `n` is more than there are.
    """
    if n is not None and n > len(dataset):
        raise InputError(f"{n:,} images were asked for of {dataset.source}, which has {len(dataset):,}: ask for fewer.")
    if n is None or n == len(dataset):
        return np.arange(len(dataset))
    return np.random.default_rng(seed).permutation(len(dataset))[:n]


def _next(extractor: Extract, batches: Iterator[Tensor]) -> Features | InputError | None:
    """Return the features of this process's next batch, or what keeps it from them; None where there is none."""
    try:
        batch = next(batches, None)
        with without_tf32():  # as exact on a GPU as on a CPU
            return None if batch is None else extractor(batch)
    except InputError as error:
        return error


def _first(seen: Features, count: int) -> Features:
    logits = None if seen.logits is None else seen.logits[:count]
    return Features(features=seen.features[:count], logits=logits)


def _write(path: Path, parts: Iterator[Features], count: int) -> None:
    """Write features and logits side by side, (count, F + K) float32, as one array that grows by batches."""
    with replacing(path) as partial, partial.open("wb") as file:
        for index, seen in enumerate(parts):
            table = seen.features if seen.logits is None else torch.cat([seen.features, seen.logits], 1)
            if index == 0:
                _write_header(file, (count, table.shape[1]))
            file.write(np.ascontiguousarray(table.numpy(), dtype="<f4").data)
    with storing(path):
        seal(path.with_suffix(".seal"), [path])


def _sound(path: Path, count: int, width: int) -> bool:
    """Whether a file of features is byte for byte what was written there, and of the shape that is wanted."""
    try:
        if not is_sound(path.with_suffix(".seal")):
            return False
        shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    except (OSError, ValueError, EOFError):
        return False
    return len(shape) == 2 and shape[0] == count and shape[1] >= width


def _write_header(file: BinaryIO, shape: tuple[int, int]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})


def _read(path: Path, width: int) -> Features:
    try:
        # Mapped copy-on-write: torch asks for writable memory, and the file stays as it is.
        table = torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray))
    except (OSError, ValueError, EOFError) as error:
        raise StorageError(f"The features in {path} cannot be read ({error}): delete that file.") from error
    return Features(features=table[:, :width], logits=table[:, width:] if table.shape[1] > width else None)
