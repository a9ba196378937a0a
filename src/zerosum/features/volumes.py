"""Extractors of volumes by the names that people type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool3d

from zerosum.data.dataset import SampleDataset
from zerosum.features.extractor import Features, identity_of

NAMES = ("occupancy",)

CELLS = 8
"""Blocks a side over which occupancy is averaged."""


class Occupancy:
    """The share of occupied cells in each of 8x8x8 blocks: 512 features, for which nothing was learnt."""

    name = "occupancy"
    width = CELLS**3

    def __init__(self, device: torch.device) -> None:
        self.identity = identity_of({}, self.name, CELLS)
        self.protocol = f"The shares of occupied cells in {CELLS}x{CELLS}x{CELLS} blocks: {self.width} features."
        self._device = device

    def __call__(self, images: Tensor) -> Features:
        """Map (N, 1, X, Y, Z) uint8 volumes of 0 and 1 to their features."""
        shares = adaptive_avg_pool3d(images.to(self._device).float(), CELLS)
        return Features(features=shares.flatten(1).cpu())


def find(asked: str, *, reference: SampleDataset, cache: Path, device: torch.device, **options: Any) -> Occupancy:
    """Return the extractor, as `features.find.find` does; there is one."""
    return Occupancy(device)


def default(reference: SampleDataset, *, cache: Path) -> tuple[str, str]:
    """Choose features of volumes, as `features.find.default` does."""
    return "occupancy", "Features are shares of occupied cells in blocks, which nothing was learnt for."
