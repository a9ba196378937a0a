"""Precision, recall, density and coverage against all pairs in float64, bit for bit."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics import matmul, pairwise_distances, precision_recall
from zerosum.metrics.pairwise_distances import nearest_row, neighbour_radii, prepare
from zerosum.metrics.precision_recall import fidelity_diversity


def all_pairs(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.stack([(row - b.double()).square().sum(1) for row in a.double()])


def radii(x: torch.Tensor, k: int) -> torch.Tensor:
    table = all_pairs(x, x)
    table.fill_diagonal_(math.inf)
    return table.sort(1).values[:, k - 1]


def by_definition(real: torch.Tensor, fake: torch.Tensor, k: int, k_density: int) -> tuple[float, ...]:
    table = all_pairs(fake, real)
    precise = table <= radii(real, k)
    recalled = table <= radii(fake, k)[:, None]
    ball = (table < radii(real, k_density)) | (table == 0)
    return (
        float(precise.any(1).double().mean()),
        float(recalled.any(0).double().mean()),
        int(ball.sum()) / (k_density * len(fake)),
        float(ball.any(0).double().mean()),
    )


def figures(real: torch.Tensor, fake: torch.Tensor, k: int = 3, k_density: int = 5) -> tuple[float, ...]:
    found = fidelity_diversity(real, fake, k=k, k_density=k_density)
    return found.precision, found.recall, found.density, found.coverage


def test_samples_that_all_equal_each_other_and_the_real_ones_are_as_good_as_can_be():
    same = torch.ones(30, 4)
    assert figures(same, same) == (1, 1, 6, 1)


SETS = {
    "gaussians": lambda n, f: torch.randn(n, f),
    "far from the origin": lambda n, f: torch.randn(n, f) + 1000,
    "lattice, with ties and duplicates": lambda n, f: torch.randint(0, 3, (n, f)).float(),
    "two points": lambda n, f: torch.randint(0, 2, (n, 1)).float().expand(n, f).contiguous(),
    "float64": lambda n, f: torch.randn(n, f, dtype=torch.float64),
    "several scales": lambda n, f: torch.randn(n, f) * 10.0 ** torch.randint(-4, 4, (n, 1)),
    "small clusters far apart": lambda n, f: 1e3 * torch.randint(0, 3, (n, f)) + 1e-3 * torch.randn(n, f),
    "nearly equal": lambda n, f: 1 + 1e-4 * torch.randn(n, f),
}


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize(
    ("n", "m", "width", "k", "k_density"), [(60, 50, 3, 3, 5), (45, 90, 40, 1, 2), (8, 9, 2, 7, 4), (200, 150, 8, 3, 5)]
)
def test_the_figures_are_those_of_all_pairs(kind, n, m, width, k, k_density):
    real, fake = SETS[kind](n, width), SETS[kind](m, width)
    assert figures(real, fake, k, k_density) == by_definition(real, fake, k, k_density)


def test_the_figures_do_not_depend_on_the_strips(monkeypatch):
    real, fake = torch.randn(90, 4), torch.randn(70, 4) * 0.8
    whole = figures(real, fake)
    for height in (1, 7, 64):
        for module in (pairwise_distances, precision_recall):
            monkeypatch.setattr(module, "strips", lambda n, _, h=height: matmul.strips(n, 1, values=h))
        assert figures(real, fake) == whole


def test_identical_sets_are_precise_recalled_and_covered():
    x = torch.randn(80, 6)
    found = fidelity_diversity(x, x.clone())
    assert (found.precision, found.recall, found.coverage) == (1.0, 1.0, 1.0)
    # Each sample lies in the balls of about k others and in its own.
    assert found.density == pytest.approx(1.0, abs=0.05)


def test_far_sets_have_nothing_in_common():
    x = torch.randn(80, 6)
    assert figures(x, x + 1000) == (0.0, 0.0, 0.0, 0.0)


def test_two_samples_of_one_distribution_have_the_expected_density_and_coverage():
    found = fidelity_diversity(torch.randn(3000, 8), torch.randn(3000, 8))
    assert found.density == pytest.approx(1.0, abs=0.04)
    assert found.coverage == pytest.approx(1 - 2**-5, abs=0.015)


def test_a_dropped_class_costs_recall_and_coverage_alone():
    classes = torch.arange(400) % 4
    real, fake = (torch.randn(400, 8) + 100 * torch.eye(8)[classes] for _ in range(2))
    whole, part = fidelity_diversity(real, fake), fidelity_diversity(real, fake[classes != 3])
    assert part.recall <= 0.75 < whole.recall
    assert part.coverage <= 0.75 < whole.coverage
    assert part.precision == pytest.approx(whole.precision, abs=0.03)


def test_a_shift_costs_precision_and_density():
    real, fake = torch.randn(300, 8), torch.randn(300, 8)
    near, far = fidelity_diversity(real, fake), fidelity_diversity(real, fake + 2)
    assert far.precision < near.precision / 2
    assert far.density < near.density / 2


def test_the_order_of_samples_does_not_matter():
    real, fake = torch.randn(90, 5), torch.randn(80, 5)
    assert figures(real[torch.randperm(90)], fake[torch.randperm(80)]) == figures(real, fake)


@pytest.mark.parametrize("height", [1, 9, 1000])
def test_radii_are_exact_distances_whatever_the_strips(height, monkeypatch):
    x = torch.randn(70, 5) + 30
    monkeypatch.setattr(pairwise_distances, "strips", lambda n, _: matmul.strips(n, 1, values=height))
    (rows,) = prepare(x, names=("given",))
    found = neighbour_radii(rows, ks=(1, 4, 69))
    for k, radius in zip((1, 4, 69), found, strict=True):
        torch.testing.assert_close(radius, radii(x, k), rtol=1e-5, atol=0)


def test_the_nearest_row_is_that_of_all_pairs():
    points, queries = torch.randn(50, 3), torch.randn(40, 3)
    p, q = prepare(points, queries, names=("real", "generated"))
    found, places = nearest_row(q, p)
    expected = all_pairs(queries, points).min(1)
    assert torch.equal(places, expected.indices)
    torch.testing.assert_close(found, expected.values, rtol=1e-5, atol=0)


def test_too_few_samples_for_k_are_refused():
    with pytest.raises(InputError, match="from 1 to 4"):
        fidelity_diversity(torch.randn(5, 2), torch.randn(5, 2))
    with pytest.raises(InputError, match="one extractor"):
        fidelity_diversity(torch.randn(9, 2), torch.randn(9, 3))
