"""From samples to sides: real ones from the cache, generated ones as they are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data.batch import to_uint8
from zerosum.data.dataset import Dataset
from zerosum.errors import InputError
from zerosum.evaluation.samples import KEPT, SampleSet, rows_of
from zerosum.features import extract
from zerosum.features.extractor import Extractor, Features
from zerosum.inference.sample import CHUNK
from zerosum.kinds import AnyDataset
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback

SHEET = 8
"""Images translated at once."""


def extract_dataset(
    extractor: Extractor | None,
    dataset: Dataset,
    *,
    n: int,
    seed: int,
    cache: Path,
    progress: ProgressCallback | None,
    world: World,
) -> tuple[SampleSet, np.ndarray]:
    """See n samples of a data set, drawn without repetition and in a random order, and say which rows they are.

    Args:
        extractor: what sees them; None for points, whose coordinates are their features.
        dataset: real samples.
        n: how many.
        seed: of the draw and the order.
        cache: folder where features are kept.
        progress: told how many images are done.
        world: the processes that share the work.

    Raises:
        StorageError: The cache cannot be written to.
    """
    drawn = extract.rows(dataset, n=n, seed=seed)
    order = np.random.default_rng(seed).permutation(n)  # of a whole set the rows come as they lie, often by class
    rows = drawn[order]
    if extractor is None:
        return SampleSet(outputs=Features(features=torch.from_numpy(dataset.samples[rows]).float())), rows
    features = extract.of_dataset(extractor, dataset, n=n, seed=seed, cache=cache, progress=progress, world=world)
    return SampleSet(outputs=rows_of(features, torch.from_numpy(order)), images=dataset.real(rows[:KEPT])), rows


def extract_stream(
    extractor: Extractor | None,
    batches: Iterable[Tensor],
    *,
    count: int,
    progress: ProgressCallback | None = None,
    world: World,
) -> SampleSet:
    """See samples as they are made: (N_i, C, H, W) uint8, or points (N_i, 2). The first images are kept."""
    if extractor is None:
        return SampleSet(outputs=Features(features=torch.cat(list(batches))[:count].float()))
    kept: list[Tensor] = []

    def keeping() -> Iterator[Tensor]:
        for batch in batches:
            room = min(count, KEPT) - sum(map(len, kept))
            if room > 0:
                kept.append(batch[:room])
            yield batch

    features = extract.extract(extractor, keeping(), count=count, progress=progress, world=world)
    return SampleSet(outputs=features, images=torch.cat(kept))


def generated(recipe: Recipe, n: int, *, seed: int) -> Iterator[Tensor]:
    """Generate n samples or a few more, in batches: those that `zerosum sample --seed` makes, as uint8 or as points.

    Raises:
        InputError: A sample is not finite.
    """
    state = None
    for _ in range(-(-n // CHUNK)):
        # Whoever looks at a batch between two of them may draw at random too, and leaves no trace here.
        with rng.fork(recipe.device, seed=seed if state is None else None), torch.no_grad():
            if state is not None:
                rng.set_state(state, recipe.device)
            samples = recipe.sample(CHUNK).float().cpu()
            state = rng.state(recipe.device)
        yield _finished(samples)


def translated(recipe: Recipe, dataset: AnyDataset, rows: np.ndarray, *, seed: int) -> Iterator[Tensor]:
    """Translate the sources at (N,) rows of pairs or domains, in batches, as uint8.

    Raises:
        InputError: A sample is not finite.
    """
    for start in range(0, len(rows), SHEET):
        batch = dataset.batch(rows[start : start + SHEET]).to(recipe.device)
        with rng.fork(recipe.device, seed=seed + start), torch.no_grad():
            made, _ = recipe.fake_and_real(batch)
        yield _finished(made.float().cpu())


def _finished(samples: Tensor) -> Tensor:
    if not bool(samples.isfinite().all()):
        raise InputError(
            "The samples hold values that are not finite numbers, so there is nothing to evaluate: train anew, with a "
            "lower learning rate or --precision float32."
        )
    return to_uint8(samples) if samples.ndim > 2 else samples
