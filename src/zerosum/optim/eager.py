"""Optimizers that leave torch's compiler alone."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.optim import Optimizer


class Eager(Optimizer):
    """A mixin, before the optimizer of torch, that does the same without importing `torch._dynamo`.

    Torch's optimizers import their compiler to tell it that they are not to be compiled, which takes a second and tens
    of megabytes at the start of a training that compiles nothing. Here are the methods as they are underneath.
    """

    add_param_group = inspect.unwrap(Optimizer.add_param_group)
    state_dict = inspect.unwrap(Optimizer.state_dict)
    load_state_dict = inspect.unwrap(Optimizer.load_state_dict)
    zero_grad = inspect.unwrap(Optimizer.zero_grad)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.step = torch.no_grad()(inspect.unwrap(cls.step))


class RMSprop(Eager, torch.optim.RMSprop):
    """`torch.optim.RMSprop`."""
