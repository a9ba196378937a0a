"""Minibatch standard deviation says how varied groups of a batch are."""

from __future__ import annotations

import pytest
import torch

from zerosum.errors import InputError
from zerosum.layers.minibatch_stddev import append_deviation


def test_equal_samples_get_the_root_of_epsilon():
    maps = torch.randn(1, 6, 4, 5).expand(8, 6, 4, 5)
    seen = append_deviation(maps, 4)
    assert seen.shape == (8, 7, 4, 5)
    assert torch.equal(seen[:, :6], maps)
    torch.testing.assert_close(seen[:, 6], torch.full((8, 4, 5), 1e-4))


def test_the_deviation_is_over_the_samples_of_a_group_and_averaged_over_all_else():
    torch.manual_seed(0)
    maps = torch.randn(8, 3, 4, 4)
    seen = append_deviation(maps, 4)[:, 3]
    for group in (slice(0, 4), slice(4, 8)):
        expected = maps[group].std(0, correction=0).mean()
        torch.testing.assert_close(seen[group], expected.expand(4, 4, 4), rtol=1e-4, atol=1e-6)
    assert not torch.equal(seen[0], seen[4])


def test_a_piece_that_holds_whole_groups_sees_what_the_batch_sees():
    maps = torch.randn(12, 3, 4, 4)
    pieces = torch.cat([append_deviation(piece, 4) for piece in maps.split(4)])
    assert torch.equal(append_deviation(maps, 4), pieces)


def test_a_batch_that_does_not_divide_is_refused_in_a_sentence():
    with pytest.raises(InputError, match=r"pieces of 6 samples.* groups of 4: make --batch"):
        append_deviation(torch.randn(6, 3, 4, 4), 4)


def test_equal_samples_have_finite_gradients_twice():
    maps = torch.zeros(4, 2, 2, 2, requires_grad=True)
    (slope,) = torch.autograd.grad((append_deviation(maps.sin(), 4) ** 2).sum(), maps, create_graph=True)
    slope.square().sum().backward()
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


def test_half_precision_keeps_its_type_and_counts_small_deviations():
    maps = 100 + torch.randn(4, 8, 4, 4).to(torch.bfloat16)
    seen = append_deviation(maps, 4)
    assert seen.dtype == torch.bfloat16
    expected = maps.float().std(0, correction=0).mean()
    assert seen[0, -1, 0, 0].item() == pytest.approx(expected.item(), rel=0.01)


def test_its_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    maps = torch.randn(8, 3, 2, 2, dtype=torch.float64, requires_grad=True)

    def deviation(maps):
        return append_deviation(maps, 4)

    assert torch.autograd.gradcheck(deviation, maps)
    assert torch.autograd.gradgradcheck(deviation, maps)
