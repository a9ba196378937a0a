"""3D-GAN (Wu et al. 2016): DCGAN in three dimensions, which makes shapes as grids of occupied cells.

Volumetric convolutions map a latent from U(0, 1) to the probability that each cell is occupied. Telling shapes from
noise is the easier task, so the discriminator learns slower than the generator, and moves only while it is not sure:
not after a batch of which it classified more than 80 % correctly.

Paper: https://arxiv.org/abs/1610.07584

Differs from the paper: sized for a CPU by default, in width, latents, batch and rounds, with other learning rates
(--preset paper has the paper's); no layer has a bias, as in the authors' released models, and latents and volumes are
brought to [-1, 1] where they enter a network, without which samples fade and are alike; the generator moves first in a
round, and the discriminator takes the samples of that move; a running average of the generator is what samples. The
part that learns from photographs, 3D-VAE-GAN, is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.kinds.volumes import Volumes
from zerosum.latent import lerp
from zerosum.loss import Loss
from zerosum.networks.volumetric import VolumetricDiscriminator, VolumetricGenerator
from zerosum.player import Player
from zerosum.runtime import rng
from zerosum.tasks import GenerativeRecipe, LatentConfig, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """3D-GAN."""

    presets: ClassVar = {
        "small": {},
        "medium": {"generator_width": 32, "discriminator_width": 32},
        "paper": {
            "rounds": 20_000,
            "batch": 100,
            "latent_dim": 200,
            "generator_width": 64,
            "discriminator_width": 64,
            "generator_lr": 2.5e-3,
            "discriminator_lr": 1e-5,
        },
    }

    rounds: PositiveInt = 5_000
    """Rounds to play: moves of the generator."""

    batch: PositiveInt = 16
    """Real samples per draw, over all processes (100 in section 3.3)."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, drawn from U(0, 1) (200 in section 3.2)."""

    generator_width: PositiveInt = 16
    """Channels of the generator's last hidden layer; each before has twice those of the next (64 in appendix A)."""

    discriminator_width: PositiveInt = 16
    """Channels of the discriminator's first layer; each next one has twice as many (64 in appendix A)."""

    gate: Fraction = 0.8
    """Share of the last batch, real and generated, that the discriminator may have classified correctly and still move
    (section 3.3); 1 lets it move always."""

    generator_lr: PositiveFloat = 2e-3
    """Learning rate of the generator's Adam (0.0025 in section 3.3)."""

    discriminator_lr: PositiveFloat = 5e-4
    """Learning rate of the discriminator's Adam (1e-5 in section 3.3)."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments (section 3.3)."""

    ema_decay: Fraction = 0.99
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return small on a CPU; elsewhere the paper's from 64 cells a side, and medium below."""
        return "small" if device == "cpu" else "paper" if spec.shape[-1] >= 64 else "medium"


class GAN3D(GenerativeRecipe):
    """Minimax game of two volumetric networks, the discriminator resting where it is too good."""

    Config = Config
    data = (Volumes,)
    objective = "logistic"
    config: Config
    between = staticmethod(lerp)
    accuracy: Tensor
    """Share of the last batch that the discriminator classified correctly, (); 0 before the first."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator = VolumetricGenerator(config.latent_dim, spec.shape, config.generator_width)
        self.discriminator = VolumetricDiscriminator(spec.shape, config.discriminator_width)
        self.register_buffer("accuracy", torch.zeros(()))

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
        """Move the generator; move the discriminator unless it was too good in the last batch (section 3.3)."""
        batch = game.draw()
        samples = game.move("generator", self.generator_loss, batch).outputs["samples"]
        turn = game.move if bool(self.accuracy <= self.config.gate) else game.gradient
        result = turn("discriminator", self.discriminator_loss, batch, samples=samples)
        right = torch.stack([result.log["real_accuracy"].mean(), result.log["fake_accuracy"].mean()])
        self.accuracy.fill_(game.mean(right))

    def discriminator_loss(self, batch: Volumes, *, samples: Tensor) -> Loss:
        """Tell data from samples; each in a batch of its own, because batch norm tells them apart in a mixed one."""
        real, fake = self.discriminator(batch.real), self.discriminator(samples)
        moves = (self.accuracy <= self.config.gate).float()
        log = {**objectives.discriminator_stats(real, fake), "moves": moves.expand(len(batch))}
        return Loss(adversarial=objectives.logistic_discriminator(real, fake), log=log)

    def generator_loss(self, batch: Volumes) -> Loss:
        """Maximise log D(G(z))."""
        samples = self.sample(len(batch))
        loss = objectives.non_saturating_generator(self.discriminator(samples))
        return Loss(adversarial=loss, outputs={"samples": samples})

    def prior(self, n: int) -> Tensor:
        """Draw (n, Z) latents from U(0, 1)."""
        return rng.uniform(n, self.config.latent_dim, device=self.device)

    def sample(self, n: int, *, latent: Tensor | None = None, threshold: float | None = None) -> Tensor:
        """Generate (n, 1, X, Y, Z) volumes in [0, 1].

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            threshold: probability from 0 to 1 above which a cell is occupied: volumes of 0 and 1; the authors' is 0.1.
                By default the probabilities themselves, whose surface is drawn at 0.5.
        """
        if threshold is not None and not 0 <= threshold < 1:
            raise InputError(f"The threshold is {threshold}, and cells have probabilities: give 0 or more, below 1.")
        volumes = self.generator(self.prior(n) if latent is None else latent.to(self.device))
        return volumes if threshold is None else (volumes > threshold).to(volumes.dtype)
