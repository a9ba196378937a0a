"""PReLU whose gradient is cheap on a CPU: torch.nn's layer with one slope, same parameter and results."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from zerosum.layers.conv import ready


class PReLU(nn.PReLU):
    """`torch.nn.PReLU` with one slope for all channels (He et al. 2015, https://arxiv.org/abs/1502.01852)."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """Map (N, C, *any) to the same shape."""
        trained = torch.is_grad_enabled() and (input.requires_grad or self.weight.requires_grad)
        if not trained or input.device.type != "cpu" or torch.compiler.is_compiling():
            return super().forward(input)
        return _PReLU.apply(ready(input), self.weight)  # type: ignore[return-value]


class _PReLU(Function):
    """The same in a third of torch's time, which writes the slope's gradient at every pixel before it sums."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(features, slope)
        return functional.leaky_relu(features, slope.to(features.dtype).item())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        features, slope = ctx.saved_tensors
        below = (gradients[0] * features.clamp(max=0)).sum(dtype=slope.dtype).view_as(slope)
        used = slope.to(features.dtype)
        if torch.is_grad_enabled():  # the gradient is to be differentiated too
            return gradients[0] * torch.where(features > 0, torch.ones_like(used), used), below
        return torch.ops.aten.leaky_relu_backward(gradients[0], features, used.item(), False), below
