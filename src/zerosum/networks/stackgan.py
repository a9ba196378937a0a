"""StackGAN's networks: conditioning augmentation, two generators, and discriminators that take an image and a text.

Source: Zhang et al. 2017, section 3 and figure 2 (https://arxiv.org/abs/1612.03242); layers as in the authors' code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from zerosum.layers.conv import Conv2d, UpsampleConv
from zerosum.networks.dcgan import halvings
from zerosum.runtime import rng

SLOPE = 0.2
PAPER_EMBEDDING = 1024
"""Values of a sentence's embedding in the paper."""
LOG_VARIANCE = -3.0
"""Logarithm of the variances of conditions at first, unless they are rectified."""


class ConditioningAugmentation(nn.Module):
    """Embeddings of sentences (N, E) to Gaussians of conditions: their means and the logarithms of their variances.

    Source: Zhang et al. 2017, section 3.2.

    Args:
        embedding: E.
        condition: C, values in a condition.
        rectified: whether both pass a ReLU, as in the authors' code; no variance is then below 1.
    """

    def __init__(self, embedding: int, condition: int, *, rectified: bool) -> None:
        super().__init__()
        self.rectified = rectified
        self.dense = nn.Linear(embedding, 2 * condition)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Map (N, E) to (N, C) and (N, C)."""
        both = self.dense(embedding).float()
        mean, log_variance = (both.relu() if self.rectified else both).chunk(2, dim=1)
        return mean, log_variance


def drawn(mean: Tensor, log_variance: Tensor, noise: Tensor | None = None) -> Tensor:
    """Draw conditions c = mean + exp(log_variance / 2) e with e from N(0, 1), or the given noise (N, C): (N, C)."""
    noise = rng.normal(*mean.shape, device=mean.device) if noise is None else noise
    return mean + (log_variance / 2).exp() * noise


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)), the mean over samples and values: ().

    >>> divergence(torch.ones(2, 3), torch.zeros(2, 3)).item()
    0.5
    """
    return ((log_variance.exp() + mean.square() - 1 - log_variance) / 2).mean()


class FirstGenerator(nn.Module):
    """Latents and embeddings to small images: a dense layer, doublings, a 3x3 convolution (figure 2, stage I).

    Args:
        latent: values in a latent.
        embedding: E.
        condition: values in a condition.
        shape: (C, H, W) of an image.
        width: twice the channels of the last hidden layer; each layer before has twice those of the next (N_g).
        rectified: as for `ConditioningAugmentation`.
    """

    def __init__(
        self, latent: int, embedding: int, condition: int, shape: tuple[int, ...], width: int, *, rectified: bool
    ) -> None:
        super().__init__()
        depth, height, breadth = halvings(shape)
        channels = [max(1, (width << depth) >> (step + 1)) for step in range(depth + 1)]
        self.augment = ConditioningAugmentation(embedding, condition, rectified=rectified)
        self.start = (channels[0], height, breadth)
        self.dense = nn.Linear(latent + condition, channels[0] * height * breadth, bias=False)
        self.norm = nn.BatchNorm1d(channels[0] * height * breadth)
        self.layers = nn.Sequential(*_doublings(channels), Conv2d(channels[-1], shape[0], 3, padding=1, bias=False))

    def forward(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Map (N, Z) and (N, C) to images."""
        maps = self.norm(self.dense(torch.cat([latent, condition], dim=1))).relu()
        return self.layers(maps.view(-1, *self.start)).tanh()


class SecondGenerator(nn.Module):
    """Small images and embeddings to images `factor` times as large (figure 2, stage II).

    Args:
        embedding: E.
        condition: values in a condition.
        shape: (C, H, W) of a small image.
        width: channels of the first layer.
        blocks: residual blocks.
        factor: power of two; the small image is halved as often as it says.
        rectified: as for `ConditioningAugmentation`.
    """

    def __init__(
        self,
        embedding: int,
        condition: int,
        shape: tuple[int, ...],
        width: int,
        *,
        blocks: int,
        factor: int,
        rectified: bool,
    ) -> None:
        super().__init__()
        halved = factor.bit_length() - 1
        deep = width << halved
        last = max(width // 4, min(width, 16))
        widths = [deep, *(min(deep, last << step) for step in reversed(range(2 * halved)))]
        self.augment = ConditioningAugmentation(embedding, condition, rectified=rectified)
        down: list[nn.Module] = [Conv2d(shape[0], width, 3, padding=1, bias=False), nn.ReLU(inplace=True)]
        for step in range(halved):
            down += _halving(width << step, width << (step + 1), nn.ReLU(inplace=True))
        self.down = nn.Sequential(*down)
        self.joint = nn.Sequential(
            Conv2d(deep + condition, deep, 3, padding=1, bias=False), nn.BatchNorm2d(deep), nn.ReLU(inplace=True)
        )
        self.blocks = nn.Sequential(*(_Residual(deep) for _ in range(blocks)))
        self.up = nn.Sequential(*_doublings(widths), Conv2d(widths[-1], shape[0], 3, padding=1, bias=False))

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Map small images (N, C, h, w) and (N, C) to images (N, C, factor h, factor w)."""
        return self.up(self.blocks(self.joint(beside(self.down(image), condition)))).tanh()


class TextDiscriminator(nn.Module):
    """Images and conditions to logits; images alone too, with an unconditional head.

    Args:
        shape: (C, H, W) of an image.
        condition: values in a condition.
        width: channels of the first layer.
        widest: channels of the widest halving layers, in units of the first; beyond 8 they are brought back to 8.
        unconditional: whether there is a head for images alone.
    """

    def __init__(
        self, shape: tuple[int, ...], condition: int, width: int, *, widest: int, unconditional: bool = False
    ) -> None:
        super().__init__()
        depth, height, breadth = halvings(shape)
        channels = [width * min(widest, 2**step) for step in range(depth)]
        layers: list[nn.Module] = [
            Conv2d(shape[0], width, 4, stride=2, padding=1, bias=False),
            nn.LeakyReLU(SLOPE, inplace=True),
        ]
        for before, after in pairwise(channels):
            layers += _halving(before, after, nn.LeakyReLU(SLOPE, inplace=True))
        wide = channels[-1]
        while wide > 8 * width:
            layers += _convolution(wide, wide // 2)
            wide //= 2
        self.trunk = nn.Sequential(*layers)
        self.joint = nn.Sequential(*_convolution(wide + condition, wide))
        self.conditional = Conv2d(wide, 1, (height, breadth))
        self.unconditional = Conv2d(wide, 1, (height, breadth)) if unconditional else None

    def matches(self, maps: Tensor, condition: Tensor) -> Tensor:
        """Return logits (N,) of maps (N, F, h, w) of the trunk: whether they are of real images that match."""
        return self.conditional(self.joint(beside(maps, condition))).flatten()

    def is_real(self, maps: Tensor) -> Tensor:
        """Return logits (N,) of maps (N, F, h, w) of the trunk: whether they are of real images."""
        assert self.unconditional is not None
        return self.unconditional(maps).flatten()


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, maps: Tensor) -> Tensor:
        return (maps + self.layers(maps)).relu()


def initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and batch norm's scales from N(1, 0.02); biases are 0 (the authors' code).

    Conditions of embeddings of any width begin with the spread that the authors' have, whose embeddings have 1024
    values, because smaller ones leave a discriminator too little of a sentence; and, unless rectified, with a variance
    that is small beside it.
    """
    for module in reversed(list(network.modules())):
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
        elif isinstance(module, ConditioningAugmentation):
            nn.init.normal_(module.dense.weight, 0.0, 0.02 * math.sqrt(PAPER_EMBEDDING / module.dense.in_features))
            if not module.rectified:
                nn.init.constant_(module.dense.bias.chunk(2)[1], LOG_VARIANCE)


def beside(maps: Tensor, condition: Tensor) -> Tensor:
    """Append conditions (N, C) to maps (N, F, h, w), repeated at every place: (N, F + C, h, w)."""
    planes = condition.to(maps)[:, :, None, None].expand(-1, -1, *maps.shape[2:])
    return torch.cat([maps, planes], dim=1)


def _doublings(channels: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [UpsampleConv(before, after, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return layers


def _halving(before: int, after: int, activation: nn.Module) -> list[nn.Module]:
    return [Conv2d(before, after, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), activation]


def _convolution(before: int, after: int) -> list[nn.Module]:
    layers = [Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)]
    return [*layers, nn.LeakyReLU(SLOPE, inplace=True)]
