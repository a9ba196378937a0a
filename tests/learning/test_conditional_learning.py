"""Conditional games learn the digits, and which of them was asked for, by a classifier that no game has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from bench.learning import pixel_features, play, samples_of
from zerosum.data.dataset import SampleDataset
from zerosum.game import Game
from zerosum.kinds import open_data
from zerosum.metrics.frechet import frechet_distance_of_features
from zerosum.runtime import device

pytestmark = pytest.mark.slow


def consistency(digits: SampleDataset, game: Game[Any]) -> float:
    """Return the share of 500 samples that a classifier of real digits gives the class that was asked for."""
    features, _ = pixel_features(digits)
    classifier = LogisticRegression(max_iter=500).fit(features(everything(digits)).numpy(), digits.labels)
    labels = torch.arange(500) % 10
    with game.averaged():
        torch.manual_seed(2)
        return float(classifier.score(features(game.recipe.sample(500, labels=labels)).numpy(), labels.numpy()))


def everything(digits: SampleDataset) -> torch.Tensor:
    return digits.batch(np.arange(len(digits))).to(torch.device("cpu")).real


@pytest.mark.parametrize("name", ["cgan", "acgan"])
def test_samples_become_digits_of_the_class_that_is_asked_for(name):
    digits, precision = open_data("digits"), device.pick_precision("auto", torch.device("cpu"))
    features, real = pixel_features(digits)
    untrained, trained = (
        play(digits, name, rounds, precision=precision, width=16, ema_decay=0.98)[0] for rounds in (1, 400)
    )
    assert consistency(digits, trained) > 0.5 > 2 * consistency(digits, untrained)
    far, near = (frechet_distance_of_features(real, features(samples_of(game))).value for game in (untrained, trained))
    assert near < far / 4
    if name == "cgan":  # the discriminator values an image of a wrong class less
        with trained.averaged():
            images, labels = everything(digits)[:500], torch.from_numpy(digits.labels[:500])
            value, wrong = (trained.recipe.discriminator(images, (labels + shift) % 10).mean() for shift in (0, 1))
        assert value > wrong
