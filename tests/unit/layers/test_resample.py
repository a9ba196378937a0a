"""Resampling by [1, 3, 3, 1] in closed form, and its derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from zerosum.layers.resample import double, halve


def test_a_pixel_is_spread_by_the_filter() -> None:
    pixel = torch.zeros(1, 1, 3, 3)
    pixel[0, 0, 1, 1] = 1.0
    taps = torch.tensor([0.0, 1.0, 3.0, 3.0, 1.0, 0.0]) / 4
    torch.testing.assert_close(double(pixel)[0, 0], torch.outer(taps, taps))


def test_inside_a_constant_map_stays_constant() -> None:
    ones = torch.ones(2, 3, 8, 8)
    torch.testing.assert_close(double(ones)[:, :, 1:-1, 1:-1], torch.ones(2, 3, 14, 14))
    torch.testing.assert_close(halve(ones)[:, :, 1:-1, 1:-1], torch.ones(2, 3, 2, 2))


def test_halving_is_a_quarter_of_the_transpose_of_doubling() -> None:
    small, large = torch.randn(2, 3, 4, 6, dtype=torch.float64), torch.randn(2, 3, 8, 12, dtype=torch.float64)
    torch.testing.assert_close((double(small) * large).sum(), 4 * (small * halve(large)).sum())


@pytest.mark.parametrize("resample", [halve, double])
def test_derivatives_are_those_of_finite_differences(resample) -> None:
    def squared(maps: Tensor) -> Tensor:
        return resample(maps) ** 2

    maps = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(squared, (maps,))
    assert torch.autograd.gradgradcheck(squared, (maps,))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_in_bfloat16_doubling_rounds_once(memory_format) -> None:
    maps = torch.randint(-32, 32, (3, 5, 6, 4)).float()  # sums of 16ths, exact in single precision
    doubled = double(maps.bfloat16().contiguous(memory_format=memory_format))
    assert doubled.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(doubled, double(maps).bfloat16())


@pytest.mark.parametrize("resample", [halve, double])
def test_in_bfloat16_it_is_close_to_the_exact_one(resample) -> None:
    maps = torch.randn(2, 5, 8, 6)
    torch.testing.assert_close(resample(maps.bfloat16()).float(), resample(maps), atol=0.03, rtol=0.03)
