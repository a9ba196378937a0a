"""The Wasserstein-1 distance on the line, for counts that are equal and that are not."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.metrics.wasserstein import wasserstein


def test_the_distance_is_the_mean_difference_of_sorted_values() -> None:
    a, b = torch.tensor([3.0, 1.0, 2.0]), torch.tensor([5.0, 1.0, 3.0])
    assert wasserstein(a, b) == pytest.approx(1.0)
    assert wasserstein(a, a) == 0
    assert math.isnan(wasserstein(a, a[:0]))


def test_every_sample_of_unlike_counts_weighs_alike() -> None:
    assert wasserstein(torch.zeros(3), torch.tensor([0.0, 0.0, 3.0])) == pytest.approx(1)
    assert wasserstein(torch.tensor([0.0, 4.0]), torch.tensor([0.0, 2.0, 4.0])) == pytest.approx(2 / 3)
    a = torch.rand(20, generator=torch.Generator().manual_seed(0))
    assert wasserstein(a, a.repeat(3)) == pytest.approx(0, abs=1e-7)
