"""Number of statistically different bins (NDB): shares of samples in K-means cells of the training set."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.metrics.checks import check_features, check_widths
from zerosum.metrics.divergence import js_divergence
from zerosum.metrics.pairwise_distances import nearest_row, prepare

_MINIBATCH_ROWS = 20_000  # above it, K-means on chunks is many times faster and bins need not be optimal


@dataclass(frozen=True)
class Bins:
    """Cells about the K-means centres of training features, and how many training samples lie in each."""

    centres: Tensor
    """(K, F), float32."""

    counts: Tensor
    """(K,), int64, of the training samples that the centres were not fitted to."""


@dataclass(frozen=True)
class BinDifference:
    """How the samples' histogram over bins differs from the training set's."""

    different: int
    """NDB: bins whose shares differ significantly. Among K bins, significance * K differ by chance."""

    bins: int
    """K."""

    divergence: float
    """Jensen-Shannon divergence of the histograms, nats."""

    scores: Tensor
    """(K,), float64: the z of each bin, positive where there are too many samples."""


def make_bins(training: Tensor, *, bins: int = 100, seed: int = 0) -> Bins:
    """Cluster one half of the training features by K-means, and count the other half in the bins.

    K-means draws its centres to the very samples that it is fitted to, the more so the more features there are: counted
    themselves, these would fill the bins otherwise than any fresh samples do (a third of 100 bins differs by chance in
    200 dimensions). Samples that it has not met fill them as fresh ones do, in any number of dimensions.

    Args:
        training: (N, F).
        bins: K.
        seed: of the halves and of the first centres.

    Raises:
        InputError: No table of finite features, or fewer than two samples a bin.

    Source: Richardson & Weiss 2018, section 3 (https://arxiv.org/abs/1805.12462), without whitening;
    the halves are ours.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans

    check_features(training, of="training", least=2 * max(bins, 1))
    if bins < 2:
        raise InputError(f"{bins} bins were asked for; give 2 or more.")
    order = torch.randperm(len(training), generator=torch.Generator().manual_seed(seed)).to(training.device)
    fitted, counted = training[order[: len(order) // 2]], training[order[len(order) // 2 :]]
    table = fitted.float().cpu().numpy()
    if len(table) > _MINIBATCH_ROWS:
        means = MiniBatchKMeans(bins, random_state=seed, batch_size=4096).fit(table)
    else:
        means = KMeans(bins, random_state=seed).fit(table)
    centres = torch.from_numpy(means.cluster_centers_).float().to(training.device)
    return Bins(centres, torch.bincount(_nearest(counted, centres), minlength=bins))


def different_bins(bins: Bins, samples: Tensor, *, significance: float = 0.05) -> BinDifference:
    """Count bins whose share of the samples differs from that of the training set.

    Two-proportion z-test a bin: z = (p - q) / sqrt(s (1 - s) (1/n + 1/m)), s the pooled share.

    Args:
        bins: of the training set.
        samples: (M, F), generated or held-out.
        significance: probability with which a bin that does not differ is counted, in (0, 1).

    Raises:
        InputError: No table of finite features, another F than the bins', or a significance outside (0, 1).

    Source: Richardson & Weiss 2018, section 3.
    """
    return compare_bins(bins, nearest_bins(bins, samples), significance=significance)


def nearest_bins(bins: Bins, samples: Tensor) -> Tensor:
    """Find the bin of each sample: (M, F) -> (M,), int64.

    Raises:
        InputError: No table of finite features, or another F than the bins'.
    """
    check_features(samples, of="given")
    check_widths(bins.centres.shape[1], samples.shape[1])
    return _nearest(samples, bins.centres)


def compare_bins(bins: Bins, filled: Tensor, *, significance: float = 0.05) -> BinDifference:
    """Do as `different_bins`, from the bins (M,), int64, that the samples lie in.

    Raises:
        InputError: A significance outside (0, 1).
    """
    if not 0 < significance < 1:
        raise InputError(
            f"A significance of {significance} was given; give a probability between 0 and 1, such as 0.05."
        )
    counts = torch.bincount(filled, minlength=len(bins.counts)).double()
    training = bins.counts.double()
    n, m = training.sum(), counts.sum()
    pooled = (training + counts) / (n + m)
    error = (pooled * (1 - pooled) * (1 / n + 1 / m)).sqrt()
    # A bin that is empty on both sides, or that holds everything, has no error and no difference.
    scores = torch.where(error > 0, (counts / m - training / n) / error.clamp_min(1e-300), 0.0)
    chances = torch.special.erfc(scores.abs() / math.sqrt(2))
    return BinDifference(
        int((chances < significance).sum()), len(scores), js_divergence(counts / m, training / n), scores
    )


def _nearest(features: Tensor, centres: Tensor) -> Tensor:
    """Find the nearest centre of each sample: (N, F), (K, F) -> (N,), int64."""
    middle, rows = prepare(centres, features.to(centres.device), names=("bins'", "given"))
    return nearest_row(rows, middle)[1]
