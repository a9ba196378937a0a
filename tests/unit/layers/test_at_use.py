"""Convolutions of trained models: weights stored as kernels take them, and kernels for use alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.layers import conv
from zerosum.layers.at_use import allow_kernels_of_use, order_weights
from zerosum.layers.conv import Conv2d, ConvTranspose2d, UpsampleConv


def test_the_order_of_weights_changes_no_bit_and_spares_a_copy() -> None:
    torch.manual_seed(0)
    layers = (
        ConvTranspose2d(9, 16, 4),
        nn.ReLU(),
        UpsampleConv(16, 12),
        ConvTranspose2d(12, 8, 4, 2, 1),
        Conv2d(8, 3, 3),
    )
    model, latent = nn.Sequential(*layers), torch.randn(5, 9, 1, 1)
    with torch.no_grad():
        before = model(latent)
        order_weights(model)
        assert torch.equal(model(latent), before)
    weights = [one for one in model.parameters() if one.ndim == 4]
    assert all(one.is_contiguous(memory_format=torch.channels_last) for one in weights)


@pytest.mark.parametrize("bias", [True, False])
def test_one_sample_is_computed_as_among_others(bias: bool) -> None:
    torch.manual_seed(0)
    layer, latent = ConvTranspose2d(100, 512, 4, bias=bias), torch.randn(16, 100, 1, 1)
    with torch.no_grad():
        assert torch.equal(layer(latent[:1]), layer(latent)[:1])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("channels", "size"), [((24, 10), (4, 4)), ((9, 3), (8, 6)), ((6, 1), (5, 7))])
def test_kernels_of_use_give_what_training_does_whatever_the_batch(
    channels: tuple[int, int], size: tuple[int, int], bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    layer, maps = ConvTranspose2d(*channels, 4, 2, 1, bias=bias), torch.randn(16, channels[0], *size)
    layer.requires_grad_(False)
    trained = layer(maps)
    allow_kernels_of_use(layer)
    monkeypatch.setattr(conv, "contract", None)
    used = layer(maps)
    torch.testing.assert_close(used, trained, rtol=0, atol=2e-6)
    assert used.is_contiguous(memory_format=torch.channels_last)
    assert all(torch.equal(layer(maps[:n]), used[:n]) for n in (1, 2, 3, 8))


def test_kernels_of_use_are_not_differentiated() -> None:
    layer, maps = ConvTranspose2d(6, 3, 4, 2, 1), torch.randn(2, 6, 4, 4, requires_grad=True)
    expected = torch.autograd.grad(layer(maps).square().sum(), maps)[0]
    allow_kernels_of_use(layer)
    assert torch.equal(torch.autograd.grad(layer(maps).square().sum(), maps)[0], expected)
