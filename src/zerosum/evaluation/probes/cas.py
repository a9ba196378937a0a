"""Generated samples put to work: the classification accuracy score, and whether synthetic data help a classifier.

Source: Ravuri & Vinyals 2019, section 3 (https://arxiv.org/abs/1905.10887).

Differs from the paper: the classifier is a small one in place of ResNet-50, and repeats give an interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.evaluation.probes.labelled_images import LabelledImages, balanced
from zerosum.features.classifier import fit
from zerosum.metrics.repeats import RepeatedResult, repeated, shares

Learner = Callable[[LabelledImages, int], Callable[[Tensor], Tensor]]
"""Learns from labelled images, with a seed: to what tells (N, C, H, W) uint8 images' labels (N,)."""


@dataclass(frozen=True, kw_only=True)
class AccuracyScore:
    """What a classifier that only saw generated samples knows of real ones."""

    value: float
    """Accuracy on real test images after training on generated ones, in [0, 1]."""

    generated: RepeatedResult
    """The same with its repeats and interval."""

    real: RepeatedResult
    """Accuracy after training on as many real images: the ceiling."""

    lost: RepeatedResult
    """`real` minus `generated`, repeat by repeat."""

    samples: int
    """Training images of each kind."""

    tested: int
    """Real test images, over all repeats."""

    meaning: str
    """What the numbers say, in a sentence."""


@dataclass(frozen=True, kw_only=True)
class SyntheticHelp:
    """Whether generated samples help a classifier that has few real ones."""

    value: float
    """Accuracy gained on real test images by adding generated ones, in [-1, 1]."""

    gain: RepeatedResult
    """The same with its repeats and interval: `both` minus `real`, repeat by repeat."""

    real: RepeatedResult
    """Accuracy after training on the few real images alone."""

    both: RepeatedResult
    """After training on these and the generated ones."""

    generated: RepeatedResult
    """After training on the generated ones alone."""

    few: int
    """Real training images."""

    samples: int
    """Generated training images."""

    tested: int
    """Real test images, over all repeats."""

    meaning: str
    """The verdict, in a sentence or two."""


def small_classifier(classes: int, *, seen: int = 30_000) -> Learner:
    """Return what trains the small classifier of `zerosum.features` on about `seen` images, however few are different.

    A fixed budget of images seen, in place of epochs, keeps a larger set from winning by more steps alone.
    """

    def learn(data: LabelledImages, seed: int) -> Callable[[Tensor], Tensor]:
        epochs = max(1, round(seen / len(data)))
        network = fit(data.images, data.labels, classes=classes, epochs=epochs, seed=seed)

        @torch.no_grad()
        def tell(images: Tensor) -> Tensor:
            return torch.cat([network(part).logits.argmax(1) for part in images.split(500)])

        return tell

    return learn


def classification_accuracy_score(
    generated: LabelledImages,
    real: LabelledImages,
    test: LabelledImages,
    learn: Learner,
    *,
    classes: int,
    repeats: int = 5,
    seed: int = 0,
) -> AccuracyScore:
    """Train on generated samples only, and on as many real images; test both on real images.

    Each repeat has a training seed, a choice of real images and a share of the test set of its own.

    Args:
        generated: labelled samples.
        real: what the generator was trained on, at least as many in each class.
        test: real images that neither saw.
        learn: what is trained, such as `small_classifier(10)`.
        classes: K; it divides the number of generated samples.
        repeats: 5 or more.
        seed: of all of it.

    Raises:
        InputError: Too few repeats, or too few images.
    """

    def arms(repeat: int) -> Mapping[str, LabelledImages]:
        rows = balanced(real.labels, len(generated), classes=classes, seed=seed + repeat)
        return {"generated": generated, "real": real[rows]}

    found = _accuracies(arms, test, learn, repeats, seed)
    fake, ceiling = repeated(found["generated"]), repeated(found["real"])
    lost = repeated([b - a for a, b in zip(found["generated"], found["real"], strict=True)])
    return AccuracyScore(
        value=fake.value,
        generated=fake,
        real=ceiling,
        lost=lost,
        samples=len(generated),
        tested=len(test),
        meaning=(
            f"A classifier that saw {len(generated):,} generated samples and no real one tells {fake.value:.1%} of "
            f"real test images right; one that saw as many real ones {ceiling.value:.1%}: real minus generated is "
            f"{lost.said()}. It compares only with scores of the same classifier, number of samples and data."
        ),
    )


def synthetic_help(
    generated: LabelledImages,
    real: LabelledImages,
    test: LabelledImages,
    learn: Learner,
    *,
    few: int,
    generator_saw: int | None,
    classes: int,
    repeats: int = 5,
    seed: int = 0,
) -> SyntheticHelp:
    """Train on few real images, on these and generated ones, and on generated ones alone; test on real images.

    Each repeat has a training seed, a choice of the few real images and a share of the test set of its own, the same
    for the three.

    Args:
        generated: labelled samples.
        real: to choose the few from.
        test: real images that were in neither training.
        learn: what is trained, such as `small_classifier(10)`.
        few: real images; a multiple of `classes`.
        generator_saw: different real images that the generator was trained on; None where nobody knows. Where they
            are, or may be, more than `few`, a gain may be theirs, and the verdict says so.
        classes: K.
        repeats: 5 or more.
        seed: of all of it.

    Raises:
        InputError: Too few repeats, or too few images.
    """

    def arms(repeat: int) -> Mapping[str, LabelledImages]:
        chosen = real[balanced(real.labels, few, classes=classes, seed=seed + repeat)]
        return {"real": chosen, "both": chosen + generated, "generated": generated}

    found = _accuracies(arms, test, learn, repeats, seed)
    gain = repeated([b - a for a, b in zip(found["real"], found["both"], strict=True)])
    return SyntheticHelp(
        value=gain.value,
        gain=gain,
        real=repeated(found["real"]),
        both=repeated(found["both"]),
        generated=repeated(found["generated"]),
        few=few,
        samples=len(generated),
        tested=len(test),
        meaning=_verdict(gain, few, len(generated), generator_saw),
    )


def _accuracies(
    arms: Callable[[int], Mapping[str, LabelledImages]], test: LabelledImages, learn: Learner, repeats: int, seed: int
) -> dict[str, list[float]]:
    """Accuracy of every arm in every repeat, each repeat on its share of the test set."""
    found: dict[str, list[float]] = {}
    for repeat, rows in enumerate(shares(len(test), repeats, seed=seed)):
        share = test[rows]
        for name, data in arms(repeat).items():
            right = learn(data, seed + repeat)(share.images) == share.labels
            found.setdefault(name, []).append(float(right.double().mean()))
    return found


def _verdict(gain: RepeatedResult, few: int, samples: int, generator_saw: int | None) -> str:
    act = f"Adding {samples:,} generated samples to {few:,} real images changes test accuracy by {gain.said()}"
    if gain.interval.low <= 0 <= gain.interval.high:
        return f"{act}: neither help nor harm is shown. That is no proof of none: the interval says what it may be."
    if gain.interval.high < 0:
        return f"{act}: here they harm."
    if generator_saw is None:
        return (
            f"{act}: here they help, with this classifier and this budget of training. If their generator was trained "
            f"on more than {few:,} real images, this may be what those teach."
        )
    if generator_saw > few:
        return (
            f"{act}. The generator was trained on {generator_saw:,} real images, though, so this may be what those "
            f"teach, and does not show that generating helps someone who only has {few:,}."
        )
    return f"{act}: here they help, with this classifier and this budget of training."
