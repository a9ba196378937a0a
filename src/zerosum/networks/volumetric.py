"""Volumetric convolutional networks: DCGAN's with a third axis.

Source: Wu et al. 2016, section 3.2 and appendix A (https://arxiv.org/abs/1610.07584).
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from zerosum.errors import InputError

SLOPE = 0.2
"""Of the discriminator's leaky ReLU."""


def cube_halvings(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (depth, side): how often a volume of `shape` (1, S, S, S) can be halved, and the cells that are left.

    >>> cube_halvings((1, 64, 64, 64)), cube_halvings((1, 24, 24, 24))
    ((4, 4), (2, 6))

    Raises:
        InputError: it is no cube that can be halved down to 4 to 8 cells a side.
    """
    depth, side = 0, shape[-1]
    while side % 2 == 0 and side >= 8:
        depth, side = depth + 1, side // 2
    if depth == 0 or side > 8 or len(set(shape[1:])) > 1:
        cells = "x".join(map(str, shape[1:]))
        raise InputError(f"Volumes of {cells} cells cannot be halved down to a cube of 4: --size 32 or 64 would fit.")
    return depth, side


class VolumetricGenerator(nn.Module):
    """Latents to volumes: a map of 4x4x4 cells, doubled by transposed convolutions; batch norm, ReLU, and a sigmoid.

    No layer has a bias, so that latents are brought from [0, 1] to [-1, 1] first: their mean would make a pattern of
    its own over the cells, several times as strong as what tells one latent from another.

    Args:
        latent: Z, values in a latent.
        shape: (1, S, S, S) of a volume.
        width: channels of the last hidden layer; each before has twice those of the next.
    """

    def __init__(self, latent: int, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        depth, side = cube_halvings(shape)
        channels = [width * 2**step for step in reversed(range(depth))]
        layers: list[nn.Module] = [nn.ConvTranspose3d(latent, channels[0], side, bias=False)]
        for fan_in, fan_out in pairwise([*channels, shape[0]]):
            layers += [nn.BatchNorm3d(fan_in), nn.ReLU(inplace=True)]
            layers.append(nn.ConvTranspose3d(fan_in, fan_out, 4, stride=2, padding=1, bias=False))
        self.layers = nn.Sequential(*layers, nn.Sigmoid())

    def forward(self, latent: Tensor) -> Tensor:
        """Map (N, Z) to (N, 1, S, S, S) in (0, 1)."""
        return self.layers((2 * latent - 1)[:, :, None, None, None])


class VolumetricDiscriminator(nn.Module):
    """Volumes to one logit each: halved by convolutions until 4x4x4 cells are left; batch norm on all but the first.

    No layer has a bias, so that volumes are brought from [0, 1] to [-1, 1] first: without, the first batch norm would
    make a faint volume equal to a strong one, and samples fade until they are empty.

    Args:
        shape: (1, S, S, S) of a volume.
        width: channels of the first layer; each next one has twice as many.
    """

    def __init__(self, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        depth, side = cube_halvings(shape)
        channels = [shape[0], *(width * 2**step for step in range(depth))]
        layers: list[nn.Module] = []
        for index, (fan_in, fan_out) in enumerate(pairwise(channels)):
            layers.append(nn.Conv3d(fan_in, fan_out, 4, stride=2, padding=1, bias=False))
            layers += [nn.BatchNorm3d(fan_out)] if index else []
            layers.append(nn.LeakyReLU(SLOPE, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Conv3d(channels[-1], 1, side, bias=False)

    def features(self, volume: Tensor) -> Tensor:
        """Map (N, 1, S, S, S) to the last hidden layer, (N, F, s, s, s)."""
        return self.layers(2 * volume - 1)

    def forward(self, volume: Tensor) -> Tensor:
        """Map (N, 1, S, S, S) to logits (N,)."""
        return self.head(self.features(volume)).flatten()
