"""Convolution and pooling in one kernel give what they give apart."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from zerosum.layers.downsample_conv import DownsampleConv


@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
def test_it_is_the_convolution_and_then_the_mean_of_2x2_pixels(size):
    torch.manual_seed(0)
    layer, x = DownsampleConv(3, 5).double(), torch.randn(2, 3, *size, dtype=torch.float64)
    expected = functional.avg_pool2d(functional.conv2d(x, layer.weight, layer.bias, padding=1), 2)
    torch.testing.assert_close(layer(x), expected)
