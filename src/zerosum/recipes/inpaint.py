"""Inpainting by a context encoder (Pathak et al. 2016): what belongs in the hole of an image, from what is around it.

The generator sees the image, gray where pixels are missing, and the mask that says so; what it makes is used in the
hole alone, and every known pixel stays as it is. It is held to the missing pixels by their squared distance, which
gives the right structure but blurs, and to a discriminator of completed images, which does not let blur pass.

Paper: https://arxiv.org/abs/1604.07379

Differs from the paper: the generator is shown the mask, so that gray pixels and missing ones differ; one network fills
holes of any form at the image's full size, so that the discriminator judges the completed image (in the paper, for the
central hole, the content of the hole alone); as many halvings as the size allows, not five of 128x128 alone; free-form
holes are strokes (Yu et al. 2019) in place of the outlines of segmented objects; the bottleneck has no batch norm,
which a single image has no statistics for; the squared distance is divided by the weights of the hole and its rim (in
the authors' code by the whole window, where a small hole weighs less); the generator moves first, and the discriminator
sees the images that it was moved by; a running average of the generator is what fills. On a CPU the default is half as
wide, with a bottleneck of 1,000 units (--preset paper has the paper's).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.masks import NUMBERS, Kind, masks
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.loss import Loss
from zerosum.networks.context_encoder import ContextEncoder
from zerosum.networks.dcgan import ConvolutionalDiscriminator
from zerosum.player import Player
from zerosum.runtime import rng
from zerosum.tasks import InpaintingRecipe, PresetConfig


@dataclass(frozen=True, kw_only=True)
class Config(PresetConfig):
    """Inpainting."""

    presets: ClassVar = {
        "small": {"rounds": 5_000, "width": 32, "bottleneck": 1000, "overlap_weight": 1.0, "ema_decay": 0.99},
        "paper": {},
    }

    rounds: PositiveInt = 20_000
    """Rounds to play."""

    mask: Kind = "mixed"
    """Holes to train on (section 3.3): center, the middle half of both sides; block, up to four rectangles anywhere;
    free, strokes of a brush; mixed, each of these for a third of the images."""

    width: PositiveInt = 64
    """Channels of the narrowest layers of both networks; the widest have 8 times as many."""

    bottleneck: NonNegativeInt = 4000
    """Units in the middle of the generator; 0 connects each channel within itself in place of all with all, which has
    far fewer weights (section 3.1)."""

    reconstruction: NonNegativeFloat = 0.999
    """Weight of the squared distance in the hole (eq. 3)."""

    adversarial: NonNegativeFloat = 0.001
    """Weight of the adversarial term (eq. 3)."""

    overlap: Fraction = 7 / 128
    """Width of the rim of known pixels around the hole that are to be made too, so that no seam shows, as a share of
    the shorter side; 0 for none (section 5.1)."""

    overlap_weight: NonNegativeFloat = 10.0
    """Weight of a pixel of that rim, where one in the hole has 1 (section 5.1)."""

    generator_lr: PositiveFloat = 2e-3
    """Learning rate of the generator's Adam, 10 times the discriminator's (section 5.1)."""

    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator's Adam."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what fills holes."""

    mirror: Fraction = 0.5
    """Share of the draws that are mirrored left to right; 0 where left and right are not alike."""


class Inpaint(InpaintingRecipe):
    """Game of a context encoder and a discriminator of completed images."""

    Config = Config
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.generator = ContextEncoder(spec.shape[0] + 1, spec.shape, width=config.width, bottleneck=config.bottleneck)
        self.discriminator = ConvolutionalDiscriminator(spec.shape, config.width)
        self.rim = round(config.overlap * min(spec.shape[1:]))

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
        """Move the generator, then the discriminator, who sees the images that were completed meanwhile."""
        batch = game.draw()
        completed = game.move("generator", self.generator_loss, batch).outputs["completed"]
        game.move("discriminator", self.discriminator_loss, batch, completed=completed)

    def generator_loss(self, batch: Images) -> Loss:
        """Find what is missing, and pass for an image without a hole (eq. 3)."""
        c, image = self.config, batch.image
        mask = self.holes(len(batch))
        made = self._made(image, mask)
        completed = torch.where(mask > 0, made, image)
        return Loss(
            reconstruction=c.reconstruction * self.distance(made, image, mask),
            adversarial=c.adversarial * objectives.non_saturating_generator(self.discriminator(completed)),
            log={"l1": ((made - image).abs() * mask).sum((1, 2, 3)) / (mask.sum((1, 2, 3)) * image.shape[1])},
            outputs={"completed": completed},
        )

    def discriminator_loss(self, batch: Images, *, completed: Tensor) -> Loss:
        """Tell images from completed ones; the mask is not shown (eq. 2)."""
        real, fake = self.discriminator(batch.image), self.discriminator(completed)
        return Loss(
            adversarial=objectives.logistic_discriminator(real, fake), log=objectives.discriminator_stats(real, fake)
        )

    def distance(self, made: Tensor, image: Tensor, mask: Tensor) -> Tensor:
        """Mean squared distance in the hole and, with its weight, on the rim around it (eq. 1), of shape ().

        Args:
            made: (N, C, H, W), all of it made.
            image: (N, C, H, W), as it should be.
            mask: (N, 1, H, W), 1 in the hole.
        """
        near = max_pool2d(mask, 2 * self.rim + 1, stride=1, padding=self.rim)
        weight = mask + self.config.overlap_weight * (near - mask)
        squares = ((made - image).square() * weight).sum((1, 2, 3))
        return (squares / (weight.sum((1, 2, 3)) * image.shape[1])).mean()

    def holes(self, n: int) -> Tensor:
        """Draw (n, 1, H, W) masks as in training."""
        height, width = self.spec.shape[1:]
        return masks(self.config.mask, rng.uniform(n, NUMBERS, device=self.device), (height, width))

    def complete(self, images: Tensor, mask: Tensor) -> Tensor:
        """Fill holes: the same function in training, previews, metrics and at use.

        Args:
            images: (N, C, H, W) in [-1, 1]; what they hold where the mask is 1 makes no difference.
            mask: (N, 1, H, W), 1 where pixels are missing and 0 where they are known.

        Returns:
            (N, C, H, W) in [-1, 1], equal to `images` where the mask is 0.
        """
        return torch.where(mask > 0, self._made(images, mask), images)

    def fake_and_real(self, batch: Images) -> tuple[Tensor, Tensor]:
        """Return images completed after holes were drawn, and the images, both (N, C, H, W)."""
        return self.complete(batch.image, self.holes(len(batch))), batch.image

    def preview_columns(self, batch: Images) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): with holes, completed, as it was."""
        mask = self.holes(len(batch))
        return batch.image * (1 - mask), self.complete(batch.image, mask), batch.image

    def _made(self, images: Tensor, mask: Tensor) -> Tensor:
        """Have the generator make all of the images (N, C, H, W), from gray where the mask is 1: float32."""
        known = torch.where(mask > 0, 0.0, images)
        return self.generator(torch.cat([known, mask.expand(images.shape[0], -1, -1, -1)], dim=1)).float()
