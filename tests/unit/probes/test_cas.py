"""Synthetic data that help, harm, or do neither, told by a learner whose accuracy is known."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
import torch

from zerosum.evaluation.probes.cas import classification_accuracy_score, small_classifier, synthetic_help
from zerosum.evaluation.probes.labelled_images import LabelledImages

CLASSES = 2


def images(count, *, noise, seed):
    """Gray levels by class, 100 or 150, plus noise: (N, 1, 8, 8)."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % CLASSES
    levels = 100.0 + 50 * labels + noise * torch.randn(count, generator=generator)
    flat = levels.clamp(0, 255).to(torch.uint8)
    return LabelledImages(images=flat.view(-1, 1, 1, 1).expand(-1, 1, 8, 8).clone(), labels=labels)


def middle(data, seed):
    """Learn the means of the two classes; tell by the nearer one."""
    means = [data.images[data.labels == kind].float().mean() for kind in range(CLASSES)]
    return lambda shown: (shown.float().mean((1, 2, 3))[:, None] - torch.stack(means)).abs().argmin(1)


def shuffled(data):
    return LabelledImages(images=data.images, labels=1 - data.labels)


def test_the_score_of_perfect_samples_is_that_of_real_ones_and_of_swapped_labels_is_its_complement():
    real, test = images(400, noise=20, seed=0), images(500, noise=20, seed=1)
    good = classification_accuracy_score(images(200, noise=20, seed=2), real, test, middle, classes=CLASSES)
    assert good.value == pytest.approx(0.894, abs=0.04)  # P(N(0, 1) < 25 / 20)
    assert good.lost.interval.low < 0.01
    bad = classification_accuracy_score(shuffled(images(200, noise=20, seed=2)), real, test, middle, classes=CLASSES)
    assert bad.value == pytest.approx(1 - good.value)
    assert bad.lost.interval.low > 0.5
    assert (good.samples, good.tested) == (200, 500)
    json.dumps(asdict(good))


def test_each_repeat_has_its_own_test_images_and_real_ones():
    trained, tested = [], []

    def learn(data, seed):
        trained.append((seed, data.images[:, 0, 0, 0].tolist()))
        return lambda shown: tested.append(len(shown)) or torch.zeros(len(shown), dtype=torch.int64)

    given = images(40, noise=20, seed=2)
    synthetic_help(given, images(400, noise=20, seed=0), images(50, noise=20, seed=1), learn,
                   few=10, generator_saw=10, classes=CLASSES)  # fmt: skip
    assert tested == [10] * 15
    assert [len(levels) for _, levels in trained] == [10, 50, 40] * 5
    assert trained[0][1] == trained[1][1][:10] != trained[3][1]
    assert sorted({seed for seed, _ in trained}) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("generated", "generator_saw", "verdict"),
    [
        (images(2000, noise=20, seed=2), 4, "here they help"),
        (images(2000, noise=20, seed=2), 400, "does not show that generating helps"),
        (images(2000, noise=20, seed=2), None, "here they help.*If their generator was trained on more than 4 real"),
        (shuffled(images(2000, noise=20, seed=2)), 4, "here they harm"),
        (images(2, noise=0, seed=2), 4, "neither help nor harm is shown"),
    ],
    ids=[
        "good",
        "good, of a generator that saw more",
        "good, of a generator nobody knows",
        "mislabelled",
        "as good as none",
    ],
)
def test_the_verdict_says_what_the_interval_shows_and_no_more(generated, generator_saw, verdict):
    real, test = images(400, noise=60, seed=0), images(4000, noise=20, seed=1)
    few = 4 if len(generated) > 2 else 400
    found = synthetic_help(
        generated, real, test, middle, few=few, generator_saw=generator_saw, classes=CLASSES, repeats=20
    )
    assert re.search(verdict, found.meaning)
    assert found.value == pytest.approx(found.both.value - found.real.value)
    json.dumps(asdict(found))


def test_the_small_classifier_learns_with_the_same_budget_however_few_the_images():
    train, test = images(64, noise=10, seed=0), images(100, noise=10, seed=1)
    tell = small_classifier(CLASSES, seen=768)(train, 0)
    assert float((tell(test.images) == test.labels).double().mean()) > 0.9
