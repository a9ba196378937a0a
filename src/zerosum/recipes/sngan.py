"""Spectral normalisation (Miyato et al. 2018): a discriminator whose every layer has a slope of 1 at most.

Each weight is divided by its largest singular value, which one step of power iteration a call keeps up to date: cheaper
than a gradient penalty, and in force everywhere, not only between data and samples. With the hinge loss the
discriminator works on the samples it is not yet sure of.

Paper: https://arxiv.org/abs/1802.05957

Differs from the paper: sized for a CPU by default, in width, batch and rounds, with five times the learning rate, which
suits networks an eighth as wide (--preset cifar10 and --preset imagenet are the paper's sizes); the constant widths of
its CIFAR-10 networks serve for all images below 64x64; the generator's batch is the discriminator's (twice that in the
authors' code); a convolution and the pooling after it are one kernel, which gives the same; a running average of the
generator is what samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm
from zerosum.layers.spectral_norm import apply_spectral_norm
from zerosum.loss import Loss
from zerosum.networks.dcgan import initialise
from zerosum.networks.deep_dcgan import DeepConvolutionalDiscriminator, DeepConvolutionalGenerator
from zerosum.networks.residual import ResidualDiscriminator, ResidualGenerator, initialise_glorot
from zerosum.optim.schedules import constant_then_linear
from zerosum.player import Clock, Player
from zerosum.tasks import LatentConfig, LatentRecipe, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """SNGAN."""

    presets: ClassVar = {
        "small": {"lr": 1e-3},
        "cifar10": {
            "rounds": 50_000,
            "batch": 64,
            "latent_dim": 128,
            "generator_width": 64,
            "discriminator_width": 32,
            "n_critic": 5,
        },
        "imagenet": {
            "rounds": 450_000,
            "batch": 64,
            "latent_dim": 128,
            "generator_width": 64,
            "discriminator_width": 64,
            "n_critic": 5,
        },
    }

    rounds: PositiveInt = 4_000
    """Rounds to play: moves of the generator."""

    batch: PositiveInt = 32
    """Real samples per draw, over all processes (64 in appendix B)."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1) (128 in appendix B)."""

    form: Literal["resnet", "dcgan"] = "resnet"
    """Residual networks (table 4), or convolutional ones without shortcuts (table 3)."""

    generator_width: PositiveInt = 8
    """Channels of a unit of the generator: the residual one has 4 on all maps below 64x64, else 1 or 2 on the widest
    map and 16 on the smallest; the convolutional one 1 to 8."""

    discriminator_width: PositiveInt = 8
    """Channels of a unit of the discriminator."""

    generator_norm: Norm = "batch"
    """Norm of the generator."""

    n_critic: PositiveInt = 2
    """Moves of the discriminator per round (n_dis = 5 in section 4)."""

    lr: PositiveFloat = 2e-4
    """Learning rate of both Adams (appendix B)."""

    lr_hold: Fraction = 0.0
    """Share of the rounds with a constant learning rate, before it falls in a line to 0."""

    betas: tuple[Fraction, Fraction] = (0.0, 0.9)
    """Decay of Adam's two moments (settings D and E of table 1)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU, and the paper's by the images' size elsewhere."""
        return "small" if device == "cpu" else "cifar10" if min(spec.shape[1:]) < 64 else "imagenet"


class SNGAN(LatentRecipe):
    """Hinge game against a discriminator of spectral norm 1."""

    Config = Config
    data = (Images,)
    objective = "hinge"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        latent, shape = config.latent_dim, spec.shape
        if config.form == "resnet":
            self.generator: nn.Module = ResidualGenerator(
                latent, shape, config.generator_width, norm=config.generator_norm
            )
            self.discriminator: nn.Module = ResidualDiscriminator(shape, config.discriminator_width)
            initialise_glorot(self)
        else:
            self.generator = DeepConvolutionalGenerator(latent, shape, config.generator_width, config.generator_norm)
            self.discriminator = DeepConvolutionalDiscriminator(shape, config.discriminator_width)
            initialise(self)
        apply_spectral_norm(self.discriminator)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two, whose learning rates fall alike."""
        c = self.config

        def schedule(clock: Clock) -> dict[str, float]:
            return {"lr": c.lr * constant_then_linear(clock.progress, hold=c.lr_hold)}

        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", lr=c.lr, betas=c.betas, schedule=schedule
            ),
            "generator": Player.adam(
                self.generator, role="generator", lr=c.lr, betas=c.betas, schedule=schedule, ema_decay=c.ema_decay
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator n times, each on new samples, then the generator once (section 4)."""
        for _ in range(self.config.n_critic):
            batch = game.draw()
            game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Images) -> Loss:
        """Push data above 1 and samples below -1 (eq. 16), both under the same normalised weights."""
        fake = self.sample(len(batch))
        real, fake = self.discriminator(torch.cat([batch.real, fake])).chunk(2)
        log = objectives.discriminator_stats(real, fake)
        return Loss(adversarial=objectives.hinge_discriminator(real, fake), log=log)

    def generator_loss(self, batch: Images) -> Loss:
        """Raise the logits of samples (eq. 17)."""
        return Loss(adversarial=objectives.hinge_generator(self.discriminator(self.sample(len(batch)))))
