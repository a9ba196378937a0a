"""The score of labelled samples and the help they give, told by a learner whose accuracy is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.evaluate import compute_metrics
from zerosum.evaluation.measures import labels as uses
from zerosum.evaluation.probes.labelled_images import LabelledImages
from zerosum.evaluation.samples import Comparison
from zerosum.evaluation.splits import Split, Splits
from zerosum.kinds.images import ImageDataset

CLASSES = ("dark", "light")
LEVELS = np.array([100, 150])


def images(count: int, *, classes: tuple[str, ...] = CLASSES, seed: int = 0) -> ImageDataset:
    """Images of a noisy level of gray by class: two thirds are dark, and the classes are told right in 89 %."""
    random = np.random.default_rng(seed)
    dark = classes.index(next(name for name in classes if name in ("dark", "0")))
    labels = np.where(np.arange(count) % 3 < 2, dark, 1 - dark)
    levels = LEVELS[(labels != dark).astype(int)] + 20 * random.normal(size=count)
    samples = np.broadcast_to(levels.clip(0, 255).astype(np.uint8)[:, None, None, None], (count, 8, 8, 1))
    spec = Spec(shape=(1, 8, 8), classes=classes)
    return ImageDataset(samples=samples, labels=labels, spec=spec, source="made", fingerprint="", notes=())


def nearest_mean(classes: int, *, seen: int) -> Callable[[LabelledImages, int], Callable[[Tensor], Tensor]]:
    """Learn the means of the classes; tell by the nearer one."""

    def learn(data: LabelledImages, seed: int) -> Callable[[Tensor], Tensor]:
        means = torch.stack([data.images[data.labels == kind].float().mean() for kind in range(classes)])
        return lambda shown: (shown.float().mean((1, 2, 3))[:, None] - means).abs().argmin(1)

    return learn


@pytest.fixture
def given(digits: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[ImageDataset], Comparison]:
    """Evidence on labelled samples, compared with 600 training images and as many held-out ones."""
    monkeypatch.setattr(uses, "small_classifier", nearest_mean)

    def hold(samples: ImageDataset) -> Comparison:
        comparison = digits.comparison(digits.fresh)
        training, held_out = (
            Split(dataset=images(600, seed=seed), split=split) for seed, split in ((1, "train"), (2, "test"))
        )
        splits = Splits(real=held_out, other=training, trained="train")
        reference = replace(comparison.reference, splits=splits)
        return replace(comparison, reference=reference, labelled=lambda: samples)

    return hold


@pytest.mark.parametrize("classes", [CLASSES, CLASSES[::-1], ("0", "1")], ids=["alike", "in another order", "numbers"])
def test_good_samples_score_as_real_ones_whatever_order_their_classes_have(given: Any, classes: Any) -> None:
    (figure,), _ = compute_metrics(given(images(300, classes=classes)), ("cas",))
    assert figure.value == pytest.approx(0.894, abs=0.03)  # P(N(0, 1) < 25 / 20)
    assert figure.floor == pytest.approx(figure.value, abs=0.01)
    assert figure.interval.low < figure.value < figure.interval.high
    # Of 300 samples 100 are light, so that 100 of each class are taken.
    assert "600 held-out images" in figure.settings
    assert "learned from 200 generated ones" in figure.settings


def test_swapped_labels_score_as_badly_as_real_ones_score_well_and_harm(given: Any) -> None:
    samples = images(300)
    swapped = replace(samples, labels=1 - samples.labels)
    score, harm = compute_metrics(given(swapped), ("cas", "synthetic-help"))[0]
    assert score.value == pytest.approx(1 - score.floor, abs=0.03)
    assert harm.interval.high < 0
    assert "Adding 200 generated samples to 20 real images" in harm.notes[0]
    assert "here they harm" in harm.notes[0]


def test_what_labelled_samples_must_be_is_one_sentence(given: Any) -> None:
    samples, comparison = images(30), given(images(30))
    only = replace(samples, labels=np.zeros(30, dtype=np.int64))
    alone = replace(comparison.reference.splits, other=None)
    bare = replace(comparison.reference, splits=alone)
    for found, sentence in (
        (replace(comparison, labelled=None), "give generated images, in a folder for each class or as an .npz"),
        (given(replace(samples, labels=None)), "the images of made have no labels; put those of each class into"),
        (given(images(30, classes=("dark", "bright"))), "classes of made are dark, bright and those .* dark, light;"),
        (given(only), "made has no image of the class light"),
        (replace(comparison, reference=bare), "it needs labelled images with a split test or val beside train"),
    ):
        with pytest.raises(InputError, match=f"cas is unavailable here: .*{sentence}"):
            compute_metrics(found, ("cas",))
