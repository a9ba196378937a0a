"""Wasserstein GAN with gradient penalty (Gulrajani et al. 2017): a critic that measures, in place of one that judges.

The critic's loss estimates the Wasserstein-1 distance between data and samples, so it falls as samples get better; the
penalty holds its slope at 1 between the two.

Paper: https://arxiv.org/abs/1704.00028

Differs from the paper: DCGAN's networks (4x4 kernels, widths 64 to 512) for every image size, the critic without norm,
in place of one architecture per data set; a running average of the generator is what samples. On points the networks
and settings are those of the authors' toy experiments, with 128 units a layer in place of 512 and a learning rate of
10^-3 in place of 10^-4, sized for a CPU.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn

from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm, require_separate
from zerosum.loss import Loss
from zerosum.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator, Upsampling
from zerosum.networks.mlp import Dense, initialise_he
from zerosum.objectives import wasserstein_critic, wasserstein_generator
from zerosum.penalties import gradient_penalty
from zerosum.player import Player
from zerosum.tasks import LatentConfig, LatentRecipe


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """WGAN-GP."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 2_500,
            "batch": 256,
            "latent_dim": 2,
            "points_hidden": (128, 128, 128),
            "penalty": 0.1,
            "lr": 1e-3,
            "betas": (0.5, 0.9),
            "ema_decay": 0.99,
        }
    }

    latent_dim: PositiveInt = 128
    """Values in a latent vector, drawn from N(0, 1)."""

    upsampling: Upsampling = "transposed"
    """How the generator doubles its maps: by transposed convolutions, or by upsampling and convolution."""

    width: PositiveInt = 64
    """Channels of the narrowest layers; the widest have 8 times as many."""

    generator_norm: Norm = "batch"
    """Norm after the hidden layers of a generator of images."""

    critic_norm: Norm = "none"
    """Norm after the layers of a critic of images but the first; not batch, whose logits are not of one sample each."""

    points_hidden: tuple[int, ...] = (512, 512, 512)
    """Widths of both networks' hidden layers on points."""

    n_critic: PositiveInt = 5
    """Moves of the critic per round (n_critic in algorithm 1)."""

    penalty: NonNegativeFloat = 10.0
    """Weight of the gradient penalty (lambda in eq. 3)."""

    lr: PositiveFloat = 1e-4
    """Learning rate of both Adams (algorithm 1)."""

    betas: tuple[Fraction, Fraction] = (0.0, 0.9)
    """Decay of Adam's two moments (algorithm 1)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""


class WGANGP(LatentRecipe):
    """Wasserstein game whose critic's slope is held at 1."""

    Config = Config
    data = (Images, Points)
    objective = "wasserstein"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        require_separate(config.critic_norm, "--critic-norm")
        if spec.kind == "points":
            self.generator = Dense(config.latent_dim, config.points_hidden, spec.shape)
            self.critic = Dense(2, config.points_hidden)
            initialise_he(self.generator)
            initialise_he(self.critic)
        else:
            self.generator = ConvolutionalGenerator(
                config.latent_dim, spec.shape, config.width, config.upsampling, norm=config.generator_norm
            )
            self.critic = ConvolutionalDiscriminator(spec.shape, config.width, norm=config.critic_norm)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.critic,)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "critic": Player.adam(self.critic, role="discriminator", lr=c.lr, betas=c.betas),
            "generator": Player.adam(self.generator, role="generator", lr=c.lr, betas=c.betas, ema_decay=c.ema_decay),
        }

    def round(self, game: Game[Any]) -> None:
        """Play algorithm 1: n moves of the critic, each on new samples, then one of the generator."""
        for _ in range(self.config.n_critic):
            batch = game.draw()
            game.move("critic", self.critic_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def critic_loss(self, batch: Images | Points) -> Loss:
        """Part the critic's values of data and samples, its slope held at 1 (eq. 3)."""
        real, fake = batch.real, self.sample(len(batch))
        value_real, value_fake = self.critic(real), self.critic(fake)
        wasserstein = wasserstein_critic(value_real, value_fake)
        return Loss(
            wasserstein=wasserstein,
            penalty=self.config.penalty * gradient_penalty(self.critic, real, fake),
            log={"real": value_real, "fake": value_fake, "distance": -wasserstein},
        )

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Raise the critic's value of samples (algorithm 1, line 12)."""
        return Loss(wasserstein=wasserstein_generator(self.critic(self.sample(len(batch)))))
