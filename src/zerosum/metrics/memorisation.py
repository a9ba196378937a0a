"""Memorisation metrics from nearest-neighbour distances: authenticity, and a comparison with held-out data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_widths
from zerosum.metrics.pairwise_distances import Rows, nearest_other, nearest_row, prepare


@dataclass(frozen=True)
class HeldOutComparison:
    """Distances of generated samples to the training set, compared with those of held-out real samples."""

    median: float
    """Median distance of generated samples to their nearest training sample."""

    held_out_median: float
    """The same for held-out real samples."""

    threshold: float
    """5th percentile of the held-out distances."""

    suspicious: bool
    """Whether the generated median lies below that percentile."""


def authenticity(real: Tensor, fake: Tensor) -> float:
    """Share of generated samples that are no noisy copies of a training sample.

    A generated sample counts as a copy if it is nearer to its nearest training sample than any other one is, or equal
    to it. Training samples that equal each other count as one: a repeated one has no neighbour at distance 0.
    Independent draws of the training distribution have about half; a memorising generator tends to 0. It rises to 1 on
    samples that are unlike any real ones.

    Args:
        real: (N, F), the training samples.
        fake: (M, F).

    Raises:
        InputError: No tables of finite features, different F, or fewer than 2 training samples.

    Source: Alaa et al. 2022, section 3.3 (https://arxiv.org/abs/2102.08921).

    >>> import torch
    >>> authenticity(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.1], [3.0]]))
    0.5
    """
    check_widths(real.shape[-1], fake.shape[-1])
    r, f = prepare(distinct(real), fake, names=("training", "generated"))
    distances, places = nearest_row(f, r)
    return authentic_share(distances, places, spacing_at(r, places))


def distinct(features: Tensor) -> Tensor:
    """Return the rows of features (N, F) that differ, each once, in their order.

    >>> import torch
    >>> distinct(torch.tensor([[2.0], [1.0], [2.0]])).tolist()
    [[2.0], [1.0]]
    """
    table = np.ascontiguousarray(features.numpy(force=True)) + 0.0  # -0 and 0 are one
    _, first = np.unique(table.view(np.dtype((np.void, table.itemsize * table.shape[1]))), return_index=True)
    return features if len(first) == len(table) else features[torch.from_numpy(np.sort(first)).to(features.device)]


def spacing_at(training: Rows, places: Tensor) -> Tensor:
    """Squared distances of training samples to their nearest other ones, where they are asked for.

    Args:
        training: N samples.
        places: (M,), int64: which are asked for; those that are not have a spacing of 0.

    Returns:
        (N,), float64.

    Raises:
        InputError: Fewer than 2 training samples that differ.
    """
    if len(training) < 2:
        raise InputError("Fewer than 2 training samples differ, so nothing says what a copy is: give more.")
    chosen = places.unique()
    spacing = torch.zeros(len(training), dtype=torch.float64, device=places.device)
    spacing[chosen] = nearest_other(training, chosen)
    return spacing


def authentic_share(distances: Tensor, places: Tensor, spacing: Tensor) -> float:
    """Do as `authenticity`, from distances of any kind, such as those of `nearest`.

    Args:
        distances: (M,), of each generated sample to its nearest training sample.
        places: (M,), int64, which training sample that is.
        spacing: (N,), of each training sample to its nearest other one, in the same measure.

    Raises:
        InputError: Shapes that do not fit.
    """
    if distances.ndim != 1 or distances.shape != places.shape or spacing.ndim != 1 or len(distances) == 0:
        raise InputError(
            f"Distances {tuple(distances.shape)}, places {tuple(places.shape)} and spacing {tuple(spacing.shape)} do "
            "not fit; give (M,), (M,) and (N,), the nearest neighbour alone."
        )
    return float(authentic(distances, places, spacing).double().mean())


def authentic(distances: Tensor, places: Tensor, spacing: Tensor) -> Tensor:
    """Which generated samples are no copies: (M,), bool. The arguments are those of `authentic_share`."""
    return (distances >= spacing[places]) & (distances > 0)


def compare_with_held_out(distances: Tensor, held_out: Tensor) -> HeldOutComparison:
    """Compare distances to the training set with those of held-out real samples.

    Args:
        distances: (M,), of each generated sample to its nearest training sample.
        held_out: (L,), of each held-out real sample to its nearest training sample, in the same measure.

    Raises:
        InputError: One of them is empty or has another number of axes.

    >>> import torch
    >>> compare_with_held_out(torch.zeros(3), torch.arange(21.0)).suspicious
    True
    """
    if distances.ndim != 1 or held_out.ndim != 1 or len(distances) == 0 or len(held_out) == 0:
        raise InputError(
            f"Distances of shapes {tuple(distances.shape)} and {tuple(held_out.shape)} were compared; give one "
            "distance a sample, (M,) and (L,)."
        )
    threshold = float(held_out.double().quantile(0.05))
    median = float(distances.double().quantile(0.5))
    return HeldOutComparison(median, float(held_out.double().quantile(0.5)), threshold, median < threshold)
