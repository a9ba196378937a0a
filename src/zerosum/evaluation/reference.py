"""The reference of an evaluation: an extractor, real samples with their features, and the protocol."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.data.packing.cache import key_of
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.counts import Counts, counts_of
from zerosum.evaluation.measures.perceptual import perceptual_distance
from zerosum.evaluation.protocol import RAW, Protocol
from zerosum.evaluation.rehearsal import Subject, require_possible
from zerosum.evaluation.samples import KEPT, MemorisationData, Reference, SampleSet, raw, rows_of
from zerosum.evaluation.splits import Splits
from zerosum.evaluation.unseen import rows_in_whole, unlearned
from zerosum.features import extract, find
from zerosum.features.classifier_extractor import Trained
from zerosum.features.extractor import Extractor
from zerosum.features.untrained import Pixels, Random
from zerosum.metrics.divergence import shares

CUT, PADDED = "cut to the shape about the centre", "padded to the shape with their reflection"
RESIZER = f"{CUT}, Lanczos (Pillow, antialiased, 8 bits); images of that size as they are"
REDUCED = {8: "", 16: "; 16 bits a channel rounded to 8 on both sides"}
SEARCHED = 60_000
"""Training images that are searched for copies, at most."""


def prepare(
    splits: Splits,
    config: EvaluationConfig,
    context: EvaluationContext,
    *,
    trained: bool | None,
    unlike: bool = True,
    subject: Subject = lambda comparison: comparison,
) -> Reference:
    """Extract the features of the real samples.

    Args:
        splits: where they come from.
        config: what is asked.
        context: where and with what to compute.
        trained: whether the generator was trained on these data; None where that is another matter: it was trained on
            others, or does not make samples from nothing.
        unlike: whether there may be more samples than real ones, or fewer.
        subject: what is known of the samples to come, by which metrics that are unavailable are refused at once.

    Raises:
        InputError: There is no such extractor, it does not take these data, or a metric asked for is unavailable.
        StorageError: The cache cannot be written to.
    """
    require_possible(splits, config, default_name(splits, config, context), trained=trained, subject=subject)
    extractor, notes = find_extractor(splits, config, context)
    counts = counts_of(left := unlearned(splits, extractor), config, unlike=unlike)
    real, other, rows, other_rows = _sides(left, counts, extractor, config.seed, context)
    dataset, counterpart = splits.real.images, (splits.other or splits.real).images
    other_rows = rows_in_whole(other_rows, counterpart, extractor)
    held = other_rows[: None if splits.other is None else 0]
    has_stages = config.perceptual or config.perceptual_heads or isinstance(extractor, Trained)
    return Reference(
        protocol=_protocol(left, extractor, counts, config.seed),
        splits=splits,
        real=real,
        other=other,
        memory=None if trained is None else _memory(splits, (real, other), held, extractor, config, context, trained),
        expected=_expected(splits, real),
        perceptual=perceptual_distance(config, dataset, extractor, context.device) if has_stages else None,
        extractor=extractor,
        rows=rows_in_whole(rows, dataset, extractor),
        other_rows=other_rows,
        notes=(*splits.notes, *notes, *counts.notes),
    )


def _memory(
    splits: Splits,
    sides: tuple[SampleSet, SampleSet],
    held: np.ndarray,
    extractor: Extractor | None,
    config: EvaluationConfig,
    context: EvaluationContext,
    trained: bool,
) -> MemorisationData:
    return MemorisationData(
        training=partial(_training, splits, held, extractor, config, context),
        size=len(splits.training) - len(held),
        held_out=sides[0] if splits.other is not None and splits.real.split != splits.trained else sides[1],
        chunks=partial(splits.training.chunks, _training_rows(splits, held, config.seed)),
        trained=trained,
    )


def _protocol(splits: Splits, extractor: Extractor | None, counts: Counts, seed: int) -> Protocol:
    dataset, real = splits.real.images, splits.real
    kind = kinds.find(dataset.spec.kind)
    return Protocol(
        extractor=RAW if extractor is None else extractor.name,
        identity="" if extractor is None else extractor.identity,
        sees=f"The values of the {kind.unit} as they are." if extractor is None else extractor.protocol,
        data=dataset.source,
        split=real.split,
        fingerprint=dataset.fingerprint,
        against=f"other samples of {real.split}" if splits.other is None else f"split {splits.other.split}",
        real=counts.real,
        fake=counts.fake,
        floor=counts.floor,
        size="x".join(map(str, dataset.spec.shape)),
        resizer=_resizer(splits, dataset.spec.bits) if kind.pictures else f"none: {kind.unit}",
        seed=seed,
    )


def _resizer(splits: Splits, bits: int) -> str:
    """Say how images came to the shape and to 8 bits."""
    return (RESIZER.replace(CUT, PADDED) if splits.padded else RESIZER) + REDUCED[bits]


def _training(
    splits: Splits, held: np.ndarray, extractor: Extractor | None, config: EvaluationConfig, context: EvaluationContext
) -> SampleSet:
    """Extract training samples, all but those of the floor, to look for copies: fewer where that would take hours."""
    rows = _training_rows(splits, held, config.seed)
    slow = not (extractor is None or isinstance(extractor, Trained | Pixels | Random))
    if slow and len(rows) > config.count:
        rows = np.sort(np.random.default_rng(config.seed).permutation(rows)[: config.count])
    whole = splits.training
    if len(rows) < len(whole):
        key = f"{whole.fingerprint}-{key_of(rows.tobytes().hex())}"
        samples, labels = whole.samples[rows], None if whole.labels is None else whole.labels[rows]
        whole = replace(whole, samples=samples, labels=labels, fingerprint=key)
    return extract_dataset(extractor, whole, n=len(whole), seed=config.seed, context=context)[0]


def default_name(splits: Splits, config: EvaluationConfig, context: EvaluationContext) -> str:
    """Return the name of the extractor that is asked for, or of the one that suits the data."""
    training = splits.training
    if config.features is not None:
        return config.features
    if find.of_kind(kinds.find(training.spec.kind)) is None:
        return RAW
    return find.default(training, cache=context.cache)[0]


def find_extractor(
    splits: Splits, config: EvaluationConfig, context: EvaluationContext
) -> tuple[Extractor | None, tuple[str, ...]]:
    """Return the extractor that is asked for, or the one that suits the data, and why.

    Raises:
        InputError: There is no such extractor, or it does not take these data.
        StorageError: The cache cannot be written to.
    """
    training = splits.training
    kind = kinds.find(training.spec.kind)
    if find.of_kind(kind) is None:
        if config.features is not None:
            raise InputError(
                f"{training.source} is made of {kind.unit}, whose values are their features: leave --features "
                f"{config.features} out."
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
    splits: Splits, counts: Counts, extractor: Extractor | None, seed: int, context: EvaluationContext
) -> tuple[SampleSet, SampleSet, np.ndarray, np.ndarray]:
    """Extract both real sides; return them, and the rows of each in its split."""
    dataset = splits.real.images
    if splits.other is not None:
        real, rows = extract_dataset(extractor, dataset, n=counts.real, seed=seed, context=context)
        floor = splits.other.images
        other, other_rows = extract_dataset(extractor, floor, n=counts.floor, seed=seed, context=context)
        return real, other, rows, other_rows
    count = counts.real
    both, rows = extract_dataset(extractor, dataset, n=count + counts.floor, seed=seed, context=context)
    halves = [both.take(torch.arange(start, stop)) for start, stop in ((0, count), (count, count + counts.floor))]
    real, other = (
        SampleSet(outputs=half.outputs, samples=dataset.real(rows[start : start + min(KEPT, len(half))]))
        for half, start in zip(halves, (0, count), strict=True)
    )
    return real, other, rows[:count], rows[count:]


def extract_dataset(
    extractor: Extractor | None, dataset: SampleDataset, *, n: int, seed: int, context: EvaluationContext
) -> tuple[SampleSet, np.ndarray]:
    """Extract features of n samples of a data set, drawn without repetition and in a random order.

    Args:
        extractor: maps samples to features; None where samples are their own features.
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
    samples = dataset.real(rows[:KEPT])
    if extractor is None:
        return SampleSet(outputs=raw(dataset.real(rows)), samples=samples), rows
    outputs = extract.of_dataset(
        extractor, dataset, n=n, seed=seed, cache=context.cache, progress=context.progress, world=context.world
    )
    return SampleSet(outputs=rows_of(outputs, torch.from_numpy(order)), samples=samples), rows


def _training_rows(splits: Splits, held: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows of the training samples that are searched for copies: all but those of the floor."""
    rows = np.setdiff1d(np.arange(len(splits.training)), held)
    if len(rows) > SEARCHED:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:SEARCHED])
    return rows


def _expected(splits: Splits, real: SampleSet) -> Tensor | None:
    """Return the shares of the training labels, where they and those of the real part are the extractor's classes."""
    labels, classes = splits.training.labels, splits.training.spec.classes
    compared = splits.real.images
    if labels is None or compared.labels is None or compared.spec.classes != classes or real.outputs.logits is None:
        return None
    if real.logits.shape[1] != len(classes):
        return None
    return shares(torch.from_numpy(np.array(labels)), classes=len(classes))
