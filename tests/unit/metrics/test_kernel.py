"""The kernel distance against the double sum of its definition, in float64."""

from __future__ import annotations

from fractions import Fraction
from operator import mul

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics import matmul as fast
from zerosum.metrics.kernel import kernel_distance, polynomial_discrepancy
from zerosum.metrics.matmul import products, strips


def by_definition(x: torch.Tensor, y: torch.Tensor) -> float:
    x, y = x.double(), y.double()

    def k(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((a[:, None] * b).sum(-1) / a.shape[1] + 1) ** 3

    n, m = len(x), len(y)
    within = (k(x, x).sum() - k(x, x).trace()) / (n * (n - 1)) + (k(y, y).sum() - k(y, y).trace()) / (m * (m - 1))
    return float(within - 2 * k(x, y).mean())


def test_four_points_in_closed_form():
    x, y = torch.tensor([[0.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [1.0, 1.0]])
    assert polynomial_discrepancy(x, y) == pytest.approx(1.1875, rel=1e-6)


@pytest.mark.parametrize(("n", "m"), [(2, 3), (90, 41), (101, 101)])
def test_the_discrepancy_is_the_double_sum(n, m):
    x, y = torch.randn(n, 32).relu(), torch.randn(m, 32).relu() + 0.5
    assert polynomial_discrepancy(x, y) == pytest.approx(by_definition(x, y), rel=1e-6)
    assert polynomial_discrepancy(x.double(), y.double()) == pytest.approx(by_definition(x, y), rel=1e-11)


def test_an_offset_costs_no_digits():
    x, y = torch.randn(40, 16).double(), (1.05 * torch.randn(40, 16)).double() + 0.05
    offset = torch.full((16,), 1e4).double()
    exact = _by_fractions(x + offset, y + offset)
    assert polynomial_discrepancy((x + offset), (y + offset)) == pytest.approx(exact, rel=1e-9)
    assert polynomial_discrepancy((x + offset).float(), (y + offset).float()) == pytest.approx(
        _by_fractions((x + offset).float().double(), (y + offset).float().double()), rel=1e-4
    )


def _by_fractions(x: torch.Tensor, y: torch.Tensor) -> float:
    """The double sum without any rounding."""
    a, b = ([[Fraction(value) for value in row] for row in side.tolist()] for side in (x, y))

    def total(p: list[list[Fraction]], q: list[list[Fraction]]) -> Fraction:
        kernel = ((sum(map(mul, s, t)) / x.shape[1] + 1) ** 3 for s in p for t in q if s is not t)
        return sum(kernel, Fraction(0))

    n, m = len(a), len(b)
    return float(total(a, a) / (n * (n - 1)) + total(b, b) / (m * (m - 1)) - 2 * total(a, b) / (n * m))


def test_float32_keeps_six_digits_of_a_small_distance():
    mix = torch.randn(16, 512) / 4
    x, y = ((torch.randn(300, 16) * scale @ mix).relu() for scale in (1.0, 1.15))
    expected = polynomial_discrepancy(x.double(), y.double())
    assert abs(expected) < 0.1
    assert polynomial_discrepancy(x, y) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("subsets", [4, 30], ids=["each by itself", "all pairs at once"])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_the_mean_over_subsets_is_that_of_the_drawn_subsets(subsets, offset):
    x, y = torch.randn(80, 6).double() + offset, torch.randn(70, 6).double() + offset + 0.3
    found = kernel_distance(x, y, seed=5, subsets=subsets, subset_size=20)
    generator = torch.Generator().manual_seed(5)
    rows = [[torch.randperm(len(side), generator=generator)[:20] for side in (x, y)] for _ in range(subsets)]
    expected = [polynomial_discrepancy(x[of_x], y[of_y]) for of_x, of_y in rows]
    assert found.subsets == pytest.approx(expected, rel=1e-9)
    if not offset:
        assert expected == pytest.approx([by_definition(x[of_x], y[of_y]) for of_x, of_y in rows], rel=1e-9)
    values = torch.tensor(expected, dtype=torch.float64)
    assert found.value == pytest.approx(float(values.mean()), rel=1e-9)
    assert found.deviation == pytest.approx(float(values.std(correction=0)), rel=1e-6)
    assert found.standard_error == pytest.approx(found.deviation / subsets**0.5)


def test_float32_keeps_six_digits_of_subsets_small_distances():
    mix = torch.randn(16, 512) / 4
    x, y = ((torch.randn(300, 16) * scale @ mix).relu() for scale in (1.0, 1.15))
    of = {"seed": 0, "subsets": 20, "subset_size": 100}
    exact = kernel_distance(x.double(), y.double(), **of)
    assert kernel_distance(x, y, **of).subsets == pytest.approx(exact.subsets, rel=1e-6, abs=1e-8)


def test_the_same_seed_gives_the_same_number():
    x, y = torch.randn(50, 4), torch.randn(50, 4)
    options = {"subsets": 3, "subset_size": 30}
    assert kernel_distance(x, y, seed=1, **options) == kernel_distance(x, y, seed=1, **options)
    assert kernel_distance(x, y, seed=1, **options) != kernel_distance(x, y, seed=2, **options)


def test_two_samples_of_one_distribution_are_at_zero_on_average():
    x, y = torch.randn(3000, 8), torch.randn(3000, 8)
    found = kernel_distance(x, y, seed=0, subsets=60, subset_size=50)
    assert abs(found.value) < 5 * found.standard_error
    assert min(found.subsets) < 0 < max(found.subsets)


def test_a_shift_and_a_dropped_class_are_seen():
    classes = torch.arange(400) % 4
    x, y = (torch.randn(400, 8) + 3 * torch.eye(8)[classes] for _ in range(2))
    equal = abs(polynomial_discrepancy(x, y))
    assert polynomial_discrepancy(x, y + 0.5) > 10 * equal
    assert polynomial_discrepancy(x, y[classes != 3]) > 3 * equal


def test_the_order_of_samples_does_not_matter():
    x, y = torch.randn(60, 8), torch.randn(60, 8) + 1
    value = polynomial_discrepancy(x, y)
    assert polynomial_discrepancy(x[torch.randperm(60)], y[torch.randperm(60)]) == pytest.approx(value, rel=1e-6)


def test_subsets_larger_than_the_sets_are_refused():
    with pytest.raises(InputError, match="2 to 30 samples"):
        kernel_distance(torch.randn(40, 2), torch.randn(30, 2), seed=0)


@pytest.mark.parametrize("shapes", [((5, 7), (3, 7)), ((64, 300), (129, 300)), ((1, 1), (1, 1))])
def test_products_are_those_of_float64(shapes):
    a, b = (torch.randn(shape) for shape in shapes)
    torch.testing.assert_close(products(a, b).double(), a.double() @ b.double().T, rtol=1e-5, atol=1e-4)
    torch.testing.assert_close(products(a[:, ::2], b[:, ::2]), a[:, ::2] @ b[:, ::2].T, rtol=1e-5, atol=1e-4)


def test_products_without_onednn_are_the_same(monkeypatch):
    a, b = torch.randn(30, 40), torch.randn(20, 40)
    quick = products(a, b)
    monkeypatch.setattr(fast, "_has_linear", lambda: False)
    torch.testing.assert_close(products(a, b), quick, rtol=1e-5, atol=1e-5)


def test_products_stay_precise_where_torch_may_use_bfloat16():
    a, b = torch.randn(30, 400), torch.randn(20, 400)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        found = products(a, b)
    finally:
        torch.set_float32_matmul_precision(before)
    torch.testing.assert_close(found.double(), a.double() @ b.double().T, rtol=1e-6, atol=1e-5)


def test_strips_cover_all_rows_once():
    for rows, columns, values in ((1, 1, 1), (10, 3, 7), (10, 100, 7), (10, 3, 1000)):
        assert [i for part in strips(rows, columns, values=values) for i in range(part.start, part.stop)] == list(
            range(rows)
        )
