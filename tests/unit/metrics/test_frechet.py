"""The Frechet distance: closed forms, scipy-like references by eigenvalues of the product, and what moves it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.frechet import frechet_distance, frechet_distance_of_features
from zerosum.metrics.moments import Moments, moments


def gaussian(mean: list[float], covariance: torch.Tensor, count: int = 1000) -> Moments:
    return Moments(count, torch.tensor(mean).double(), covariance.double() * (count - 1))


def by_definition(x: torch.Tensor, y: torch.Tensor) -> float:
    """The formula with the general eigenvalues of the product of the covariances."""
    x, y = x.double().numpy(), y.double().numpy()
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = np.sqrt(np.linalg.eigvals(a @ b).astype(complex)).real.sum()
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * root)


def test_two_gaussians_in_closed_form():
    found = frechet_distance(gaussian([0, 0], torch.eye(2)), gaussian([1, 2], 4 * torch.eye(2)))
    assert found.value == pytest.approx(7.0, rel=1e-12)
    assert found.mean_term == pytest.approx(5.0)
    assert found.spread_term == pytest.approx(2.0)
    assert found.notes == ()


def test_gaussians_that_do_not_commute_in_closed_form():
    a, b = torch.tensor([[2.0, 1.0], [1.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    # For 2 x 2 tables Tr (a b)^(1/2) = sqrt(Tr(a b) + 2 sqrt(det a det b)): 8 and 3, 3.
    expected = 4 + 4 - 2 * (8 + 2 * 3) ** 0.5
    assert frechet_distance(gaussian([0, 0], a), gaussian([0, 0], b)).value == pytest.approx(expected, rel=1e-12)


def test_features_give_the_definitions_number():
    mix = torch.randn(12, 12)
    x, y = torch.randn(400, 12) @ mix, torch.randn(300, 12) @ mix * 1.2 + 0.3
    expected = by_definition(x, y)
    assert frechet_distance_of_features(x, y).value == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(moments(x), moments(y)).value == pytest.approx(expected, rel=1e-9)


def test_more_features_than_a_block_give_the_definitions_number():
    x, y = torch.randn(700, 300), torch.randn(650, 300) * 1.2
    assert frechet_distance_of_features(x, y).value == pytest.approx(by_definition(x, y), rel=1e-9)


def test_sets_without_any_spread_are_as_far_apart_as_their_means():
    x = torch.zeros(5, 2)
    assert frechet_distance_of_features(x, x + 3).value == pytest.approx(18.0)


@pytest.mark.parametrize(("n", "m"), [(20, 30), (20, 64), (20, 500), (500, 20), (65, 65)])
def test_fewer_samples_than_features_give_the_definitions_number_and_a_note(n, m):
    x, y = torch.randn(n, 64), torch.randn(m, 64) * 1.5 + 0.2
    found = frechet_distance_of_features(x, y)
    # A singular product has eigenvalues whose rounding errors have large roots: hence the width of the tolerance.
    assert found.value == pytest.approx(by_definition(x, y), rel=1e-5)
    assert frechet_distance(moments(x), moments(y)).value == pytest.approx(found.value, rel=1e-9)
    assert len(found.notes) == (n <= 64) + (m <= 64)
    assert all("biased upwards" in note for note in found.notes)


@pytest.mark.parametrize("n", [10, 40, 400])
def test_identical_sets_are_at_distance_zero(n):
    x = torch.randn(n, 32) @ torch.randn(32, 32)
    for found in (frechet_distance_of_features(x, x), frechet_distance(moments(x), moments(x))):
        assert 0 <= found.value < 1e-6


def test_features_that_never_move_change_nothing():
    x, y = torch.randn(100, 6), torch.randn(100, 6) + 1
    dead = torch.zeros(100, 3)
    expected = frechet_distance_of_features(x, y).value
    assert frechet_distance_of_features(torch.cat([x, dead], 1), torch.cat([y, dead], 1)).value == pytest.approx(
        expected, rel=1e-12
    )


def test_a_collapsed_generator_keeps_the_spread_of_the_real_samples():
    x = torch.randn(100, 6)
    found = frechet_distance_of_features(x, x.mean(0).expand(100, 6))
    assert found.value == pytest.approx(float(moments(x).covariance.trace()), rel=1e-6)


def test_repeated_features_make_a_singular_covariance_and_the_right_number():
    x, y = torch.randn(200, 5), torch.randn(200, 5) * 2
    twice = frechet_distance_of_features(torch.cat([x, x], 1), torch.cat([y, y], 1)).value
    assert twice == pytest.approx(2 * frechet_distance_of_features(x, y).value, rel=1e-7)


def test_a_shift_adds_its_squared_length():
    x, y = torch.randn(200, 4, dtype=torch.float64), torch.randn(200, 4, dtype=torch.float64)
    y -= y.mean(0) - x.mean(0)
    step = torch.tensor([3.0, 0.0, 4.0, 0.0]).double()
    before, after = frechet_distance_of_features(x, y).value, frechet_distance_of_features(x, y + step).value
    assert after - before == pytest.approx(25.0, rel=1e-9)


def test_order_of_samples_and_of_sides_does_not_matter():
    x, y = torch.randn(150, 8), torch.randn(130, 8) + 1
    value = frechet_distance_of_features(x, y).value
    assert frechet_distance_of_features(y, x[torch.randperm(150)]).value == pytest.approx(value, rel=1e-10)


def test_a_dropped_class_is_seen():
    classes = torch.arange(400) % 4
    x = torch.randn(400, 8) + 5 * torch.eye(8)[classes]
    y = torch.randn(400, 8) + 5 * torch.eye(8)[classes]
    whole = frechet_distance_of_features(x, y).value
    assert frechet_distance_of_features(x, y[classes != 3]).value > 5 * whole


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="one extractor"):
        frechet_distance_of_features(torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(InputError, match="at least 2"):
        frechet_distance_of_features(torch.zeros(1, 2), torch.zeros(3, 2))


def test_moments_that_are_no_numbers_have_no_distance():
    whole, broken = gaussian([0.0, 0.0], torch.eye(2)), gaussian([0.0, 0.0], torch.eye(2) * torch.nan)
    assert np.isnan(frechet_distance(whole, broken).value)
