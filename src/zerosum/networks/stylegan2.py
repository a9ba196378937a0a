"""StyleGAN2's generator: a mapping from latents to styles, and a synthesis network that the styles modulate.

Source: Karras et al. 2020, section 2 and appendix B (https://arxiv.org/abs/1912.04958).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.modulated_conv import ModulatedConv2d
from zerosum.layers.pixel_norm import pixel_norm
from zerosum.layers.rectified import GAIN, SLOPE, RectifiedLinear
from zerosum.layers.resample import double
from zerosum.objectives import to_float32
from zerosum.runtime import rng


class Mapping(nn.Module):
    """Latents, and labels where there are classes, to styles: normalised, then dense layers of a low learning rate.

    Args:
        latent: values in a latent; 0 maps labels alone.
        style: values in a style.
        layers: dense layers.
        classes: of the labels, 0 without.
        rate: factor of the layers' learning rate.
    """

    average: Tensor
    """(S,), running average of the styles, which truncation pulls towards."""

    def __init__(self, latent: int, style: int, layers: int, *, classes: int = 0, rate: float = 0.01) -> None:
        super().__init__()
        self.classes = classes
        self.embed = RectifiedLinear(classes, style, rectified=False) if classes else None
        sizes = [latent + style * bool(classes), *[style] * layers]
        self.layers = nn.Sequential(*(RectifiedLinear(a, b, rate=rate) for a, b in pairwise(sizes)))
        self.register_buffer("average", torch.zeros(style))

    def forward(self, latent: Tensor | None, labels: Tensor | None = None) -> Tensor:
        """Map (N, Z), and labels (N,), to styles (N, S)."""
        parts = [] if latent is None else [pixel_norm(latent)]
        if self.embed is not None:
            assert labels is not None
            hot = functional.one_hot(labels, self.classes).to(self.embed.weight.dtype)
            parts.append(pixel_norm(self.embed(hot)))
        return self.layers(torch.cat(parts, 1))


class StyledConv(nn.Module):
    """A modulated convolution, noise of a learned strength, a bias and a leaky rectifier with a gain of sqrt 2.

    Args:
        in_channels: of the maps going in.
        out_channels: of the maps going out.
        style: values in a style.
        size: (H, W) of the maps coming out.
        up: double the maps.
    """

    constant: Tensor
    """(1, 1, H, W), the noise of evaluation."""

    def __init__(
        self, in_channels: int, out_channels: int, style: int, size: tuple[int, int], *, up: bool = False
    ) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(in_channels, out_channels, style, up=up)
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.register_buffer("constant", torch.randn(1, 1, *size))

    def forward(self, maps: Tensor, style: Tensor) -> Tensor:
        """Map (N, C, H, W) and styles (N, S) to (N, K, H', W'); noise is drawn in training, and constant at use."""
        N, size = maps.shape[0], self.constant.shape[1:]
        noise = rng.normal(N, *size, device=maps.device) if self.training else self.constant
        features = self.conv(maps, style, GAIN)
        added = noise * (GAIN * self.strength) + (GAIN * self.bias)[:, None, None]
        return functional.leaky_relu_(features + added.to(features.dtype), SLOPE)


class Synthesis(nn.Module):
    """Styles to images: from a learned constant, each resolution adds its image to the doubled one before.

    Args:
        style: values in a style.
        colours: channels of an image.
        widths: channels of the maps at each resolution, from the smallest.
        start: (H, W) of the smallest maps.
    """

    def __init__(self, style: int, colours: int, widths: Sequence[int], start: tuple[int, int]) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.randn(widths[0], *start))
        sizes = [(start[0] << level, start[1] << level) for level in range(len(widths))]
        self.first = StyledConv(widths[0], widths[0], style, sizes[0])
        self.blocks = nn.ModuleList(
            nn.ModuleList([StyledConv(before, width, style, size, up=True), StyledConv(width, width, style, size)])
            for (before, width), size in zip(pairwise(widths), sizes[1:], strict=True)
        )
        self.to_image = nn.ModuleList(ModulatedConv2d(width, colours, style, 1, demodulate=False) for width in widths)
        self.colour_bias = nn.ParameterList(nn.Parameter(torch.zeros(colours)) for _ in widths)

    @property
    def layers(self) -> int:
        """Styles that one image takes: 2 a resolution."""
        return 2 * len(self.to_image)

    def forward(self, styles: Tensor) -> Tensor:
        """Map styles (N, S), or those of each layer (N, L, S), to (N, C, H, W), unbounded."""
        if styles.ndim == 2:
            styles = styles[:, None].expand(-1, self.layers, -1)
        w = styles.unbind(1)
        maps = self.first(self.constant.expand(styles.shape[0], -1, -1, -1), w[0])
        image = self._image(maps, 0, w[1])
        for level, block in enumerate(self.blocks, 1):
            for offset, layer in enumerate(block):  # type: ignore[arg-type]
                maps = layer(maps, w[2 * level - 1 + offset])
            image = double(image) + self._image(maps, level, w[2 * level + 1])
        return image

    def _image(self, maps: Tensor, level: int, style: Tensor) -> Tensor:
        return to_float32(self.to_image[level](maps, style)) + self.colour_bias[level][:, None, None]


class StyleGenerator(nn.Module):
    """Latents to images: `mapping` to styles, and `synthesis` of an image from them.

    Args:
        latent: values in a latent, and in a style.
        colours: channels of an image.
        widths: channels of the maps at each resolution, from the smallest.
        start: (H, W) of the smallest maps.
        mapping: dense layers from latents to styles.
        classes: of the labels, 0 without.
    """

    def __init__(
        self,
        latent: int,
        colours: int,
        widths: Sequence[int],
        start: tuple[int, int],
        *,
        mapping: int = 8,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.mapping = Mapping(latent, latent, mapping, classes=classes)
        self.synthesis = Synthesis(latent, colours, widths, start)

    def forward(self, latent: Tensor, labels: Tensor | None = None) -> Tensor:
        """Map (N, Z), and labels (N,) where there are classes, to (N, C, H, W), unbounded."""
        return self.synthesis(self.mapping(latent, labels))


def channels(base: int, widest: int, sides: Sequence[int]) -> tuple[int, ...]:
    """Return the channels of maps of given sides: base / side rounded up to a power of two, at most `widest`.

    >>> channels(16384, 512, (4, 8, 16, 32, 64, 128, 256)), channels(1024, 64, (7, 14, 28))
    ((512, 512, 512, 512, 256, 128, 64), (64, 64, 32))
    """
    return tuple(max(1, min(base >> math.ceil(math.log2(side)), widest)) for side in sides)
