"""Copies are told from inventions."""

from __future__ import annotations

import pytest
import torch

from zerosum.errors import InputError
from zerosum.metrics.memorisation import authentic_share, authenticity, compare_with_held_out


def by_definition(real: torch.Tensor, fake: torch.Tensor) -> float:
    cross = torch.stack([(row - real.double()).norm(dim=1) for row in fake.double()])
    own = torch.stack([(row - real.double()).norm(dim=1) for row in real.double()]).fill_diagonal_(torch.inf)
    return sum(float(row.min() >= own[row.argmin()].min()) for row in cross) / len(fake)


@pytest.mark.parametrize("width", [1, 4, 60])
def test_authenticity_is_the_share_of_all_pairs(width):
    real, fake = torch.randn(80, width), torch.randn(50, width) * 1.1
    assert authenticity(real, fake) == by_definition(real, fake)


def test_a_distance_equal_to_the_spacing_is_not_closer():
    assert authenticity(torch.tensor([[0.0], [2.0]]), torch.tensor([[-2.0], [4.0]])) == 1.0


@pytest.mark.parametrize("noise", [0.0, 1e-4])
def test_copies_of_repeated_training_samples_are_copies(noise):
    real = torch.randn(60, 5)
    assert authenticity(torch.cat([real, real]), real + noise * torch.randn(60, 5)) == 0.0
    with pytest.raises(InputError, match="Fewer than 2 training samples differ"):
        authenticity(torch.ones(9, 3), torch.randn(4, 3))


def test_copies_are_not_authentic_and_strangers_are():
    real = torch.randn(100, 6)
    assert authenticity(real, real + 1e-4 * torch.randn(100, 6)) == 0.0
    assert authenticity(real, real + 100) == 1.0


def test_independent_draws_are_about_half_authentic():
    assert 0.4 < authenticity(torch.randn(1000, 8), torch.randn(1000, 8)) < 0.65


def test_half_a_set_of_copies_halves_the_share():
    real = torch.randn(100, 6)
    assert authenticity(real, torch.cat([real[:50], real[50:] + 100])) == 0.5


def test_distances_of_any_kind_give_a_share():
    distances, spacing = torch.tensor([0.1, 5.0, 2.0]), torch.tensor([1.0, 2.0])
    assert authentic_share(distances, torch.tensor([0, 0, 1]), spacing) == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="do not fit"):
        authentic_share(distances, torch.zeros(2, dtype=torch.int64), spacing)


def test_samples_nearer_than_unseen_ones_are_suspicious():
    held_out = torch.rand(500) + 1
    inventing, copying = (
        compare_with_held_out(torch.rand(500) + 1, held_out),
        compare_with_held_out(torch.rand(500) * 0.1, held_out),
    )
    assert not inventing.suspicious
    assert copying.suspicious
    assert copying.median < copying.threshold < copying.held_out_median
    assert copying.threshold == pytest.approx(1.05, abs=0.02)


def test_a_training_sample_is_no_neighbour_of_itself_however_few_there_are():
    for count in (2, 3, 40):
        training = torch.arange(float(count))[:, None] * 10
        near, far = training[:1] + 1, training[-1:] + 25
        assert authenticity(training, torch.cat([near, far])) == 0.5
