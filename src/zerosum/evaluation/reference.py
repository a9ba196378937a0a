"""The reference of an evaluation: an extractor, real samples with their features, and the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.measures.perceptual import perceptual_distance
from zerosum.evaluation.result import POINTS, Protocol
from zerosum.evaluation.samples import KEPT, MemorisationData, Reference, SampleSet, coordinates, rows_of
from zerosum.evaluation.splits import Splits
from zerosum.features import extract, find
from zerosum.features.classifier_extractor import Trained
from zerosum.features.extractor import Extractor
from zerosum.metrics.divergence import shares

RESIZER = "cut to the shape about the centre, Lanczos (Pillow, antialiased, 8 bits); images of that size as they are"
SEARCHED = 50_000
"""Training images among which pixels are searched for copies, at most."""


def prepare(splits: Splits, config: EvaluationConfig, context: EvaluationContext, *, trained: bool | None) -> Reference:
    """Extract the features of the real samples.

    Args:
        splits: where they come from.
        config: what is asked.
        context: where and with what to compute.
        trained: whether the generator was trained on these data; None where that is another matter: it was trained on
            others, or does not make samples from nothing.

    Raises:
        InputError: There is no such extractor, or it does not take these data.
        StorageError: The cache cannot be written to.
    """
    extractor, notes = find_extractor(splits, config, context)
    count = _count(splits, config.count)
    if count < config.count:
        notes += (f"{count:,} real samples a side, for the data have no more: --count {config.count} is not reached.",)
    if isinstance(extractor, Trained) and splits.other is None:
        notes += (
            "The classifier was trained on these real samples, so unseen images, generated or real, look a little more "
            "unlike them than the floor says.",
        )
    real, other, rows, held = _sides(splits, count, extractor, config.seed, context)
    dataset = splits.real.images
    has_stages = config.perceptual or config.perceptual_heads or isinstance(extractor, Trained)
    return Reference(
        protocol=_protocol(splits, extractor, count, config.seed),
        splits=splits,
        real=real,
        other=other,
        memory=None if trained is None else _memory(splits, real, other, held, config.seed, trained=trained),
        expected=_expected(dataset, real),
        perceptual=perceptual_distance(config, dataset, extractor, context.device) if has_stages else None,
        extractor=extractor,
        rows=rows,
        notes=(*splits.notes, *notes),
    )


def _count(splits: Splits, asked: int) -> int:
    """Return how many samples a side has.

    Raises:
        InputError: There are not two for each side.
    """
    real = len(splits.real.images)
    count = min(asked, real // 2 if splits.other is None else min(real, len(splits.other.images)))
    if count < 2:
        raise InputError(
            f"{splits.real.dataset.source} has {real} real samples, and an evaluation needs 2 for each of two sides: "
            "give more data, or --count 2 or more."
        )
    return count


def _protocol(splits: Splits, extractor: Extractor | None, count: int, seed: int) -> Protocol:
    dataset, real = splits.real.images, splits.real
    return Protocol(
        extractor=POINTS if extractor is None else extractor.name,
        identity="" if extractor is None else extractor.identity,
        sees="The coordinates of the points as they are." if extractor is None else extractor.protocol,
        data=dataset.source,
        split=real.split,
        fingerprint=dataset.fingerprint,
        against=f"other samples of {real.split}" if splits.other is None else f"split {splits.other.split}",
        real=count,
        fake=count,
        size="x".join(map(str, dataset.spec.shape)),
        resizer="none: points" if kinds.find(dataset.spec.kind).raw_features else RESIZER,
        seed=seed,
    )


def _memory(
    splits: Splits, real: SampleSet, other: SampleSet, held: np.ndarray, seed: int, *, trained: bool
) -> MemorisationData:
    first = splits.other is None or splits.real.split == splits.trained
    training, held_out = (real, other) if first else (other, real)
    return MemorisationData(training=training, held_out=held_out, chunks=_searched(splits, held, seed), trained=trained)


def find_extractor(
    splits: Splits, config: EvaluationConfig, context: EvaluationContext
) -> tuple[Extractor | None, tuple[str, ...]]:
    """Return the extractor that is asked for, or the one that suits the data, and why.

    Raises:
        InputError: There is no such extractor, or it does not take these data.
        StorageError: The cache cannot be written to.
    """
    training = splits.training
    if kinds.find(training.spec.kind).raw_features:
        if config.features is not None:
            raise InputError(
                f"--features {config.features} see images, and {training.source} has points: leave it away."
            )
        return None, ()
    name, notes = config.features, ()
    if name is None:
        name, why = find.default(training, cache=context.cache)
        notes = (why,)
    held_out = splits.held_out
    if held_out is not None and (held_out.labels is None or held_out.spec.classes != training.spec.classes):
        held_out = None
    find_it = partial(find.find, name, reference=training, held_out=held_out, cache=context.cache)
    found = context.world.first_then_others(lambda: find_it(progress=context.progress, device=context.device))
    return found, notes


def _sides(
    splits: Splits, count: int, extractor: Extractor | None, seed: int, context: EvaluationContext
) -> tuple[SampleSet, SampleSet, np.ndarray, np.ndarray]:
    """Extract both real sides; return them, the rows of the first, and those rows of it that serve the floor."""
    dataset = splits.real.images
    if splits.other is not None:
        real, rows = extract_dataset(extractor, dataset, n=count, seed=seed, context=context)
        other, _ = extract_dataset(extractor, splits.other.images, n=count, seed=seed, context=context)
        return real, other, rows, np.empty(0, dtype=np.int64)
    both, rows = extract_dataset(extractor, dataset, n=2 * count, seed=seed, context=context)
    halves = [both.take(torch.arange(start, start + count)) for start in (0, count)]
    if both.images is None:
        return halves[0], halves[1], rows[:count], rows[count:]
    real, other = (
        SampleSet(outputs=half.outputs, images=dataset.real(rows[start : start + len(both.images)][:count]))
        for half, start in zip(halves, (0, count), strict=True)
    )
    return real, other, rows[:count], rows[count:]


def extract_dataset(
    extractor: Extractor | None, dataset: SampleDataset, *, n: int, seed: int, context: EvaluationContext
) -> tuple[SampleSet, np.ndarray]:
    """Extract features of n samples of a data set, drawn without repetition and in a random order.

    Args:
        extractor: maps images to features; None for points, whose coordinates are their features.
        dataset: real samples.
        n: how many.
        seed: of the draw and the order.
        context: where features are cached, and which processes share the work.

    Returns:
        The samples, and which rows they are: (n,).

    Raises:
        StorageError: The cache cannot be written to.
    """
    drawn = extract.rows(dataset, n=n, seed=seed)
    order = np.random.default_rng(seed).permutation(n)  # of a whole set the rows come as they lie, often by class
    rows = drawn[order]
    if extractor is None:
        return SampleSet(outputs=coordinates(torch.from_numpy(dataset.samples[rows]))), rows
    outputs = extract.of_dataset(
        extractor, dataset, n=n, seed=seed, cache=context.cache, progress=context.progress, world=context.world
    )
    return SampleSet(outputs=rows_of(outputs, torch.from_numpy(order)), images=dataset.real(rows[:KEPT])), rows


def _searched(splits: Splits, held: np.ndarray, seed: int) -> partial[Iterator[Tensor]]:
    """Go through the training images, all but those of the floor."""
    training = splits.training
    rows = np.setdiff1d(np.arange(len(training)), held)
    if len(rows) > SEARCHED:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:SEARCHED])
    return partial(training.chunks, rows)


def _expected(dataset: SampleDataset, real: SampleSet) -> Tensor | None:
    """Return the shares of all labels of the real part, where they are the classes that the extractor tells."""
    classes = len(dataset.spec.classes)
    if dataset.labels is None or real.outputs.logits is None or real.logits.shape[1] != classes:
        return None
    return shares(torch.from_numpy(np.array(dataset.labels)), classes=classes)
