"""Layers of equalised learning rate are the plain ones with scaled weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from zerosum.layers.equalised import EqualisedConv2d, EqualisedDownsampleConv, EqualisedLinear, EqualisedUpsampleConv


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (EqualisedLinear(300, 400), 300),
        (EqualisedConv2d(30, 400, padding=1), 270),
        (EqualisedConv2d(300, 400, 1), 300),
        (EqualisedConv2d(30, 400, (2, 4)), 240),
        (EqualisedUpsampleConv(30, 400), 270),
        (EqualisedDownsampleConv(30, 400), 270),
    ],
)
def test_stored_weights_are_standard_normal_and_used_ones_have_he_s_deviation(layer, fan_in):
    assert layer.weight.std().item() == pytest.approx(1, rel=0.02)
    assert layer.weight.mean().item() == pytest.approx(0, abs=0.02)
    assert layer.scale == pytest.approx(math.sqrt(2 / fan_in))
    assert not layer.bias.any()


def test_features_keep_their_size_through_a_layer_whose_gain_is_one():
    torch.manual_seed(0)
    features = torch.randn(64, 200)
    assert EqualisedLinear(200, 500, gain=1)(features).std().item() == pytest.approx(1, rel=0.05)
    assert EqualisedLinear(200, 500)(features).std().item() == pytest.approx(math.sqrt(2), rel=0.05)


@pytest.mark.parametrize("size", [(4, 4), (7, 7), (6, 10)])
def test_convolutions_are_torch_s_with_scaled_weights(size):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    bias = torch.randn(5, dtype=torch.float64)

    def filled(layer):
        layer.double().bias.data.copy_(bias)
        return layer

    plain, up = filled(EqualisedConv2d(3, 5, padding=1)), filled(EqualisedUpsampleConv(3, 5))
    weight = plain.weight * math.sqrt(2 / 27)
    torch.testing.assert_close(plain(x), functional.conv2d(x, weight, bias, padding=1))
    doubled = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    weight = up.weight * math.sqrt(2 / 27)
    torch.testing.assert_close(up(x), functional.conv2d(doubled, weight, bias, padding=1))
    down = filled(EqualisedDownsampleConv(3, 5))
    weight = down.weight * math.sqrt(2 / 27)
    whole = functional.conv2d(doubled, weight, bias, padding=1)
    torch.testing.assert_close(down(doubled), functional.avg_pool2d(whole, 2))


def test_kernels_that_merge_two_steps_are_the_two_steps_where_torch_s_own_run(monkeypatch):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    layers = [EqualisedConv2d(3, 5, padding=1), EqualisedUpsampleConv(3, 5), EqualisedDownsampleConv(3, 5)]
    ours = [layer.double()(x) for layer in layers]
    monkeypatch.setattr("zerosum.layers.equalised.serves", lambda layer, x: False)
    for layer, result in zip(layers, ours, strict=True):
        torch.testing.assert_close(layer(x), result)


@pytest.mark.parametrize("kind", [EqualisedConv2d, EqualisedUpsampleConv, EqualisedDownsampleConv])
def test_convolutions_can_be_differentiated_twice(kind):
    torch.manual_seed(0)
    layer = kind(2, 3).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, w: layer(x).sigmoid() * w.sum(), (x, layer.weight))


@pytest.mark.parametrize("fan_in", [8, 512])
def test_adam_moves_used_weights_by_the_same_share_of_their_deviation_whatever_the_fan_in(fan_in):
    torch.manual_seed(0)
    layer = EqualisedLinear(fan_in, 64)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.001)

    def used():
        return (layer(torch.eye(fan_in)) - layer.bias).detach()

    before = used()
    layer(torch.randn(16, fan_in)).square().sum().backward()
    optimizer.step()
    assert ((used() - before).abs().mean() / before.std()).item() == pytest.approx(0.001, rel=0.05)


def test_bfloat16_autocast_gives_nearly_the_same_features():
    torch.manual_seed(0)
    x = torch.randn(4, 8, 8, 8)
    for layer in (EqualisedConv2d(8, 8, padding=1), EqualisedUpsampleConv(8, 8), EqualisedDownsampleConv(8, 8)):
        with torch.autocast("cpu", torch.bfloat16):
            rough = layer(x)
        assert rough.dtype == torch.bfloat16
        torch.testing.assert_close(rough.float(), layer(x), rtol=0.05, atol=0.05)
