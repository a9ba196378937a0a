"""The networks that every contestant plays with, and the data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum.layers import conv
from zerosum.layers.dropout import Dropout

BATCH, LATENT, WIDTH, SIZE = 128, 100, 64, 64
IMAGES = 2048


def networks(
    kind: str = "ours", *, dropout: float = 0.0, slope: float = 0.2, eps: float = 1e-5
) -> tuple[nn.Module, ...]:
    """Generator and discriminator without convolution biases, of `kind` "ours" or "torch" layers."""
    source = conv if kind == "ours" else nn
    drop = Dropout if kind == "ours" else nn.Dropout
    wide = [8 * WIDTH, 4 * WIDTH, 2 * WIDTH, WIDTH]
    generator: list[nn.Module] = []
    for fan_in, fan_out in zip([LATENT, *wide], wide, strict=False):
        stride, padding = (1, 0) if fan_in == LATENT else (2, 1)
        generator += [source.ConvTranspose2d(fan_in, fan_out, 4, stride, padding, bias=False)]
        generator += [nn.BatchNorm2d(fan_out, eps=eps), nn.LeakyReLU(slope, inplace=True)]
    generator += [source.ConvTranspose2d(WIDTH, 1, 4, 2, 1, bias=False), nn.Tanh()]
    discriminator: list[nn.Module] = []
    for fan_in, fan_out in zip([1, *wide[::-1]], wide[::-1], strict=False):
        discriminator += [source.Conv2d(fan_in, fan_out, 4, 2, 1, bias=False)]
        discriminator += [nn.BatchNorm2d(fan_out, eps=eps)] if fan_in > 1 else []
        discriminator += [nn.LeakyReLU(0.2, inplace=True)]
        discriminator += [drop(dropout)] if dropout else []
    discriminator += [source.Conv2d(8 * WIDTH, 1, 4, bias=False), nn.Flatten(0)]
    return nn.Sequential(*generator), nn.Sequential(*discriminator)


class Data:
    """Random images in memory, drawn in order: the data are not what is raced here."""

    def __init__(self) -> None:
        self.images = torch.rand(IMAGES, 1, SIZE, SIZE) * 2 - 1
        self.position = 0

    def draw(self) -> Tensor:
        start = self.position % IMAGES
        self.position += BATCH
        return self.images[start : start + BATCH]
