"""StyleGAN2's layers outside the synthesis network: equalised, and followed by a leaky rectifier with a gain of sqrt 2.

The gain is applied to weights and biases in use, which is the same function, because a rectifier commutes with it.

Source: Karras et al. 2020, appendix B (https://arxiv.org/abs/1912.04958).
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conv import contract, serves
from zerosum.layers.conv_kernels import Geometry
from zerosum.layers.resample import halve, smooth

GAIN = math.sqrt(2)
SLOPE = 0.2


class RectifiedLinear(nn.Linear):
    """A dense layer of equalised weights, and a leaky rectifier.

    Args:
        in_features: values per sample going in.
        out_features: values per sample going out.
        rate: factor of the learning rate: weights are stored divided by it, and used times it.
        rectified: whether the rectifier and its gain follow.
    """

    def __init__(self, in_features: int, out_features: int, *, rate: float = 1.0, rectified: bool = True) -> None:
        super().__init__(in_features, out_features)
        self.rectified = rectified
        self.bias_scale = rate * (GAIN if rectified else 1.0)
        self.scale = self.bias_scale / math.sqrt(in_features)
        nn.init.normal_(self.weight, std=1 / rate)
        nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, F) to (N, F')."""
        features = functional.linear(input, self.weight * self.scale, self.bias * self.bias_scale)
        return functional.leaky_relu(features, SLOPE) if self.rectified else features


class RectifiedConv(nn.Conv2d):
    """An equalised convolution that keeps its maps' size or halves it, and a leaky rectifier.

    Args:
        in_channels: of the maps going in.
        out_channels: of the maps going out.
        kernel_size: 1 or 3.
        down: filter by [1, 3, 3, 1] and take every second pixel.
        rectified: whether a bias, the rectifier and its gain follow.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, down: bool = False, rectified: bool = True
    ) -> None:
        stride = 2 if down and kernel_size > 1 else 1
        padding = 0 if down else kernel_size // 2
        super().__init__(in_channels, out_channels, kernel_size, stride=stride, padding=padding, bias=rectified)
        self.down = down
        self.gain = GAIN if rectified else 1.0
        nn.init.normal_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, K, H, W), or to (N, K, H / 2, W / 2)."""
        if self.down:
            input = halve(input) if self.kernel_size == (1, 1) else smooth(input, 2)  # noqa: A001
        weight = self.weight * (self.gain / math.sqrt(self.weight[0].numel()))
        bias = None if self.bias is None else self.bias * self.gain
        if serves(self, input):
            geometry = Geometry(self.kernel_size, self.stride, self.padding, tuple(input.shape[2:]))  # type: ignore[arg-type]
            features = contract(input, weight, bias, "features", geometry)
        else:
            features = self._conv_forward(input, weight, bias)
        return features if self.bias is None else functional.leaky_relu_(features, SLOPE)
