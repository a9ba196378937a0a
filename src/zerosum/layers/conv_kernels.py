"""The geometry of a convolution, and faster kernels for large filters to few channels."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pixel_shuffle, pixel_unshuffle


class Geometry(NamedTuple):
    """How the cells of the features lie over an image. `size` is the image's (H, W), which a stride leaves open."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    size: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        """(H', W') of the features."""
        sides = zip(*self, strict=True)
        return tuple((size + 2 * pad - kernel) // step + 1 for kernel, step, pad, size in sides)

    @property
    def is_point(self) -> bool:
        """Whether one cell covers the whole image, so that everything is a plain matrix product."""
        return self.size == self.kernel and self.padding == (0, 0)

    @property
    def is_half(self) -> bool:
        """Whether this is DCGAN's 4x4 kernel that halves an image of even size."""
        return self[:3] == ((4, 4), (2, 2), (1, 1)) and self.size[0] % 2 == self.size[1] % 2 == 0


_NHWC = torch.channels_last


def serves(channels: int, outputs: int, geometry: Geometry) -> bool:
    """Whether a convolution from `channels` to `outputs` is one of these."""
    large = min(geometry.kernel) >= 5 and geometry.stride == (1, 1)
    return large and outputs <= 4 <= channels and all(side > 0 and side % 2 == 0 for side in geometry.cells)


def convolve(image: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """(N, C, H, W), (K, C, h, w) -> (N, K, H', W')."""
    K, C, h, w = weight.shape
    blocks = weight.new_zeros(K, 2, 2, C, h + 1, w + 1)
    for row in (0, 1):
        for column in (0, 1):
            blocks[:, row, column, :, row : row + h, column : column + w] = weight
    kernel = blocks.flatten(0, 2).contiguous(memory_format=_NHWC)
    biases = None if bias is None else bias.repeat_interleave(4)
    made = conv2d(image, kernel, biases, stride=2, padding=geometry.padding)
    return pixel_shuffle(made, 2).contiguous(memory_format=_NHWC)


def correlate(image: Tensor, features: Tensor, geometry: Geometry) -> Tensor:
    """(N, C, H, W), (N, K, H', W') -> (K, C, h, w)."""
    (h, w), K, C = geometry.kernel, features.shape[1], image.shape[1]
    like = torch.empty((4 * K, C, h + 1, w + 1), dtype=image.dtype, memory_format=_NHWC)
    cells = pixel_unshuffle(features, 2).contiguous(memory_format=_NHWC)
    ahead = (cells, image, like, None, (2, 2), geometry.padding, (1, 1), False, (0, 0), 1, (False, True, False))
    found = torch.ops.aten.convolution_backward(*ahead)[1].unflatten(0, (K, 2, 2))
    weight = torch.zeros((K, C, h, w), dtype=torch.promote_types(image.dtype, torch.float32))
    for row in (0, 1):
        for column in (0, 1):
            weight += found[:, row, column, :, row : row + h, column : column + w]
    return weight.to(image.dtype, memory_format=_NHWC)


def spreads_by_taps(features: Tensor, weight: Tensor, geometry: Geometry) -> bool:
    """Whether `spread_by_taps` is faster than aten: from few cells, where aten pads, or to few channels.

    It takes half the time from 512 channels of 4x4 cells to 256, and from 64 to 3, and more from 256 channels of 8x8.
    """
    plain = features.dtype == torch.float32 and not features.requires_grad and not torch.is_autocast_enabled("cpu")
    return plain and geometry.is_half and (math.prod(geometry.cells) <= 16 or weight.shape[1] <= 4)


def spread_by_taps(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Map (N, K, H, W) by a 4x4 kernel (K, C, 4, 4) of stride 2 and padding 1 to (N, C, 2H, 2W).

    One product of every cell with every tap; each quarter of the taps is then added where it lies on the image.
    """
    cells = features.permute(0, 2, 3, 1)
    N, H, W, K = cells.shape
    C = weight.shape[1]
    taps = (cells.reshape(-1, K) @ weight.permute(0, 2, 3, 1).reshape(K, -1)).view(N, H, W, 2, 2, 2, 2, C)
    padded = features.new_zeros(N, H + 1, 2, W + 1, 2, C)
    for row in (0, 1):
        for column in (0, 1):
            block = taps[:, :, :, row, :, column].transpose(2, 3)
            padded[:, row : row + H, :, column : column + W] += block
    image = padded.view(N, 2 * H + 2, 2 * W + 2, C)[:, 1:-1, 1:-1]
    made = image.permute(0, 3, 1, 2)
    return made.contiguous(memory_format=_NHWC) if bias is None else made + bias[:, None, None]
