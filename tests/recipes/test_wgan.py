"""WGAN's clipping, the moves of its critic, and what its critic estimates."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.batch import Points
from zerosum.data.spec import Spec
from zerosum.penalties import clip_weights_


@pytest.mark.parametrize(
    ("settings", "moves"),
    [
        ({}, {0: 100, 24: 100, 25: 5, 499: 5, 500: 100, 501: 5, 1000: 100}),
        ({"long_rounds": 0, "long_every": 0, "n_critic": 2}, {0: 2, 24: 2, 500: 2}),
    ],
)
def test_the_critic_moves_as_often_as_in_the_authors_code(settings, moves):
    kind: Any = recipes.find("wgan")
    recipe = kind(kind.Config.for_kind("images", {"width": 2, **settings}), Spec(shape=(1, 16, 16)))
    assert {number: recipe.critic_moves(number) for number in moves} == moves


def test_a_round_has_the_critics_moves_of_its_number():
    playing, moved = game("wgan", (2,)), []
    move = playing.move
    playing.move = lambda name, *given, **inputs: moved.append(name) or move(name, *given, **inputs)
    for _ in range(3):
        playing.recipe.round(playing)
        playing.end_round()
    long, short = [*["critic"] * 3, "generator"], [*["critic"] * 2, "generator"]
    assert moved == [*long, *short, *short]


@pytest.mark.parametrize("shape", [(1, 16, 16), (2,)])
def test_every_weight_of_the_critic_is_within_the_bounds_when_it_is_moved(shape):
    playing: Any = game("wgan", shape)
    recipe, largest = playing.recipe, []
    gradient = playing.gradient

    def measured(name: str, *given: Any, **inputs: Any) -> Any:
        largest.append((name, max(p.abs().max().item() for p in recipe.critic.parameters())))
        return gradient(name, *given, **inputs)

    playing.gradient = measured
    for _ in range(2):
        recipe.round(playing)
        playing.end_round()
    assert all(size <= recipe.config.clip * (1 + 1e-6) for name, size in largest if name == "critic")
    # the first step of RMSProp is lr / sqrt(1 - 0.99), and no later one is longer
    step = 10 * recipe.config.lr
    assert all(size <= recipe.config.clip + 1.001 * step for _, size in largest)


def test_the_norm_of_the_critic_can_be_left_out():
    kind: Any = recipes.find("wgan")
    for norm, expected in (("batch", True), ("none", False)):
        recipe = kind(kind.Config.for_kind("images", {"width": 2, "critic_norm": norm}), Spec(shape=(1, 16, 16)))
        assert any(isinstance(module, nn.BatchNorm2d) for module in recipe.critic.modules()) == expected
        assert any(isinstance(module, nn.BatchNorm2d) for module in recipe.generator.modules())


def test_a_critic_of_clipped_weights_estimates_the_distance_of_two_places():
    # a linear critic w x with |w| <= c, trained by the recipe's loss, estimates c times the distance of 0 and theta
    playing: Any = game("wgan", (2,))
    recipe, theta = playing.recipe, torch.tensor([3.0, 0.0])
    recipe.critic = nn.Linear(2, 1, bias=False)
    for parameter in recipe.generator.parameters():
        parameter.data.zero_()
    optimizer = torch.optim.RMSprop(recipe.critic.parameters(), lr=1e-3)
    batch = Points(point=theta.expand(8, 2))
    for _ in range(1000):
        optimizer.zero_grad()
        recipe.critic_loss(batch).total().backward()
        optimizer.step()
        clip_weights_(recipe.critic, recipe.config.clip)
    assert recipe.critic_loss(batch).log["distance"].item() == pytest.approx(3 * recipe.config.clip, rel=1e-4)
