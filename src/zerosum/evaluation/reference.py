"""What samples are held against, made ready: an extractor, real samples seen by it, and the protocol."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.data.packing.cache import key_of
from zerosum.data.sources import toys
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.counts import Counts, counts_of
from zerosum.evaluation.feature_extraction import extract_dataset
from zerosum.evaluation.measures.perceptual import perceptual_distance
from zerosum.evaluation.rehearsal import Subject, require_possible
from zerosum.evaluation.result import POINTS, Protocol
from zerosum.evaluation.samples import KEPT, MemorisationData, Reference, SampleSet
from zerosum.evaluation.splits import Splits, in_turn, targets_as_images
from zerosum.evaluation.unseen import rows_in_whole, unlearned
from zerosum.features import find
from zerosum.features.classifier_extractor import Trained
from zerosum.features.extractor import Extractor
from zerosum.features.untrained import Pixels, Random
from zerosum.metrics.divergence import shares
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback

RESIZER = "cut to the shape about the centre, Lanczos (Pillow, antialiased, 8 bits); images of that size as they are"
SEARCHED = 60_000
"""Training images that are searched for copies, at most."""


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


def prepare(
    parts: Splits,
    question: EvaluationConfig,
    setting: EvaluationContext,
    *,
    trained: bool | None,
    subject: Subject = lambda comparison: comparison,
) -> Prepared:
    """See the real samples.

    Args:
        parts: where they come from.
        question: what is asked.
        setting: where and with what.
        trained: whether the generator was trained on these data; None where that is another matter: it was trained on
            others, or does not make samples from nothing.
        subject: what is known of the samples to come, by which metrics that cannot be had are refused at once.

    Raises:
        InputError: There is no such extractor, it cannot see these data, or a metric asked for cannot be had.
        StorageError: The cache cannot be written to.
    """
    require_possible(parts, question, default_name(parts, question, setting), trained=trained, subject=subject)
    extractor, notes = find_extractor(parts, question, setting)
    counts = counts_of(left := unlearned(parts, extractor), question)
    real, other, rows, held = _sides(left, counts, extractor, question.seed, setting)
    held = rows_in_whole(held, parts.training, extractor)
    dataset = targets_as_images(parts.real.dataset)
    reference = Reference(
        protocol=_protocol(left, extractor, counts, question.seed),
        real=real,
        other=other,
        memory=None
        if trained is None
        else MemorisationData(
            training=partial(_training, parts, held, extractor, question, setting),
            size=len(parts.training) - len(held),
            held_out=real if parts.other is not None and parts.real.split != parts.trained else other,
            chunks=partial(parts.training.chunks, _training_rows(parts, held, question.seed)),
            trained=trained,
        ),
        expected=_expected(dataset, real),
        training=parts.training,
        held_out=parts.held_out,
        own=trained is True,
        perceptual=perceptual_distance(question, dataset, extractor, setting.device),
        mixture=dataset.source if dataset.source in toys.NAMES else None,
    )
    return Prepared(reference=reference, extractor=extractor, rows=rows, notes=(*notes, *counts.notes))


def _protocol(parts: Splits, extractor: Extractor | None, counts: Counts, seed: int) -> Protocol:
    dataset, real = targets_as_images(parts.real.dataset), parts.real
    return Protocol(
        extractor=POINTS if extractor is None else extractor.name,
        identity="" if extractor is None else extractor.identity,
        sees="The coordinates of the points as they are." if extractor is None else extractor.protocol,
        data=dataset.source,
        split=real.split,
        fingerprint=dataset.fingerprint,
        against=f"other samples of {real.split}" if parts.other is None else f"split {parts.other.split}",
        real=counts.real,
        fake=counts.fake,
        floor=counts.floor,
        size="x".join(map(str, dataset.spec.shape)),
        resizer="none: points" if dataset.spec.is_points else RESIZER,
        seed=seed,
    )


def _training(
    parts: Splits, held: np.ndarray, extractor: Extractor | None, question: EvaluationConfig, setting: EvaluationContext
) -> SampleSet:
    """Extract training samples, all but those of the floor, to look for copies: fewer where that would take hours."""
    rows = _training_rows(parts, held, question.seed)
    slow = not (extractor is None or isinstance(extractor, Trained | Pixels | Random))
    if slow and len(rows) > question.count:
        rows = np.sort(np.random.default_rng(question.seed).permutation(rows)[: question.count])
    whole = parts.training
    if len(rows) < len(whole):
        key = f"{whole.fingerprint}-{key_of(rows.tobytes().hex())}"
        samples, labels = whole.samples[rows], None if whole.labels is None else whole.labels[rows]
        whole = replace(whole, samples=samples, labels=labels, fingerprint=key)
    side, _ = extract_dataset(
        extractor,
        whole,
        n=len(whole),
        seed=question.seed,
        cache=setting.cache,
        progress=setting.progress,
        world=setting.world,
    )
    return side


def default_name(parts: Splits, question: EvaluationConfig, setting: EvaluationContext) -> str:
    """Return the name of the extractor that is asked for, or of the one that suits the data."""
    training = parts.training
    if question.features is not None:
        return question.features
    return POINTS if training.spec.is_points else find.default(training, cache=setting.cache)[0]


def find_extractor(
    parts: Splits, question: EvaluationConfig, setting: EvaluationContext
) -> tuple[Extractor | None, tuple[str, ...]]:
    """Return the extractor that is asked for, or the one that suits the data, and why.

    Raises:
        InputError: There is no such extractor, or it cannot see these data.
        StorageError: The cache cannot be written to.
    """
    training = parts.training
    if training.spec.is_points:
        if question.features is not None:
            raise InputError(
                f"--features {question.features} see images, and {training.source} has points: leave it away."
            )
        return None, ()
    name, notes = question.features, ()
    if name is None:
        name, why = find.default(training, cache=setting.cache)
        notes = (why,)
    held_out = parts.held_out
    if held_out is not None and (held_out.labels is None or held_out.spec.classes != training.spec.classes):
        held_out = None
    found = in_turn(
        setting.world,
        lambda: find.find(
            name,
            reference=training,
            held_out=held_out,
            cache=setting.cache,
            progress=setting.progress,
            device=setting.device,
        ),
    )
    return found, notes


def _sides(
    parts: Splits, counts: Counts, extractor: Extractor | None, seed: int, setting: EvaluationContext
) -> tuple[SampleSet, SampleSet, np.ndarray, np.ndarray]:
    """See both real sides; return them, the rows of the first, and those rows of it that serve the floor."""

    def see(dataset: Dataset, n: int) -> tuple[SampleSet, np.ndarray]:
        return extract_dataset(
            extractor, dataset, n=n, seed=seed, cache=setting.cache, progress=setting.progress, world=setting.world
        )

    dataset = targets_as_images(parts.real.dataset)
    if parts.other is not None:
        (real, rows), (other, _) = see(dataset, counts.real), see(targets_as_images(parts.other.dataset), counts.floor)
        return real, other, rows, np.empty(0, dtype=np.int64)
    count = counts.real
    both, rows = see(dataset, count + counts.floor)
    halves = [both.take(torch.arange(start, stop)) for start, stop in ((0, count), (count, count + counts.floor))]
    if both.images is None:
        return halves[0], halves[1], rows[:count], rows[count:]
    real, other = (
        SampleSet(seen=half.seen, images=dataset.real(rows[start : start + min(KEPT, len(half))]))
        for half, start in zip(halves, (0, count), strict=True)
    )
    return real, other, rows[:count], rows[count:]


def _training_rows(parts: Splits, held: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows of the training samples that are searched for copies: all but those of the floor."""
    rows = np.setdiff1d(np.arange(len(parts.training)), held)
    if len(rows) > SEARCHED:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:SEARCHED])
    return rows


def _expected(dataset: Dataset, real: SampleSet) -> Tensor | None:
    """Return the shares of all labels of the real part, where they are the classes that the extractor tells."""
    classes = len(dataset.spec.classes)
    if dataset.labels is None or real.seen.logits is None or real.logits.shape[1] != classes:
        return None
    return shares(torch.from_numpy(np.array(dataset.labels)), classes=classes)
