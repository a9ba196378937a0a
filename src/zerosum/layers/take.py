"""`torch.gather` whose gradient needs no deterministic kernel on a GPU, because no value is used more than twice."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.autograd import Function

from zerosum.runtime.device import order_of_sums_free


def take(x: Tensor, axis: int, index: Tensor) -> Tensor:
    """Return `x.gather(axis, index)`, where no value is used more than twice.

    A sum of two is the same in either order. Where sums are to have one order (`runtime.device.deterministic`), torch
    would sort all indices first, which takes several times as long as the layers about it.

    Args:
        x: (*any).
        axis: along which values are chosen.
        index: of as many axes as x; no value occurs in it more than twice along `axis`.
    """
    return _Take.apply(x, axis, index)  # type: ignore[return-value]


class _Take(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, axis: int, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.axis, ctx.shape = axis, x.shape
        return x.gather(axis, index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (index,) = ctx.saved_tensors
        with order_of_sums_free(index.device):
            return gradients[0].new_zeros(ctx.shape).scatter_add(ctx.axis, index, gradients[0]), None, None
