"""Resamples from kept neighbours against the same figures computed anew on the resampled rows, bit for bit."""

from __future__ import annotations

import pytest
import torch

from tests.unit.metrics.test_precision_recall import SETS
from zerosum.metrics import matmul, resampled_neighbours
from zerosum.metrics.precision_recall import fidelity_diversity_within, neighbourhoods


def assert_alike(real: torch.Tensor, fake: torch.Tensor, k: int, k_density: int, draws: int = 6) -> None:
    about = neighbourhoods(real, k=k, k_density=k_density)
    known = resampled_neighbours.resampled_neighbours(about, fake)
    assert known is not None
    generator = torch.Generator().manual_seed(0)
    every = torch.arange(len(fake))
    drawn = [torch.randint(len(fake), (len(fake),), generator=generator) for _ in range(draws)]
    for rows in (every, *drawn, every[: k + 1].repeat(3), torch.zeros(k + 2, dtype=torch.int64)):
        assert known.compute(rows) == fidelity_diversity_within(about, fake[rows])


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize(
    ("n", "m", "width", "k", "k_density"), [(60, 50, 3, 3, 5), (45, 90, 40, 1, 2), (8, 9, 2, 7, 4), (200, 150, 8, 3, 5)]
)
def test_a_resample_has_the_figures_of_its_rows(kind, n, m, width, k, k_density):
    assert_alike(SETS[kind](n, width), SETS[kind](m, width), k, k_density)


@pytest.mark.parametrize("spread", [0.0, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 30.0])
def test_a_collapsed_and_a_scattered_generator_are_resampled_as_well(spread):
    assert_alike(torch.randn(120, 6), 0.5 + spread * torch.randn(100, 6), 3, 5)


@pytest.mark.parametrize("spread", [0.0, 1e-6, 1e-3, 1.0])
def test_what_is_kept_suffices_for_usual_samples_and_for_those_of_a_generator_that_collapsed(spread):
    about = neighbourhoods(torch.randn(300, 8), k=3, k_density=5)
    known = resampled_neighbours.resampled_neighbours(about, 2 + spread * torch.randn(300, 8))
    assert known is not None
    assert known.reach(torch.bincount(torch.randint(300, (300,)), minlength=300)) is not None


def test_few_neighbours_kept_change_nothing(monkeypatch):
    monkeypatch.setattr(resampled_neighbours, "DEPTH", 5)
    assert_alike(torch.randn(80, 4), torch.randn(90, 4), 3, 5)


def test_strips_change_nothing(monkeypatch):
    monkeypatch.setattr(resampled_neighbours, "strips", lambda n, _: matmul.strips(n, 1, values=7))
    assert_alike(torch.randn(80, 4), torch.randn(90, 4), 3, 5)


def test_more_pairs_than_memory_has_room_for_are_not_kept(monkeypatch):
    monkeypatch.setattr(resampled_neighbours, "MOST_PAIRS", 99)
    about = neighbourhoods(torch.randn(10, 2), k=3, k_density=5)
    assert resampled_neighbours.resampled_neighbours(about, torch.randn(10, 2)) is None
