"""The interface of data sets: samples ready to be drawn, and what was done to them on the way."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.jitter import Draw
from zerosum.data.packing.encoded import BLOCK, EncodedRows
from zerosum.data.spec import Spec
from zerosum.errors import InputError


class Drawable(Protocol):
    """What can be drawn from: one set of samples, or several that are shuffled apart."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Samples in each of the sets that are shuffled apart."""
        ...

    def __len__(self) -> int: ...

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Batch:
        """Gather samples by their rows in each set: as they are, or varied as `draw` says."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset(ABC):
    """Samples of one kind, held as they are drawn."""

    samples: np.ndarray
    """(M, *any): what a recipe is to make; a memory map where the data were packed."""

    spec: Spec
    """What a recipe needs to know: shape and kind of a sample, and the names of the K classes or A attributes."""

    source: str
    """What the user typed, made absolute where it is a path."""

    fingerprint: str
    """Hex digest of the samples, the labels and the class names."""

    notes: tuple[str, ...]
    """What was done to the data, one sentence each."""

    def __len__(self) -> int:
        return max(self.lengths)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Samples in each of the sets that are shuffled apart."""
        return (len(self.samples),)

    @property
    def block(self) -> int:
        """Neighbours that are drawn near each other: 1 where reading any of them costs the same."""
        return BLOCK if isinstance(self.samples, EncodedRows) else 1

    @abstractmethod
    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Batch:
        """Gather samples.

        Args:
            rows: (N,) integers in [0, M), for each of the sets that are shuffled apart.
            draw: varies samples as a stream's jitter asks; as they are without one.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleDataset(Dataset):
    """M samples that are made from nothing, with or without labels."""

    labels: np.ndarray | None
    """(M,) int64 in [0, K); (M, A) int64 of 0 and 1, where the data have attributes; or None."""

    @property
    def has_classes(self) -> bool:
        """Whether each sample has a class: attributes, of which one may have several, are none."""
        return self.labels is not None and bool(self.spec.classes)

    @abstractmethod
    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the samples at (N,) rows, without labels: (N, *shape)."""

    def at(self, rows: slice) -> Self:
        """Return the samples of some rows, as a view, under the same fingerprint."""
        return replace(self, samples=self.samples[rows], labels=None if self.labels is None else self.labels[rows])

    def labels_at(self, rows: np.ndarray) -> Tensor | None:
        """Gather the labels at (N,) rows: (N,) or (N, A) int64, or None."""
        return None if self.labels is None else torch.from_numpy(np.take(self.labels, rows, axis=0))

    def chunks(self, rows: np.ndarray, *, size: int = 1024) -> Iterator[Tensor]:
        """Yield the samples at (N,) rows in order, `size` at a time."""
        for start in range(0, len(rows), size):
            yield self.real(rows[start : start + size])


def gather(samples: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Copy rows of what may be a memory map: (M, *any), (N,) -> (N, *any).

    Raises:
        InputError: The mapped file has become shorter; reading beyond its end would kill the process.
    """
    if isinstance(samples, EncodedRows):
        return samples.take(rows)
    _require_whole(samples)
    # numpy gathers on one thread: torch's gather would contend with the training for the cores.
    return np.take(samples.view(np.ndarray), rows, axis=0)


def _require_whole(samples: np.ndarray) -> None:
    name = getattr(samples, "filename", None)
    if name is None:
        return
    try:
        size = os.stat(name).st_size
    except OSError:  # deleted: what is mapped stays until the process ends
        return
    if size < samples.nbytes:
        raise InputError(f"{name} has become shorter since it was opened: bring it back, and go on from the last save.")


def channels_first(images: np.ndarray) -> Tensor:
    """View (N, H, W, C) as the tensor (N, C, H, W)."""
    return torch.from_numpy(images).permute(0, 3, 1, 2)


def random_labels(spec: Spec, count: int) -> np.ndarray | None:
    """Draw (count,) int64 labels of a spec's classes, or (count, A) of its attributes; None where it has neither."""
    if spec.attributes:
        return np.random.default_rng(1).integers(0, 2, (count, len(spec.attributes)))
    if not spec.classes:
        return None
    return np.random.default_rng(1).integers(0, len(spec.classes), count)


def random_images(shape: tuple[int, ...], count: int, *, seed: int) -> np.ndarray:
    """Draw (count, H, W, C) uint8 noise of a shape (C, H, W)."""
    return np.random.default_rng(seed).integers(0, 256, (count, *shape[1:], shape[0]), dtype=np.uint8)
