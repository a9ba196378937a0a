"""The real samples that looks at a game compare generated ones with: the same at every look, read when first needed."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from zerosum.data.batch import Batch, to_float
from zerosum.data.dataset import Dataset, SampleDataset
from zerosum.doctor import variety
from zerosum.metrics.spectrum import nyquist_share

SAMPLES = 64
"""Samples a look, on each side."""

PER_CLASS = 8
"""Samples of a class."""

SEARCHED, SEARCHED_VALUES = 4_096, 2**27
"""Most training samples, and values of all of them, among which nearest ones are searched."""

SPECTRUM_VALUES = 2**22
"""Values of images of which a spectrum is taken at most."""


class RealSamples:
    """Real samples of a data set, and their measures.

    Args:
        dataset: to choose from.
        device: of the game.
        seed: of the choice.
    """

    def __init__(self, dataset: Dataset, device: torch.device, *, seed: int) -> None:
        self._dataset, self._seed, self._placed = dataset, seed, device
        self._distances: dict[int, float] = {}
        self.device = torch.device("cpu") if device.type == "mps" else device
        """Where samples are measured: MPS lacks torch.pdist."""

    @cached_property
    def _batch(self) -> Batch:
        count = len(self._dataset)
        rows = np.random.default_rng(self._seed).choice(count, min(SAMPLES, count), replace=False)
        return self._dataset.batch(rows).to(self._placed)

    @cached_property
    def samples(self) -> Tensor:
        """(N, *shape) samples, N = 64 or all that there are."""
        return self._batch.real.to(self.device)

    @property
    def labels(self) -> Tensor | None:
        """(N,) classes or (N, A) attributes of the samples, on the device of the game; None without any."""
        return getattr(self._batch, "label", None)

    @cached_property
    def distance(self) -> float:
        """Mean distance of the samples from each other."""
        return variety.mean_distance(self.samples)

    @cached_property
    def saturated(self) -> float:
        """Share of saturated values."""
        return variety.saturated(self.samples)

    @cached_property
    def nyquist_share(self) -> float:
        """Share of the power near the Nyquist frequencies."""
        return nyquist_share(some(self.samples))

    @cached_property
    def class_rows(self) -> dict[int, np.ndarray]:
        """(8,) rows of real samples of each class that has as many; none where labels are attributes."""
        dataset = self._dataset
        if not isinstance(dataset, SampleDataset) or not dataset.has_classes or dataset.labels is None:
            return {}
        order = np.random.default_rng(self._seed).permutation(len(dataset))
        ordered = dataset.labels[order]
        places = np.argsort(ordered, kind="stable")
        names, starts, counts = np.unique(ordered[places], return_index=True, return_counts=True)
        return {
            int(name): order[places[start : start + PER_CLASS]]
            for name, start, count in zip(names, starts, counts, strict=True)
            if count >= PER_CLASS
        }

    def class_distance(self, name: int) -> float:
        """Mean distance of the samples of a class from each other."""
        if name not in self._distances:
            real = self._dataset.batch(self.class_rows[name]).to(self._placed).real.to(self.device)
            self._distances[name] = variety.mean_distance(real)
        return self._distances[name]

    @cached_property
    def training(self) -> Tensor | None:
        """All training samples as nearest ones are searched, (M, D); None where there are too many."""
        dataset, values = self._dataset, math.prod(self._dataset.spec.shape)
        if not isinstance(dataset, SampleDataset) or not 2 <= len(dataset) <= min(SEARCHED, SEARCHED_VALUES // values):
            return None
        chunks = dataset.chunks(np.arange(len(dataset)), size=256)
        return torch.cat([variety.pooled(_as_played(chunk)) for chunk in chunks]).to(self.device)

    @cached_property
    def training_distance(self) -> float:
        """Median distance of a few training samples to the nearest other one; 0 where there are too many to search."""
        if self.training is None:
            return 0.0
        places = torch.arange(0, len(self.training), -(-len(self.training) // SAMPLES), device=self.device)
        return float(variety.nearest_distances(self.training[places], self.training, apart=places).median())


def some(images: Tensor) -> Tensor:
    """Return as many images (N, C, H, W) as a spectrum is taken of."""
    return images[: max(1, SPECTRUM_VALUES // images[0].numel())]


def _as_played(samples: Tensor) -> Tensor:
    """Bring samples as a data set holds them to the range that networks take."""
    return samples.float() if samples.is_floating_point() else to_float(samples)
