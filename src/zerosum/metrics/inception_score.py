"""Inception Score and Mode Score, from the class probabilities of a classifier."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_features


@dataclass(frozen=True)
class Score:
    """A score over splits."""

    value: float
    """Mean over splits; 1 to K for the Inception Score, and the smaller, the fewer samples a split holds."""

    deviation: float
    """Standard deviation over splits (N in the denominator), which papers print behind the sign."""

    splits: tuple[float, ...]
    """The score of each split."""


def inception_score(logits: Tensor, *, splits: int = 10) -> Score:
    """Compute exp(E KL(p(y|x) || p(y))) over consecutive splits, with p(y) the mean of p(y|x) in the split.

    Args:
        logits: (N, K), of generated samples in the order they were drawn. Sorted by class, the score is wrong: shuffle
            them first.
        splits: parts of N / splits samples; 10 of 5,000 in the published protocol.

    Raises:
        InputError: No table of finite logits, or splits outside 1 to N.

    Source: Salimans et al. 2016, section 4 (https://arxiv.org/abs/1606.03498).

    >>> inception_score(1e3 * torch.eye(4), splits=1).value
    4.0
    """
    return _over_splits(logits, splits, _information)


def mode_score(logits: Tensor, *, training: Tensor, splits: int = 10) -> Score:
    """Compute exp(E KL(p(y|x) || p(y)) - KL(p(y) || p(y*))) over consecutive splits.

    It is the Inception Score if p(y) = p(y*). With p(y*) in both terms, as several surveys print it, the expression is
    the Inception Score whatever p(y*) is.

    Args:
        logits: (N, K), of generated samples in the order they were drawn.
        training: (K,), p(y*): probabilities of the labels in the training set.
        splits: parts of N / splits samples.

    Raises:
        InputError: No table of finite logits, no K probabilities, or splits outside 1 to N.

    Source: Che et al. 2017, section 3.2 (https://arxiv.org/abs/1612.02136), in the form of Xu et al. 2018's code.

    >>> logits = 1e3 * torch.eye(4)
    >>> mode_score(logits, training=torch.full((4,), 0.25), splits=1).value
    4.0
    """
    expected = training.double()
    if expected.shape != logits.shape[1:] or bool((expected < 0).any()) or abs(float(expected.sum()) - 1) > 1e-5:
        raise InputError(
            f"The training labels' probabilities have shape {tuple(expected.shape)} and sum {float(expected.sum()):.6g}"
            f" for logits {tuple(logits.shape)}; give one a class, with sum 1."
        )

    def score(part: Tensor) -> Tensor:
        marginal = part.exp().mean(0)
        astray = (torch.xlogy(marginal, marginal) - torch.xlogy(marginal, expected)).sum()
        return _information(part) - astray

    return _over_splits(logits, splits, score)


def _over_splits(logits: Tensor, splits: int, score: Callable[[Tensor], Tensor]) -> Score:
    """Apply a score in nats to log-probabilities (n, K) of each split, and take its exponential."""
    check_features(logits, of="classifier's", least=1)
    N = len(logits)
    if not 1 <= splits <= N:
        raise InputError(f"{splits} splits were asked for of {N} samples; give 1 to {N}.")
    bounds = [N * i // splits for i in range(splits + 1)]
    values = torch.stack([score(logits[start:stop].double().log_softmax(1)).exp() for start, stop in pairwise(bounds)])
    return Score(float(values.mean()), float(values.std(correction=0)), tuple(values.tolist()))


def _information(part: Tensor) -> Tensor:
    """Mutual information of sample and class in nats, from log p(y|x): (n, K) -> ()."""
    given = part.exp()
    marginal = given.mean(0)
    # p ln p is 0 where p is 0, also where its logarithm is -inf.
    sharp = torch.where(given > 0, given * part, 0.0).sum(1).mean()
    return sharp - torch.xlogy(marginal, marginal).sum()
