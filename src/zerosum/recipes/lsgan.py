"""Least Squares GAN (Mao et al. 2017): a discriminator that regresses to targets, and never saturates.

The gradient of a squared error grows with the distance to the target, so samples on the right side of the decision
boundary but far from the data still move, where the sigmoid cross-entropy of the plain game is flat. With targets for
which b - c = 1 and b - a = 2, such as -1, 1, 0, the generator minimises the Pearson chi-squared divergence between
p_d + p_g and 2 p_g.

Paper: https://arxiv.org/abs/1611.04076

Differs from the paper: DCGAN's networks without a sigmoid, at any image size, in place of those for 112x112 scenes
(figure 5); latents from N(0, 1); dropout in the discriminator; the generator moves first in a round, and the
discriminator gets the samples that it was moved by, which saves drawing others; a running average of the generator is
what samples. The default is half as wide as DCGAN, for a CPU; the preset dcgan has its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm
from zerosum.loss import Loss
from zerosum.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator, Upsampling
from zerosum.networks.mlp import Dense
from zerosum.player import Player
from zerosum.tasks import LatentConfig, LatentRecipe, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """LSGAN."""

    by_kind: ClassVar = {
        "points": {
            "batch": 512,
            "width": 128,
            "dropout": 0.0,
            "generator_lr": 1e-3,
            "discriminator_lr": 1e-3,
            "ema_decay": 0.99,
        }
    }
    presets: ClassVar = {
        "small": {"latent_dim": 64, "width": 32, "dropout": 0.25},
        "dcgan": {"latent_dim": 100, "width": 64, "dropout": 0.0},
    }

    rounds: PositiveInt = 5_000
    """Rounds to play: passes through the paper's algorithm box."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1)."""

    upsampling: Upsampling = "transposed"
    """How the generator doubles its maps: by transposed convolutions, or by upsampling and convolution."""

    width: PositiveInt = 32
    """Channels of the narrowest layers; the widest have 8 times as many. On points, the width of the hidden layers."""

    generator_norm: Norm = "batch"
    """Norm after the hidden layers of a generator of images."""

    discriminator_norm: Norm = "batch"
    """Norm after the layers of a discriminator of images but the first."""

    dropout: Fraction = 0.25
    """Share of values dropped after the discriminator's activations."""

    targets: tuple[float, float, float] = (0.0, 1.0, 1.0)
    """Targets a b c of the logits (eq. 2): a of samples and b of data in the discriminator's loss, c of samples in the
    generator's; -1 1 0 for the Pearson divergence."""

    generator_lr: PositiveFloat = 2e-4
    """Learning rate of the generator's Adam."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator's Adam."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU, DCGAN's size elsewhere."""
        return "small" if device == "cpu" else "dcgan"


class LSGAN(LatentRecipe):
    """Least-squares game: logits are regressed to b on data and to a on samples; the generator's, to c."""

    Config = Config
    data = (Images, Points)
    objective = "least-squares"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.kind == "points":
            self.generator = Dense(config.latent_dim, (config.width,) * 2, spec.shape)
            self.discriminator = Dense(2, (config.width,) * 2, activation="leaky_relu", dropout=config.dropout)
        else:
            self.generator = ConvolutionalGenerator(
                config.latent_dim, spec.shape, config.width, config.upsampling, norm=config.generator_norm
            )
            self.discriminator = ConvolutionalDiscriminator(
                spec.shape, config.width, norm=config.discriminator_norm, dropout=config.dropout
            )

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
        """Move the generator, then the discriminator on the samples that the generator was moved by."""
        batch = game.draw()
        samples = game.move("generator", self.generator_loss, batch).outputs["samples"]
        game.move("discriminator", self.discriminator_loss, batch, samples=samples)

    def discriminator_loss(self, batch: Images | Points, *, samples: Tensor) -> Loss:
        """Regress logits of data to b and of samples to a (eq. 2), each in a batch of its own for batch norm's sake."""
        a, b, _ = self.config.targets
        real, fake = self.discriminator(batch.real), self.discriminator(samples)
        return Loss(
            adversarial=objectives.least_squares_discriminator(real, fake, a=a, b=b),
            log=objectives.discriminator_stats(real, fake, threshold=(a + b) / 2),
        )

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Regress logits of samples to c (eq. 2)."""
        samples = self.sample(len(batch))
        loss = objectives.least_squares_generator(self.discriminator(samples), c=self.config.targets[2])
        return Loss(adversarial=loss, outputs={"samples": samples})
