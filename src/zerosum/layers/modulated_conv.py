"""Modulated convolution: a style scales the channels going in, and demodulation brings those coming out to unit size.

The input is scaled by the style, convolved with weights that all samples share, and scaled again: the same function as
weights of each sample's own, without a group for each sample, so that it exports and costs no more than a convolution.

Source: Karras et al. 2020, section 2.2 (https://arxiv.org/abs/1912.04958).
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conv import contract, serves
from zerosum.layers.conv_kernels import Geometry
from zerosum.layers.rectified import RectifiedLinear
from zerosum.layers.resample import smooth
from zerosum.objectives import to_float32

EPSILON = 1e-8


class ModulatedConv2d(nn.Conv2d):
    """An equalised convolution whose input channels are scaled by a style.

    Args:
        in_channels: of the maps going in.
        out_channels: of the maps going out.
        style: values in a style.
        kernel_size: 1 or 3.
        demodulate: scale the output so that an input of unit variance gives one.
        up: double the maps: convolution of the maps with zeros between their pixels, then the filter [1, 3, 3, 1].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        style: int,
        kernel_size: int = 3,
        *,
        demodulate: bool = True,
        up: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
        self.demodulate, self.up = demodulate, up
        self.affine = RectifiedLinear(style, in_channels, rectified=False)
        nn.init.ones_(self.affine.bias)
        nn.init.normal_(self.weight)

    def forward(self, maps: Tensor, style: Tensor, gain: float = 1.0) -> Tensor:  # type: ignore[override]
        """Map (N, C, H, W) and styles (N, S) to (N, K, H, W), or (N, K, 2H, 2W), times `gain`."""
        scales = self.affine(style)
        weight = self.weight / math.sqrt(self.weight[0].numel())
        features = self._convolve(maps * scales.to(maps.dtype)[:, :, None, None], weight)
        if self.demodulate:
            power = to_float32(weight).square().sum((2, 3))
            shrink = (to_float32(scales).square() @ power.t() + EPSILON).rsqrt() * gain
            return features * shrink.to(features.dtype)[:, :, None, None]
        return features if gain == 1 else features * gain

    def _convolve(self, maps: Tensor, weight: Tensor) -> Tensor:
        served = serves(self, maps)
        if not self.up:
            if not served:
                return self._conv_forward(maps, weight, None)
            geometry = Geometry(self.kernel_size, (1, 1), self.padding, tuple(maps.shape[2:]))  # type: ignore[arg-type]
            return contract(maps, weight, None, "features", geometry)
        kernel = weight.transpose(0, 1).flip(2, 3)
        if served:
            size = (2 * maps.shape[2] + 1, 2 * maps.shape[3] + 1)
            large = contract(maps, kernel, None, "image", Geometry(self.kernel_size, (2, 2), (0, 0), size))
        else:
            large = functional.conv_transpose2d(maps, kernel, stride=2)
        return 4 * smooth(large, 1)
