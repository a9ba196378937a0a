"""Digits in two halves, seen by a nearest-mean classifier on 8x8 pixels: an extractor that needs no training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from zerosum.data.dataset import Dataset
from zerosum.evaluation.measures import chosen
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.samples import Comparison, MemorisationData, Reference, SampleSet
from zerosum.evaluation.splits import Split, Splits
from zerosum.features.extractor import Features
from zerosum.kinds import open_data
from zerosum.metrics.divergence import shares

COUNT = 240


class Means:
    """64 features, the means of 4x4 pixels, and the squared distances to the classes' means as logits."""

    name, identity, width = "means", "means of digits", 64
    protocol = "The means of 4x4 pixels."

    def __init__(self, dataset: Dataset) -> None:
        images = dataset.batch(np.arange(len(dataset))).real
        labels = torch.from_numpy(dataset.labels)
        features = self.features(images)
        self.means = torch.stack([features[labels == digit].mean(0) for digit in range(10)])

    def features(self, images: Tensor) -> Tensor:
        return torch.nn.functional.avg_pool2d(images.float() / 255, 4).flatten(1)

    def __call__(self, images: Tensor) -> Features:
        features = self.features(images)
        return Features(features=features, logits=-torch.cdist(features, self.means).square())


class Digits:
    """Sides of digits, and comparison made of them."""

    def __init__(self) -> None:
        self.dataset = open_data("digits")
        self.extractor = Means(self.dataset)
        order = np.random.default_rng(0).permutation(len(self.dataset))
        self.real_rows, self.other_rows, self.rows = order[:COUNT], order[COUNT : 2 * COUNT], order[2 * COUNT :]

    def images(self, rows: np.ndarray) -> Tensor:
        return self.dataset.batch(rows).real

    def labels(self, rows: np.ndarray) -> np.ndarray:
        return self.dataset.labels[rows]

    def side(self, images: Tensor) -> SampleSet:
        return SampleSet(outputs=self.extractor(images), samples=images)

    def comparison(self, images: Tensor, *, paired: bool = False) -> Comparison:
        real, other = self.side(self.images(self.real_rows)), self.side(self.images(self.other_rows))
        memory = MemorisationData(
            training=lambda: real,
            size=COUNT,
            held_out=other,
            chunks=lambda: iter([self.images(self.real_rows)]),
            trained=True,
        )
        reference = Reference(
            protocol=PROTOCOL,
            splits=Splits(real=Split(dataset=self.dataset, split="train"), other=None, trained="train"),
            real=real,
            other=other,
            memory=memory,
            expected=shares(torch.from_numpy(self.labels(self.real_rows)), classes=10),
        )
        return reference.compare(self.side(images), paired=paired)

    @property
    def fresh(self) -> Tensor:
        """Digits of the same distribution that are on neither real side."""
        return self.images(self.rows[:COUNT])


PROTOCOL = Protocol(
    extractor="means",
    identity="means of digits",
    sees="The means of 4x4 pixels.",
    data="digits",
    split="train",
    fingerprint="digits",
    against="other samples of train",
    real=COUNT,
    fake=COUNT,
    size="1x32x32",
    resizer="none",
    seed=0,
)


@pytest.fixture(scope="session")
def digits() -> Digits:
    return Digits()


@pytest.fixture
def taken(digits: Digits) -> Callable[..., dict[str, float | None]]:
    """The values of metrics on some images: alone where that is quicker than with floor and interval."""

    def values(images: Tensor, *names: str, paired: bool = False) -> dict[str, float | None]:
        comparison = digits.comparison(images, paired=paired)
        found: dict[str, float | None] = {}
        for group in chosen(comparison, names):
            alone = group.quick(comparison) if group.quick is not None else None
            found |= alone or {figure.metric: figure.value for figure in group.compute(comparison)}
        return {name: found[name] for name in names}

    return values
