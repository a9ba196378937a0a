"""What labelled samples are good for: a classifier that learns from them alone, or from them and few real ones.

They take minutes, so they are taken only where they are asked for by name.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from zerosum.data.dataset import SampleDataset
from zerosum.evaluation.measures.base import SHARE, MetricGroup, within
from zerosum.evaluation.probes.cas import Learner, classification_accuracy_score, small_classifier, synthetic_help
from zerosum.evaluation.probes.labelled_images import LabelledImages, balanced, labelled
from zerosum.evaluation.result import Better, MetricResult, finite
from zerosum.evaluation.samples import Comparison
from zerosum.text import listed

SCORE: dict[str, Better] = {"cas": "higher"}
HELP: dict[str, Better] = {"synthetic-help": "higher"}

SEEN = 30_000
"""Images that a classifier sees in training, however few are different."""

FEW = 10
"""Real images of each class that are to be helped."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What a classifier is to learn, and from what."""

    generated: LabelledImages
    real: LabelledImages
    test: LabelledImages
    learn: Learner
    classes: int


def groups() -> tuple[MetricGroup, ...]:
    """Return the groups of this file."""
    return (
        MetricGroup(names=SCORE, unavailable=_missing, compute=_compute_score, cost="minutes"),
        MetricGroup(names=HELP, unavailable=_missing, compute=_compute_help, cost="minutes"),
    )


def _missing(comparison: Comparison) -> str | None:
    if comparison.labelled is None:
        return (
            "it needs samples with labels, and this run makes them without; give generated images, in a folder for "
            "each class or as an .npz of images and labels"
        )
    training, held_out, data = comparison.reference.training, comparison.reference.held_out, comparison.protocol.data
    if training is None or held_out is None or not (training.has_classes and held_out.has_classes):
        return f"it needs labelled images with a split test or val beside train, and {data} is none; name others"
    classes = training.spec.classes
    if held_out.spec.classes != classes:
        return f"the splits of {data} have different classes"
    given = _given(comparison)
    if given.labels is None or not given.has_classes:
        return f"the images of {given.source} have no labels; put those of each class into a folder of its name"
    if _numbers(given.spec.classes, classes) is None:
        ours, theirs = (listed(names, most=10) for names in (given.spec.classes, classes))
        return f"the classes of {given.source} are {ours} and those of {data} {theirs}; name them alike, or by number"
    counts = np.bincount(given.labels, minlength=len(classes))
    lacking = given.spec.classes[int(counts.argmin())]
    return None if counts.min() else f"{given.source} has no image of the class {lacking}"


def _given(comparison: Comparison) -> SampleDataset:
    assert comparison.labelled is not None
    return comparison.fake.once("labelled", comparison.labelled)


def _numbers(given: Sequence[str], classes: Sequence[str]) -> torch.Tensor | None:
    """Return the number of each class that is given, (K,), by its name or else by its number written out.

    >>> _numbers(("dog", "cat"), ("cat", "dog")), _numbers(("cat",), ("cat", "dog"))
    (tensor([1, 0]), None)
    """
    for names in (list(classes), [str(number) for number in range(len(classes))]):
        if sorted(given) == sorted(names):
            return torch.tensor([names.index(name) for name in given])
    return None


def _task(comparison: Comparison) -> Task:
    """Return the task, with as many generated images in each class as there are."""
    training, held_out, given = comparison.reference.training, comparison.reference.held_out, _given(comparison)
    assert training is not None
    assert held_out is not None
    K = len(training.spec.classes)
    numbers, made = _numbers(given.spec.classes, training.spec.classes), labelled(given)
    assert numbers is not None
    made = LabelledImages(images=made.images, labels=numbers[made.labels])
    real, test = labelled(training), labelled(held_out)
    each = min(int(torch.bincount(side.labels, minlength=K).min()) for side in (made, real))
    made = made[balanced(made.labels, each * K, classes=K, seed=comparison.protocol.seed)]
    # What is learned from the generated images alone, with one seed, is the same in both trials.
    learn = functools.cache(small_classifier(K, seen=SEEN))
    return Task(generated=made, real=real, test=test, learn=learn, classes=K)


def _compute_score(comparison: Comparison) -> list[MetricResult]:
    task = comparison.fake.once("task", lambda: _task(comparison))
    K, seed = task.classes, comparison.protocol.seed
    found = classification_accuracy_score(task.generated, task.real, task.test, task.learn, classes=K, seed=seed)
    figure = MetricResult(
        metric="cas",
        title="CAS",
        value=finite(found.value),
        better="higher",
        settings=(
            f"accuracy on {found.tested:,} held-out images of a small classifier that learned from {found.samples:,} "
            f"generated ones, or for the floor real ones, equally many of {K} classes"
        ),
        floor=found.real.value,
        interval=within(found.generated.interval, found.value, SHARE, count=found.tested),
        notes=(found.meaning,),
    )
    return [figure]


def _compute_help(comparison: Comparison) -> list[MetricResult]:
    task = comparison.fake.once("task", lambda: _task(comparison))
    K, seed = task.classes, comparison.protocol.seed
    found = synthetic_help(
        task.generated, task.real, task.test, task.learn, few=FEW * K, generator_saw=None, classes=K, seed=seed
    )
    figure = MetricResult(
        metric="synthetic-help",
        title="synthetic help",
        value=finite(found.value),
        better="higher",
        settings=(
            f"accuracy that {found.samples:,} generated images add to {found.few} real ones, on {found.tested:,} "
            "held-out images"
        ),
        interval=found.gain.interval,
        notes=(found.meaning,),
    )
    return [figure]
