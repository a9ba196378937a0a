"""Divergences of distributions over K classes, bins or modes, in nats, and class balance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.errors import InputError


@dataclass(frozen=True)
class ClassBalance:
    """Class shares of samples, compared with those that they should have."""

    shares: Tensor
    """(K,), float64, of the samples."""

    missing: tuple[int, ...]
    """Classes that are expected and do not occur."""

    divergence: float
    """KL(shares || expected), nats."""

    variation: float
    """Total variation distance, 0 to 1: the share of samples that would have to change class."""

    entropy: float
    """Entropy of the shares over ln K: 1 for equal shares, 0 for one class."""


def kl_divergence(p: Tensor, q: Tensor) -> float:
    """Kullback-Leibler divergence KL(p || q) = sum p ln(p / q), nats. Infinite where p has what q lacks.

    Args:
        p: (K,), probabilities.
        q: (K,), probabilities.

    Raises:
        InputError: No probabilities, or different K.

    >>> round(kl_divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])), 6)
    0.693147
    """
    p, q = _probabilities(p, q)
    return _kl(p, q)


def js_divergence(p: Tensor, q: Tensor) -> float:
    """Jensen-Shannon divergence: half of KL(p || m) + KL(q || m) with m = (p + q) / 2, nats, 0 to ln 2.

    Args:
        p: (K,), probabilities.
        q: (K,), probabilities.

    Raises:
        InputError: No probabilities, or different K.

    Source: Lin 1991, eq. 3.2 and 4.1.

    >>> round(js_divergence(torch.tensor([0.5, 0.5]), torch.tensor([0.9, 0.1])), 6)
    0.101749
    """
    p, q = _probabilities(p, q)
    middle = (p + q) / 2
    return max(0.0, (_kl(p, middle) + _kl(q, middle)) / 2)


def js_distance(p: Tensor, q: Tensor) -> float:
    """Square root of `js_divergence`, which is a metric: 0 to sqrt(ln 2).

    Args:
        p: (K,), probabilities.
        q: (K,), probabilities.

    Raises:
        InputError: No probabilities, or different K.

    Source: Endres & Schindelin 2003, theorem 1.
    """
    return math.sqrt(js_divergence(p, q))


def shares(labels: Tensor, *, classes: int) -> Tensor:
    """Count how often each class occurs, over the number of labels.

    Args:
        labels: (N,), int64 in [0, K).
        classes: K.

    Returns:
        (K,), float64, sums to 1.

    Raises:
        InputError: No labels, or one outside [0, K).

    >>> shares(torch.tensor([0, 2, 2, 2]), classes=3).tolist()
    [0.25, 0.0, 0.75]
    """
    if labels.ndim != 1 or labels.is_floating_point() or len(labels) == 0:
        raise InputError(f"Labels of shape {tuple(labels.shape)} and type {labels.dtype}; give whole numbers, (N,).")
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise InputError(
            f"Labels from {int(labels.min())} to {int(labels.max())} were given for {classes} classes; number the "
            f"classes 0 to {classes - 1}."
        )
    return torch.bincount(labels, minlength=classes).double() / len(labels)


def class_balance(labels: Tensor, *, expected: Tensor) -> ClassBalance:
    """Compare the classes of samples with the shares they should have.

    Args:
        labels: (N,), int64 in [0, K): what a classifier calls the samples.
        expected: (K,), probabilities, such as `shares` of the training labels.

    Raises:
        InputError: No labels, one outside [0, K), or no probabilities.

    >>> class_balance(torch.tensor([0, 0, 1, 1]), expected=torch.full((4,), 0.25)).missing
    (2, 3)
    """
    found = shares(labels, classes=len(expected))
    p, q = _probabilities(found, expected.to(found.device))
    missing = tuple(((p == 0) & (q > 0)).nonzero().flatten().tolist())
    entropy = -float(torch.xlogy(p, p).sum()) / math.log(len(p)) if len(p) > 1 else 1.0
    return ClassBalance(p, missing, _kl(p, q), float((p - q).abs().sum()) / 2, entropy)


def _kl(p: Tensor, q: Tensor) -> float:
    return float((torch.xlogy(p, p) - torch.xlogy(p, q)).sum())


def _probabilities(p: Tensor, q: Tensor) -> tuple[Tensor, Tensor]:
    p, q = p.double(), q.double()
    if p.ndim != 1 or p.shape != q.shape:
        raise InputError(
            f"Probabilities of shapes {tuple(p.shape)} and {tuple(q.shape)} were compared; give (K,) twice."
        )
    for given in (p, q):
        if not bool((given >= 0).all()) or abs(float(given.sum()) - 1) > 1e-5:
            raise InputError(
                f"Probabilities from {float(given.min()):.4g} on with sum {float(given.sum()):.6g} were given; they "
                "must be 0 or more with sum 1: divide counts by their sum."
            )
    return p, q
