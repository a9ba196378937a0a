"""The door for recipes: data opened as the kind of batch that a recipe plays on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from zerosum.data.batch import Batch, Domains, Pairs
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.kinds.domains import DomainDataset, open_domains
from zerosum.kinds.images import open as open_images
from zerosum.kinds.pairs import PairDataset, open_pairs
from zerosum.runtime.thread_pool import ProgressCallback

SHEET = 8
"""Translations in a preview: each is shown beside its source."""

AnyDataset = Dataset | PairDataset | DomainDataset


def open_as(
    kinds: Sequence[type[Batch]],
    source: str | Path,
    *,
    options: DataConfig = DataConfig(),
    progress: ProgressCallback | None = None,
) -> AnyDataset:
    """Open data as the first of `kinds` that is for two sides, else as images or points.

    Raises:
        InputError: There are no such data, or options are given that this kind has no use for.
        StorageError: The cache cannot be written to.
    """
    two_sided = next((kind for kind in kinds if kind in (Pairs, Domains)), None)
    if two_sided is None:
        for name in ("target", "degrade"):
            if getattr(options, name) is not None:
                raise InputError(f"--{name} is for recipes that translate, such as pix2pix: leave it away.")
        if options.direction != "AtoB":
            raise InputError("--direction is for recipes that translate, such as pix2pix: leave it away.")
        return open_images(source, options=options, progress=progress)
    if options.labels not in (None, "none"):
        raise InputError(f"--labels {options.labels} is of no use to a recipe that translates: leave it away.")
    return (open_pairs if two_sided is Pairs else open_domains)(source, options, progress)


def for_previews(
    dataset: AnyDataset,
    kinds: Sequence[type[Batch]],
    options: DataConfig,
    *,
    most: int,
    made_from: Literal["images", "latents"] = "images",
) -> tuple[Batch, Literal["training", "held_out"], str | None]:
    """Choose what previews are held against: where they are made from images, some that are not trained on, if any.

    Args:
        dataset: What is trained on.
        kinds: As for `open_as`.
        options: What the data were opened with.
        most: Samples to show; of what is made from images, at most 8.
        made_from: What the recipe makes its samples from.

    Returns:
        The samples, whether they are trained on, and a sentence on it where there is a choice.

    Raises:
        StorageError: The cache cannot be written to.
    """
    if made_from == "latents":
        return dataset.batch(np.arange(most) % len(dataset)), "training", None
    shown = min(most, SHEET)
    same = replace(options, size="x".join(map(str, dataset.spec.shape[1:])), range=dataset.spec.range)
    apart = held_out(kinds, dataset.source, options=same)
    if apart is not None and apart.spec == dataset.spec:
        note = f"Previews show {shown} images of a split that is not trained on."
        return apart.batch(_spread(shown, len(apart), options)), "held_out", note
    note = f"Previews show {shown} of the training images, for the data have no split test or val like them."
    return dataset.batch(_spread(shown, len(dataset), options)), "training", note


def _spread(shown: int, count: int, options: DataConfig) -> np.ndarray:
    """Choose rows to show: the first ones, but of tiles some from all over, for neighbours are of one image."""
    step = max(1, count // shown) if options.fit == "tiles" else 1
    return np.arange(shown) * step % count


def held_out(
    kinds: Sequence[type[Batch]], source: str | Path, *, options: DataConfig, progress: ProgressCallback | None = None
) -> AnyDataset | None:
    """Open a split that is not trained on, test or val, with the same options; None where the data have none.

    Raises:
        StorageError: The cache cannot be written to.
    """
    for split in ("test", "val"):
        if split == options.split:
            continue
        try:
            return open_as(kinds, source, options=replace(options, split=split), progress=progress)
        except InputError:
            continue
    return None
