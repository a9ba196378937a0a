"""Requests are checked before the work: whether the metrics asked for apply is known without a single feature."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch

from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.counts import counts_of
from zerosum.evaluation.measures import chosen, parse_names
from zerosum.evaluation.protocol import RAW, Protocol
from zerosum.evaluation.samples import Comparison, MemorisationData, Perceptual, Reference, SampleSet
from zerosum.evaluation.splits import Splits
from zerosum.features.extractor import Features

OPINIONLESS = ("pixels", "random", RAW)
"""Extractors that are known not to classify."""

CLASSIFIER = "classifier"
"""The extractor that is trained on the data, and tells their classes."""

Subject = Callable[[Comparison], Comparison]
"""Adds to a comparison what is known of the samples: who made them, whether they have targets or labels."""


def require_possible(
    splits: Splits, config: EvaluationConfig, extractor: str, *, trained: bool | None, subject: Subject
) -> None:
    """Refuse metrics that are unavailable for some samples, by empty features in the place of extracted ones.

    Args:
        splits: where the real samples come from.
        config: what is asked.
        extractor: its name.
        trained: as for `prepare`.
        subject: what is known of the samples.

    Raises:
        InputError: A metric that is asked for by name is unavailable.
    """
    if config.metrics is None:
        return
    dataset, counts = splits.real.images, counts_of(splits, config)
    real, fake, other = (_blank(n, dataset.spec.shape, extractor) for n in (counts.real, counts.fake, counts.floor))
    protocol = Protocol(
        extractor=extractor, identity="", sees="", data=dataset.source, split=splits.real.split, fingerprint="",
        against="", real=counts.real, fake=counts.fake, size="", resizer="", seed=config.seed,
    )  # fmt: skip
    memory = MemorisationData(
        training=lambda: real, size=len(splits.training), held_out=other, chunks=lambda: iter(()), trained=bool(trained)
    )
    reference = Reference(
        protocol=protocol,
        splits=splits,
        real=real,
        other=other,
        memory=None if trained is None else memory,
        expected=torch.zeros(1) if _tells_classes(extractor, splits) else None,  # that there are some, not which
        perceptual=cast(Perceptual, object()),  # whether there is one is found out in no time later
    )
    chosen(subject(reference.compare(fake)), parse_names(config.metrics))


def _tells_classes(extractor: str, splits: Splits) -> bool:
    """Whether the classes that an extractor tells are those of the data."""
    return extractor.partition(":")[0] == CLASSIFIER and splits.real.images.labels is not None


def _blank(count: int, shape: tuple[int, ...], extractor: str) -> SampleSet:
    logits = None if extractor.partition(":")[0] in (*OPINIONLESS, "hf") else torch.zeros(1, 2).expand(count, 2)
    samples = torch.zeros(1, dtype=torch.uint8).expand(min(count, 2), *shape)
    return SampleSet(outputs=Features(features=torch.zeros(1, 1).expand(count, 1), logits=logits), samples=samples)
