"""Minimisation in a box: exact on linear models, never rising, never outside."""

from __future__ import annotations

import torch

from zerosum.optim.box import minimise


def test_a_linear_model_is_inverted_exactly() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(9, 4, generator=generator, dtype=torch.float64)
    latent = torch.rand(1, 4, generator=generator, dtype=torch.float64)
    image = latent @ matrix.T
    found = minimise(
        lambda z: (z @ matrix.T - image).square().sum(), torch.zeros(1, 4).double(), bound=3, iterations=50
    )
    torch.testing.assert_close(found.at, latent, rtol=1e-5, atol=1e-5)
    assert list(found.values) == sorted(found.values, reverse=True)
    assert len(found.values) > 2


def test_values_stay_in_the_box() -> None:
    found = minimise(lambda z: (z - 9).square().sum(), torch.full((1, 2), -7.0), bound=2, iterations=10)
    assert torch.equal(found.at, torch.full((1, 2), 2.0))
    assert found.values[0] == 2 * 11**2


def test_no_iteration_returns_the_start() -> None:
    found = minimise(lambda z: z.square().sum(), torch.ones(1, 3), bound=2, iterations=0)
    assert torch.equal(found.at, torch.ones(1, 3))
    assert found.values == (3.0,)
