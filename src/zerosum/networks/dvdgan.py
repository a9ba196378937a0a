"""DVD-GAN's generator with recurrent stages, and its two discriminators: of single frames, and of motion.

Source: Clark et al. 2019, section 3 (https://arxiv.org/abs/1907.06571); blocks of Brock et al. 2019, appendix B.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conditional_norm import norm_of
from zerosum.layers.conv import Conv2d
from zerosum.layers.conv_gru import ConvGRU
from zerosum.networks.dcgan import halvings
from zerosum.networks.residual import DownBlock, UpBlock
from zerosum.runtime import rng

WIDEST = 16
"""Most channels of a discriminator, in units."""


def generator_widths(depth: int) -> tuple[int, ...]:
    """Return the channels of the first map, and after each of `depth` stages, in units.

    >>> generator_widths(3), generator_widths(4)
    ((8, 4, 2, 1), (8, 8, 4, 2, 1))
    """
    return (8,) * max(0, depth - 3) + (8, 4, 2, 1)[: depth + 1]


def discriminator_widths(depth: int) -> tuple[int, ...]:
    """Return the channels after each block, in units.

    >>> discriminator_widths(3), discriminator_widths(5)
    ((2, 4, 8), (2, 4, 8, 16, 16))
    """
    return tuple(min(WIDEST, 2 << index) for index in range(depth))


def pixel_budget(shape: tuple[int, ...], frames: int) -> tuple[int, int]:
    """Return the pixels of a clip (T, C, H, W) that the two discriminators take of `frames` frames, and all pixels.

    >>> pixel_budget((48, 3, 128, 128), 8)
    (327680, 786432)
    """
    count, _, height, width = shape
    return count * (height // 2) * (width // 2) + frames * height * width, count * height * width


class EvenBlock(nn.Module):
    """Norm, ReLU, 3x3, norm, ReLU, 3x3, beside the identity.

    Args:
        channels: going in and out.
        vector: values of the condition that its norms take; 0 for plain norms.
    """

    def __init__(self, channels: int, vector: int) -> None:
        super().__init__()
        norm = norm_of(0, vector)
        self.norm1, self.conv1 = norm(channels), Conv2d(channels, channels, 3, padding=1)
        self.norm2, self.conv2 = norm(channels), Conv2d(channels, channels, 3, padding=1)

    def forward(self, maps: Tensor, condition: tuple[Tensor, ...]) -> Tensor:
        """Map (N, C, H, W) to the same shape; `condition` is what the norms take beside the maps."""
        hidden = self.conv1(self.norm1(maps, *condition).relu_())
        return maps + self.conv2(self.norm2(hidden, *condition).relu_())


class Stage(nn.Module):
    """A recurrent unit over time, then two residual blocks on each frame alone, of which the second doubles the map."""

    def __init__(self, fan_in: int, fan_out: int, vector: int) -> None:
        super().__init__()
        self.memory = ConvGRU(fan_in)
        self.block = EvenBlock(fan_in, vector)
        self.up = UpBlock(fan_in, fan_out, norm_of(0, vector))

    def forward(self, maps: Tensor, condition: Tensor) -> Tensor:
        """Map (N, T, C, H, W) and a condition a frame (NT, F) to (N, T, K, 2H, 2W)."""
        frames = self.memory(maps).flatten(0, 1)
        return self.up(self.block(frames, (condition,)), (condition,)).unflatten(0, maps.shape[:2])


class Generator(nn.Module):
    """Latents, and classes, to clips: a dense layer for all frames alike, stages, batch norm, ReLU and 3x3; tanh.

    Batch norm has one set of statistics for all frames, and takes its gains from the latent and the class.

    Args:
        latent: Z, values in a latent.
        shape: (T, C, H, W) of a clip.
        width: channels of a unit.
        classes: K; 0 takes no labels.
        embedding: E, values of a class's embedding.
        bounded: whether tanh ends it; without, pixels may lie beyond [-1, 1].
    """

    def __init__(
        self,
        latent: int,
        shape: tuple[int, ...],
        width: int,
        *,
        classes: int = 0,
        embedding: int,
        bounded: bool = True,
    ) -> None:
        super().__init__()
        self.bounded = bounded
        depth, *start = halvings(shape[1:])
        widths = [units * width for units in generator_widths(depth)]
        self.frames, self.start = shape[0], (widths[0], *start)
        self.embedding = nn.Embedding(classes, embedding) if classes else None
        vector = latent + (embedding if classes else 0)
        self.dense = nn.Linear(vector, math.prod(self.start))
        self.stages = nn.ModuleList(Stage(*pair, vector) for pair in pairwise(widths))
        self.norm, self.to_image = nn.BatchNorm2d(widths[-1]), Conv2d(widths[-1], shape[1], 3, padding=1)

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, Z), and labels (N,) where there are classes, to (N, T, C, H, W)."""
        vector = latent
        if self.embedding is not None and labels is not None:
            vector = torch.cat([latent, self.embedding(labels)], 1)
        first = self.dense(vector).view(-1, 1, *self.start)
        maps = first.expand(-1, self.frames, -1, -1, -1)
        condition = vector.repeat_interleave(self.frames, 0)  # frames of a clip are neighbours
        for stage in self.stages:
            maps = stage(maps, condition)
        frames = self.to_image(self.norm(maps.flatten(0, 1)).relu_())
        return (frames.tanh() if self.bounded else frames).unflatten(0, maps.shape[:2])


class Projected(nn.Module):
    """A logit of features: a dense layer and the inner product with the class's embedding (Miyato & Koyama 2018)."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.dense = nn.Linear(features, 1)
        self.embedding = nn.Embedding(classes, features) if classes else None

    def forward(self, features: Tensor, labels: Tensor | None) -> Tensor:
        """Map (N, F), and labels (N,) where there are classes, to (N,)."""
        logit = self.dense(features).flatten()
        if self.embedding is None or labels is None:
            return logit
        return logit + (self.embedding(labels) * features).sum(1)


class SpatialDiscriminator(nn.Module):
    """Some frames of a clip, drawn without replacement, to one logit: the sum of each frame's (section 3.1).

    Args:
        shape: (T, C, H, W) of a clip.
        width: channels of a unit.
        classes: K; 0 has no projection.
        frames: k that are drawn; all where a clip has fewer.
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, classes: int = 0, frames: int) -> None:
        super().__init__()
        self.frames = min(frames, shape[0])
        widths = [shape[1], *(units * width for units in discriminator_widths(halvings(shape[1:])[0]))]
        self.blocks = nn.ModuleList(
            DownBlock(*pair, halves=True, first=index == 0) for index, pair in enumerate(pairwise(widths))
        )
        self.logit = Projected(widths[-1], classes)

    def forward(self, clip: Tensor, labels: Tensor | None = None, chosen: Tensor | None = None) -> Tensor:
        """Map (N, T, C, H, W), and labels (N,) where there are classes, to logits (N,).

        Args:
            clip: clips.
            labels: classes.
            chosen: (N, k) numbers of the frames; drawn for each clip by default.
        """
        chosen = self.draw(len(clip), clip.shape[1], clip.device) if chosen is None else chosen
        maps = clip[torch.arange(len(clip), device=clip.device)[:, None], chosen].flatten(0, 1)
        for block in self.blocks:
            maps = block(maps)
        each = None if labels is None else labels.repeat_interleave(chosen.shape[1], 0)
        return self.logit(maps.relu().sum((2, 3)), each).view(chosen.shape).sum(1)

    def draw(self, n: int, of: int, device: torch.device) -> Tensor:
        """Draw the numbers of k different frames out of `of`, for each of n clips: (n, k) int64."""
        return rng.uniform(n, of, device=device).argsort(1)[:, : self.frames]


class DownBlock3d(nn.Module):
    """As `DownBlock`, with 3x3x3 convolutions; pools over two frames where there are two, and over 2x2 pixels.

    Args:
        fan_in: channels going in.
        fan_out: channels going out.
        halves: whether pixels are pooled too.
        first: whether what goes in are pixels, which are not rectified.
    """

    def __init__(self, fan_in: int, fan_out: int, *, halves: bool, first: bool) -> None:
        super().__init__()
        self.side, self.first = 2 if halves else 1, first
        self.conv1 = nn.Conv3d(fan_in, fan_out, 3, padding=1)
        self.conv2 = nn.Conv3d(fan_out, fan_out, 3, padding=1)
        self.shortcut = nn.Conv3d(fan_in, fan_out, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, T, H, W) to (N, K, T/2, H/2, W/2), or with H and W as they are."""
        size = (min(2, maps.shape[2]), self.side, self.side)
        hidden = self.conv2(self.conv1(maps if self.first else maps.relu()).relu_())
        return functional.avg_pool3d(hidden, size) + self.shortcut(functional.avg_pool3d(maps, size))


class TemporalDiscriminator(nn.Module):
    """Clips at half their height and width to one logit: two blocks over space and time, the rest on each frame.

    Args:
        shape: (T, C, H, W) of a clip.
        width: channels of a unit.
        classes: K; 0 has no projection.
    """

    def __init__(self, shape: tuple[int, ...], width: int, *, classes: int = 0) -> None:
        super().__init__()
        depth = halvings(shape[1:])[0]
        widths = [shape[1], *(units * width for units in discriminator_widths(max(2, depth)))]
        pairs = list(enumerate(pairwise(widths)))
        self.volumes = nn.ModuleList(
            DownBlock3d(*pair, halves=index < depth - 1, first=index == 0) for index, pair in pairs[:2]
        )
        self.blocks = nn.ModuleList(
            DownBlock(*pair, halves=index < depth - 1, first=False) for index, pair in pairs[2:]
        )
        self.logit = Projected(widths[-1], classes)

    def forward(self, clip: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, T, C, H, W), and labels (N,) where there are classes, to logits (N,)."""
        maps = functional.avg_pool2d(clip.flatten(0, 1), 2).unflatten(0, clip.shape[:2]).transpose(1, 2)
        for block in self.volumes:
            maps = block(maps)
        frames = maps.transpose(1, 2).flatten(0, 1)
        for block in self.blocks:
            frames = block(frames)
        return self.logit(frames.relu().sum((2, 3)).unflatten(0, (len(clip), -1)).sum(1), labels)
