"""The recipes' networks as one writes them from the papers, of `torch.nn`'s layers alone and with as many weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

from zerosum.networks.dcgan import halvings
from zerosum.networks.residual_plan import attended, plan

Shape = tuple[int, ...]
SLOPE = 0.2


def dcgan_generator(latent: int, shape: Shape, width: int) -> nn.Module:
    """Transposed convolutions with batch norm (Radford et al. 2016)."""
    depth, height, across = halvings(shape)
    widths = [width * min(8, 2**step) for step in reversed(range(depth))]
    layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1))]
    layers += [nn.ConvTranspose2d(latent, widths[0], (height, across), bias=False)]
    for fan_in, fan_out in pairwise([*widths, shape[0]]):
        layers += [nn.BatchNorm2d(fan_in), nn.ReLU(True), nn.ConvTranspose2d(fan_in, fan_out, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


def halving(
    shape: Shape, width: int, *, bias: bool, dropout: float, norm: bool = True
) -> tuple[list[nn.Module], Shape]:
    """Convolutions of stride 2, with batch norm or without; and the shape of the maps that they end in."""
    depth, height, across = halvings(shape)
    widths = [width * min(8, 2**step) for step in range(depth)]
    layers: list[nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(zip([shape[0], *widths], widths, strict=False)):
        layers += [nn.Conv2d(fan_in, fan_out, 4, 2, 1, bias=bias)]
        layers += [nn.BatchNorm2d(fan_out)] if norm and index else []
        layers += [nn.LeakyReLU(SLOPE, True), *([nn.Dropout(dropout)] if dropout else [])]
    return layers, (widths[-1], height, across)


def dcgan_discriminator(shape: Shape, width: int, dropout: float = 0.0, *, norm: bool = True) -> nn.Module:
    """Images to a logit each."""
    layers, (channels, height, across) = halving(shape, width, bias=not norm, dropout=dropout, norm=norm)
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, (height, across), bias=not norm), nn.Flatten(0))


def wgan_gp_critic(shape: Shape, width: int) -> nn.Module:
    """Images to a number each, without norms (Gulrajani et al. 2017)."""
    layers, (channels, height, across) = halving(shape, width, bias=True, dropout=0.0, norm=False)
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, (height, across)), nn.Flatten(0))


class Labelled(nn.Module):
    """A network that takes the one-hot label as further channels of its input (Mirza & Osindero 2014)."""

    def __init__(self, body: nn.Module, classes: int) -> None:
        super().__init__()
        self.body, self.classes = body, classes

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        code = functional.one_hot(labels, self.classes).float()
        planes = code if x.ndim == 2 else code[:, :, None, None].expand(-1, -1, *x.shape[2:])
        return self.body(torch.cat([x, planes], 1))


class TwoHeads(nn.Module):
    """A trunk, the logit of the source and those of the classes (Odena et al. 2017)."""

    def __init__(self, shape: Shape, width: int, classes: int, dropout: float) -> None:
        super().__init__()
        layers, maps = halving(shape, width, bias=True, dropout=dropout)
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        self.source, self.classes = nn.Linear(math.prod(maps), 1), nn.Linear(math.prod(maps), classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(x)
        return self.source(features).flatten(), self.classes(features)


def normalised(network: nn.Module, kinds: tuple[type[nn.Module], ...] = (nn.Conv2d, nn.Linear, nn.Embedding)) -> Any:
    """Parametrise layers by torch's spectral norm."""
    for layer in list(network.modules()):
        if isinstance(layer, kinds):
            spectral_norm(layer)
    return network


class Norm(nn.Module):
    """Batch norm, conditional where there are classes (Miyato & Koyama 2018)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=not classes)
        self.tables = nn.ModuleList(nn.Embedding(classes, channels) for _ in range(2 if classes else 0))

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        if not self.tables:
            return self.norm(x)
        gain, shift = (table(labels)[:, :, None, None] for table in self.tables)
        return self.norm(x) * (1 + gain) + shift


class UpBlock(nn.Module):
    """Norm, ReLU, upsampling, 3x3, norm, ReLU, 3x3, beside upsampling and 1x1."""

    def __init__(self, fan_in: int, fan_out: int, classes: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = Norm(fan_in, classes), Norm(fan_out, classes)
        self.conv1, self.conv2 = nn.Conv2d(fan_in, fan_out, 3, 1, 1), nn.Conv2d(fan_out, fan_out, 3, 1, 1)
        self.shortcut = nn.Conv2d(fan_in, fan_out, 1)

    def forward(self, x: Tensor, labels: Tensor | None) -> Tensor:
        hidden = self.conv1(functional.interpolate(functional.relu(self.norm1(x, labels)), scale_factor=2))
        hidden = self.conv2(functional.relu(self.norm2(hidden, labels)))
        return hidden + self.shortcut(functional.interpolate(x, scale_factor=2))


class DownBlock(nn.Module):
    """ReLU, 3x3, ReLU, 3x3, pooling, beside 1x1 and pooling; of an image, pooling first and no ReLU."""

    def __init__(self, fan_in: int, fan_out: int, *, halves: bool, first: bool) -> None:
        super().__init__()
        self.halves, self.first = halves, first
        self.conv1, self.conv2 = nn.Conv2d(fan_in, fan_out, 3, 1, 1), nn.Conv2d(fan_out, fan_out, 3, 1, 1)
        self.shortcut = nn.Conv2d(fan_in, fan_out, 1) if halves or fan_in != fan_out else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.conv2(functional.relu(self.conv1(x if self.first else functional.relu(x))))
        if not self.halves:
            return hidden + self.shortcut(x)
        beside = (
            self.shortcut(functional.avg_pool2d(x, 2)) if self.first else functional.avg_pool2d(self.shortcut(x), 2)
        )
        return functional.avg_pool2d(hidden, 2) + beside


class Attention(nn.Module):
    """Self-attention with pooled keys and values (Zhang et al. 2019; Brock et al. 2019, authors' code)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        few, half = max(1, channels // 8), max(1, channels // 2)
        self.query, self.key = nn.Conv2d(channels, few, 1, bias=False), nn.Conv2d(channels, few, 1, bias=False)
        self.value, self.out = nn.Conv2d(channels, half, 1, bias=False), nn.Conv2d(half, channels, 1, bias=False)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        N, _, H, W = x.shape
        query = self.query(x).flatten(2)
        key, value = (functional.max_pool2d(layer(x), 2).flatten(2) for layer in (self.key, self.value))
        weights = torch.softmax(torch.bmm(query.transpose(1, 2), key), -1)
        return x + self.gain * self.out(torch.bmm(value, weights.transpose(1, 2)).view(N, -1, H, W))


class ResidualGenerator(nn.Module):
    """Latents, and classes, to images."""

    def __init__(self, latent: int, shape: Shape, width: int, classes: int = 0, *, attention: bool = False) -> None:
        super().__init__()
        its = plan(shape)
        widths = [units * width for units in its.generator]
        self.start = (widths[0], *its.start)
        self.dense = nn.Linear(latent, math.prod(self.start))
        self.blocks = nn.ModuleList(UpBlock(*pair, classes) for pair in pairwise(widths))
        places = [math.prod(its.start) * 4 ** (index + 1) for index in range(len(self.blocks))]
        self.at = attended(shape, places) if attention else None
        self.attention = None if self.at is None else Attention(widths[self.at + 1])
        self.norm, self.to_image = nn.BatchNorm2d(widths[-1]), nn.Conv2d(widths[-1], shape[0], 3, 1, 1)

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        x = self.dense(latent).view(-1, *self.start)
        for index, block in enumerate(self.blocks):
            x = block(x, labels)
            x = self.attention(x) if self.attention is not None and index == self.at else x
        return torch.tanh(self.to_image(functional.relu(self.norm(x))))


class ResidualDiscriminator(nn.Module):
    """Images, and classes, to a logit each."""

    def __init__(self, shape: Shape, width: int, classes: int = 0, *, attention: bool = False) -> None:
        super().__init__()
        its = plan(shape)
        widths = [shape[0], *(units * width for units in its.discriminator)]
        blocks = enumerate(pairwise(widths))
        self.blocks = nn.ModuleList(DownBlock(*p, halves=i < its.halvings, first=i == 0) for i, p in blocks)
        places = [shape[1] * shape[2] // 4 ** min(index + 1, its.halvings) for index in range(len(self.blocks))]
        self.at = attended(shape, places) if attention else None
        self.attention = None if self.at is None else Attention(widths[self.at + 1])
        self.dense = nn.Linear(widths[-1], 1)
        self.embedding = nn.Embedding(classes, widths[-1]) if classes else None

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        for index, block in enumerate(self.blocks):
            x = block(x)
            x = self.attention(x) if self.attention is not None and index == self.at else x
        features = functional.relu(x).sum((2, 3))
        logits = self.dense(features).flatten()
        return logits if self.embedding is None else logits + (self.embedding(labels) * features).sum(1)


class Resample(nn.Module):
    """Halve or double maps with the filter [1, 3, 3, 1], by a depthwise convolution."""

    def __init__(self, channels: int, *, up: bool) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.channels, self.up = channels, up
        self.register_buffer("kernel", torch.outer(taps, taps).expand(channels, 1, 4, 4).clone() * (4 if up else 1))

    def forward(self, x: Tensor) -> Tensor:
        resampled = functional.conv_transpose2d if self.up else functional.conv2d
        return resampled(x, self.kernel, stride=2, padding=1, groups=self.channels)  # type: ignore[arg-type]


class R3Block(nn.Module):
    """1x1 to twice the width, grouped 3x3, 1x1 back (Huang et al. 2024)."""

    def __init__(self, width: int, group: int) -> None:
        super().__init__()
        inner = 2 * width
        self.layers = nn.Sequential(
            nn.Conv2d(width, inner, 1),
            nn.LeakyReLU(SLOPE, True),
            nn.Conv2d(inner, inner, 3, 1, 1, groups=inner // math.gcd(inner, group)),
            nn.LeakyReLU(SLOPE, True),
            nn.Conv2d(inner, width, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def r3gan_stages(widths: Sequence[int], blocks: int, group: int, resample: Callable[[int, int], Any]) -> nn.Sequential:
    """Blocks of each width, with a change of size and width between them."""
    layers: list[nn.Module] = [R3Block(widths[0], group) for _ in range(blocks)]
    for before, after in pairwise(widths):
        layers += [*resample(before, after), *(R3Block(after, group) for _ in range(blocks))]
    return nn.Sequential(*layers)


def _change(before: int, after: int) -> list[nn.Module]:
    return [] if before == after else [nn.Conv2d(before, after, 1, bias=False)]


class R3Generator(nn.Module):
    """Latents to images."""

    def __init__(self, latent: int, shape: Shape, widths: Sequence[int], start: Shape, blocks: int, group: int) -> None:
        super().__init__()
        self.modulate = nn.Linear(latent, widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], *start))
        up = lambda before, after: [*_change(before, after), Resample(after, up=True)]  # noqa: E731
        self.stages = r3gan_stages(widths, blocks, group, up)
        self.to_image = nn.Conv2d(widths[-1], shape[0], 1, bias=False)

    def forward(self, latent: Tensor) -> Tensor:
        return self.to_image(self.stages(self.modulate(latent)[:, :, None, None] * self.basis))


class R3Discriminator(nn.Module):
    """Images to a logit each."""

    def __init__(self, shape: Shape, widths: Sequence[int], start: Shape, blocks: int, group: int) -> None:
        super().__init__()
        falling = widths[::-1]
        self.from_image = nn.Conv2d(shape[0], falling[0], 1, bias=False)
        down = lambda before, after: [Resample(before, up=False), *_change(before, after)]  # noqa: E731
        self.stages = r3gan_stages(falling, blocks, group, down)
        self.pool = nn.Parameter(torch.randn(falling[-1], *start) / math.sqrt(math.prod(start)))
        self.head = nn.Linear(falling[-1], 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head((self.stages(self.from_image(x)) * self.pool).sum((2, 3))).flatten()
