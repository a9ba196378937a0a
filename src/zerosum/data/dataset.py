"""Samples ready to be drawn: a packed array, its labels, and what was done to the data on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from zerosum.data.batch import Batch, Images, Points
from zerosum.data.spec import Spec


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """M samples, held as they are drawn: images channels last, or points of the plane."""

    samples: np.ndarray
    """(M, H, W, C) uint8, a memory map where the data were packed; or (M, 2) float32 for points."""

    labels: np.ndarray | None
    """(M,) int64 in [0, K), or None."""

    spec: Spec
    """What a recipe needs to know: the shape of one sample, (C, H, W) or (2,), and the names of the K classes."""

    source: str
    """What the user typed, made absolute where it is a path."""

    fingerprint: str
    """Hex digest of the samples, the labels and the class names."""

    notes: tuple[str, ...]
    """What was done to the data, one sentence each."""

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, rows: np.ndarray) -> Batch:
        """Gather samples.

        Args:
            rows: (N,) integers in [0, M).

        Returns:
            `Images` with `image` (N, C, H, W) uint8, a channels-last view; or `Points` with `point` (N, 2) float32.
        """
        # numpy gathers on one thread: torch's gather would contend with the training for the cores.
        gathered = torch.from_numpy(np.take(self.samples.view(np.ndarray), rows, axis=0))
        label = None if self.labels is None else torch.from_numpy(np.take(self.labels, rows))
        if self.spec.is_points:
            return Points(point=gathered, label=label)
        return Images(image=gathered.permute(0, 3, 1, 2), label=label)
