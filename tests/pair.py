"""The smallest game: a point against a linear map."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tests.recipes.conftest import sides
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.player import Player
from zerosum.recipe import Recipe, RecipeConfig


class Pair(Recipe):
    """The generator is a point g; the discriminator is the linear map d with the features x."""

    objective = "logistic"

    def __init__(self, *, networks: bool = True) -> None:
        super().__init__(RecipeConfig(batch=4, rounds=10), Spec(shape=(2,)))
        self.generator, self.discriminator = nn.Linear(1, 2), nn.Linear(2, 1)
        self.networks = networks

    def discriminators(self) -> tuple[nn.Module, ...]:
        return (self.discriminator,) if self.networks else ()

    def players(self) -> dict[str, Player]:
        return {
            "discriminator": Player([self.discriminator], sgd(self.discriminator), role="discriminator"),
            "generator": Player([self.generator], sgd(self.generator), role="generator"),
        }

    def round(self, game: Any) -> None:
        batch = game.draw()
        game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Any) -> Loss:
        real, fake = self.discriminator(torch.cat([batch.real, self.made(len(batch))])).chunk(2)
        return Loss(value=fake.mean() - real.mean(), log={"real": real, "fake": fake})

    def generator_loss(self, batch: Any) -> Loss:
        return Loss(value=-self.discriminator(self.made(len(batch))).mean())

    def made(self, n: int) -> Tensor:
        return self.generator(torch.ones(n, 1))


def sgd(network: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(network.parameters(), lr=0.1)


def playing(pair: Pair) -> Any:
    return Game(pair, Stream(sides("gan", (2,)), seed=0))
