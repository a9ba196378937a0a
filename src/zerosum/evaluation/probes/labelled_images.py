"""Images with labels, real or generated, whatever made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zerosum import kinds
from zerosum.data.dataset import SampleDataset
from zerosum.errors import InputError

ClassSampler = Callable[[int, int], Tensor]
"""Makes images of one class: (class from 0, how many) -> (N, C, H, W) uint8. A conditional model, or one a class."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledImages:
    """Images, and a label each."""

    images: Tensor
    """(N, C, H, W) uint8."""

    labels: Tensor
    """(N,) int64 in [0, K)."""

    def __post_init__(self) -> None:
        if self.images.dtype != torch.uint8 or self.images.ndim != 4 or len(self.images) != len(self.labels):
            raise InputError(
                f"Images {tuple(self.images.shape)} of {self.images.dtype} were given with {len(self.labels)} labels; "
                "give (N, C, H, W) as uint8, and N labels."
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: Tensor) -> LabelledImages:
        return LabelledImages(images=self.images[rows], labels=self.labels[rows])

    def __add__(self, other: LabelledImages) -> LabelledImages:
        images = torch.cat([self.images, other.images])
        return LabelledImages(images=images, labels=torch.cat([self.labels, other.labels]))


def labelled(dataset: SampleDataset) -> LabelledImages:
    """Hold a whole data set of images with its labels in memory.

    Raises:
        InputError: It has no labels, or is not made of images.
    """
    if not dataset.has_classes or not kinds.find(dataset.spec.kind).pictures:
        raise InputError(f"{dataset.source} is no set of labelled images; give one with a folder for each class.")
    images = dataset.real(np.arange(len(dataset)))
    return LabelledImages(images=images, labels=torch.from_numpy(np.asarray(dataset.labels)).long())


def made(source: ClassSampler, *, classes: int, per_class: int) -> LabelledImages:
    """Have a source make equally many images of each class."""
    parts = [source(kind, per_class) for kind in range(classes)]
    return LabelledImages(images=torch.cat(parts), labels=torch.arange(classes).repeat_interleave(per_class))


def balanced(labels: Tensor, count: int, *, classes: int, seed: int) -> Tensor:
    """Choose rows with equally many of each class.

    Args:
        labels: (N,) integers in [0, K).
        count: rows to choose; K must divide it.
        classes: K.
        seed: of the choice.

    Returns:
        (count,) rows, int64.

    Raises:
        InputError: `count` is no multiple of K, or a class has too few samples.
    """
    each = count // classes
    least = int(torch.bincount(labels.long(), minlength=classes).min())
    if count < 1 or count % classes or least < each:
        raise InputError(
            f"{count} labelled samples of {classes} classes were asked for, and the rarest class has {least}; give a "
            f"multiple of {classes} up to {least * classes}."
        )
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    return torch.cat([order[labels[order] == kind][:each] for kind in range(classes)])
