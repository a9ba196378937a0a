"""The door for recipes: data opened as the kind of batch that a recipe plays on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from zerosum.data.batch import Batch, Domains, Pairs
from zerosum.data.dataset import Dataset
from zerosum.data.options import DataConfig
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds.domains import DomainDataset, open_domains
from zerosum.kinds.images import open as open_images
from zerosum.kinds.pairs import PairDataset, open_pairs
from zerosum.runtime.distributed import World
from zerosum.runtime.thread_pool import ProgressCallback

SHEET = 8
"""Translations in a preview: each is shown beside its source."""

HELD_OUT = ("test", "val")
"""Splits that are not trained on, by their names, in the order in which they are looked for."""

AnyDataset = Dataset | PairDataset | DomainDataset


Previews = tuple[Batch, Literal["training", "held_out"], str | None]
"""What previews show, whether it is trained on, and a sentence on it where there is a choice."""


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
) -> Previews:
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
        InputError: A held-out split is there and cannot be used.
        StorageError: The cache cannot be written to.
    """
    if made_from == "latents":
        return dataset.batch(np.arange(most) % len(dataset)), "training", None
    shown = min(most, SHEET)
    same = replace(options, size="x".join(map(str, dataset.spec.shape[1:])))
    others = [split for split in HELD_OUT if split != options.split]
    _, apart = next(open_splits(kinds, dataset.source, others, options=same), (None, None))
    if apart is not None and apart.spec == dataset.spec:
        note = f"Previews show {shown} images of a split that is not trained on."
        return apart.batch(_spread(shown, len(apart), options)), "held_out", note
    note = f"Previews show {shown} of the training images, for the data have no split test or val like them."
    return dataset.batch(_spread(shown, len(dataset), options)), "training", note


def _spread(shown: int, count: int, options: DataConfig) -> np.ndarray:
    """Choose rows to show: the first ones, but of tiles some from all over, for neighbours are of one image."""
    step = max(1, count // shown) if options.fit == "tiles" else 1
    return np.arange(shown) * step % count


def open_splits(
    kinds: Sequence[type[Batch]],
    source: str | Path,
    splits: Sequence[str] = HELD_OUT,
    *,
    options: DataConfig,
    progress: ProgressCallback | None = None,
    world: World = World(),
) -> Iterator[tuple[str, AnyDataset]]:
    """Open those of some splits that the data have, one by one and in order, each when it is asked for.

    Args:
        kinds: As for `open_as`.
        source: As for `open_as`.
        splits: Their names; by default those that are not trained on by their name.
        options: With which all are opened; their own split is another matter.
        progress: Told of stages.
        world: The first process opens alone at first, so that data are packed once.

    Raises:
        InputError: There are no such data, or a split is there and cannot be used: only its absence passes in silence.
        StorageError: The cache cannot be written to.
    """
    for split in splits:
        asked = replace(options, split=split)
        opening = partial(open_as, kinds, source, options=asked, progress=progress)
        try:
            found = world.first_then_others(opening)
        except NoSuchSplit:
            continue
        yield split, found
