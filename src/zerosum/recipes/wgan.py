"""Wasserstein GAN with weight clipping (Arjovsky et al. 2017): a critic that estimates a distance.

The critic's weights are kept within [-c, c], so that its slope is bounded; then E f(x) - E f(G(z)) estimates, up to
that bound, the Wasserstein-1 distance of data and samples, which has a gradient also where the two do not overlap.
Clipping bounds the slope crudely: `wgan_gp` does it by a penalty.

Paper: https://arxiv.org/abs/1701.07875

Differs from the paper: the critic's weights are clipped before each of its moves, as in the authors' code, and not
after (algorithm 1, line 7), so that already the first move starts within the bounds; in return the generator moves
against a critic that is one step of RMSProp outside. As in that code the critic moves 100 times a round in the first 25
rounds and in every 500th, and the networks are DCGAN's with batch norm in both, which is clipped like the rest. A
running average of the generator is what samples. The default is half as wide as DCGAN, for a CPU; the preset dcgan has
its size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt
from torch import nn

from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm
from zerosum.loss import Loss
from zerosum.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator, Upsampling
from zerosum.networks.mlp import Dense
from zerosum.objectives import wasserstein_critic, wasserstein_generator
from zerosum.penalties import clip_weights_
from zerosum.player import Player
from zerosum.tasks import LatentConfig, LatentRecipe, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """WGAN."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 3_000,
            "batch": 256,
            "latent_dim": 2,
            "width": 128,
            "clip": 0.1,
            "long_rounds": 0,
            "lr": 5e-4,
            "ema_decay": 0.99,
        }
    }
    presets: ClassVar = {
        "small": {"latent_dim": 64, "width": 32},
        "dcgan": {"latent_dim": 100, "width": 64},
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

    critic_norm: Norm = "batch"
    """Norm after the layers of a critic of images but the first."""

    clip: PositiveFloat = 0.01
    """Bound of every weight of the critic (c in algorithm 1)."""

    n_critic: PositiveInt = 5
    """Moves of the critic per round (n_critic in algorithm 1)."""

    long_n_critic: PositiveInt = 100
    """Moves of the critic in a long round, which brings it close to its optimum."""

    long_rounds: NonNegativeInt = 25
    """Rounds at the start that are long."""

    long_every: NonNegativeInt = 500
    """Every so many rounds one is long; 0 for none after the start."""

    lr: PositiveFloat = 5e-5
    """Learning rate of both RMSProps (algorithm 1)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU, DCGAN's size elsewhere."""
        return "small" if device == "cpu" else "dcgan"


class WGAN(LatentRecipe):
    """Wasserstein game whose critic's weights are clipped."""

    Config = Config
    data = (Images, Points)
    objective = "wasserstein"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.kind == "points":
            self.generator = Dense(config.latent_dim, (config.width,) * 3, spec.shape)
            self.critic = Dense(2, (config.width,) * 3, activation="leaky_relu")
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
            "critic": Player.rmsprop(self.critic, role="discriminator", lr=c.lr),
            "generator": Player.rmsprop(self.generator, role="generator", lr=c.lr, ema_decay=c.ema_decay),
        }

    def round(self, game: Game[Any]) -> None:
        """Play algorithm 1: n moves of the critic, each on new samples, then one of the generator."""
        for _ in range(self.critic_moves(game.clock.round)):
            batch = game.draw()
            clip_weights_(self.critic, self.config.clip)
            game.move("critic", self.critic_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def critic_moves(self, number: int) -> int:
        """Return how often the critic moves in a round, counted from 0 (authors' code, main.py)."""
        c = self.config
        long = number < c.long_rounds or (c.long_every > 0 and number % c.long_every == 0)
        return c.long_n_critic if long else c.n_critic

    def cost(self, number: int) -> float:
        """Return the moves of a round in units of those of most rounds."""
        return (self.critic_moves(number) + 1) / (self.config.n_critic + 1)

    def critic_loss(self, batch: Images | Points) -> Loss:
        """Part the critic's values of data and samples (algorithm 1, line 5)."""
        value_real, value_fake = self.critic(batch.real), self.critic(self.sample(len(batch)))
        wasserstein = wasserstein_critic(value_real, value_fake)
        return Loss(wasserstein=wasserstein, log={"real": value_real, "fake": value_fake, "distance": -wasserstein})

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Raise the critic's value of samples (algorithm 1, line 10)."""
        return Loss(wasserstein=wasserstein_generator(self.critic(self.sample(len(batch)))))
