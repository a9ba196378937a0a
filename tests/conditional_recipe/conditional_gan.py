"""A GAN whose players are told the class: a recipe for tests, small enough to be trained in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from zerosum import objectives
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.mlp import Dense
from zerosum.player import Player
from zerosum.tasks import LatentConfig, LatentRecipe


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The conditional GAN of the tests."""


class ConditionalGAN(LatentRecipe):
    """Latents and samples meet the one-hot class at each network's input."""

    Config = Config
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.classes = len(spec.classes)
        shape = spec.shape
        self.generator = Dense(config.latent_dim + self.classes, (128,), shape, bound="tanh")
        self.discriminator = Dense(shape[0] * shape[1] * shape[2] + self.classes, (128,), activation="leaky_relu")

    def players(self) -> dict[str, Player]:
        """Return the two."""
        return {
            "discriminator": Player.adam(self.discriminator, lr=1e-3, betas=(0.5, 0.999)),
            "generator": Player.adam(self.generator, lr=1e-3, betas=(0.5, 0.999), ema_decay=0.9),
        }

    def round(self, game: Game[Any]) -> None:
        """Move both once."""
        batch = game.draw()
        game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Images) -> Loss:
        """Tell data from samples of the same classes."""
        fake, _ = self.fake_and_real(batch)
        real, fake = self.logits(batch.real, batch.label), self.logits(fake, batch.label)
        log = objectives.discriminator_stats(real, fake)
        return Loss(adversarial=objectives.logistic_discriminator(real, fake), log=log)

    def generator_loss(self, batch: Images) -> Loss:
        """Pass for data of the class."""
        fake, _ = self.fake_and_real(batch)
        return Loss(adversarial=objectives.non_saturating_generator(self.logits(fake, batch.label)))

    def logits(self, images: Tensor, labels: Tensor | None) -> Tensor:
        """Return (N,) logits of images and their classes."""
        assert labels is not None
        return self.discriminator(torch.cat([images.flatten(1), one_hot(labels, self.classes)], 1))

    def sample(
        self, n: int, *, latent: Tensor | None = None, label: str | int | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """Generate (n, *shape) samples of given classes."""
        latent = self.prior(n) if latent is None else latent.to(self.device)
        classes = one_hot(self.conditions(n, label, labels), self.classes)
        return self.generator(torch.cat([latent, classes], 1))
