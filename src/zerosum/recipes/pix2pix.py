"""Image-to-image translation from pairs (Isola et al. 2017): labels to photographs, edges to objects, gray to colour.

The generator is a U-Net, and a discriminator that sees source and result together judges every patch of 70x70 pixels;
an L1 term keeps the result near the target. The only noise is dropout, in training and in use.

Paper: https://arxiv.org/abs/1611.07004

Differs from the paper: the networks' batch norm takes each image's own statistics whatever the batch (in the paper it
does so in use, and in training with its usual batch of 1), so that a result does not depend on what else is translated;
the innermost layer has no norm, which would zero its single pixel; a U-Net of as many halvings as the size allows, up
to the paper's 8, in place of one for 256x256 images; the crop's place is not rounded to whole pixels; the
generator moves first, so that both moves share one translation. On a CPU the default is half as wide and shorter, with
a learning rate that falls (--preset paper has the paper's).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import interpolate

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Pairs
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.patchgan import PatchDiscriminator
from zerosum.networks.unet import UNet, unet_depth
from zerosum.optim.schedules import constant_then_linear
from zerosum.player import Clock, Player
from zerosum.tasks import PresetConfig, TranslationConfig, TranslationRecipe


@dataclass(frozen=True, kw_only=True)
class Config(TranslationConfig, PresetConfig):
    """Image-to-image translation from pairs."""

    presets: ClassVar = {"small": {"rounds": 14_000, "width": 32, "lr_hold": 0.5}, "paper": {}}

    rounds: PositiveInt = 80_000
    """Rounds to play: in the paper 200 epochs of 400 facades, one at a time (appendix 6.2)."""

    width: PositiveInt = 64
    """Channels of the narrowest layers of both networks; the widest have 8 times as many."""

    layers: NonNegativeInt = 3
    """Layers of stride 2 of the discriminator: 0 to 5 judge patches of 1, 16, 34, 70, 142 and 286 pixels a side."""

    l1: NonNegativeFloat = 100.0
    """Weight of the L1 distance between result and target (lambda in eq. 4)."""

    dropout: Fraction = 0.5
    """Share of values dropped in the first three layers of the decoder, in use too; 0 makes results repeat."""

    lr: PositiveFloat = 2e-4
    """Learning rate of both Adams (section 3.3)."""

    lr_hold: Fraction = 1.0
    """Share of the rounds that keep the learning rate, before it falls in a line to 0; 0.5 in the later code."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments (section 3.3)."""

    ema_decay: Fraction = 0.0
    """Decay of a running average of the generator's weights, which then is what translates; 0 keeps none."""


class Pix2Pix(TranslationRecipe):
    """Conditional game of a U-Net and a PatchGAN, with an L1 term."""

    Config = Config
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        source = spec.source_shape or spec.shape
        self.factor = spec.factor
        self.generator = UNet(
            source[0], spec.shape[0], width=config.width, depth=unet_depth(spec.shape), dropout=config.dropout
        )
        judged = (source[0] + spec.shape[0], *spec.shape[1:])
        self.discriminator = PatchDiscriminator(judged, config.width, layers=config.layers, affine=True)

    @property
    def size_multiple(self) -> int:
        """What both sides of a source must be a multiple of, in pixels."""
        return max(1, self.generator.multiple // self.factor)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.discriminator,)

    def real_inputs(self, batch: Pairs) -> tuple[Tensor, ...]:
        """Return the true pairs, as the discriminator takes them: (N, C' + C, H, W)."""
        return (self._joined(batch.source, batch.target),)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "discriminator": Player.adam(
                self.discriminator, role="discriminator", lr=c.lr, betas=c.betas, schedule=self._schedule
            ),
            "generator": Player.adam(
                self.generator,
                role="generator",
                lr=c.lr,
                betas=c.betas,
                schedule=self._schedule,
                ema_decay=c.ema_decay or None,
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move the generator, then the discriminator, who sees the images that the generator was moved by."""
        batch = game.draw()
        made = game.move("generator", self.generator_loss, batch).outputs["made"]
        game.move("discriminator", self.discriminator_loss, batch, made=made)

    def discriminator_loss(self, batch: Pairs, *, made: Tensor) -> Loss:
        """Tell true pairs from made ones, at half the weight to slow it down (section 3.3)."""
        real, fake = self._judge(batch.source, batch.target), self._judge(batch.source, made)
        return Loss(
            adversarial=objectives.logistic_discriminator(real, fake) / 2,
            log=objectives.discriminator_stats(real, fake),
        )

    def generator_loss(self, batch: Pairs) -> Loss:
        """Pass for a true pair, and stay near the target (eq. 4)."""
        made = self.translate(batch.source)
        distance = (batch.target - made.float()).abs().mean()
        return Loss(
            adversarial=objectives.non_saturating_generator(self._judge(batch.source, made)),
            reconstruction=self.config.l1 * distance,
            log={"l1": distance},
            outputs={"made": made},
        )

    def translate(self, images: Tensor) -> Tensor:
        """Make (N, C, H, W) images from sources (N, C', H', W'), small ones enlarged to the targets' size first."""
        return self.generator(self._enlarged(images))

    def _judge(self, source: Tensor, image: Tensor) -> Tensor:
        return self.discriminator(self._joined(source, image))

    def _joined(self, source: Tensor, image: Tensor) -> Tensor:
        return torch.cat([self._enlarged(source), image.to(source.dtype)], dim=1)

    def _enlarged(self, source: Tensor) -> Tensor:
        return source if self.factor == 1 else interpolate(source, scale_factor=float(self.factor), mode="nearest")

    def _schedule(self, clock: Clock) -> dict[str, float]:
        return {"lr": self.config.lr * constant_then_linear(clock.progress, hold=self.config.lr_hold)}
