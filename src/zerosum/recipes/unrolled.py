"""Unrolled GAN (Metz et al. 2017): the generator moves against the discriminator as it will be k steps from now.

Seeing how the discriminator would answer, a generator gains nothing by putting all its samples on one mode.

Paper: https://arxiv.org/abs/1611.02163

Differs from the paper: networks on points are those of the published demo, not of the appendix (tanh in place of ReLU,
two hidden layers in the discriminator); on points batches of 256 and a learning rate of 10^-3 for both, sized
for a CPU (--batch 512 --discriminator-lr 1e-4 --rounds 25000 are the demo's); the generator minimises
the non-saturating loss of the discriminator looked ahead to, not f_K itself; the discriminator moves after the
generator, with the weights that the generator then has; Adam's eps stands inside the root of the steps looked ahead; a
running average of the generator is what samples. On images the networks are DCGAN's, the discriminator without batch
norm, whose statistics could not be unrolled, and one step ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator
from zerosum.networks.mlp import Activation, Dense, initialise_orthogonal
from zerosum.optim.unroll import Network, RuleMaker, rule_of, unrolled
from zerosum.player import Player
from zerosum.tasks import LatentConfig, LatentRecipe


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """Unrolled GAN."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 3_000,
            "batch": 256,
            "steps": 5,
            "generator_lr": 1e-3,
            "discriminator_lr": 1e-3,
            "ema_decay": 0.99,
        }
    }

    rounds: PositiveInt = 10_000
    """Rounds to play."""

    batch: PositiveInt = 128
    """Real samples per draw, over all processes."""

    latent_dim: PositiveInt = 256
    """Values in a latent vector, drawn from N(0, 1) (the authors' demo)."""

    steps: NonNegativeInt = 1
    """Steps of the discriminator to look ahead (K in section 2); 0 plays the plain game."""

    generator_hidden: tuple[int, ...] = (128, 128)
    """Widths of the generator's hidden layers on points (the authors' demo)."""

    discriminator_hidden: tuple[int, ...] = (128, 128)
    """Widths of the discriminator's hidden layers on points (the authors' demo)."""

    activation: Activation = "tanh"
    """After each hidden layer on points; a smooth one lets the second derivatives speak."""

    width: PositiveInt = 64
    """Channels of the narrowest layers on images; the widest have 8 times as many."""

    generator_lr: PositiveFloat = 1e-4
    """Learning rate of the generator's Adam."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator's Adam, and of the steps looked ahead."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments (the authors' demo)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""


class Unrolled(LatentRecipe):
    """Minimax game in which the generator differentiates through the discriminator's next steps."""

    Config = Config
    data = (Images, Points)
    objective = "logistic"
    divisible = False  # the steps looked ahead go down the gradient of the whole batch
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.kind == "points":
            self.generator = Dense(config.latent_dim, config.generator_hidden, spec.shape, activation=config.activation)
            self.discriminator = Dense(2, config.discriminator_hidden, activation=config.activation)
            initialise_orthogonal(self.generator, gain=1.4)
            initialise_orthogonal(self.discriminator, gain=1.4)
        else:
            self.generator = ConvolutionalGenerator(config.latent_dim, spec.shape, config.width)
            self.discriminator = ConvolutionalDiscriminator(spec.shape, config.width, norm="none")

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", lr=c.discriminator_lr, betas=c.betas
            ),
            "generator": Player.adam(
                self.generator, role="generator", lr=c.generator_lr, betas=c.betas, ema_decay=c.ema_decay
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the generator by the surrogate f_K (section 2.2), then the discriminator by one plain step."""
        batch = game.draw()
        rule = rule_of(game.players["discriminator"].optimizer, self.discriminator)
        game.move("generator", self.generator_loss, batch, rule=rule)
        game.move("discriminator", self.discriminator_loss, batch)

    def discriminator_loss(self, batch: Images | Points) -> Loss:
        """Tell data from samples."""
        real, fake = self.discriminator(batch.real), self.discriminator(self.sample(len(batch)))
        return Loss(
            adversarial=objectives.logistic_discriminator(real, fake), log=objectives.discriminator_stats(real, fake)
        )

    def generator_loss(self, batch: Images | Points, *, rule: RuleMaker) -> Loss:
        """Maximise log D(G(z)) of the discriminator K steps from now, on the same samples (section 2.2)."""
        real, fake = batch.real, objectives.to_float32(self.sample(len(batch)))

        def cost(discriminator: Network) -> Tensor:
            return objectives.logistic_discriminator(discriminator(real), discriminator(fake))

        # In bfloat16 some gradients are rounded to 0, where a step of Adam without moments has the slope lr / eps.
        with torch.autocast(self.device.type, enabled=False):
            future = unrolled(self.discriminator, cost, steps=self.config.steps, rule=rule)
            return Loss(adversarial=objectives.non_saturating_generator(future(fake)))
