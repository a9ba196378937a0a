"""The birthday paradox test: the support size of a generator, from near duplicates in small batches."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_features
from zerosum.metrics.pairwise_distances import neighbour_radii, prepare


@dataclass(frozen=True)
class Birthday:
    """How often batches hold a near duplicate, and the support size which that implies."""

    probability: float
    """Share of batches with at least one pair nearer than the threshold."""

    batches: int
    """Batches looked at."""

    support: float
    """Size of a uniform support with that probability; infinite if no batch held a pair, 0 to 1 samples if all did."""


def birthday_test(features: Tensor, *, size: int, threshold: float) -> Birthday:
    """Cut samples into batches and look for near duplicates in each.

    Args:
        features: (N, F), of generated samples in the order they were drawn.
        size: samples a batch, 2 to N; choose it so that about half of the batches hold a pair.
        threshold: Euclidean distance below which two samples count as the same; 0 is never below it.

    Raises:
        InputError: No table of finite features, or a size outside 2 to N.

    Source: Arora, Risteski & Zhang 2018, section 2 (https://arxiv.org/abs/1706.08224), where people judge the pairs.
    """
    check_features(features, of="generated", least=2)
    if not 2 <= size <= len(features) or not threshold > 0:
        raise InputError(
            f"Batches of {size} of {len(features)} samples with a threshold of {threshold} were asked for; give a size "
            f"from 2 to {len(features)} and a threshold above 0."
        )
    batches = [batch for batch in features.split(size) if len(batch) == size]
    hits = [bool(closest_pair(batch) < threshold) for batch in batches]
    probability = sum(hits) / len(hits)
    return Birthday(probability, len(hits), support_size(size, probability))


def closest_pair(features: Tensor) -> float:
    """Euclidean distance of the two samples that are nearest to each other.

    Args:
        features: (N, F), two or more.

    Raises:
        InputError: No table of finite features, or fewer than 2.

    >>> import torch
    >>> closest_pair(torch.tensor([[0.0], [4.0], [6.0]]))
    2.0
    """
    check_features(features, of="given", least=2)
    (rows,) = prepare(features, names=("given",))
    return math.sqrt(float(neighbour_radii(rows, ks=(1,)).min()))


def support_size(size: int, probability: float) -> float:
    """Size of a uniform support whose batches hold a duplicate with a probability: s (s - 1) / (-2 ln(1 - p)).

    At p = 1/2 it is about 0.72 s^2. A support that is not uniform is larger than this.

    Args:
        size: s, samples a batch.
        probability: p, in [0, 1].

    Raises:
        InputError: A size below 2 or a probability outside [0, 1].

    Source: Arora, Risteski & Zhang 2018, section 2.1.

    >>> round(support_size(23, 0.5))
    365
    """
    if size < 2 or not 0 <= probability <= 1:
        raise InputError(f"A batch of {size} with probability {probability} was given; give 2 or more, and 0 to 1.")
    if probability in (0, 1):
        return math.inf if probability == 0 else 0.0
    return size * (size - 1) / (-2 * math.log1p(-probability))
