"""Age-cGAN (Antipov et al. 2017): faces of other ages that stay the same person's.

A conditional GAN learns faces and their age groups, the class at the generator's input and behind the discriminator's
first convolution. Then an encoder learns, from images that the generator makes, to estimate their latents. To age a
face, its latent is estimated and fitted until what is generated in the face's own group shows the same person to a
network of identities; generated from there in another group, it is that person at another age. Any classes that have
an order will do in place of ages.

Paper: https://arxiv.org/abs/1702.01983

Differs from the paper: widths, which it does not have, are those of a widely used introduction in the preset paper,
and a third of them on a CPU; the discriminator's labels of real images are 0.9; a running average of the generator's
weights is what samples and what the encoder learns from. The network of identities is no part of the run: `zerosum
age` takes one of several, in the place of OpenFace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Interval
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.age_cgan import Discriminator, Encoder, Form, Generator
from zerosum.player import Player
from zerosum.recipe import Phase
from zerosum.runtime import rng
from zerosum.tasks import AgeingRecipe, LatentConfig, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """Age-cGAN."""

    presets: ClassVar = {
        "small": {},
        "paper": {
            "rounds": 50_000,
            "encoder_share": 0.1,
            "latent_dim": 100,
            "form": "upsampling",
            "width": 64,
            "kernel": 3,
            "encoder_hidden": 4096,
        },
    }

    rounds: PositiveInt = 3_000
    """Rounds to play in all: of the game, and then of the encoder."""

    encoder_share: Annotated[float, Interval(gt=0, lt=1)] = 1 / 3
    """Share of the rounds in which the encoder learns, at the end; each phase has one round at least."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from N(0, 1) (100 in section 3)."""

    form: Form = "transposed"
    """How the generator doubles its maps: transposed convolutions, or upsampling (repeated pixels and 5x5
    convolutions) behind two dense layers."""

    width: PositiveInt = 32
    """Channels of the narrowest layers of the generator and the discriminator."""

    kernel: Annotated[int, Interval(ge=3, le=4)] = 4
    """Side of the discriminator's convolutions."""

    generator_hidden: PositiveInt = 2048
    """Values of the first dense layer of a generator of the form upsampling."""

    encoder_width: PositiveInt = 32
    """Channels of the encoder's first layer."""

    encoder_hidden: PositiveInt = 256
    """Values of the encoder's dense layer."""

    real_label: Annotated[float, Interval(gt=0, le=1)] = 0.9
    """Target of the discriminator for real images; that of generated ones is 0."""

    lr: PositiveFloat = 2e-4
    """Learning rate of the generator's and the discriminator's Adam."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of the two moments of these Adams."""

    encoder_lr: PositiveFloat = 1e-3
    """Learning rate of the encoder's Adam, whose moments decay by 0.9 and 0.999."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples and what the encoder inverts."""


class AgeCGAN(AgeingRecipe):
    """Game of a generator and a discriminator that take classes, and an encoder that learns to invert the generator."""

    Config = Config
    data = (Images,)
    objective = "logistic"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if len(spec.classes) < 2:
            raise InputError(
                "age_cgan is trained on images with an age: give --ages ages.csv (columns file and age), or --ages "
                "name where file names begin with it, or a folder for each group."
            )
        c, classes = config, len(spec.classes)
        self.generator = Generator(
            c.latent_dim, classes, spec.shape, width=c.width, form=c.form, hidden=c.generator_hidden
        )
        self.discriminator = Discriminator(spec.shape, classes, width=c.width, kernel=c.kernel)
        self.encoder = Encoder(spec.shape, c.latent_dim, width=c.encoder_width, hidden=c.encoder_hidden)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit; this one takes labels too."""
        return (self.discriminator,)

    def players(self) -> dict[str, Player]:
        """Return the two, and the encoder, who has no part in their game."""
        c = self.config
        return {
            "discriminator": Player.adam(self.discriminator, role="discriminator", lr=c.lr, betas=c.betas),
            "generator": Player.adam(self.generator, role="generator", lr=c.lr, betas=c.betas, ema_decay=c.ema_decay),
            "encoder": Player.adam(self.encoder, lr=c.encoder_lr, betas=(0.9, 0.999)),
        }

    def phases(self) -> Sequence[Phase]:
        """Return the game, and the encoder's learning where rounds are left for it."""
        rounds = self.config.rounds
        learning = min(rounds - 1, max(1, round(self.config.encoder_share * rounds)))
        game = Phase(name="adversarial", rounds=rounds - learning, play=self.adversarial_round)
        return [game, Phase(name="encoder", rounds=learning, play=self.encoder_round)] if learning else [game]

    def round(self, game: Game[Any]) -> None:
        """Play a round of each phase."""
        self.adversarial_round(game)
        self.encoder_round(game)

    def adversarial_round(self, game: Game[Any]) -> None:
        """Move the discriminator, then the generator."""
        batch = game.draw()
        game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def encoder_round(self, game: Game[Any]) -> None:
        """Move the encoder, on as many images as a batch has, all made by the averaged generator."""
        batch = game.draw()
        with game.players["generator"].averaged():
            game.move("encoder", self.encoder_loss, batch)

    def discriminator_loss(self, batch: Images) -> Loss:
        """Tell images from samples of the same classes (eq. 1)."""
        assert batch.label is not None
        samples = self.generator(self.prior(len(batch)), batch.label)
        real, fake = self.discriminator(batch.image, batch.label), self.discriminator(samples, batch.label)
        target = torch.tensor(self.config.real_label, device=real.device)
        loss = objectives.labelled_discriminator(real, fake, real_label=target, fake_label=torch.zeros_like(target))
        return Loss(adversarial=loss, log=objectives.discriminator_stats(real, fake))

    def generator_loss(self, batch: Images) -> Loss:
        """Pass for images of classes that are drawn at random (eq. 1)."""
        labels = self._any_classes(len(batch))
        samples = self.generator(self.prior(len(batch)), labels)
        return Loss(adversarial=objectives.non_saturating_generator(self.discriminator(samples, labels)))

    def encoder_loss(self, batch: Images) -> Loss:
        """Estimate the latents of generated images (section 2.2): the squared Euclidean distance."""
        labels, latents = self._any_classes(len(batch)), self.prior(len(batch))
        training = self.generator.training
        self.generator.eval()
        images = self.generator(latents, labels)
        self.generator.train(training)
        return Loss(inversion=(self.encode(images).float() - latents).square().sum(1).mean())

    def encode(self, images: Tensor) -> Tensor:
        """Estimate the latents (N, Z) of images (N, C, H, W) in [-1, 1]."""
        return self.encoder(images)

    def _any_classes(self, n: int) -> Tensor:
        return rng.integers(n, high=len(self.spec.classes), device=self.device)
