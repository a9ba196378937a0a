"""The grouped convolution is torch's, forwards and through two derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from zerosum.layers.grouped_conv import GroupedConv2d


def twice_differentiated(image: Tensor, layer: nn.Conv2d, *, torchs: bool) -> list[Tensor]:
    """Return the output, a penalty of its slope, and the gradients of their sum."""
    x = image.clone().requires_grad_()
    y = conv2d(x, layer.weight, layer.bias, padding=1, groups=layer.groups) if torchs else layer(x)
    (slope,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
    penalty = (slope**2).sum()
    return [y, slope, *torch.autograd.grad(penalty + y.sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("group", [2, 6])
def test_it_is_torchs_through_two_derivatives(group: int) -> None:
    torch.manual_seed(0)
    layer = GroupedConv2d(6, group).double()
    image = torch.randn(3, 6, 4, 5, dtype=torch.float64)
    ours, theirs = (twice_differentiated(image, layer, torchs=torchs) for torchs in (False, True))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_its_second_derivative_is_that_of_finite_differences() -> None:
    layer = GroupedConv2d(4, 2).double()
    image = torch.randn(1, 4, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(layer, (image,))


def test_under_autocast_it_is_close_to_the_exact_one() -> None:
    layer, image = GroupedConv2d(8, 4), torch.randn(2, 8, 6, 6)
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(image)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), layer(image), atol=0.05, rtol=0.05)
