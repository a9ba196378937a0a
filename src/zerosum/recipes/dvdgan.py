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
without embeddings and projections. --preset relativistic plays R3GAN's game (Huang et al. 2024) with these networks,
for variety: a relativistic loss with R1 and R2 in the place of the hinge loss and spectral norms, samples of the real
clips' classes, discriminators of wider units, and pixels that tanh does not bound, which are clipped in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.kinds.clips import Clips
from zerosum.layers.spectral_norm import apply_spectral_norm
from zerosum.loss import Loss
from zerosum.networks.dvdgan import Generator, SpatialDiscriminator, TemporalDiscriminator
from zerosum.penalties import logits_and_slopes
from zerosum.player import Player
from zerosum.tasks import ConditionalRecipe, LatentConfig, PresetConfig

LARGE_SIDE = 32
"""Shorter side, in pixels, up to which the presets of small clips are chosen."""

SMALL_SIDE = 16
"""Shorter side up to which a weight of 1 holds the slopes of the relativistic game (docs/decisions/0201)."""

RELATIVISTIC: dict[str, Any] = {
    "loss": "relativistic",
    "batch": 16,
    "discriminator_width": 8,
    "n_discriminator": 1,
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-3,
    "betas": (0.0, 0.99),
    "ema_decay": 0.99,
}
"""What the presets of R3GAN's game have in common."""


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig, PresetConfig):
    """DVD-GAN."""

    presets: ClassVar = {
        "small": {},
        "small64": {"rounds": 1_500},
        "relativistic": RELATIVISTIC,
        "relativistic32": RELATIVISTIC | {"gamma": 30.0, "rounds": 2_000},
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

    loss: Literal["hinge", "relativistic"] = "hinge"
    """The game: "hinge", the paper's, with spectral norms and tanh; or "relativistic", with R1 and R2 and neither."""

    gamma: NonNegativeFloat = 1.0
    """Weight of R1 and R2 of each discriminator, in the relativistic game."""

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

    discriminator_width: PositiveInt | None = None
    """Channels of a unit of the discriminators; None for as many as the generator's."""

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
        side = min(spec.shape[-2:])
        low = side <= LARGE_SIDE
        if device == "cpu":
            return "relativistic" if side <= SMALL_SIDE else "relativistic32" if low else "small64"
        return "medium" if low else "large"


class DVDGAN(ConditionalRecipe):
    """Game of a recurrent generator and two discriminators that project, relativistic or of the hinge loss."""

    Config = Config
    data = (Clips,)
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        c, K, hinge = config, len(spec.classes), config.loss == "hinge"
        self.objective = c.loss
        self.generator = Generator(c.latent_dim, spec.shape, c.width, classes=K, embedding=c.embedding, bounded=hinge)
        width = c.discriminator_width or c.width
        self.spatial = SpatialDiscriminator(spec.shape, width, classes=K, frames=c.spatial_frames)
        self.temporal = TemporalDiscriminator(spec.shape, width, classes=K)
        initialise(self)
        if hinge:
            apply_spectral_norm(self.generator, embeddings=False)
            apply_spectral_norm(self.spatial)
            apply_spectral_norm(self.temporal)
        else:
            initialise_he(self.spatial)
            initialise_he(self.temporal)

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
        """Push clips above samples in each discriminator by itself: by pairs of a class, or above 1 and below -1."""
        fake, drawn = self._drawn(batch)
        labels = None if drawn is None or batch.label is None else torch.cat([batch.label, drawn])
        both = torch.cat([batch.real, fake])
        if self.config.loss == "relativistic":
            return self._relativistic_loss(both, labels)
        spatial, temporal = (network(both, labels).chunk(2) for network in self.discriminators())
        log = objectives.discriminator_stats(spatial[0] + temporal[0], spatial[1] + temporal[1])
        return Loss(
            spatial=objectives.hinge_discriminator(*spatial),
            temporal=objectives.hinge_discriminator(*temporal),
            log=log,
        )

    def generator_loss(self, batch: Clips) -> Loss:
        """Raise the logits of samples with their labels in both discriminators, above those of clips in pairs."""
        fake, labels = self._drawn(batch)
        spatial, temporal = (network(fake, labels) for network in self.discriminators())
        if self.config.loss == "hinge":
            return Loss(
                spatial=objectives.hinge_generator(spatial),
                temporal=objectives.hinge_generator(temporal),
            )
        of_frames, of_motion = (network(batch.real, batch.label) for network in self.discriminators())
        return Loss(
            spatial=objectives.relativistic_generator(of_frames, spatial),
            temporal=objectives.relativistic_generator(of_motion, temporal),
        )

    def _relativistic_loss(self, both: Tensor, labels: Tensor | None) -> Loss:
        """Compare clips and samples in pairs, with R1 and R2 (Huang et al. 2024, eq. 2 and section 2.3)."""
        (spatial, steep), (temporal, steeper) = (
            logits_and_slopes(lambda x, network=network: network(x, labels), both) for network in self.discriminators()
        )
        (real, fake), (real_motion, fake_motion) = spatial.chunk(2), temporal.chunk(2)
        return Loss(
            spatial=objectives.relativistic_discriminator(real, fake),
            temporal=objectives.relativistic_discriminator(real_motion, fake_motion),
            penalty=self.config.gamma * (steep.mean() + steeper.mean()),  # gamma / 2 of each of two halves
            log=objectives.relativistic_stats(real + real_motion, fake + fake_motion),
        )

    def generate(self, latent: Tensor, labels: Tensor | None) -> Tensor:
        """Map latents (N, Z), and labels (N,) where the data have them, to clips (N, T, C, H, W), clipped."""
        return super().generate(latent, labels).clamp(-1, 1)

    def _drawn(self, batch: Clips) -> tuple[Tensor, Tensor | None]:
        """Return as many samples as a batch, not clipped, and their labels (N,): its own where pairs are compared."""
        labels = batch.label if self.config.loss == "relativistic" else self.classes_of(len(batch))
        latent = self.prior(len(batch))
        return self.generator(latent) if labels is None else self.generator(latent, labels), labels


def initialise(network: nn.Module) -> None:
    """Draw orthogonal weights of convolutions and dense layers; embeddings and biases stay as PyTorch draws them."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d | nn.Linear):
            nn.init.orthogonal_(layer.weight)


def initialise_he(network: nn.Module) -> None:
    """Draw weights of convolutions by He et al. 2015, and an embedding of classes from N(0, 1 / F); biases are 0."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear" if layer.kernel_size[0] == 1 else "relu")
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        elif isinstance(layer, nn.Embedding):
            nn.init.normal_(layer.weight, std=layer.embedding_dim**-0.5)
