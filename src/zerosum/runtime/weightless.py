"""Modules that are built for their shapes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


@contextmanager
def without_weights() -> Iterator[None]:
    """Build modules on the device "meta": without memory for their weights, and without drawing them.

    >>> with without_weights():
    ...     layer = torch.nn.Linear(3, 10**12)
    >>> tuple(layer.weight.shape), layer.weight.device.type
    ((1000000000000, 3), 'meta')
    """
    with torch.device("meta"), _Undrawn():
        yield


class _Undrawn(TorchFunctionMode):
    """Leaves tensors as they are where they would be drawn, or iterated by spectral norm.

    On "meta" torch does both in Python, at twenty times the price, and imports its compiler.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        options = kwargs or {}
        if func in (torch.randn, torch.rand):
            return torch.empty(*args, **{name: value for name, value in options.items() if name != "generator"})
        if func in (torch.randn_like, torch.rand_like):
            return torch.empty_like(*args, **options)
        if func in (Tensor.normal_, Tensor.uniform_):
            return args[0]
        if getattr(func, "__module__", None) == torch.nn.init.__name__:
            return options["tensor"] if "tensor" in options else args[0]
        if func is torch.mv:
            return args[0].new_empty(len(args[0]))
        if func is torch.nn.functional.normalize:
            return args[0] if options.get("out") is None else options["out"]
        return func(*args, **options)
