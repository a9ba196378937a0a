"""Auxiliary Classifier GAN (Odena et al. 2017): a discriminator that also classifies.

The discriminator has two heads on one trunk: whether a sample is real, and its class. It raises the log-likelihood of
the right source and of the right class, of data and of samples; the generator, which is given the class, raises that of
the class and of the wrong source. So the class guides it without the discriminator being given it. Each of several
attributes is a class of two, with a logit of its own.

Paper: https://arxiv.org/abs/1610.09585

Differs from the paper: the non-saturating loss for the source; samples have the labels of the real ones of the batch,
so that classes have their shares of the data; the generator moves first in a round, and the discriminator gets the
samples that it was moved by, which saves drawing others; one model for all classes, where the paper has one for every
ten of ImageNet; a running average of the generator is what samples. The default is DCGAN's form, sized for a CPU; the
preset paper has the networks of appendix A, at any image size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm
from zerosum.layers.virtual_batch_norm import set_reference
from zerosum.loss import Loss
from zerosum.networks.acgan import DenseStartGenerator, TwoHeads, alternating_layers
from zerosum.networks.conditional import LabelledInput
from zerosum.networks.dcgan import ConvolutionalGenerator, halving_layers, initialise
from zerosum.networks.mlp import Dense
from zerosum.player import Player
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """AC-GAN."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 3_000,
            "batch": 256,
            "latent_dim": 2,
            "width": 128,
            "lr": 1e-3,
            "ema_decay": 0.99,
        }
    }
    presets: ClassVar = {
        "small": {"latent_dim": 64, "architecture": "dcgan", "width": 32, "dropout": 0.3},
        "paper": {"rounds": 50_000, "batch": 100, "latent_dim": 100, "architecture": "paper", "dropout": 0.5},
    }

    rounds: PositiveInt = 5_000
    """Rounds to play: passes through the paper's algorithm box."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1)."""

    architecture: Literal["dcgan", "paper"] = "dcgan"
    """Networks of images: DCGAN's, or those of appendix A, whose widths are fixed."""

    width: PositiveInt = 32
    """Channels of the narrowest layers of the architecture dcgan. On points, the width of the hidden layers."""

    generator_norm: Norm = "batch"
    """Norm after the hidden layers of a generator of images."""

    discriminator_norm: Norm = "batch"
    """Norm after the layers of a discriminator of images but the first."""

    dropout: Fraction = 0.3
    """Share of values dropped after the activations of a discriminator of images."""

    class_real: NonNegativeFloat = 1.0
    """Weight of the class of data in the discriminator's loss (L_C)."""

    class_fake: NonNegativeFloat = 1.0
    """Weight of the class of samples in the discriminator's loss (L_C)."""

    class_generator: NonNegativeFloat = 1.0
    """Weight of the class of samples in the generator's loss (L_C)."""

    lr: PositiveFloat = 2e-4
    """Learning rate of both Adams (appendix A)."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments (appendix A)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""


class ACGAN(ConditionalRecipe):
    """Game of a generator that takes labels and a discriminator that infers them."""

    Config = Config
    data = (Images, Points)
    objective = "logistic"
    needs_labels = True
    takes_attributes = True
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        K = spec.label_width
        generator, trunk, features = _networks(config, spec)
        self.generator = LabelledInput(generator, K)
        self.discriminator = TwoHeads(trunk, features, K)
        if spec.kind != "points":
            initialise(self.discriminator)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def take_reference(self, batch: Images | Points) -> None:
        """Fix the reference of virtual batch norm by real samples and their labels."""
        set_reference(self.generator, self.prior(len(batch)), batch.label)
        set_reference(self.discriminator, batch.real)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "discriminator": Player.adam(self.discriminator, role="discriminator", lr=c.lr, betas=c.betas),
            "generator": Player.adam(self.generator, role="generator", lr=c.lr, betas=c.betas, ema_decay=c.ema_decay),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the generator, then the discriminator on the samples that the generator was moved by."""
        batch = game.draw()
        samples = game.move("generator", self.generator_loss, batch).outputs["samples"]
        game.move("discriminator", self.discriminator_loss, batch, samples=samples)

    def discriminator_loss(self, batch: Images | Points, *, samples: Tensor) -> Loss:
        """Raise L_S + L_C (section 3): the log-likelihoods of source and class, of data and samples."""
        (real, class_real), (fake, class_fake) = self.discriminator(batch.real), self.discriminator(samples)
        return Loss(
            adversarial=objectives.logistic_discriminator(real, fake),
            class_real=self.config.class_real * _class_loss(class_real, batch.label),
            class_fake=self.config.class_fake * _class_loss(class_fake, batch.label),
            log=objectives.discriminator_stats(real, fake),
        )

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Raise L_C - L_S (section 3), of the samples and with the non-saturating loss of the source."""
        samples = self.sample(len(batch), labels=batch.label)
        fake, class_fake = self.discriminator(samples)
        return Loss(
            adversarial=objectives.non_saturating_generator(fake),
            class_fake=self.config.class_generator * _class_loss(class_fake, batch.label),
            outputs={"samples": samples},
        )


def _class_loss(logits: Tensor, labels: Tensor | None) -> Tensor:
    """Return -E log P(C = c | x): () of logits (N, K) and labels (N,), or the sum over attributes (N, A) of 0 and 1."""
    assert labels is not None
    if labels.ndim == 2:
        surprise = functional.binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="none")
        return surprise.sum(1).mean()
    return functional.cross_entropy(logits.float(), labels)


def _networks(config: Config, spec: Spec) -> tuple[nn.Module, nn.Module, int]:
    """Return a generator of latents with the classes behind them, and a trunk with the values that it ends in."""
    c, latent = config, config.latent_dim + spec.label_width
    if spec.kind == "points":
        trunk = nn.Sequential(Dense(2, (c.width,), (c.width,), activation="leaky_relu"), nn.LeakyReLU(0.2))
        return Dense(latent, (c.width,) * 2, spec.shape), trunk, c.width
    if c.architecture == "paper":
        layers, maps = alternating_layers(spec.shape, 16, dropout=c.dropout, norm=c.discriminator_norm)
        return DenseStartGenerator(latent, spec.shape, 96, c.generator_norm), layers, math.prod(maps)
    layers, maps = halving_layers(spec.shape, c.width, norm=c.discriminator_norm, bias=True, dropout=c.dropout)
    return ConvolutionalGenerator(latent, spec.shape, c.width, norm=c.generator_norm), layers, math.prod(maps)
