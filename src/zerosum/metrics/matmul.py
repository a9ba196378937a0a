"""Matrix products of rows with rows, fast and never less precise than float32."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor


def products(a: Tensor, b: Tensor) -> Tensor:
    """Multiply every row of `a` with every row of `b`: a b^T.

    float32 on a CPU goes to oneDNN, which is more than twice as fast as torch.mm where the latter's library does not
    know the processor. Where PyTorch may replace float32 by something coarser (TF32, bfloat16), float64 is used.

    Args:
        a: (N, F), float32 or float64.
        b: (M, F), of the same type.

    Returns:
        (N, M), of that type.

    >>> products(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 4.0], [0.0, 1.0]])).tolist()
    [[11.0, 2.0]]
    """
    if a.dtype == torch.float32 and torch.get_float32_matmul_precision() != "highest":
        return (a.double() @ b.double().T).float()
    if a.dtype == torch.float32 and a.device.type == "cpu" and _has_linear():
        return _linear(a, b)
    return a @ b.T


def strips(rows: int, columns: int, *, values: int = 2**22) -> Iterator[slice]:
    """Cut `rows` rows into strips whose products with `columns` rows hold about `values` values.

    16 MiB of float32 stay in the cache while they are compared and summed, and keep a matrix product at full speed.

    >>> list(strips(5, 10, values=20))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    height = max(1, values // max(columns, 1))
    for start in range(0, rows, height):
        yield slice(start, min(start + height, rows))


def _linear(a: Tensor, b: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(a.contiguous(), b.contiguous(), None, "none", [], "")


@cache
def _has_linear() -> bool:
    """Whether oneDNN's product is there and right; tried once, without randomness."""
    if not torch.backends.mkldnn.is_available() or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    a, b = (torch.linspace(0.0, 40.0, 64 * n).sin().view(n, 64) for n in (48, 33))
    exact = a.double() @ b.double().T
    good = bool((_linear(a, b) - exact).abs().max() < 16 * torch.finfo(torch.float32).eps * exact.abs().max())
    if not good:
        warnings.warn("oneDNN's float32 products err on this machine; PyTorch's own are used", stacklevel=2)
    return good
