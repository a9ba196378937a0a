"""Wasserstein-1 distance on the line."""

from __future__ import annotations

from torch import Tensor


def wasserstein(a: Tensor, b: Tensor) -> float:
    """Compute the Wasserstein-1 distance of two sets of numbers (N,) and (M,), in their units; NaN where one is empty.

    >>> import torch
    >>> wasserstein(torch.tensor([0.0, 1.0]), torch.tensor([3.0, 2.0]))
    2.0
    """
    if not len(a) or not len(b):
        return float("nan")
    from scipy.stats import wasserstein_distance  # a second and 30 MB, which few commands need

    return float(wasserstein_distance(a.double().numpy(), b.double().numpy()))
