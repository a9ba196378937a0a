"""Resampling by two with the binomial filter [1, 3, 3, 1]: smooth, and twice differentiable at the cost of one pass.

Halving and doubling are linear maps, and each is the other's transpose up to a factor of 4: one stands in the other's
derivative. Beyond the edges of a map are zeros.

Source: Karras et al. 2019, section 3 (https://arxiv.org/abs/1812.04948); Karras et al. 2020, appendix B
(https://arxiv.org/abs/1912.04958), with the taps that both R3GAN and StyleGAN2 use.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

TAPS = (1 / 8, 3 / 8, 3 / 8, 1 / 8)


def halve(maps: Tensor) -> Tensor:
    """Filter and take every second pixel: (N, C, 2H, 2W) -> (N, C, H, W)."""
    return _filtered_down(maps) if _is_exporting() else _Halve.apply(maps)  # type: ignore[return-value]


def double(maps: Tensor) -> Tensor:
    """Insert zeros between pixels and filter, with a gain of 4: (N, C, H, W) -> (N, C, 2H, 2W)."""
    return _filtered_up(maps) if _is_exporting() else _Double.apply(maps)  # type: ignore[return-value]


def smooth(maps: Tensor, padding: int) -> Tensor:
    """Filter: (N, C, H, W) -> (N, C, H - 3 + 2 padding, W - 3 + 2 padding)."""
    if _is_exporting():
        return functional.conv2d(maps, _kernel(maps), padding=padding, groups=maps.shape[1])
    return _Smooth.apply(maps, padding)  # type: ignore[return-value]


class _Smooth(Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, padding: int) -> Tensor:
        ctx.padding = padding
        return functional.conv2d(maps, _kernel(maps), padding=padding, groups=maps.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return smooth(gradients[0], 3 - ctx.padding), None


class _Halve(Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> Tensor:
        return _filtered_down(maps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return double(gradients[0]) / 4


class _Double(Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor) -> Tensor:
        return _filtered_up(maps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return 4 * halve(gradients[0])


def _filtered_down(maps: Tensor) -> Tensor:
    return functional.conv2d(maps, _kernel(maps), stride=2, padding=1, groups=maps.shape[1])


def _filtered_up(maps: Tensor) -> Tensor:
    if maps.device.type == "cpu" and maps.dtype == torch.bfloat16 and not _is_exporting():
        # torch has no fast transposed depthwise convolution in bfloat16
        N, C, H, W = maps.shape
        spread = maps.new_zeros(N, 2 * H + 3, 2 * W + 3, C).permute(0, 3, 1, 2)
        spread[:, :, 2:-1:2, 2:-1:2] = maps
        return functional.conv2d(spread, 4 * _kernel(maps), groups=C)
    return functional.conv_transpose2d(maps, 4 * _kernel(maps), stride=2, padding=1, groups=maps.shape[1])


def _kernel(maps: Tensor) -> Tensor:
    """Return the filter of every channel, (C, 1, 4, 4)."""
    taps = torch.tensor(TAPS, dtype=maps.dtype, device=maps.device)
    return torch.outer(taps, taps).expand(maps.shape[1], 1, 4, 4).contiguous()


def _is_exporting() -> bool:
    return torch.compiler.is_compiling() or torch.jit.is_tracing()
