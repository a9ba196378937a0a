"""DVD-GAN (Clark et al. 2019): clips by a recurrent generator and two discriminators, of frames and of motion.

A discriminator that took whole clips at full resolution would be costly. Here the spatial one takes a few frames, drawn
at random, at full resolution, and the temporal one all frames at half the height and width: together 58 % fewer pixels
of a clip of 48 frames of 128x128. The generator is BigGAN's on each frame (Brock et al. 2019), with a convolutional
recurrent unit over time before each of its stages, so that each frame depends on the frames before it.

Paper: https://arxiv.org/abs/1907.06571

Differs from the paper: sized for a CPU by default, in width, batch, frames and rounds (--preset large is nearest to the
paper's, whose widths are not fully stated); both discriminators take the same generated clips in a move, as one player
with a term each; the class meets the last features alone; classes are drawn by their shares of the data; a convolution
and the pooling after it are one kernel, which gives the same; no attention. Clips without labels are played too,
without embeddings and projections.
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
from zerosum.game import Game
from zerosum.kinds.clips import Clips
from zerosum.layers.spectral_norm import apply_spectral_norm
from zerosum.loss import Loss
from zerosum.networks.dvdgan import Generator, SpatialDiscriminator, TemporalDiscriminator
from zerosum.player import Player
from zerosum.tasks import ConditionalRecipe, PresetConfig

LARGE_SIDE = 32
"""Shorter side, in pixels, up to which the presets of small clips are chosen."""


@dataclass(frozen=True, kw_only=True)
class Config(PresetConfig):
    """DVD-GAN."""

    presets: ClassVar = {
        "small": {},
        "small64": {"rounds": 1_500},
        "medium": {
            "rounds": 30_000,
            "batch": 64,
            "latent_dim": 64,
            "embedding": 64,
            "width": 16,
            "generator_lr": 1e-4,
        },
        "large": {
            "rounds": 100_000,
            "batch": 64,
            "latent_dim": 120,
            "embedding": 120,
            "width": 32,
            "spatial_frames": 8,
            "generator_lr": 1e-4,
            "ema_decay": 0.9999,
        },
    }

    rounds: PositiveInt = 4_000
    """Rounds to play: moves of the generator."""

    batch: PositiveInt = 8
    """Real clips per draw, over all processes (512 in section 4.1)."""

    latent_dim: PositiveInt = 32
    """Values in a latent vector, drawn from N(0, 1) (120 in section 3)."""

    embedding: PositiveInt = 32
    """Values of the embedding of a class, which joins the latent (120 in section 3)."""

    width: PositiveInt = 4
    """Channels of a unit of both networks, of which the widest maps have 8 or 16."""

    spatial_frames: PositiveInt = 4
    """Frames of a clip that the spatial discriminator takes, drawn without replacement (k = 8 in section 3.1)."""

    n_discriminator: PositiveInt = 2
    """Moves of the discriminators per round, each on new samples (section 4.1)."""

    generator_lr: PositiveFloat = 5e-4
    """Learning rate of the generator's Adam (1e-4 in section 4.1)."""

    discriminator_lr: PositiveFloat = 5e-4
    """Learning rate of the discriminators' Adam (section 4.1)."""

    betas: tuple[Fraction, Fraction] = (0.0, 0.999)
    """Decay of Adam's two moments (section 4.1)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return a small one on a CPU and a large one elsewhere, by the frames' shorter side."""
        low = min(spec.shape[-2:]) <= LARGE_SIDE
        if device == "cpu":
            return "small" if low else "small64"
        return "medium" if low else "large"


class DVDGAN(ConditionalRecipe):
    """Hinge game of a recurrent generator and two discriminators of spectral norm 1 that project."""

    Config = Config
    data = (Clips,)
    objective = "hinge"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        c, K = config, len(spec.classes)
        self.generator = Generator(c.latent_dim, spec.shape, c.width, classes=K, embedding=c.embedding)
        self.spatial = SpatialDiscriminator(spec.shape, c.width, classes=K, frames=c.spatial_frames)
        self.temporal = TemporalDiscriminator(spec.shape, c.width, classes=K)
        initialise(self)
        apply_spectral_norm(self.generator, embeddings=False)
        apply_spectral_norm(self.spatial)
        apply_spectral_norm(self.temporal)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.spatial, self.temporal)

    def players(self) -> dict[str, Player]:
        """Return the generator, and the discriminators as one player."""
        c = self.config
        return {
            "discriminator": Player.adam(
                self.spatial, self.temporal, role="discriminator", lr=c.discriminator_lr, betas=c.betas
            ),
            "generator": Player.adam(
                self.generator, role="generator", lr=c.generator_lr, betas=c.betas, ema_decay=c.ema_decay
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the discriminators n times, each on new samples, then the generator once."""
        for _ in range(self.config.n_discriminator):
            batch = game.draw()
            game.move("discriminator", self.discriminator_loss, batch)
        game.move("generator", self.generator_loss, batch)

    def discriminator_loss(self, batch: Clips) -> Loss:
        """Push clips with their labels above 1 and samples with theirs below -1, in each discriminator by itself."""
        fake, drawn = self._drawn(len(batch))
        labels = None if drawn is None or batch.label is None else torch.cat([batch.label, drawn])
        both = torch.cat([batch.real, fake])
        spatial, temporal = (network(both, labels).chunk(2) for network in self.discriminators())
        log = objectives.discriminator_stats(spatial[0] + temporal[0], spatial[1] + temporal[1])
        return Loss(
            spatial=objectives.hinge_discriminator(*spatial),
            temporal=objectives.hinge_discriminator(*temporal),
            log=log,
        )

    def generator_loss(self, batch: Clips) -> Loss:
        """Raise the logits of samples with their labels in both discriminators."""
        fake, labels = self._drawn(len(batch))
        return Loss(
            spatial=objectives.hinge_generator(self.spatial(fake, labels)),
            temporal=objectives.hinge_generator(self.temporal(fake, labels)),
        )

    def _drawn(self, n: int) -> tuple[Tensor, Tensor | None]:
        """Return (N, T, C, H, W) samples and their labels (N,)."""
        labels = self.classes_of(n)
        return self.generate(self.prior(n), labels), labels


def initialise(network: nn.Module) -> None:
    """Draw orthogonal weights of convolutions and dense layers; embeddings and biases stay as PyTorch draws them."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.orthogonal_(layer.weight)
