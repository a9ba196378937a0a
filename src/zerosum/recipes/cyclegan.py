"""Translation without pairs (Zhu et al. 2017): horses to zebras and back, from two sets of pictures.

G maps domain A to B, F maps B to A, and a discriminator guards each domain. What ties a result to its source is that
translating it back must give the source again: F(G(a)) = a and G(F(b)) = b.

Paper: https://arxiv.org/abs/1703.10593

Differs from the paper: the identity term is on, at half the weight of the cycle term, as in the authors' later code
(the paper has it for paintings alone); the crop's place is not rounded to whole pixels. On a CPU the default is half
as wide and plays a twentieth of the rounds (--preset paper has the paper's).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn

from zerosum import objectives
from zerosum.config import Fraction
from zerosum.data.batch import Domains
from zerosum.data.options import Direction
from zerosum.data.packing.bit_depth import exchanged
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.image_pool import ImagePool
from zerosum.loss import Loss
from zerosum.networks.patchgan import PatchDiscriminator
from zerosum.networks.resnet_generator import MULTIPLE, SMALLEST, ResidualGenerator
from zerosum.optim.schedules import constant_then_linear
from zerosum.player import Clock, Player
from zerosum.tasks import PresetConfig, TranslationConfig, TranslationRecipe


@dataclass(frozen=True, kw_only=True)
class Config(TranslationConfig, PresetConfig):
    """Translation without pairs."""

    presets: ClassVar = {"small": {"rounds": 10_000, "width": 32}, "paper": {}}

    rounds: PositiveInt = 200_000
    """Rounds to play: in the paper 200 epochs of about 1,000 images, one at a time (appendix 7.1)."""

    width: PositiveInt = 64
    """Channels of the narrowest layers of all networks."""

    blocks: PositiveInt | None = None
    """Residual blocks of the generators; by default 9 from 256 pixels on and 6 below (appendix 7.2)."""

    layers: NonNegativeInt = 3
    """Layers of stride 2 of the discriminators: 0 to 5 judge patches of 1, 16, 34, 70, 142 and 286 pixels a side."""

    cycle: NonNegativeFloat = 10.0
    """Weight of the distance between an image and its translation there and back (lambda in eq. 3)."""

    identity: NonNegativeFloat = 0.5
    """Weight, times that of the cycle, of the distance between an image and its translation into its own domain."""

    pool: NonNegativeInt = 50
    """Generated images that are kept of each domain to show the discriminators again (section 4)."""

    lr: PositiveFloat = 2e-4
    """Learning rate of both Adams (section 4)."""

    lr_hold: Fraction = 0.5
    """Share of the rounds that keep the learning rate, before it falls in a line to 0 (section 4)."""

    betas: tuple[Fraction, Fraction] = (0.5, 0.999)
    """Decay of Adam's two moments (appendix 7.1)."""

    ema_decay: Fraction = 0.0
    """Decay of a running average of the generators' weights, which then are what translates; 0 keeps none."""


class CycleGAN(TranslationRecipe):
    """Two games of least squares, tied by the cycle. The pools are one, so that a batch is played whole."""

    Config = Config
    data = (Domains,)
    divisible = False
    config: Config

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        a, b = spec.source_shape or spec.shape, spec.shape
        if a != b:
            raise InputError(
                f"The domains' images are {a} and {b} (C, H, W): give them one shape by --size, --channels."
            )
        blocks = config.blocks or (9 if min(a[1:]) >= 256 else 6)
        self.a_to_b = ResidualGenerator(a, b[0], width=config.width, blocks=blocks)
        self.b_to_a = ResidualGenerator(b, a[0], width=config.width, blocks=blocks)
        self.discriminator_a = PatchDiscriminator(a, config.width, layers=config.layers, affine=False)
        self.discriminator_b = PatchDiscriminator(b, config.width, layers=config.layers, affine=False)
        self.pool_a, self.pool_b = ImagePool(config.pool, a), ImagePool(config.pool, b)

    @property
    def size_multiple(self) -> int:
        """What both sides of an image must be a multiple of, in pixels."""
        return MULTIPLE

    @property
    def min_size(self) -> int:
        """Side of the smallest image that the generators take, in pixels."""
        return SMALLEST

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return that of A and that of B."""
        return self.discriminator_a, self.discriminator_b

    def real_inputs(self, batch: Domains) -> tuple[Tensor, ...]:
        """Return images of A and of B, both (N, C, H, W)."""
        return batch.a, batch.b

    def players(self) -> dict[str, Player]:
        """Return the two, each with two networks."""
        c, schedule = self.config, self._schedule
        return {
            "generators": Player.adam(
                self.a_to_b,
                self.b_to_a,
                role="generator",
                lr=c.lr,
                betas=c.betas,
                schedule=schedule,
                ema_decay=c.ema_decay or None,
            ),
            "discriminators": Player.adam(
                self.discriminator_a,
                self.discriminator_b,
                role="discriminator",
                lr=c.lr,
                betas=c.betas,
                schedule=schedule,
            ),
        }

    def round(self, game: Game[Any]) -> None:
        """Move both generators, then both discriminators."""
        batch = game.draw()
        made = game.move("generators", self.generators_loss, batch).outputs
        game.move("discriminators", self.discriminators_loss, batch, **made)

    def generators_loss(self, batch: Domains) -> Loss:
        """Pass for the other domain (eq. 1, with squares: section 4), come back (eq. 2), leave one's own as it is."""
        a, b, c = batch.a, batch.b, self.config
        own = bool(c.identity)
        fake_b, *same_b = _together(self.a_to_b, *((a, b) if own else (a,)))
        fake_a, *same_a = _together(self.b_to_a, *((b, a) if own else (b,)))
        cycle = _distance(self.b_to_a(fake_b), a) + _distance(self.a_to_b(fake_a), b)
        loss = Loss(
            adversarial=_passing(self.discriminator_a(fake_a)) + _passing(self.discriminator_b(fake_b)),
            cycle=c.cycle * cycle,
            log={"cycle_l1": cycle / 2},
            outputs={"fake_a": fake_a, "fake_b": fake_b},
        )
        if own:
            loss["identity"] = c.identity * c.cycle * (_distance(same_b[0], b) + _distance(same_a[0], a))
        return loss

    def discriminators_loss(self, batch: Domains, *, fake_a: Tensor, fake_b: Tensor) -> Loss:
        """Tell each domain from translations into it, new ones or those of the pool."""
        real_a, made_a = _together(self.discriminator_a, batch.a, self.pool_a(fake_a))
        real_b, made_b = _together(self.discriminator_b, batch.b, self.pool_b(fake_b))
        return Loss(
            log=objectives.discriminator_stats(torch.cat([real_a, real_b]), torch.cat([made_a, made_b]), threshold=0.5),
            a=objectives.least_squares_discriminator(real_a, made_a),
            b=objectives.least_squares_discriminator(real_b, made_b),
        )

    def translate(self, images: Tensor, *, direction: Direction = "AtoB") -> Tensor:
        """Translate (N, C, H, W) images into the other domain.

        Args:
            images: of one domain.
            direction: AtoB for images of A, the first folder; BtoA for images of B.
        """
        return (self.a_to_b if direction == "AtoB" else self.b_to_a)(images)

    def spec_for(self, chosen: Mapping[str, Any]) -> Spec:
        """Return the spec of the data, or of the way back: its images are of one shape, and may differ in range."""
        way_back = chosen.get("direction") == "BtoA"
        return replace(self.spec, range=exchanged(self.spec.range)) if way_back else self.spec

    def fake_and_real(self, batch: Domains) -> tuple[Tensor, Tensor]:
        """Return translations into B, and images of B, both (N, C, H, W)."""
        return self.translate(batch.a), batch.b

    def preview_columns(self, batch: Domains) -> tuple[Tensor, ...]:
        """Return the columns of a preview, each (N, C, H, W): a, G(a), F(G(a)), b, F(b), G(F(b))."""
        there, here = self.translate(batch.a), self.translate(batch.b, direction="BtoA")
        back, forth = self.translate(there, direction="BtoA"), self.translate(here)
        return batch.a, there, back, batch.b, here, forth

    def _schedule(self, clock: Clock) -> dict[str, float]:
        return {"lr": self.config.lr * constant_then_linear(clock.progress, hold=self.config.lr_hold)}


def _together(network: nn.Module, *images: Tensor) -> tuple[Tensor, ...]:
    """Run several batches (N, C, H, W) through a network at once: instance norm sees each image alone either way."""
    return network(torch.cat(images)).chunk(len(images))


def _passing(verdicts: Tensor) -> Tensor:
    """Squared distance from being called real: twice the halved one of least squares GAN."""
    return 2 * objectives.least_squares_generator(verdicts)


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """Mean absolute difference, in float32."""
    return (one.float() - other.float()).abs().mean()
