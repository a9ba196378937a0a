"""What samples are held against, made ready: an extractor, real samples seen by it, and the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.feature_extraction import extract_dataset
from zerosum.evaluation.measures.perceptual import perceptual_distance
from zerosum.evaluation.result import POINTS, Protocol
from zerosum.evaluation.samples import MemorisationData, Reference, SampleSet
from zerosum.evaluation.splits import Splits, in_turn, targets_as_images
from zerosum.features import find
from zerosum.features.classifier_extractor import Trained
from zerosum.features.extractor import Extractor
from zerosum.metrics.divergence import shares
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback

RESIZER = "cut to the shape about the centre, Lanczos (Pillow, antialiased, 8 bits); images of that size as they are"
SEARCHED = 50_000
"""Training images among which pixels are searched for copies, at most."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluationContext:
    """Where and with what an evaluation works."""

    device: torch.device
    cache: Path
    progress: ProgressCallback | None
    world: World


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A reference, and what makes sides that fit it."""

    reference: Reference
    extractor: Extractor | None
    """None for points."""

    rows: np.ndarray
    """(N,): which samples of their part the real side holds, in its order."""

    notes: tuple[str, ...]


def prepare(splits: Splits, config: EvaluationConfig, context: EvaluationContext, *, trained: bool | None) -> Prepared:
    """See the real samples.

    Args:
        splits: where they come from.
        config: what is asked.
        context: where and with what.
        trained: whether the generator was trained on these data; None where that is another matter: it was trained on
            others, or does not make samples from nothing.

    Raises:
        InputError: There is no such extractor, or it cannot see these data.
        StorageError: The cache cannot be written to.
    """
    extractor, notes = find_extractor(splits, config, context)
    count = splits.count(config.count)
    if count < config.count:
        notes += (f"{count:,} real samples a side, for the data have no more: --count {config.count} is not reached.",)
    if isinstance(extractor, Trained) and splits.other is None:
        notes += (
            "The classifier was trained on these real samples, so unseen images, generated or real, look a little more "
            "unlike them than the floor says.",
        )
    real, other, rows, held = _sides(splits, count, extractor, config.seed, context)
    dataset = targets_as_images(splits.real.dataset)
    reference = Reference(
        protocol=_protocol(splits, extractor, count, config.seed),
        real=real,
        other=other,
        memory=None if trained is None else _memory(splits, real, other, held, config.seed, trained=trained),
        expected=_expected(dataset, real),
        training=splits.training,
        held_out=splits.held_out,
        own=trained is True,
        perceptual=perceptual_distance(config, dataset, extractor, context.device),
        mixture=dataset.source if dataset.source in toys.NAMES else None,
    )
    return Prepared(reference=reference, extractor=extractor, rows=rows, notes=notes)


def _protocol(splits: Splits, extractor: Extractor | None, count: int, seed: int) -> Protocol:
    dataset, real = targets_as_images(splits.real.dataset), splits.real
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
        resizer="none: points" if dataset.spec.is_points else RESIZER,
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
        InputError: There is no such extractor, or it cannot see these data.
        StorageError: The cache cannot be written to.
    """
    training = splits.training
    if training.spec.is_points:
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
    found = in_turn(
        context.world,
        lambda: find.find(
            name,
            reference=training,
            held_out=held_out,
            cache=context.cache,
            progress=context.progress,
            device=context.device,
        ),
    )
    return found, notes


def _sides(
    splits: Splits, count: int, extractor: Extractor | None, seed: int, context: EvaluationContext
) -> tuple[SampleSet, SampleSet, np.ndarray, np.ndarray]:
    """See both real sides; return them, the rows of the first, and those rows of it that serve the floor."""

    def see(dataset: Dataset, n: int) -> tuple[SampleSet, np.ndarray]:
        return extract_dataset(
            extractor, dataset, n=n, seed=seed, cache=context.cache, progress=context.progress, world=context.world
        )

    dataset = targets_as_images(splits.real.dataset)
    if splits.other is not None:
        (real, rows), (other, _) = see(dataset, count), see(targets_as_images(splits.other.dataset), count)
        return real, other, rows, np.empty(0, dtype=np.int64)
    both, rows = see(dataset, 2 * count)
    halves = [both.take(torch.arange(start, start + count)) for start in (0, count)]
    if both.images is None:
        return halves[0], halves[1], rows[:count], rows[count:]
    real, other = (
        SampleSet(outputs=half.outputs, images=dataset.real(rows[start : start + len(both.images)][:count]))
        for half, start in zip(halves, (0, count), strict=True)
    )
    return real, other, rows[:count], rows[count:]


def _searched(splits: Splits, held: np.ndarray, seed: int) -> partial[Iterator[Tensor]]:
    """Go through the training images, all but those of the floor."""
    training = splits.training
    rows = np.setdiff1d(np.arange(len(training)), held)
    if len(rows) > SEARCHED:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:SEARCHED])
    return partial(training.chunks, rows)


def _expected(dataset: Dataset, real: SampleSet) -> Tensor | None:
    """Return the shares of all labels of the real part, where they are the classes that the extractor tells."""
    classes = len(dataset.spec.classes)
    if dataset.labels is None or real.outputs.logits is None or real.logits.shape[1] != classes:
        return None
    return shares(torch.from_numpy(np.array(dataset.labels)), classes=classes)
