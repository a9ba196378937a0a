"""Projection discriminator (Miyato & Koyama 2018): the class enters as an inner product with the features.

If classes and samples are distributed as a softmax says, the optimal logit is a term of the sample alone and the inner
product of its features with an embedding of its class: that is what the discriminator computes, in place of taking
labels as further inputs. The generator takes the class in the gains and biases of its batch norms. The discriminator is
under spectral normalisation (Miyato et al. 2018), the loss is the hinge.

Paper: https://arxiv.org/abs/1802.05637

Differs from the paper: sized for a CPU by default, in width, batch and rounds, with five times the learning rate, which
suits networks an eighth as wide (--preset cifar10 and --preset imagenet are the paper's sizes); the generator's batch
is the discriminator's; the class meets the last features at every size (those of a middle layer in the paper's
super-resolution); classes are drawn by their shares of the data; a convolution and the pooling after it are one kernel,
which gives the same; a running average of the generator is what samples. Data without labels are played as `sngan`
plays them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.norms import Norm
from zerosum.layers.spectral_norm import apply_spectral_norm
from zerosum.loss import Loss
from zerosum.networks.residual import ResidualDiscriminator, ResidualGenerator, initialise_glorot
from zerosum.optim.schedules import constant_then_linear
from zerosum.player import Clock, Player
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """Projection discriminator."""

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
            "lr_hold": 8 / 9,
        },
    }

    rounds: PositiveInt = 4_000
    """Rounds to play: moves of the generator (450,000 in section 5.1)."""

    batch: PositiveInt = 32
    """Real samples per draw, over all processes."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1) (128 in appendix A)."""

    generator_width: PositiveInt = 8
    """Channels of a unit of the generator: 4 on all maps below 64x64, else 1 or 2 on the widest and 16 on the
    smallest."""

    discriminator_width: PositiveInt = 8
    """Channels of a unit of the discriminator."""

    generator_norm: Norm = "batch"
    """Norm of the generator, whose gains and biases are those of the class; not virtual-batch with labels."""

    n_critic: PositiveInt = 2
    """Moves of the discriminator per round (5 in section 5.1)."""

    lr: PositiveFloat = 2e-4
    """Learning rate of both Adams (section 5.1)."""

    lr_hold: Fraction = 0.0
    """Share of the rounds with a constant learning rate, before it falls in a line to 0."""

    betas: tuple[Fraction, Fraction] = (0.0, 0.9)
    """Decay of Adam's two moments (section 5.1)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU, and the paper's by the images' size elsewhere."""
        return "small" if device == "cpu" else "cifar10" if min(spec.shape[1:]) < 64 else "imagenet"


class Projection(ConditionalRecipe):
    """Hinge game of a generator with conditional batch norm and a discriminator of spectral norm 1 that projects."""

    Config = Config
    data = (Images,)
    objective = "hinge"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        K = len(spec.classes)
        if K and config.generator_norm == "virtual-batch":
            raise InputError(
                "--generator-norm is virtual-batch, whose reference batch has no labels, and projection plays with "
                "labels: give another norm, or --labels none."
            )
        self.generator = ResidualGenerator(
            config.latent_dim, spec.shape, config.generator_width, classes=K, norm=config.generator_norm
        )
        self.discriminator = ResidualDiscriminator(spec.shape, config.discriminator_width, classes=K)
        initialise_glorot(self)
        if self.discriminator.embedding is not None:
            nn.init.xavier_uniform_(self.discriminator.embedding.weight)
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
        """Move the discriminator n times, each on new samples, then the generator once."""
        for _ in range(self.config.n_critic):
            batch = game.draw()
            game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Images) -> Loss:
        """Push data with their labels above 1 and samples with theirs below -1, under the same normalised weights."""
        fake, drawn = self._drawn(len(batch))
        labels = None if drawn is None or batch.label is None else torch.cat([batch.label, drawn])
        real, fake = self.discriminator(torch.cat([batch.real, fake]), labels).chunk(2)
        log = objectives.discriminator_stats(real, fake)
        return Loss(adversarial=objectives.hinge_discriminator(real, fake), log=log)

    def generator_loss(self, batch: Images) -> Loss:
        """Raise the logits of samples with their labels."""
        return Loss(adversarial=objectives.hinge_generator(self.discriminator(*self._drawn(len(batch)))))

    def _drawn(self, n: int) -> tuple[Tensor, Tensor | None]:
        """Return (N, C, H, W) samples and their labels (N,)."""
        labels = self.classes_of(n)
        return self.generate(self.prior(n), labels), labels
