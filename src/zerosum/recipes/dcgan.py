"""Deep Convolutional GAN (Radford et al. 2016): the architecture that made GANs train on images.

Convolutions with strides in place of pooling, batch norm in both networks (but at the generator's output and the
discriminator's input), no hidden dense layers, Adam with beta1 = 0.5.

Paper: https://arxiv.org/abs/1511.06434

Differs from the paper: 4x4 kernels and the channel widths of the authors' code (64 to 512) in place of 5x5 and 128 to
1024; latents from N(0, 1) as there; one-sided label smoothing of 0.9 (Salimans et al. 2016), without which the
discriminator becomes sure of itself; the generator moves first in a round, and the discriminator sees the samples
that it was moved by, which saves drawing others; a running average of the generator is what samples.
`upsampling="upsample"` doubles the maps by upsampling and convolution (Odena et al. 2016), which leaves no
checkerboard. On points, which have nothing to convolve, both networks are dense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.norms import Norm
from zerosum.loss import Loss
from zerosum.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator, Upsampling
from zerosum.networks.mlp import Dense
from zerosum.player import Player
from zerosum.runtime import rng
from zerosum.tasks import LatentConfig, LatentRecipe


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """DCGAN."""

    by_kind: ClassVar = {
        "points": {
            "rounds": 5_000,
            "batch": 256,
            "latent_dim": 2,
            "width": 128,
            "generator_lr": 1e-3,
            "discriminator_lr": 1e-3,
            "ema_decay": 0.99,
        }
    }

    batch: PositiveInt = 128
    """Real samples per draw, over all processes (section 4)."""

    upsampling: Upsampling = "transposed"
    """How the generator doubles its maps: by transposed convolutions, or by upsampling and convolution."""

    width: PositiveInt = 64
    """Channels of the narrowest layers; the widest have 8 times as many. On points, the width of the hidden layers."""

    generator_norm: Norm = "batch"
    """Norm after the hidden layers of a generator of images."""

    discriminator_norm: Norm = "batch"
    """Norm after the layers of a discriminator of images but the first."""

    dropout: Fraction = 0.0
    """Share of values dropped after the discriminator's activations; 0.3 where it overpowers the generator."""

    real_label: tuple[float, float] = (0.9, 0.9)
    """Range of the labels that real samples get in the discriminator's move, drawn per sample; 0.9 is smoothing. Labels
    below 0 or above 1 leave the loss without a lower bound, and the logits grow for ever."""

    fake_label: tuple[float, float] = (0.0, 0.0)
    """Range of the labels that generated samples get in the discriminator's move."""

    generator_lr: PositiveFloat = 2e-4
    """Learning rate of the generator's Adam (section 4)."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator's Adam (section 4)."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments (section 4)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples."""


class DCGAN(LatentRecipe):
    """Minimax game of two convolutional networks, the generator with the non-saturating loss."""

    Config = Config
    data = (Images, Points)
    objective = "logistic"
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        if spec.kind == "points":
            self.generator = Dense(config.latent_dim, (config.width,) * 2, spec.shape)
            self.discriminator = Dense(2, (config.width,) * 2, activation="leaky_relu", dropout=config.dropout)
        else:
            self.generator = ConvolutionalGenerator(
                config.latent_dim, spec.shape, config.width, config.upsampling, norm=config.generator_norm
            )
            self.discriminator = ConvolutionalDiscriminator(
                spec.shape, config.width, norm=config.discriminator_norm, dropout=config.dropout
            )

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
        """Move the generator, then the discriminator, who sees the samples that the generator was moved by."""
        batch = game.draw()
        samples = game.move("generator", self.generator_loss, batch).outputs["samples"]
        game.move("discriminator", self.discriminator_loss, batch, samples=samples)

    def discriminator_loss(self, batch: Images | Points, *, samples: Tensor) -> Loss:
        """Tell data from samples; each in a batch of its own, because batch norm tells them apart in a mixed one."""
        real, fake = self.discriminator(batch.real), self.discriminator(samples)
        return Loss(
            adversarial=objectives.labelled_discriminator(
                real,
                fake,
                real_label=self._labels(len(batch), self.config.real_label),
                fake_label=self._labels(len(batch), self.config.fake_label),
            ),
            log=objectives.discriminator_stats(real, fake),
        )

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Maximise log D(G(z))."""
        samples = self.sample(len(batch))
        loss = objectives.non_saturating_generator(self.discriminator(samples))
        return Loss(adversarial=loss, outputs={"samples": samples})

    def _labels(self, n: int, bounds: tuple[float, float]) -> Tensor:
        return rng.uniform(n, device=self.device, low=bounds[0], high=bounds[1])
