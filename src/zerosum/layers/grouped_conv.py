"""Grouped convolutions: torch.nn's layer, same parameters and results, but cheap to differentiate twice.

Torch's second derivative of a grouped convolution loops over the groups. The trilinear form of `zerosum.layers.conv`
has no such loop: convolution, transposed convolution and weight gradient are each other's derivatives, for groups too.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from zerosum.layers.conv import ready, serves, wanted

_NHWC = torch.channels_last
_GIVEN = {"features": ("image", "weight"), "image": ("features", "weight"), "weight": ("image", "features")}


class GroupedConv2d(nn.Conv2d):
    """A grouped `torch.nn.Conv2d` of stride 1 whose maps keep their size: same state_dict, same result.

    Args:
        channels: of the maps going in and coming out.
        group: channels of a group; `channels` must be a multiple.
        kernel_size: an odd number.
        bias: as in `torch.nn.Conv2d`.
    """

    def __init__(self, channels: int, group: int, kernel_size: int = 3, *, bias: bool = True) -> None:
        half = kernel_size // 2
        super().__init__(channels, channels, kernel_size, padding=half, groups=channels // group, bias=bias)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, H, W) to (N, C, H, W)."""
        if not serves(self, input, groups=self.groups, on="cpu cuda"):
            return super().forward(input)
        return _Contraction.apply(  # type: ignore[return-value]
            ready(input), ready(self.weight), ready(self.bias), "features", self.kernel_size[0], self.groups
        )


class _Contraction(Function):
    """The trilinear form without `missing`: (a, b, bias) -> missing, where a and b are those of _GIVEN."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, bias: Tensor | None, missing: str, side: int, groups: int) -> Tensor:
        ctx.save_for_backward(a, b)
        ctx.missing, ctx.side, ctx.groups = missing, side, groups
        pad = side // 2
        if missing == "features":
            return functional.conv2d(a, b, bias, padding=pad, groups=groups)
        if missing == "image":
            return functional.conv_transpose2d(a, b, bias, padding=pad, groups=groups)
        layout = _NHWC if a.is_contiguous(memory_format=_NHWC) else torch.contiguous_format
        like = a.new_empty(b.shape[1], a.shape[1] // groups, side, side).to(memory_format=layout)
        geometry = ((1, 1), (pad, pad), (1, 1), False, (0, 0), groups)
        return torch.ops.aten.convolution_backward(b, a, like, None, *geometry, (False, True, False))[1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = ready(gradients[0])
        names = _GIVEN[ctx.missing]
        known = dict(zip((*names, ctx.missing), (*ctx.saved_tensors, gradient), strict=True))
        towards = (
            _Contraction.apply(*map(known.get, _GIVEN[name]), None, name, ctx.side, ctx.groups)
            if wanted(ctx, index)
            else None
            for index, name in enumerate(names)
        )
        return *towards, gradient.sum((0, 2, 3)) if wanted(ctx, 2) else None, None, None, None
