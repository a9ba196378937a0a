"""Conditional GAN (Mirza & Osindero 2014): both networks take the class of a sample beside it.

The class is appended to the latent for the generator, one of K, and to the channels of the image for the
discriminator, as K planes of which one is 1: so the discriminator also rejects good samples of the wrong class, and a
sample's class can be chosen. Of several attributes a sample, each is a value of 0 or 1 there.

Paper: https://arxiv.org/abs/1411.1784

Differs from the paper: convolutional networks (Radford et al. 2016) in place of maxout on flattened digits, the
non-saturating loss, Adam in place of SGD, and a running average of the generator is what samples. Samples have the
labels of the real ones of the batch, so that classes have their shares of the data. `loss="wasserstein"` is the critic
with gradient penalty (Gulrajani et al. 2017), whose slope is bounded in the images alone, not in the planes. The preset
wasserstein has it with the networks of a widely used introduction for 64x64 faces, which grow to twice the narrowest
layer and no further. The preset small, of a CPU, bounds the logistic loss's slopes by R1 (Mescheder et al. 2018)
in place of batch norm in the discriminator, which tells real batches from generated ones by their statistics, and
has five times the rate. It is for gray images of classes, or of clusters where they are many; the preset batch-norm is
for all else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import nn

from zerosum import objectives
from zerosum.config import AUTO, Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.clusters import are_clusters
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm, require_separate
from zerosum.layers.virtual_batch_norm import set_reference
from zerosum.loss import Loss
from zerosum.networks.conditional import LabelledInput
from zerosum.networks.dcgan import WIDEST, ConvolutionalDiscriminator, ConvolutionalGenerator
from zerosum.networks.mlp import Dense
from zerosum.penalties import gradient_penalty, logits_and_slopes
from zerosum.player import Player
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig

FEW_IMAGES = 5_000
"""Images below which clusters of them keep batch norm: R1 was behind on 1,797, and ahead on 60,000."""


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """Conditional GAN."""

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
        "small": {"latent_dim": 64, "width": 32, "gamma": 0.1, "lr": 1e-3},
        "batch-norm": {"latent_dim": 64, "width": 32},
        "dcgan": {"latent_dim": 100, "width": 64},
        "wasserstein": {
            "rounds": 2_000,
            "batch": 128,
            "latent_dim": 32,
            "architecture": "even",
            "width": 64,
            "dropout": 0.3,
            "loss": "wasserstein",
            "n_discriminator": 3,
            "lr": 5e-5,
            "betas": (0.5, 0.9),
        },
    }

    rounds: PositiveInt = 5_000
    """Rounds to play: passes through the paper's algorithm box."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1)."""

    architecture: Literal["dcgan", "even"] = "dcgan"
    """Networks of images: dcgan doubles the channels up to 8 times the narrowest layer's; even up to twice, with leaky
    ReLUs in the generator too, and no dropout after the discriminator's first layer."""

    width: PositiveInt = 32
    """Channels of the narrowest layers. On points, the width of the hidden layers."""

    generator_norm: Norm = "batch"
    """Norm after the hidden layers of a generator of images."""

    discriminator_norm: Norm | Literal["auto"] = AUTO
    """Norm after the layers of a discriminator of images but the first; auto is batch, and none with the loss
    wasserstein or with gamma, which batch does not go with."""

    dropout: Fraction = 0.0
    """Share of values dropped after the discriminator's activations."""

    loss: Literal["logistic", "wasserstein"] = "logistic"
    """Logistic: non-saturating; wasserstein: a critic with gradient penalty."""

    penalty: NonNegativeFloat = 10.0
    """Weight of the gradient penalty of the loss wasserstein."""

    gamma: NonNegativeFloat = 0.0
    """Weight of R1 of the loss logistic: gamma / 2 E|grad D(x)|^2 at real samples (Mescheder et al. 2018, eq. 9); 0 for
    none."""

    n_discriminator: PositiveInt = 1
    """Moves of the discriminator per round."""

    lr: PositiveFloat = 2e-4
    """Learning rate of both Adams."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return DCGAN's size off a CPU; on it small for gray images of classes, and batch-norm for all else.

        On gray images R1 gets further, but not with clusters of few; on colour it gets less far (decision 0212).
        """
        if device != "cpu":
            return "dcgan"
        few = are_clusters(spec.classes) and 0 < sum(spec.class_counts) < FEW_IMAGES
        return "small" if spec.classes and not few and spec.kind == "images" and spec.shape[0] == 1 else "batch-norm"


class CGAN(ConditionalRecipe):
    """Game of a generator and a discriminator that both take labels."""

    Config = Config
    data = (Images, Points)
    needs_labels = True
    takes_attributes = True
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.objective = config.loss
        if _by_sample(config) and config.discriminator_norm != AUTO:
            require_separate(config.discriminator_norm, "--discriminator-norm")
        generator, discriminator = _networks(config, spec)
        self.generator = LabelledInput(generator, spec.label_width)
        self.discriminator = LabelledInput(discriminator, spec.label_width)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit; this one takes labels too."""
        return (self.discriminator,)

    def take_reference(self, batch: Images | Points) -> None:
        """Fix the reference of virtual batch norm by real samples and their labels."""
        set_reference(self.generator, self.prior(len(batch)), batch.label)
        set_reference(self.discriminator, batch.real, batch.label)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "discriminator": Player.adam(self.discriminator, role="discriminator", lr=c.lr, betas=c.betas),
            "generator": Player.adam(self.generator, role="generator", lr=c.lr, betas=c.betas, ema_decay=c.ema_decay),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the discriminator, each time on new samples, then the generator."""
        for _ in range(self.config.n_discriminator):
            batch = game.draw()
            game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Images | Points) -> Loss:
        """Tell data from samples of the same classes (eq. 2)."""
        x, labels = batch.real, batch.label
        samples = self.sample(len(batch), labels=labels)
        if self.config.loss == "logistic" and self.config.gamma:
            real, slopes = logits_and_slopes(lambda x: self.discriminator(x, labels), x)
            fake = self.discriminator(samples, labels)
            loss, penalty = objectives.logistic_discriminator(real, fake), self.config.gamma / 2 * slopes.mean()
            return Loss(adversarial=loss, penalty=penalty, log=objectives.discriminator_stats(real, fake))
        real, fake = self.discriminator(x, labels), self.discriminator(samples, labels)
        if self.config.loss == "logistic":
            loss = objectives.logistic_discriminator(real, fake)
            return Loss(adversarial=loss, log=objectives.discriminator_stats(real, fake))
        loss = objectives.wasserstein_critic(real, fake)
        slopes = gradient_penalty(lambda between: self.discriminator(between, labels), x, samples)
        return Loss(
            adversarial=loss, penalty=self.config.penalty * slopes, log={"real": real, "fake": fake, "distance": -loss}
        )

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Pass for data of the same classes."""
        fake = self.discriminator(self.sample(len(batch), labels=batch.label), batch.label)
        logistic = self.config.loss == "logistic"
        lower = objectives.non_saturating_generator if logistic else objectives.wasserstein_generator
        return Loss(adversarial=lower(fake))


def _by_sample(config: Config) -> bool:
    """Whether the discriminator is penalised by its slopes, so that its logits are each of one sample."""
    return config.loss == "wasserstein" or config.gamma > 0


def _networks(config: Config, spec: Spec) -> tuple[nn.Module, nn.Module]:
    """Return a generator of latents and a discriminator of samples, both with the classes appended to their input."""
    K, c = spec.label_width, config
    if spec.kind == "points":
        hidden = (c.width,) * 2
        discriminator = Dense(2 + K, hidden, activation="leaky_relu", dropout=c.dropout)
        return Dense(c.latent_dim + K, hidden, spec.shape), discriminator
    shape = (spec.shape[0] + K, *spec.shape[1:])
    even = c.architecture == "even"
    widest = 2 if even else WIDEST
    generator = ConvolutionalGenerator(
        c.latent_dim + K,
        spec.shape,
        c.width,
        widest=widest,
        slope=0.2 if even else 0.0,
        bias=even,
        norm=c.generator_norm,
    )
    chosen: Norm = "none" if _by_sample(c) else "batch"
    return generator, ConvolutionalDiscriminator(
        shape,
        c.width,
        norm=chosen if c.discriminator_norm == AUTO else c.discriminator_norm,
        dropout=c.dropout,
        undropped=int(even),
        widest=widest,
    )
