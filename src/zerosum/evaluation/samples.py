"""What metrics are computed from: sets of samples with their features, and what is known of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.data.sources import toys
from zerosum.evaluation.protocol import Protocol
from zerosum.evaluation.splits import Splits
from zerosum.features.extractor import Extractor, Features
from zerosum.metrics.lpips import PerceptualDistance
from zerosum.recipe import Recipe

KEPT = 2048
"""Samples of a side that are kept beside their features, for metrics of the samples: memory stays bounded."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleSet:
    """N samples with their features."""

    outputs: Features
    """What the extractor returned: (N, F) features, and (N, K) logits if it classifies."""

    samples: Tensor | None = None
    """(min(N, 2048), *shape): the first samples, in the form of `SampleDataset.real`; None where only features are
    known."""

    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.outputs.features)

    @property
    def features(self) -> Tensor:
        """(N, F)."""
        return self.outputs.features

    @property
    def logits(self) -> Tensor:
        """(N, K). Ask only where there are any."""
        assert self.outputs.logits is not None
        return self.outputs.logits

    @property
    def images(self) -> Tensor | None:
        """(min(N, 2048), C, H, W) uint8: the first samples, where they are images."""
        return self.samples if self.samples is not None and self.samples.ndim == 4 else None

    def take(self, rows: Tensor) -> SampleSet:
        """Return the features of some rows, without the samples."""
        return SampleSet(outputs=rows_of(self.outputs, rows))

    def first(self, count: int) -> SampleSet:
        """Return the features of the first samples, and the samples."""
        if count >= len(self):
            return self
        samples = None if self.samples is None else self.samples[:count]
        return SampleSet(outputs=rows_of(self.outputs, torch.arange(count)), samples=samples)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` makes, made the first time only: moments, bins, spacings of this side."""
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]


@dataclass(frozen=True, kw_only=True, eq=False)
class MemorisationData:
    """What a memorising generator would repeat."""

    training: Callable[[], SampleSet]
    """Extracts real samples that were trained on: all of them, where they are not too many."""

    size: int
    """How many were trained on."""

    held_out: SampleSet
    """As many real samples that were not; of a single split, others of it."""

    chunks: Callable[[], Iterator[Tensor]]
    """Goes through the images of the whole training set: (M_i, C, H, W) uint8."""

    trained: bool
    """Whether it is known that the generator was trained on these samples."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Perceptual:
    """A perceptual distance between images."""

    distance: PerceptualDistance
    sees: str
    """Which weights it sees with, in words: with others its numbers do not compare."""

    device: torch.device

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Measure (N, C, H, W) images against as many others, in float32: (N,) on the CPU."""
        with torch.autocast(self.device.type, enabled=False):
            return self.distance(a.to(self.device), b.to(self.device)).cpu()

    @property
    def suffix(self) -> str:
        """What figures carry in their titles: alex, vgg or classifier."""
        return self.distance.name.removeprefix("lpips-")


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """Real samples that generated ones are compared with."""

    protocol: Protocol
    splits: Splits
    """Where the real samples come from."""

    real: SampleSet
    other: SampleSet
    """As many real samples as generated ones, none of them in `real`: they set the floor."""

    memory: MemorisationData | None
    """None where the data are not those that the generator was trained on."""

    expected: Tensor | None = None
    """(K,): shares of the classes that the extractor tells, by the training labels; None without such labels."""

    perceptual: Perceptual | None = None
    """A perceptual distance; None where no backbone was given and the extractor is no classifier of these data."""

    extractor: Extractor | None = None
    """What the features of samples to compare are extracted by; None where samples are their own features."""

    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(N,): which samples of their split `real` holds, in its order."""

    other_rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """(M,): which samples of their split `other` holds, in its order; of the same split where there is one only."""

    notes: tuple[str, ...] = ()
    """What was done to make it, a sentence each."""

    @property
    def training(self) -> SampleDataset:
        """All of the split that one trains on, whoever did."""
        return self.splits.training

    @property
    def held_out(self) -> SampleDataset | None:
        """All of a split that one does not train on, if there is one."""
        return self.splits.held_out

    @property
    def own(self) -> bool:
        """Whether the generator makes samples from nothing, and was trained on `training`."""
        return self.memory is not None and self.memory.trained

    @property
    def mixture(self) -> str | None:
        """The name of the mixture of Gaussians that points were drawn from, if they were."""
        source = self.splits.real.dataset.source
        return source if source in toys.NAMES else None

    def compare(self, fake: SampleSet, *, paired: bool = False) -> Comparison:
        """Compare samples with the real ones."""
        other = self.other.first(len(fake))
        alike = replace(self, protocol=replace(self.protocol, fake=len(fake), floor=len(other)), other=other)
        return Comparison(reference=alike, fake=fake, paired=paired, notes=self.notes)


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Samples, and the real ones that they are compared with."""

    reference: Reference
    fake: SampleSet
    paired: bool
    """Whether each sample has a real one that it should be: row i of `fake.images` and of `reference.real.images`."""

    recipe: Recipe | None = None
    """What generated the samples, in evaluation mode, for metrics that play with it; None for a folder of images."""

    labelled: Callable[[], SampleDataset] | None = None
    """Brings the samples with the labels that they were given, which may be none; None where they cannot have any."""

    notes: tuple[str, ...] = ()
    """What was done on the way, a sentence each."""

    @property
    def protocol(self) -> Protocol:
        """Under which all figures are taken."""
        return self.reference.protocol

    @property
    def real(self) -> SampleSet:
        """The real samples."""
        return self.reference.real

    @property
    def kind(self) -> str:
        """The kind of the samples, by its name."""
        return self.reference.training.spec.kind

    @property
    def frechet(self) -> str:
        """What the Frechet distance of their features is called."""
        return kinds.find(self.kind).frechet

    @property
    def unit(self) -> str:
        """What samples are called when they are counted, in the plural."""
        return kinds.find(self.kind).unit

    @property
    def classifies(self) -> bool:
        """Whether the extractor has an opinion on classes."""
        return self.fake.outputs.logits is not None

    @property
    def marginal(self) -> Tensor:
        """(K,) shares of classes to expect: of the training labels, or of what the extractor calls real samples."""
        if self.reference.expected is not None:
            return self.reference.expected
        calls = self.real.logits.argmax(1)
        return torch.bincount(calls, minlength=self.real.logits.shape[1]).double() / len(calls)


def rows_of(outputs: Features, rows: Tensor) -> Features:
    """Return what was extracted from the samples of some rows (M,)."""
    return Features(features=outputs.features[rows], logits=None if outputs.logits is None else outputs.logits[rows])


def raw(samples: Tensor) -> Features:
    """Take the values of samples (N, *shape) as their features."""
    return Features(features=samples.flatten(1).float())
