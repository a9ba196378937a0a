"""Generative Adversarial Networks (Goodfellow et al. 2014): two dense networks and the game between them.

A generator maps noise to samples, a discriminator tells samples from data, and each moves against the other. At the
equilibrium the samples are distributed as the data and the discriminator says 1/2 everywhere.

Paper: https://arxiv.org/abs/1406.2661

Differs from the paper: the networks are the 100-500-500-784 and 784-500-500-1 perceptrons of a widely used
introduction, with ReLU and leaky ReLU in place of maxout; Adam in place of SGD with momentum; images in [-1, 1] with
tanh in place of [0, 1] with a sigmoid; a running average of the generator is what samples. On points both networks
are smaller, with tanh and without dropout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.mlp import Activation, Dense
from zerosum.networks.pacgan import BatchNormGenerator, MaxoutDiscriminator
from zerosum.player import Player
from zerosum.tasks import LatentConfig, LatentRecipe


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """The dense GAN."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 5_000,
            "latent_dim": 256,
            "generator_hidden": (128, 128),
            "discriminator_hidden": (128, 128),
            "activation": "tanh",
            "dropout": 0.0,
            "generator_lr": 1e-3,
            "discriminator_lr": 1e-3,
            "ema_decay": 0.99,
        }
    }

    rounds: PositiveInt = 20_000
    """Rounds to play (about 43 epochs of MNIST)."""

    batch: PositiveInt = 128
    """Real samples per draw, over all processes."""

    architecture: Literal["mlp", "pacgan"] = "mlp"
    """mlp: plain perceptrons. pacgan: those of PacGAN's experiments, a generator with batch norm and a discriminator
    of maxout units, all weights from N(0, 0.02^2); activation and dropout do not apply to them."""

    simultaneous: bool = False
    """Whether both move at once, from one state and one batch of samples; n_discriminator must be 1 then."""

    generator_hidden: tuple[int, ...] = (500, 500)
    """Widths of the generator's hidden layers."""

    discriminator_hidden: tuple[int, ...] = (500, 500)
    """Widths of the discriminator's hidden layers."""

    activation: Activation = "relu"
    """After each hidden layer of the generator; the discriminator's is leaky_relu unless this is tanh."""

    dropout: Fraction = 0.3
    """Share of the discriminator's hidden values dropped in training; without it the discriminator soon wins."""

    n_discriminator: PositiveInt = 1
    """Moves of the discriminator per round (k in the paper's algorithm 1)."""

    generator_lr: PositiveFloat = 2e-4
    """Learning rate of the generator's Adam."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator's Adam."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""


class GAN(LatentRecipe):
    """Minimax game of two perceptrons, the generator with the non-saturating loss."""

    Config = Config
    data = (Images, Points)
    objective = "logistic"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if config.simultaneous and config.n_discriminator > 1:
            raise InputError(
                f"--simultaneous moves each player once a round, and --n-discriminator is {config.n_discriminator}: "
                "leave out one of the two."
            )
        build = _pacgan if config.architecture == "pacgan" else _mlp
        self.generator, self.discriminator = build(config, spec)

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
        """Play algorithm 1: k moves of the discriminator, one of the generator; or both at once."""
        if self.config.simultaneous:
            self._round_at_once(game)
            return
        for _ in range(self.config.n_discriminator):
            batch = game.draw()
            game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def _round_at_once(self, game: Game[Any]) -> None:
        batch = game.draw()
        samples = game.gradient("generator", self.generator_loss, batch).outputs["samples"]
        game.gradient("discriminator", self.discriminator_loss, batch, samples=samples)
        game.step("generator")
        game.step("discriminator")

    def discriminator_loss(self, batch: Images | Points, *, samples: Tensor | None = None) -> Loss:
        """Tell data from samples, fresh ones by default (eq. 1)."""
        real = self.discriminator(batch.real)
        fake = self.discriminator(self.sample(len(batch)) if samples is None else samples)
        return Loss(
            adversarial=objectives.logistic_discriminator(real, fake), log=objectives.discriminator_stats(real, fake)
        )

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Maximise log D(G(z)) (section 3)."""
        samples = self.sample(len(batch))
        loss = objectives.non_saturating_generator(self.discriminator(samples))
        return Loss(adversarial=loss, outputs={"samples": samples})


def _mlp(config: Config, spec: Spec) -> tuple[nn.Module, nn.Module]:
    generator = Dense(
        config.latent_dim,
        config.generator_hidden,
        spec.shape,
        activation=config.activation,
        bound="none" if spec.kind == "points" else "tanh",
    )
    discriminator = Dense(
        math.prod(spec.shape),
        config.discriminator_hidden,
        activation="tanh" if config.activation == "tanh" else "leaky_relu",
        dropout=config.dropout,
    )
    return generator, discriminator


def _pacgan(config: Config, spec: Spec) -> tuple[nn.Module, nn.Module]:
    generator = BatchNormGenerator(
        config.latent_dim, config.generator_hidden, spec.shape, bound="none" if spec.kind == "points" else "tanh"
    )
    return generator, MaxoutDiscriminator(math.prod(spec.shape), config.discriminator_hidden)
