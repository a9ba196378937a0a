"""R3GAN's generator and discriminator: residual networks of grouped convolutions without normalisation.

A block is 1x1 convolution to twice the width, 3x3 grouped convolution, 1x1 convolution back; its last weights start at
0, so that it starts as the identity (Zhang et al. 2019, Fixup). Source: Huang et al. 2024, section 3.3 and appendix D
(https://arxiv.org/abs/2501.05441).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conv import Conv2d
from zerosum.layers.grouped_conv import GroupedConv2d
from zerosum.layers.resample import double, halve

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))
"""He's constant for layers before a leaky rectifier."""
EXPANSION = 2
"""Channels within a block, in units of its width."""


class ResidualBlock(nn.Module):
    """x + conv1(act(conv3(act(conv1(x))))), with biases before the activations alone.

    Args:
        width: channels going in and coming out.
        group: channels of a group of the 3x3 convolution; fewer where the block has fewer.
        blocks: of the whole network: the more there are, the smaller its weights start (Fixup's depth to the -1/4).
    """

    def __init__(self, width: int, group: int, blocks: int) -> None:
        super().__init__()
        inner = EXPANSION * width
        self.expand = Conv2d(width, inner, 1)
        self.mix = GroupedConv2d(inner, math.gcd(inner, group))
        self.reduce = Conv2d(inner, width, 1, bias=False)
        for layer in (self.expand, self.mix):
            initialise(layer, GAIN * blocks**-0.25)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.reduce.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, W, H, W') to (N, W, H, W')."""
        hidden = functional.leaky_relu_(self.expand(maps), SLOPE)
        hidden = functional.leaky_relu_(self.mix(hidden), SLOPE)
        return maps + self.reduce(hidden)


class R3Generator(nn.Module):
    """Latents to images: a learned map modulated by the latent, then blocks and doublings; the output is unbounded.

    Args:
        latent: values in a latent.
        shape: (C, H, W) of an image.
        widths: channels of the stages, from the smallest maps to the full size.
        start: (h, w) of the smallest maps: H and W halved once less often than there are stages.
        blocks: per stage.
        group: channels of a group of the 3x3 convolutions.
        classes: of the labels, 0 without.
        embedding: values that a class adds to the latent.
    """

    def __init__(
        self,
        latent: int,
        shape: tuple[int, ...],
        widths: Sequence[int],
        *,
        start: tuple[int, int],
        blocks: int = 2,
        group: int = 16,
        classes: int = 0,
        embedding: int = 64,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(classes, embedding) if classes else None
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=classes**-0.5)
        self.modulate = nn.Linear(latent + embedding * bool(classes), widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], *start))
        self.stages = _stages(widths, blocks, group)
        self.changes = _changes(widths)
        self.to_image = Conv2d(widths[-1], shape[0], 1, bias=False)
        initialise(self.modulate)
        initialise(self.to_image)

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, Z), and labels (N,) where there are classes, to (N, C, H, W)."""
        if self.embed is not None:
            assert labels is not None
            latent = torch.cat([latent, self.embed(labels).to(latent.dtype)], 1)
        maps = self.modulate(latent)[:, :, None, None] * self.basis
        for index, (change, stage) in enumerate(zip(self.changes, self.stages, strict=True)):
            maps = stage(double(change(maps)) if index else maps)
        return self.to_image(maps)


class R3Discriminator(nn.Module):
    """Images to one logit each: blocks and halvings, then one weighted sum of each channel's map.

    With classes the last layer has as many outputs as the widest layer, and the logit is their product with the class's
    embedding (Miyato & Koyama 2018).

    Args:
        shape: (C, H, W) of an image.
        widths: channels of the stages, from the smallest maps to the full size.
        start: (h, w) of the smallest maps.
        blocks: per stage.
        group: channels of a group of the 3x3 convolutions.
        classes: of the labels, 0 without.
    """

    logit_layer = "head"

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[int],
        *,
        start: tuple[int, int],
        blocks: int = 2,
        group: int = 16,
        classes: int = 0,
    ) -> None:
        super().__init__()
        falling = widths[::-1]
        self.from_image = Conv2d(shape[0], falling[0], 1, bias=False)
        self.stages = _stages(falling, blocks, group)
        self.changes = _changes(falling)
        self.pool = nn.Parameter(torch.randn(falling[-1], *start) / math.sqrt(math.prod(start)))
        self.head = nn.Linear(falling[-1], falling[-1] if classes else 1, bias=False)
        self.embed = nn.Embedding(classes, falling[-1]) if classes else None
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=(classes * falling[-1]) ** -0.5)
        initialise(self.from_image)
        initialise(self.head)

    def forward(self, image: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, C, H, W), and labels (N,) where there are classes, to logits (N,)."""
        maps = self.from_image(image)
        for index, (change, stage) in enumerate(zip(self.changes, self.stages, strict=True)):
            maps = stage(change(halve(maps)) if index else maps)
        outputs = self.head((maps * self.pool).sum((2, 3)))
        if self.embed is None:
            return outputs.flatten()
        assert labels is not None
        return (outputs * self.embed(labels)).sum(1)


def stage_widths(widths: Sequence[int], stages: int) -> tuple[int, ...]:
    """Return the channels of `stages` stages: of `widths`, counted from the full size, the first repeated if need be.

    >>> stage_widths((64, 48, 32, 16), 3), stage_widths((64, 48, 32, 16), 5)
    ((48, 32, 16), (64, 64, 48, 32, 16))
    """
    return (widths[0],) * (stages - len(widths)) + tuple(widths[-stages:])


@torch.no_grad()
def initialise(layer: nn.Linear | nn.Conv2d, gain: float = 1.0) -> None:
    """Draw weights from N(0, gain^2 / fan-in)."""
    nn.init.normal_(layer.weight, std=gain / math.sqrt(layer.weight[0].numel()))


def _stages(widths: Sequence[int], blocks: int, group: int) -> nn.ModuleList:
    total = blocks * len(widths)
    return nn.ModuleList(nn.Sequential(*(ResidualBlock(w, group, total) for _ in range(blocks))) for w in widths)


def _changes(widths: Sequence[int]) -> nn.ModuleList:
    """Return the 1x1 convolutions before each stage: the identity where the width stays, and before the first."""
    layers: list[nn.Module] = [nn.Identity()]
    for before, after in pairwise(widths):
        layers.append(nn.Identity() if before == after else Conv2d(before, after, 1, bias=False))
        if before != after:
            initialise(layers[-1])  # type: ignore[arg-type]
    return nn.ModuleList(layers)
