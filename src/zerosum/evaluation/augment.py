"""Balancing labelled images with generated ones, and what a classifier gains by it on images that nobody learned from.

Source: Ravuri & Vinyals 2019, section 3 (https://arxiv.org/abs/1905.10887), for training classifiers on samples.

Differs from the paper: a small classifier on an equal budget of images; and a third arm, in which real images are
repeated until classes are balanced, so that what balance alone gains is not credited to the samples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import to_levels
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.probes.cas import small_classifier
from zerosum.evaluation.probes.labelled_images import LabelledImages
from zerosum.inference.generate import generate
from zerosum.inference.pictures import write_result
from zerosum.media.image_grid import MODES
from zerosum.metrics.repeats import RepeatedResult, repeated, shares
from zerosum.recipe import Recipe
from zerosum.runtime import rng
from zerosum.runtime.atomic_files import replacing
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted, listed

ARMS = ("as they are", "repeated", "with generated")
"""What classifiers learn from: the images, these with images of small classes repeated, these with generated ones."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many images of each class are generated."""

    counts: tuple[int, ...]
    """Real images of each class."""

    missing: tuple[int, ...]
    """Images to generate of each."""

    seeds: tuple[int, ...]
    """Start of the randomness of each."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """Accuracies on held-out images: the mean over classes of the share that is told right."""

    arms: Mapping[str, RepeatedResult]
    gain: RepeatedResult
    """With generated images, minus as they are, repeat by repeat."""

    over_repeating: RepeatedResult
    """With generated images, minus with real ones repeated."""

    tested: int
    """Held-out images, over all repeats."""

    meaning: tuple[str, ...]
    """What the numbers say, a sentence each."""


def plan(labels: Tensor, spec: Spec, *, to: int | None, seed: int) -> Plan:
    """Decide how many images of each class are generated, so that each has as many as the largest, or as asked.

    Raises:
        InputError: nothing is missing.
    """
    counts = torch.bincount(labels, minlength=len(spec.classes)).tolist()
    wanted = max(counts) if to is None else to
    missing = [max(0, wanted - count) for count in counts]
    if not any(missing):
        raise InputError(
            f"Every class has {min(counts):,} images or more, so none is missing at {wanted:,}: give a larger --to."
        )
    seeds = [rng.derived(seed, f"augment {number}") for number in range(len(counts))]
    return Plan(counts=tuple(counts), missing=tuple(missing), seeds=tuple(seeds))


def generated(recipe: Recipe, planned: Plan, progress: ProgressCallback | None = None) -> tuple[Tensor, Tensor]:
    """Generate the images that a plan misses, class by class: (N, C, H, W) uint8, or uint16 as the data, and labels."""
    parts, labels = [], []
    for number, (count, seed) in enumerate(zip(planned.missing, planned.seeds, strict=True)):
        if count:
            parts.append(to_levels(generate(recipe, count, seed, controls={"label": number}), recipe.spec.bits))
            labels.append(torch.full((count,), number))
        if progress is not None:
            progress("generate", sum(map(len, parts)), sum(planned.missing))
    return torch.cat(parts), torch.cat(labels)


def write(images: Tensor, labels: Tensor, out: Path, spec: Spec, *, origin: str) -> None:
    """Write images as PNGs into a folder for each class; their names hold a digest of where they come from.

    Args:
        images: generated ones, as `generated` returns them; those of 16 bits are written as the numbers of the data.
        labels: (N,) int64 in [0, K).
        out: a folder.
        spec: of the run; it has the names of the classes.
        origin: run, checkpoint and seed: other ones give other names, so that files of two of them can lie together.

    Raises:
        StorageError: the disk refuses.
    """
    digest = hashlib.sha256(origin.encode()).hexdigest()[:12]
    for number, name in enumerate(spec.classes):
        (out / name).mkdir(parents=True, exist_ok=True)
        for index, row in enumerate((labels == number).nonzero().flatten().tolist()):
            pixels, place = images[row].permute(1, 2, 0).numpy(), out / name / f"zerosum-{digest}-{index:06d}.png"
            if pixels.dtype == np.uint16:
                write_result(pixels, place, spec)
                continue
            picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
            with replacing(place) as partial:
                picture.save(partial, format="PNG")


def measure(
    real: LabelledImages,
    made: LabelledImages,
    test: LabelledImages,
    *,
    classes: int,
    repeats: int = 5,
    seen: int = 30_000,
    seed: int = 0,
    progress: ProgressCallback | None = None,
) -> Gain:
    """Train small classifiers on images as they are, repeated, and with generated ones; test them on held-out ones.

    Args:
        real: the images, as many of each class as there are.
        made: generated images.
        test: held-out images.
        classes: K.
        repeats: 5 or more; each has a seed, and a share of the test images of its own.
        seen: images that a classifier sees in training, however few are different: equal for all three.
        seed: of all of it.
        progress: told "classifiers", and how many are trained of how many.

    Raises:
        InputError: too few repeats or held-out images.
    """
    found: dict[str, list[float]] = {arm: [] for arm in ARMS}
    learn = small_classifier(classes, seen=seen)
    for repeat, rows in enumerate(shares(len(test), repeats, seed=seed)):
        more = _repeats(real.labels, torch.bincount(made.labels, minlength=classes), seed=seed + repeat)
        sets = dict(zip(ARMS, (real, real + real[more], real + made), strict=True))
        for arm, data in sets.items():
            tell = learn(data, seed + repeat)
            found[arm].append(mean_recall(tell(test.images[rows]), test.labels[rows], classes))
            if progress is not None:
                progress("classifiers", sum(map(len, found.values())), repeats * len(ARMS))
    plain, again, both = (found[arm] for arm in ARMS)
    gain = repeated([b - a for a, b in zip(plain, both, strict=True)])
    over = repeated([b - a for a, b in zip(again, both, strict=True)])
    return Gain(
        arms={arm: repeated(values) for arm, values in found.items()},
        gain=gain,
        over_repeating=over,
        tested=len(test),
        meaning=_meaning(gain, over, len(made), len(test)),
    )


def mean_recall(told: Tensor, labels: Tensor, classes: int) -> float:
    """Compute the mean over the classes that are there of the share told right.

    >>> mean_recall(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 0, 0]), 2)
    0.75
    >>> mean_recall(torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 0, 1]), 2)
    0.5
    """
    right = (told.cpu() == labels).double()
    parts = [right[labels == number].mean() for number in range(classes) if bool((labels == number).any())]
    return float(torch.stack(parts).mean())


def _repeats(labels: Tensor, missing: Tensor, *, seed: int) -> Tensor:
    """Draw rows of each class with replacement, as many as are missing of it."""
    random = np.random.default_rng(seed)
    rows = [
        random.choice(np.flatnonzero(labels.numpy() == number), int(count))
        for number, count in enumerate(missing)
        if count and bool((labels == number).any())
    ]
    return torch.from_numpy(np.concatenate(rows)) if rows else torch.empty(0, dtype=torch.int64)


def _meaning(gain: RepeatedResult, over: RepeatedResult, count: int, tested: int) -> tuple[str, ...]:
    where = f"On {counted(tested, 'held-out image')}, adding {counted(count, 'generated image')}"
    first = f"{where} changed the mean accuracy over classes by {gain.said()}: {_verdict(gain)}."
    second = f"Compared with repeating real images of the small classes: {over.said()}: {_verdict(over)}."
    third = (
        "This holds for a small classifier, these images and this budget of training. It promises nothing for another "
        "classifier or other data: measure those as well."
    )
    return first, second, third


def _verdict(found: RepeatedResult) -> str:
    if found.interval.low > 0:
        return "a gain was measured"
    if found.interval.high < 0:
        return "a loss was measured: leave the generated images out"
    return "no gain was measured, because the interval holds 0"


def refuse_unfit(recipe: Recipe, run: Path, classes: Sequence[str], data: str) -> None:
    """Refuse a run that cannot balance the classes of some data.

    Raises:
        InputError: it generates without classes or for others, a class has a name that no folder has, or images have
            more channels than a PNG.
    """
    if not recipe.takes_labels or not recipe.spec.classes:
        raise InputError(f"{run} generates without classes: give a run of a conditional recipe, such as cgan.")
    if not classes:
        raise InputError(f"{data} has no classes to balance: give a folder with a folder a class, or --labels.")
    if tuple(classes) != recipe.spec.classes:
        theirs, ours = listed(classes, most=5), listed(recipe.spec.classes, most=5)
        raise InputError(f"{data} has the classes {theirs}, and {run} generates {ours}: give a run trained on them.")
    for name in classes:
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise InputError(f"The class {name!r} cannot be the name of a folder: rename it.")
    if (channels := recipe.spec.shape[0]) not in MODES:
        raise InputError(f"Images of {channels} channels cannot be written as PNG: augment images of 1 to 4.")
