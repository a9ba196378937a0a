"""The game of the DCGAN tutorial whose log collapses, as a recipe of one's own: its networks, rates, labels and loss.

Differs from the tutorial: the discriminator sees the generated images twice in a round, with other values dropped;
both players still move by gradients of the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images, Points
from zerosum.data.spec import Spec
from zerosum.loss import Loss
from zerosum.networks.dcgan import ConvolutionalGenerator
from zerosum.player import Player
from zerosum.recipes.dcgan import DCGAN
from zerosum.recipes.dcgan import Config as DCGANConfig

CLIP, BATCH_NORM_EPSILON, ADAM_EPSILON = 1e-7, 1e-3, 1e-7
"""Keras' constants: probabilities are clipped to [1e-7, 1 - 1e-7], and 1e-7 is added before the logarithm."""


@dataclass(frozen=True, kw_only=True)
class Config(DCGANConfig):
    """DCGAN as the tutorial has it."""

    dropout: Fraction = 0.3
    real_label: tuple[float, float] = (1.0, 1.1)
    fake_label: tuple[float, float] = (-0.1, 0.0)
    ema_decay: Fraction = 0.0

    loss: Literal["probabilities", "logits"] = "probabilities"
    """Cross-entropy of clipped probabilities, or of logits."""

    initial_weights: Literal["glorot", "normal"] = "glorot"
    """As Keras draws them (Glorot and Bengio 2010, equation 16), or DCGAN's N(0, 0.02)."""


class Tutorial(DCGAN):
    """Minimax game on cross-entropy of clipped probabilities."""

    Config = Config
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator = ConvolutionalGenerator(config.latent_dim, spec.shape, config.width, slope=0.2)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = BATCH_NORM_EPSILON
        if config.initial_weights == "glorot":
            self._draw_as_keras()

    def _draw_as_keras(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.xavier_uniform_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)

    def players(self) -> dict[str, Player]:
        """Return the two, with Keras' epsilon."""
        players = super().players()
        for player in players.values():
            for group in player.optimizer.param_groups:
                group["eps"] = ADAM_EPSILON
        return players

    def discriminator_loss(self, batch: Images | Points, *, samples: Tensor) -> Loss:
        """Tell data from samples: the mean of both cross-entropies."""
        real, fake = self.discriminator(batch.real), self.discriminator(samples)
        config = self.config
        of_real = self.cross_entropy(real, self._labels(len(batch), config.real_label))
        of_fake = self.cross_entropy(fake, self._labels(len(batch), config.fake_label))
        return Loss(adversarial=(of_real + of_fake) / 2, log=objectives.discriminator_stats(real, fake))

    def generator_loss(self, batch: Images | Points) -> Loss:
        """Maximise log D(G(z))."""
        samples = self.sample(len(batch))
        fake = self.discriminator(samples)
        return Loss(adversarial=self.cross_entropy(fake, fake.new_ones(fake.shape)), outputs={"samples": samples})

    def cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy of logits (N,) and labels (N,), which may lie outside [0, 1]."""
        logits, labels = objectives.to_float32(logits), objectives.to_float32(labels)
        if self.config.loss == "logits":
            return binary_cross_entropy_with_logits(logits, labels)
        p = logits.sigmoid().clamp(CLIP, 1 - CLIP)  # torch's own on probabilities refuses labels outside [0, 1]
        return -(labels * (p + CLIP).log() + (1 - labels) * (1 - p + CLIP).log()).mean()
