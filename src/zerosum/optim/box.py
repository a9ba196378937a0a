"""Minimisation within a box by L-BFGS-B.

Source: Byrd et al. 1995 (https://doi.org/10.1137/0916069), as scipy has it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """The result of a minimisation."""

    at: Tensor
    """Where it is: of the start's shape, device and type."""

    values: tuple[float, ...]
    """The function at the start, and after each iteration; it never rises."""


def minimise(function: Callable[[Tensor], Tensor], start: Tensor, *, bound: float, iterations: int) -> Minimum:
    """Minimise a function of a tensor, each of whose values stays within [-bound, bound].

    Args:
        function: maps a tensor of the start's shape to a value of shape (), with a gradient.
        start: where to begin; it is brought into the box first.
        bound: of every value, upwards and downwards.
        iterations: at most; 0 returns the start.
    """
    from scipy.optimize import minimize  # a second and 30 MB, which few commands need

    def differentiated(flat: np.ndarray) -> tuple[float, np.ndarray]:
        at = torch.from_numpy(flat).to(start).view(start.shape).requires_grad_()
        with torch.enable_grad():
            value = function(at)
            (gradient,) = torch.autograd.grad(value, at)
        return float(value.detach()), gradient.detach().double().flatten().cpu().numpy()

    first = start.detach().clamp(-bound, bound).double().flatten().cpu().numpy()
    values = [differentiated(first)[0]]
    if iterations == 0:
        return Minimum(at=torch.from_numpy(first).to(start).view(start.shape), values=tuple(values))

    def note(intermediate_result: object) -> None:
        values.append(float(intermediate_result.fun))  # type: ignore[attr-defined]

    found = minimize(
        differentiated,
        first,
        method="L-BFGS-B",
        jac=True,
        bounds=[(-bound, bound)] * first.size,
        callback=note,
        options={"maxiter": iterations, "maxcor": 10, "ftol": 1e-12, "gtol": 1e-9},
    )
    return Minimum(at=torch.from_numpy(found.x).to(start).view(start.shape), values=tuple(values))
