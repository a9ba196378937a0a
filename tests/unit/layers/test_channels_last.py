"""Weights stored as kernels take them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.layers.channels_last import order_weights
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
