"""StyleGAN2's networks as one writes them from the paper, of torch's own functions, for data without labels.

Convolutions are shared by the samples, with styles scaling what goes in and what comes out: the form that the authors
train with in PyTorch, because weights of each sample's own need a grouped convolution, which is slower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from bench.plain_networks import Resample, Shape

SLOPE, GAIN = 0.2, math.sqrt(2)


class Dense(nn.Module):
    """An equalised dense layer."""

    def __init__(self, fan_in: int, fan_out: int, *, rate: float = 1.0, bias: float = 0.0, active: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in) / rate)
        self.bias = nn.Parameter(torch.full((fan_out,), bias))
        self.rate, self.active = rate, active

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * (self.rate / math.sqrt(self.weight.shape[1]))
        x = functional.linear(x, weight, self.bias * self.rate)
        return functional.leaky_relu(x, SLOPE) * GAIN if self.active else x


class Blur(nn.Module):
    """The filter [1, 3, 3, 1] at every pixel."""

    def __init__(self, channels: int, padding: int, gain: float = 1.0) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.padding = padding
        self.register_buffer("kernel", torch.outer(taps, taps).expand(channels, 1, 4, 4).clone() * gain)

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.kernel, padding=self.padding, groups=x.shape[1])  # type: ignore[arg-type]


class ModulatedConv(nn.Module):
    """A convolution of equalised weights that a style modulates."""

    def __init__(
        self, fan_in: int, fan_out: int, style: int, kernel: int, *, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in, kernel, kernel))
        self.affine = Dense(style, fan_in, bias=1.0, active=False)
        self.up, self.demodulate = up, demodulate
        self.blur = Blur(fan_out, 1, 4.0) if up else nn.Identity()

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        scales, weight = self.affine(style), self.weight / math.sqrt(self.weight[0].numel())
        x = x * scales[:, :, None, None]
        if self.up:
            x = self.blur(functional.conv_transpose2d(x, weight.transpose(0, 1), stride=2))
        else:
            x = functional.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if not self.demodulate:
            return x
        own = weight[None] * scales[:, None, :, None, None]
        return x * torch.rsqrt(own.square().sum((2, 3, 4)) + 1e-8)[:, :, None, None]


class StyledConv(nn.Module):
    """Modulated convolution, noise, bias and activation."""

    def __init__(self, fan_in: int, fan_out: int, style: int, size: Shape, *, up: bool = False) -> None:
        super().__init__()
        self.conv, self.size = ModulatedConv(fan_in, fan_out, style, 3, up=up), size
        self.strength, self.bias = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(fan_out))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        x = self.conv(x, style) + self.strength * torch.randn(len(x), 1, *self.size)
        return functional.leaky_relu(x + self.bias[:, None, None], SLOPE) * GAIN


class ToImage(nn.Module):
    """A modulated 1x1 convolution to colours."""

    def __init__(self, width: int, colours: int, style: int) -> None:
        super().__init__()
        self.conv = ModulatedConv(width, colours, style, 1, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(colours))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return self.conv(x, style) + self.bias[:, None, None]


class StyleGenerator(nn.Module):
    """Latents to styles, `mapping`, and styles of each layer (N, L, S) to images."""

    def __init__(self, latent: int, colours: int, widths: Sequence[int], start: Shape, layers: int) -> None:
        super().__init__()
        self.mapping = nn.Sequential(*(Dense(latent, latent, rate=0.01) for _ in range(layers)))
        self.constant = nn.Parameter(torch.randn(1, widths[0], *start))
        sizes = [tuple(side << level for side in start) for level in range(len(widths))]
        self.layers = nn.ModuleList([StyledConv(widths[0], widths[0], latent, sizes[0])])
        for (before, width), size in zip(pairwise(widths), sizes[1:], strict=True):
            self.layers += [StyledConv(before, width, latent, size, up=True), StyledConv(width, width, latent, size)]
        self.to_image = nn.ModuleList(ToImage(width, colours, latent) for width in widths)
        self.enlarge = Resample(colours, up=True)

    def styles(self, latent: Tensor) -> Tensor:
        """Map (N, Z) to (N, S)."""
        return self.mapping(latent * torch.rsqrt(latent.square().mean(1, keepdim=True) + 1e-8))

    def forward(self, styles: Tensor) -> Tensor:
        w = styles.unbind(1)
        x = self.layers[0](self.constant.expand(len(styles), -1, -1, -1), w[0])
        image = self.to_image[0](x, w[1])
        for level in range(1, len(self.to_image)):
            x = self.layers[2 * level - 1](x, w[2 * level - 1])
            x = self.layers[2 * level](x, w[2 * level])
            image = self.enlarge(image) + self.to_image[level](x, w[2 * level + 1])
        return image


class Conv(nn.Module):
    """An equalised convolution, halving after a blur where asked."""

    def __init__(self, fan_in: int, fan_out: int, kernel: int, *, down: bool = False, active: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_out, fan_in, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(fan_out)) if active else None
        self.blur = Blur(fan_in, 2 if kernel == 3 else 1) if down else nn.Identity()
        self.stride, self.padding = (2, 0) if down else (1, kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / math.sqrt(self.weight[0].numel())
        x = functional.conv2d(self.blur(x), weight, self.bias, self.stride, self.padding)
        return x if self.bias is None else functional.leaky_relu(x, SLOPE) * GAIN


class Block(nn.Module):
    """Two convolutions beside a 1x1, halving."""

    def __init__(self, width: int, after: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(Conv(width, width, 3), Conv(width, after, 3, down=True))
        self.skip = Conv(width, after, 1, down=True, active=False)

    def forward(self, x: Tensor) -> Tensor:
        return (self.convs(x) + self.skip(x)) / GAIN


class StyleDiscriminator(nn.Module):
    """Images to a logit each, with the deviation of groups of samples."""

    def __init__(self, colours: int, widths: Sequence[int], start: Shape, group: int) -> None:
        super().__init__()
        falling, self.group = widths[::-1], group
        self.blocks = nn.Sequential(Conv(colours, falling[0], 1), *(Block(*pair) for pair in pairwise(falling)))
        self.last = Conv(falling[-1] + 1, falling[-1], 3)
        size = falling[-1] * math.prod(start)
        self.head = nn.Sequential(nn.Flatten(), Dense(size, falling[-1]), Dense(falling[-1], 1, active=False))

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x)
        groups = x.view(self.group, -1, *x.shape[1:])
        deviation = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3)).repeat(self.group)
        x = torch.cat([x, deviation[:, None, None, None].expand(-1, 1, *x.shape[2:])], 1)
        return self.head(self.last(x)).flatten()
