"""Bins that differ: the z-test by hand, chance level, and a class that is missing."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.divergence import js_divergence
from zerosum.metrics.ndb import Bins, different_bins, make_bins


def test_the_scores_are_those_of_the_two_proportion_test():
    bins = Bins(torch.tensor([[0.0], [10.0]]), torch.tensor([60, 40]))
    found = different_bins(bins, torch.tensor([[1.0]] * 40 + [[9.0]] * 160))
    pooled = 100 / 300
    z = (0.2 - 0.6) / math.sqrt(pooled * (1 - pooled) * (1 / 100 + 1 / 200))
    assert found.scores.tolist() == pytest.approx([z, -z], rel=1e-12)
    assert (found.different, found.bins) == (2, 2)
    assert found.divergence == pytest.approx(
        js_divergence(torch.tensor([0.2, 0.8]), torch.tensor([0.6, 0.4])), rel=1e-6
    )


def test_the_threshold_is_the_normal_quantile():
    bins = Bins(torch.tensor([[0.0], [10.0]]), torch.tensor([500, 500]))
    # 1.96 standard errors of the difference are 0.0536 for 1,000 training and 500 other samples.
    below, above = (torch.tensor([[0.0]] * n + [[10.0]] * (500 - n)) for n in (276, 278))
    assert different_bins(bins, below).different == 0
    assert different_bins(bins, above).different == 2
    assert different_bins(bins, above, significance=0.01).different == 0


def test_bins_count_the_half_that_they_were_not_fitted_to_and_repeat_with_their_seed():
    x = torch.randn(500, 4)
    bins = make_bins(x, bins=12, seed=3)
    assert int(bins.counts.sum()) == 250
    assert torch.equal(bins.centres, make_bins(x, bins=12, seed=3).centres)
    counted = x[torch.randperm(500, generator=torch.Generator().manual_seed(3))[250:]]
    assert torch.equal(bins.counts, torch.bincount(torch.cdist(counted, bins.centres).argmin(1), minlength=12))


@pytest.mark.parametrize("width", [3, 200])
def test_about_one_bin_in_twenty_differs_by_chance_in_any_number_of_dimensions(width):
    bins = make_bins(torch.randn(2000, width), bins=50, seed=0)
    counts = [different_bins(bins, torch.randn(2000, width)).different for _ in range(8)]
    assert 0.5 < sum(counts) / 8 < 6


def test_the_counted_half_does_not_differ_in_any_order():
    x = torch.randn(300, 3)
    bins = make_bins(x, bins=10, seed=0)
    counted = x[torch.randperm(300, generator=torch.Generator().manual_seed(0))[150:]]
    found = different_bins(bins, counted.flip(0))
    assert (found.different, found.divergence) == (0, 0)


def test_a_dropped_class_and_a_shift_are_seen():
    classes = torch.arange(800) % 8
    x, y = (
        torch.randn(800, 4) + 20 * torch.randn(8, 4, generator=torch.Generator().manual_seed(0))[classes] for _ in "ab"
    )
    bins = make_bins(x, bins=8)
    assert different_bins(bins, y).different <= 1
    dropped = different_bins(bins, y[classes != 2])
    assert dropped.different <= 2
    assert float(dropped.scores.min()) < -5
    assert different_bins(bins, y + 100).different >= 6


def test_more_bins_than_samples_are_refused():
    with pytest.raises(InputError, match="at least 200"):
        make_bins(torch.randn(20, 3))
    with pytest.raises(InputError, match="one extractor"):
        different_bins(make_bins(torch.randn(20, 3), bins=2), torch.randn(5, 4))
