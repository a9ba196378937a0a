"""Residual generator: images to images, by residual blocks at a quarter of the size.

Source: Johnson et al. 2016 (https://arxiv.org/abs/1603.08155), with the norms of Zhu et al. 2017, appendix 7.2
(https://arxiv.org/abs/1703.10593).
"""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.errors import InputError
from zerosum.layers.conv import Conv2d, ConvTranspose2d
from zerosum.layers.instance_norm import InstanceNorm2d
from zerosum.networks.dcgan import initialise

MULTIPLE = 4
"""Sides of images are multiples of this: they are halved twice."""
SMALLEST = 8
"""Side of the smallest image: reflections need something to reflect."""


class ResidualGenerator(nn.Module):
    """c7s1-k, d2k, d4k, residual blocks, u2k, uk, c7s1: instance norm and ReLU throughout, tanh at the end.

    Args:
        given: (C', H, W) of the images that come in.
        made: channels of the images that go out.
        width: channels of the outermost layers (k).
        blocks: residual blocks: 9 for images of 256 pixels and more, 6 below.

    Raises:
        InputError: images of `given` cannot be halved twice.
    """

    def __init__(self, given: tuple[int, ...], made: int, *, width: int, blocks: int) -> None:
        super().__init__()
        _require_room(given[1], given[2])
        layers = [nn.ReflectionPad2d(3), Conv2d(given[0], width, 7), *_finish(width)]
        for fan in (width, 2 * width):
            layers += [Conv2d(fan, 2 * fan, 3, stride=2, padding=1), *_finish(2 * fan)]
        layers += [ResidualBlock(4 * width) for _ in range(blocks)]
        for fan in (4 * width, 2 * width):
            layers += [ConvTranspose2d(fan, fan // 2, 3, stride=2, padding=1, output_padding=1), *_finish(fan // 2)]
        self.layers = nn.Sequential(*layers, nn.ReflectionPad2d(3), Conv2d(width, made, 7), nn.Tanh())
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, C', H, W) to (N, C, H, W) in [-1, 1].

        Raises:
            InputError: a side is no multiple of 4.
        """
        _require_room(*image.shape[2:])
        return self.layers(image)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with reflection and instance norm, added to what came in.

    Args:
        channels: of the maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReflectionPad2d(1),
            Conv2d(channels, channels, 3),
            *_finish(channels),
            nn.ReflectionPad2d(1),
            Conv2d(channels, channels, 3),
            InstanceNorm2d(channels, affine=False),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        return maps + self.layers(maps)


def _finish(channels: int) -> list[nn.Module]:
    return [InstanceNorm2d(channels, affine=False), nn.ReLU(inplace=True)]


def _require_room(height: int, width: int) -> None:
    if height % MULTIPLE or width % MULTIPLE or min(height, width) < SMALLEST:
        fit = "x".join(str(max(SMALLEST, round(side / MULTIPLE) * MULTIPLE)) for side in (height, width))
        raise InputError(
            f"Images of {height}x{width} cannot be halved twice down to 2 pixels or more: --size {fit} would fit."
        )
