"""What a discriminator makes of data it knows, data it does not know, and samples."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.recipes.conftest import game, sides
from zerosum import objectives
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.probes.discriminator_overfitting import area, discriminator_trial
from zerosum.kinds.points import PointDataset
from zerosum.loss import Loss
from zerosum.player import Player
from zerosum.recipe import Recipe, RecipeConfig


class ByHeart(Recipe):
    """Samples lie at (9, 9); the discriminator calls real what lies within 0.1 of a point that it knows."""

    def __init__(self, known: Tensor) -> None:
        super().__init__(RecipeConfig(batch=32), Spec(shape=(2,), kind="points"))
        self.discriminator = nn.Linear(2, 1)
        self.known = known

    def players(self) -> dict[str, Player]:
        return {"discriminator": Player.adam(self.discriminator, role="discriminator", lr=0.1, betas=(0.5, 0.9))}

    def round(self, game: Any) -> None:
        game.move("discriminator", self.loss, game.draw())

    def loss(self, batch: Any) -> Loss:
        real, fake = (self.verdict(x) for x in (batch.real, torch.full_like(batch.real, 9.0)))
        value = objectives.logistic_discriminator(real, fake) + 0 * self.discriminator.weight.sum()
        return Loss(value=value, log=objectives.discriminator_stats(real, fake))

    def verdict(self, x: Tensor) -> Tensor:
        return 0.1 - torch.cdist(x, self.known).min(1).values


def points(count: int, seed: int) -> PointDataset:
    samples = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    return PointDataset(
        samples=samples, labels=None, spec=Spec(shape=(2,), kind="points"), source="", fingerprint="", notes=()
    )


def test_the_area_under_the_curve_is_the_share_of_pairs_in_order():
    a, b = torch.randn(50).round(decimals=1), torch.randn(70).round(decimals=1)
    pairs = (a[:, None] > b).double() + (a[:, None] == b).double() / 2
    assert area(a, b) == pytest.approx(float(pairs.mean()))
    assert area(a, b) + area(b, a) == pytest.approx(1.0)


def test_a_discriminator_that_knows_its_data_by_heart_is_found_out():
    train, new = points(300, 0), points(200, 1)
    known = torch.from_numpy(train.samples)
    near = torch.cdist(torch.from_numpy(new.samples), known).min(1).values < 0.1
    found = discriminator_trial(ByHeart(known), train, new)
    assert found.value == 1.0
    assert found.samples == 200
    assert found.shares is not None
    assert found.shares.train == 1.0
    assert found.shares.held_out == pytest.approx(float(near.double().mean()))
    assert found.shares.gap == pytest.approx(1 - found.shares.held_out)
    of_train, of_new, of_fake = found.shares.intervals
    assert (of_train.low, of_train.high, of_fake.low, of_fake.high) == (1, 1, 1, 1)
    assert of_new.low < found.shares.held_out < of_new.high
    assert (found.shares.fake, found.train_against_fake) == (1.0, 1.0)
    assert "memorised" in found.meaning
    json.dumps(asdict(found))


def test_one_that_does_not_know_either_set_shows_no_overfitting():
    found = discriminator_trial(ByHeart(torch.zeros(1, 2)), points(300, 0), points(300, 1))
    assert found.interval.low < 0.5 < found.interval.high
    assert "no overfitting is shown" in found.meaning


def test_held_out_data_of_another_kind_are_told():
    far = points(100, 1)
    far.samples[:] *= 0.1
    found = discriminator_trial(ByHeart(torch.zeros(1, 2)), points(100, 0), far)
    assert found.interval.high < 0.5
    assert "the two sets differ" in found.meaning


@pytest.mark.parametrize(
    ("name", "thresholded"),
    [("dcgan", True), ("infogan", True), ("wgan_gp", False), ("progan", False), ("pix2pix", True)],
)
def test_the_judge_of_any_recipe_is_tried_without_touching_it(name, thresholded):
    played = game(name, (1, 16, 16), batch=16)
    data = sides(name, (1, 16, 16))
    before = {key: value.clone() for key, value in played.recipe.state_dict().items()}
    found = discriminator_trial(played.recipe, data, data, samples=64)
    assert found.samples == 64
    assert (found.shares is not None) is thresholded
    assert found.value == pytest.approx(0.5, abs=0.1 if name == "progan" else 0.05)
    assert all(torch.equal(value, before[key]) for key, value in played.recipe.state_dict().items())
    json.dumps(asdict(found))


def test_too_few_samples_are_refused():
    with pytest.raises(InputError, match="50 or more"):
        discriminator_trial(ByHeart(torch.zeros(1, 2)), points(300, 0), points(20, 1))
