"""Mode counts, the ceilings of a perfect sampler, and the birthday test."""

from __future__ import annotations

import math

import pytest
import torch

from zerosum.data.sources.toys import modes, points
from zerosum.errors import InputError
from zerosum.metrics.birthday import birthday_test, closest_pair, support_size
from zerosum.metrics.modes import ceiling, mixture_modes, stacked_modes


def ring() -> tuple[torch.Tensor, float]:
    centres, sigma = modes("ring8")
    return torch.from_numpy(centres), sigma


def test_one_mode_of_the_ring_diverges_by_the_logarithm_of_eight():
    centres, sigma = ring()
    found = mixture_modes(centres[2] + sigma * torch.randn(500, 2).clamp(-2, 2), centres, sigma=sigma)
    assert (found.found, found.modes, found.high_quality) == (1, 8, 1.0)
    assert found.divergence == pytest.approx(math.log(8), abs=1e-9)
    assert found.histogram.tolist() == [0, 0, 500, 0, 0, 0, 0, 0]


def test_samples_beyond_three_sigma_do_not_count():
    centres, sigma = ring()
    step = torch.tensor([[0.0299, 0.0], [0.0301, 0.0], [0.0, 0.5]]).double()
    found = mixture_modes(centres[0] + step, centres, sigma=sigma)
    assert found.high_quality == pytest.approx(1 / 3)
    assert found.found == 1
    assert mixture_modes(centres[0] + step, centres, sigma=sigma, within=4).high_quality == pytest.approx(2 / 3)


def test_without_a_good_sample_there_is_no_mode_and_no_divergence():
    centres, sigma = ring()
    found = mixture_modes(torch.zeros(10, 2), centres, sigma=sigma)
    assert (found.found, found.high_quality) == (0, 0.0)
    assert math.isnan(found.divergence)


def test_real_points_reach_the_ceiling():
    for name in ("ring8", "grid25"):
        centres, sigma = modes(name)
        drawn, _ = points(name, "test")
        found = mixture_modes(torch.from_numpy(drawn), torch.from_numpy(centres), sigma=sigma)
        best = ceiling(len(centres), len(drawn), within=3.0)
        assert found.found == len(centres)
        assert found.high_quality == pytest.approx(best.high_quality, abs=0.0015)
        assert found.divergence < 3 * best.divergence


def test_a_dropped_mode_is_seen_whatever_the_order():
    centres, sigma = modes("grid25")
    drawn, labels = points("grid25", "test")
    kept = torch.from_numpy(drawn[labels != 7])
    found = mixture_modes(kept[torch.randperm(len(kept))], torch.from_numpy(centres), sigma=sigma)
    assert found.found == 24
    assert found.histogram[7] == 0
    assert found.divergence == pytest.approx(math.log(25 / 24), abs=0.002)


def test_one_stacked_digit_is_one_mode_of_a_thousand():
    found = stacked_modes(torch.tensor([[1, 2, 3]]).expand(26_000, 3))
    assert (found.found, found.modes) == (1, 1000)
    assert found.divergence == pytest.approx(6.907755, abs=5e-7)
    assert found.histogram[123] == 26_000


def test_all_stacked_digits_are_a_thousand_modes():
    labels = torch.cartesian_prod(*[torch.arange(10)] * 3)
    found = stacked_modes(labels)
    assert found.found == 1000
    assert found.divergence == pytest.approx(0, abs=1e-12)


def test_ceilings_in_closed_form():
    assert ceiling(8, 2500, within=3.0).high_quality == pytest.approx(1 - math.exp(-4.5), rel=1e-12)
    assert ceiling(8, 2500, within=4.0).high_quality == pytest.approx(0.99966, abs=5e-6)
    assert ceiling(1000, 26_000).divergence == pytest.approx(999 / 52_000, rel=0.01)
    assert ceiling(1000, 10_000).divergence == pytest.approx(0.0507, abs=0.0003)
    assert ceiling(2, 1).divergence == pytest.approx(math.log(2))
    assert ceiling(2, 1).found == pytest.approx(1.0)
    assert ceiling(1, 7).divergence == 0


def test_the_expected_divergence_is_that_of_simulated_perfect_samplers():
    found = [stacked_modes(torch.randint(3, (60, 2)), classes=3) for _ in range(400)]
    expected = ceiling(9, 60)
    divergences = torch.tensor([count.divergence for count in found])
    assert expected.divergence == pytest.approx(float(divergences.mean()), abs=4 * float(divergences.std()) / 20)
    assert expected.found == pytest.approx(sum(count.found for count in found) / 400, abs=0.05)


def test_a_birthday_pair_is_expected_among_twenty_three():
    assert support_size(23, 0.507) == pytest.approx(365, rel=0.03)
    assert support_size(10, 0.0) == math.inf
    assert support_size(10, 1.0) == 0.0


def test_the_birthday_test_finds_the_support_of_a_small_generator():
    support = torch.randn(400, 8)
    samples = support[torch.randint(400, (24 * 300,))] + 1e-4 * torch.randn(24 * 300, 8)
    found = birthday_test(samples, size=24, threshold=0.01)
    assert found.batches == 300
    assert 0.4 < found.probability < 0.6
    assert found.support == pytest.approx(400, rel=0.25)
    assert birthday_test(torch.randn(480, 8), size=24, threshold=0.01).support == math.inf


def test_the_closest_pair_is_that_of_all_pairs():
    x = torch.randn(60, 3)
    table = torch.cdist(x.double(), x.double()).fill_diagonal_(math.inf)
    assert closest_pair(x) == pytest.approx(float(table.min()), rel=1e-6)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(InputError, match="coordinates"):
        mixture_modes(torch.zeros(3, 3), torch.zeros(2, 2), sigma=1)
    with pytest.raises(InputError, match="10 classes"):
        stacked_modes(torch.tensor([[1, 2, 10]]))
    with pytest.raises(InputError, match="threshold"):
        birthday_test(torch.zeros(5, 2), size=2, threshold=0)
    with pytest.raises(InputError, match="1 mode"):
        ceiling(0, 5)
