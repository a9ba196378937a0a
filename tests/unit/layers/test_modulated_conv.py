"""The modulated convolution is the one with weights of each sample's own, through two derivatives."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from zerosum.layers.modulated_conv import ModulatedConv2d
from zerosum.layers.rectified import RectifiedConv, RectifiedLinear
from zerosum.layers.resample import double


def own_weights(layer: ModulatedConv2d, maps: Tensor, style: Tensor) -> Tensor:
    """Convolve each sample with its own weights (section 2.2, eq. 1 and 3)."""
    scales = layer.affine(style)
    own = scales[:, None, :, None, None] * layer.weight[None] / math.sqrt(layer.weight[0].numel())
    if layer.demodulate:
        own = own / torch.sqrt((own**2).sum((2, 3, 4), keepdim=True) + 1e-8)
    return torch.cat([functional.conv2d(row[None], w, padding=1) for row, w in zip(maps, own, strict=True)])


@pytest.mark.parametrize("demodulate", [True, False])
def test_scaling_the_input_is_modulating_the_weights(demodulate: bool) -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(4, 6, 5, demodulate=demodulate).double()
    maps = torch.randn(3, 4, 5, 4, dtype=torch.float64, requires_grad=True)
    style = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    found = []
    for output in (layer(maps, style), own_weights(layer, maps, style)):
        slopes = torch.autograd.grad(output.square().sum(), (maps, style), create_graph=True)
        penalty = torch.stack([slope.square().sum() for slope in slopes]).sum()
        found.append([output, *slopes, *torch.autograd.grad(penalty, [*layer.parameters()])])
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("up", [False, True])
def test_its_derivatives_are_those_of_finite_differences(up: bool) -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(2, 2, 3, up=up).double()
    maps = torch.randn(2, 2, 2, 3, dtype=torch.float64, requires_grad=True)
    style = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (maps, style), fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, (maps, style), fast_mode=True)


def test_demodulation_brings_the_output_to_unit_variance() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv2d(32, 64, 8)
    with torch.no_grad():
        layer.affine.weight.zero_()  # every style is 1
        layer.weight.mul_(7)
    output = layer(torch.randn(8, 32, 16, 16), torch.randn(8, 8))[:, :, 1:-1, 1:-1]
    assert output.std().item() == pytest.approx(1.0, abs=0.02)


def test_doubling_convolves_the_doubled_maps() -> None:
    torch.manual_seed(0)
    up, flat = ModulatedConv2d(3, 4, 5, up=True).double(), ModulatedConv2d(3, 4, 5).double()
    flat.load_state_dict(up.state_dict())
    maps, style = torch.randn(2, 3, 6, 6, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    inside = slice(2, -2)  # beyond the edge one has zeros and the other what the filter leaves
    ours, theirs = up(maps, style), flat(double(maps), style)
    assert ours.shape == (2, 4, 12, 12)
    torch.testing.assert_close(ours[:, :, inside, inside], theirs[:, :, inside, inside])


@pytest.mark.parametrize("kernel_size", [1, 3])
def test_a_halving_layers_derivatives_are_those_of_finite_differences(kernel_size: int) -> None:
    torch.manual_seed(0)
    layer = RectifiedConv(2, 2, kernel_size, down=True).double()
    maps = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert layer(maps).shape == (1, 2, 2, 2)
    assert torch.autograd.gradgradcheck(lambda x: layer(x) ** 2, (maps,), fast_mode=True)


def test_a_low_rate_changes_the_steps_and_not_the_function() -> None:
    torch.manual_seed(0)
    layer = RectifiedLinear(64, 64, rate=0.01)
    assert layer.weight.std().item() == pytest.approx(100, rel=0.05)
    assert layer(torch.randn(512, 64)).square().mean().item() == pytest.approx(1.04, abs=0.1)
