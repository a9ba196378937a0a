"""Pixel norm brings every pixel's features to mean square one."""

from __future__ import annotations

import pytest
import torch

from zerosum.layers.pixel_norm import pixel_norm


@pytest.mark.parametrize("shape", [(5, 64), (3, 7, 4, 6)])
@pytest.mark.parametrize("size", [1e-2, 1.0, 1e4])
def test_every_pixel_has_mean_square_one(shape, size):
    torch.manual_seed(0)
    normed = pixel_norm(size * torch.randn(shape))
    torch.testing.assert_close(normed.square().mean(1), torch.ones(normed[:, 0].shape), rtol=2e-3, atol=0)


def test_it_is_the_formula_of_the_paper():
    torch.manual_seed(0)
    features = torch.randn(3, 7, 4, 6, dtype=torch.float64)
    expected = features / (features.square().mean(1, keepdim=True) + 1e-8).sqrt()
    torch.testing.assert_close(pixel_norm(features), expected)


def test_zeros_stay_zeros_and_have_a_finite_gradient():
    features = torch.zeros(2, 4, 3, 3, requires_grad=True)
    normed = pixel_norm(features)
    normed.sum().backward()
    assert not normed.any()
    assert features.grad is not None
    assert features.grad.isfinite().all()


def test_half_precision_is_summed_in_float32():
    torch.manual_seed(0)
    features = (1000 * torch.randn(2, 512, 3, 3)).to(torch.bfloat16)
    normed = pixel_norm(features)
    assert normed.dtype == torch.bfloat16
    torch.testing.assert_close(normed.float().square().mean(1), torch.ones(2, 3, 3), rtol=0.01, atol=0)
    large = torch.full((1, 64, 2, 2), 6e4, dtype=torch.float16)  # whose squares float16 cannot hold
    torch.testing.assert_close(pixel_norm(large), torch.ones_like(large), rtol=2e-3, atol=0)


def test_its_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    features = torch.randn(2, 3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(pixel_norm, features)
    assert torch.autograd.gradgradcheck(pixel_norm, features)


def test_its_gradient_in_half_precision_is_that_of_doubles():
    torch.manual_seed(0)
    features, upstream = torch.randn(2, 4, 64, 6, 6, dtype=torch.float64).unbind()
    wide, narrow = features.clone().requires_grad_(), features.bfloat16().requires_grad_()
    pixel_norm(wide).backward(upstream)
    pixel_norm(narrow).backward(upstream.bfloat16())
    assert wide.grad is not None
    assert narrow.grad is not None
    assert narrow.grad.dtype == torch.bfloat16
    assert (narrow.grad - wide.grad).norm() < 0.01 * wide.grad.norm()
