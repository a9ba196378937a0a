"""Progressive growing (Karras et al. 2018): both networks start at 4x4 pixels and grow by one resolution at a time.

A new resolution is faded in over many images, the real ones blurred as much as the generated, then stabilised. Every
phase is cheap until the last: layers above the present resolution do not run. The critic sees how varied its batch is
(minibatch standard deviation), weights are scaled in use (equalised learning rate), and the generator's features are
normalised at every pixel; the losses are those of WGAN-GP.

Paper: https://arxiv.org/abs/1710.10196

Differs from the paper: sized for a CPU by default: narrow networks (--base 8192 --max-channels 512 --latent-dim 512
are the paper's), phases of tens instead of 800 thousand images (--stabilise-kimg 800 --fade-kimg 800), and batches
that are larger at small resolutions (--batch-doublings 0 keeps the paper's 16), as in the authors' later settings;
optimizers start afresh where layers are added, not also (as in the authors' code) where they have faded in. The
critic averages over 2x2 pixels before its activation, and standard deviations are over 4 samples, as in their code.
Images of any size that can be halved down to 4 to 8 pixels are grown from there, and samples are clipped to [-1, 1].
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional

from zerosum.config import Fraction
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.layers.equalised import EqualisedConv2d, EqualisedDownsampleConv, EqualisedLinear, EqualisedUpsampleConv
from zerosum.layers.minibatch_stddev import append_deviation
from zerosum.layers.pixel_norm import pixel_norm
from zerosum.loss import Loss
from zerosum.networks.dcgan import halvings
from zerosum.objectives import wasserstein_critic, wasserstein_generator
from zerosum.penalties import gradient_penalty
from zerosum.player import Clock, Player
from zerosum.recipe import Phase
from zerosum.tasks import Decoder, LatentConfig, LatentRecipe


@dataclass(frozen=True, kw_only=True)
class Config(LatentConfig):
    """Progressive growing."""

    rounds: PositiveInt = 14_000
    """Rounds to play in all; those that growing leaves go to the full size. Where growing takes them all, samples stay
    at the size that was reached, enlarged."""

    batch: PositiveInt = 16
    """Real samples per draw at the full size, over all processes (appendix A.1)."""

    batch_doublings: NonNegativeInt = 2
    """How many times the batch is doubled at smaller sizes, once for each halving."""

    stabilise_kimg: PositiveFloat = 40.0
    """Thousands of images between the end of a fade and the next (800 in section 3)."""

    fade_kimg: PositiveFloat = 40.0
    """Thousands of images over which a new resolution is faded in (800 in section 3)."""

    latent_dim: PositiveInt = 64
    """Values in a latent vector, which is normalised to mean square 1 (512 in the paper)."""

    base: PositiveInt = 512
    """Channels at the s-th resolution are this / 2^s, counted from 1 at the smallest (8192 in the authors' code)."""

    max_channels: PositiveInt = 64
    """Most channels at any resolution (512 in the paper)."""

    minibatch_group: PositiveInt = 4
    """Neighbours in a batch whose standard deviation the critic sees (16 in the paper)."""

    penalty: NonNegativeFloat = 10.0
    """Weight of the gradient penalty (section 5)."""

    slope: PositiveFloat = 1.0
    """Slope at which the penalty holds the critic (gamma in appendix A.1; 750 for CIFAR-10)."""

    drift: NonNegativeFloat = 0.001
    """Weight of the critic's squared values of real images, which keeps them near 0 (appendix A.1)."""

    lr: PositiveFloat = 0.001
    """Learning rate of both Adams (appendix A.1)."""

    betas: tuple[Fraction, Fraction] = (0.0, 0.99)
    """Decay of Adam's two moments (appendix A.1)."""

    ema_decay: Fraction = 0.999
    """Decay of the running average of the generator's weights, which is what samples (appendix A.1)."""


class ProGAN(LatentRecipe):
    """Wasserstein game of two networks that grow. A level counts resolutions, from 0 at the smallest."""

    Config = Config
    data = (Images,)
    objective = "wasserstein"
    config: Config
    lod: Tensor
    """(), level of detail: how many halvings below the full size, with the fade as its fraction (section 3)."""

    def __init__(self, config: Config, spec: Spec) -> None:
        super().__init__(config, spec)
        self.minibatch_group = config.minibatch_group
        self.depth, *start = halvings(spec.shape)
        widths = channels(config.base, config.max_channels, self.depth)
        self.generator = Generator(config.latent_dim, spec.shape[0], widths, (start[0], start[1]))
        self.critic = Critic(spec.shape[0], widths, (start[0], start[1]), config.minibatch_group)
        self.register_buffer("lod", torch.tensor(float(self.depth)))
        self._played = (0, 1.0)

    def discriminators(self) -> tuple[nn.Module, ...]:
        """Return the networks that samples enter on their way to a logit."""
        return (self.critic,)

    def real_inputs(self, batch: Images) -> tuple[Tensor, ...]:
        """Return images as this round shows them to the critic, (N, C, H, W) of its level."""
        level, fade = self._played
        return (blurred(shrunk(batch.real, self.depth - level), fade),)

    def players(self) -> dict[str, Player]:
        """Return the two."""
        c = self.config
        return {
            "critic": Player.adam(self.critic, role="discriminator", lr=c.lr, betas=c.betas),
            "generator": Player.adam(self.generator, role="generator", lr=c.lr, betas=c.betas, ema_decay=c.ema_decay),
        }

    def phases(self) -> Sequence[Phase]:
        """Return as many rounds of `growth` as are to be played."""
        plan, left = [], self.config.rounds
        for phase in self.growth():
            if left > 0:
                plan.append(replace(phase, rounds=min(left, phase.rounds)))
                left -= phase.rounds
        return plan

    def growth(self) -> Iterator[Phase]:
        """Stabilise the smallest size, then fade in and stabilise each larger one; new layers find no old moments."""
        c = self.config
        for level in range(self.depth + 1):
            size = "x".join(str(side >> (self.depth - level)) for side in self.spec.shape[1:])
            phase = partial(Phase, play=self.round, batch=self._batch(level))
            if level > 0:
                rounds = self._rounds(c.fade_kimg, level)
                yield phase(name=f"fade in {size}", rounds=rounds, reset_optimizers=("critic", "generator"))
            rounds = c.rounds if level == self.depth else self._rounds(c.stabilise_kimg, level)
            yield phase(name=f"stabilise {size}", rounds=rounds)

    def stage(self, clock: Clock) -> tuple[int, float]:
        """Return the level that is played now, and how far it has faded in, from 0 to 1.

        The share is of the whole fade, which a run of few rounds may not play to its end.
        """
        level = (clock.phase + 1) // 2
        fading = clock.phase % 2 == 1
        return level, clock.phase_round / self._rounds(self.config.fade_kimg, level) if fading else 1.0

    def round(self, game: Game[Any]) -> None:
        """Move the critic, then the generator, at the present level."""
        level, fade = self._played = self.stage(game.clock)
        self.lod.fill_(self.depth - level + 1 - fade)
        batch = game.draw()
        game.move("critic", self.critic_loss, batch, level=level, fade=fade)
        game.move("generator", self.generator_loss, batch, level=level, fade=fade)

    def critic_loss(self, batch: Images, *, level: int, fade: float) -> Loss:
        """Part the critic's values of data and samples, its slope and its values of data held (appendix A.1)."""
        c, critic = self.config, partial(self.critic, level=level, fade=fade)
        real = blurred(shrunk(batch.real, self.depth - level), fade)
        fake = self.generator(self.prior(len(batch)), level, fade)
        value_real, value_fake = critic(torch.cat([real, fake])).float().chunk(2)
        return Loss(
            wasserstein=wasserstein_critic(value_real, value_fake),
            penalty=c.penalty / c.slope**2 * gradient_penalty(critic, real, fake, target=c.slope),
            drift=c.drift * value_real.square().mean(),
            log={"real": value_real, "fake": value_fake, "distance": value_real.mean() - value_fake.mean()},
        )

    def generator_loss(self, batch: Images, *, level: int, fade: float) -> Loss:
        """Raise the critic's value of samples."""
        fake = self.generator(self.prior(len(batch)), level, fade)
        return Loss(wasserstein=wasserstein_generator(self.critic(fake, level, fade)))

    def sample(self, n: int, *, latent: Tensor | None = None, truncation: float | None = None) -> Tensor:
        """Generate (n, *shape) samples, with the detail reached so far.

        Args:
            n: how many.
            latent: (n, Z) latents; fresh draws of the prior by default.
            truncation: redraw the latents' values beyond this bound: below 2, more typical samples of less variety.
        """
        return self.decoder()(self.latents(n, latent, truncation), None)

    def decoder(self) -> Decoder:
        """Return the function that maps latents (N, Z) to samples (N, *shape) with the detail reached so far."""
        lod = self.lod.item()
        level = math.ceil(self.depth - lod)
        fade = 1 - (lod - (self.depth - level))

        def decode(latent: Tensor, labels: Tensor | None) -> Tensor:
            return enlarged(self.generator(latent, level, fade), self.depth - level).clamp(-1, 1)

        return decode

    def _batch(self, level: int) -> int:
        return self.config.batch << min(self.depth - level, self.config.batch_doublings)

    def _rounds(self, kimg: float, level: int) -> int:
        return max(1, round(1000 * kimg / self._batch(level)))


class Generator(nn.Module):
    """Latents to images of any level: a dense layer to the smallest map, then blocks that double it.

    Args:
        latent: values in a latent.
        colours: channels of an image.
        widths: channels of the maps of each level.
        start: (H, W) of the smallest map.
    """

    def __init__(self, latent: int, colours: int, widths: Sequence[int], start: tuple[int, int]) -> None:
        super().__init__()
        self.start = (widths[0], *start)
        # the gain in the authors' code: that of a 4x4 convolution, whose fan-in is 16 times this
        self.dense = EqualisedLinear(latent, math.prod(self.start), bias=False, gain=math.sqrt(2) / 4)
        self.bias = nn.Parameter(torch.zeros(widths[0], 1, 1))
        self.first = EqualisedConv2d(widths[0], widths[0], padding=1)
        self.blocks = nn.ModuleList(
            nn.ModuleList([EqualisedUpsampleConv(before, width), EqualisedConv2d(width, width, padding=1)])
            for before, width in pairwise(widths)
        )
        self.to_image = nn.ModuleList(EqualisedConv2d(width, colours, 1, gain=1) for width in widths)

    def forward(self, latent: Tensor, level: int, fade: float = 1.0) -> Tensor:
        """Map (N, Z) to (N, C, H, W) of `level`; `fade` below 1 mixes in the level below, doubled."""
        maps = before = self._first_map(pixel_norm(latent))
        for block in self.blocks[:level]:  # type: ignore[index]
            before = maps
            for layer in block:  # type: ignore[attr-defined]
                maps = _normed(layer(maps))
        image = self.to_image[level](maps)
        if level and fade < 1:
            image = torch.lerp(enlarged(self.to_image[level - 1](before)), image, fade)
        return image

    def _first_map(self, latent: Tensor) -> Tensor:
        maps = self.dense(latent).view(-1, *self.start) + self.bias
        return _normed(self.first(_normed(maps)))


class Critic(nn.Module):
    """Images of any level to one value each: blocks that halve, down to the smallest map, and the batch's variety.

    Args:
        colours: channels of an image.
        widths: channels of the maps of each level.
        start: (H, W) of the smallest map.
        group: samples whose standard deviation is seen together.
    """

    def __init__(self, colours: int, widths: Sequence[int], start: tuple[int, int], group: int) -> None:
        super().__init__()
        self.group = group
        self.from_image = nn.ModuleList(EqualisedConv2d(colours, width, 1) for width in widths)
        self.blocks = nn.ModuleList(
            nn.ModuleList([EqualisedConv2d(width, width, padding=1), EqualisedDownsampleConv(width, after)])
            for after, width in pairwise(widths)
        )
        self.last = EqualisedConv2d(widths[0] + 1, widths[0], padding=1)
        self.dense = EqualisedConv2d(widths[0], widths[0], start)
        self.value = EqualisedLinear(widths[0], 1, gain=1)

    def forward(self, image: Tensor, level: int, fade: float = 1.0) -> Tensor:
        """Map (N, C, H, W) of `level` to (N,); `fade` below 1 mixes in what the level below sees."""
        maps = self._read(image, level)
        for index in reversed(range(level)):
            for layer in self.blocks[index]:  # type: ignore[attr-defined]
                maps = _rectified(layer(maps))
            if index == level - 1 and fade < 1:
                maps = torch.lerp(self._read(shrunk(image), index), maps, fade)
        maps = _rectified(self.last(append_deviation(maps, self.group)))
        return self.value(_rectified(self.dense(maps)).flatten(1)).flatten()

    def _read(self, image: Tensor, level: int) -> Tensor:
        return _rectified(self.from_image[level](image))


def channels(base: int, widest: int, depth: int) -> list[int]:
    """Return the channels at levels 0 to `depth`: nf(s) = min(base / 2^s, widest) with s = level + 1.

    >>> channels(8192, 512, 5)
    [512, 512, 512, 512, 256, 128]
    """
    return [max(1, min(base >> (level + 1), widest)) for level in range(depth + 1)]


def shrunk(image: Tensor, halvings: int = 1) -> Tensor:
    """Average over squares of 2^halvings pixels: (N, C, H, W) -> (N, C, H / 2^halvings, W / 2^halvings)."""
    return functional.avg_pool2d(image, 2**halvings) if halvings else image


def enlarged(image: Tensor, doublings: int = 1) -> Tensor:
    """Repeat each pixel, so that nothing shows at the seam of two phases: (N, C, H, W) -> (N, C, 2H, 2W) if once."""
    return functional.interpolate(image, scale_factor=float(2**doublings), mode="nearest") if doublings else image


def blurred(image: Tensor, fade: float) -> Tensor:
    """Show real images (N, C, H, W) as a fade shows generated ones: at 0 every 2x2 pixels are their mean."""
    return image if fade == 1 else torch.lerp(enlarged(shrunk(image)), image, fade)


def _rectified(features: Tensor) -> Tensor:
    return functional.leaky_relu(features, 0.2)


def _normed(features: Tensor) -> Tensor:
    return pixel_norm(_rectified(features))
