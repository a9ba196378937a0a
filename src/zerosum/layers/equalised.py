"""Equalised learning rate: weights are kept at N(0, 1) and scaled in use, so that Adam moves every layer alike.

Source: Karras et al. 2018, section 4.1 (https://arxiv.org/abs/1710.10196).
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

from zerosum.layers.conv import contract, serves, sum_taps
from zerosum.layers.conv_kernels import Geometry

GAIN = math.sqrt(2)
"""He's constant for layers before a rectifier."""


class EqualisedLinear(nn.Linear):
    """`torch.nn.Linear` whose stored weights are N(0, 1) and are used times gain / sqrt(in_features); no bias at first.

    Args:
        in_features: values per sample going in.
        out_features: values per sample going out.
        bias: as in `torch.nn.Linear`.
        gain: 1 before outputs, sqrt(2) before rectifiers.
    """

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True, gain: float = GAIN) -> None:
        super().__init__(in_features, out_features, bias=bias)
        self.scale = gain / math.sqrt(in_features)
        _initialise(self)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, F) to (N, F')."""
        return functional.linear(input, self.weight * self.scale, self.bias)


class EqualisedConv2d(nn.Conv2d):
    """A convolution whose stored weights are N(0, 1) and are used times gain / sqrt(fan in); no bias at first.

    Args:
        in_channels: of the maps going in.
        out_channels: of the maps going out.
        kernel_size: height and width of one cell's receptive field; a padding of half of it, rounded down, is added.
        padding: zeros around the maps.
        gain: 1 before outputs, sqrt(2) before rectifiers.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        *,
        padding: int = 0,
        gain: float = GAIN,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=padding)
        self.scale = gain / math.sqrt(self.weight[0].numel())
        _initialise(self)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, K, H', W')."""
        weight = self.weight * self.scale
        if not serves(self, input):
            return self._conv_forward(input, weight, self.bias)
        geometry = Geometry(self.kernel_size, (1, 1), self.padding, tuple(input.shape[2:]))  # type: ignore[arg-type]
        return contract(input, weight, self.bias, "features", geometry)


class EqualisedUpsampleConv(EqualisedConv2d):
    """Nearest-neighbour upsampling by two, then an equalised 3x3 convolution; one kernel does both, as in `conv`."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, K, 2H, 2W)."""
        if not serves(self, input):
            return super().forward(functional.interpolate(input, scale_factor=2.0, mode="nearest"))
        weight = sum_taps(sum_taps(self.weight.transpose(0, 1) * self.scale, 2), 3)
        geometry = Geometry((4, 4), (2, 2), (1, 1), (2 * input.shape[2], 2 * input.shape[3]))
        return contract(input, weight, self.bias, "image", geometry)


class EqualisedDownsampleConv(EqualisedConv2d):
    """An equalised 3x3 convolution, then averaging over 2x2 pixels: together one 4x4 convolution of stride 2."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, 2H, 2W) to (N, K, H, W)."""
        weight = sum_taps(sum_taps(self.weight * (self.scale / 4), 2), 3).flip(2, 3)
        if not serves(self, input):
            return functional.conv2d(input, weight, self.bias, stride=2, padding=1)
        geometry = Geometry((4, 4), (2, 2), (1, 1), tuple(input.shape[2:]))
        return contract(input, weight, self.bias, "features", geometry)


def _initialise(layer: nn.Linear | nn.Conv2d) -> None:
    nn.init.normal_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
