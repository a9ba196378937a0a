"""Conditional batch norm is batch norm with a gain and a bias of each sample's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.layers.conditional_norm import ConditionalBatchNorm2d


def test_tables_start_as_plain_batch_norm_and_then_give_each_class_its_gain_and_bias():
    torch.manual_seed(0)
    x, labels = torch.randn(6, 3, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    layer, plain = ConditionalBatchNorm2d(3, classes=3), nn.BatchNorm2d(3)
    torch.testing.assert_close(layer(x, labels), plain(x))
    layer.gain.weight.data.normal_()
    layer.shift.weight.data.normal_()
    expected = (
        plain(x) * (1 + layer.gain.weight[labels])[:, :, None, None] + layer.shift.weight[labels][:, :, None, None]
    )
    torch.testing.assert_close(layer(x, labels), expected)


def test_a_vector_gives_gain_one_plus_w_v_and_bias_v_v():
    torch.manual_seed(0)
    x, vector = torch.randn(6, 3, 4, 4), torch.randn(6, 5)
    layer = ConditionalBatchNorm2d(3, vector=5)
    gain, shift = 1 + vector @ layer.gain.weight.t(), vector @ layer.shift.weight.t()
    expected = nn.BatchNorm2d(3)(x) * gain[:, :, None, None] + shift[:, :, None, None]
    torch.testing.assert_close(layer(x, vector), expected)
    torch.testing.assert_close(layer(x, torch.zeros(6, 5)), nn.BatchNorm2d(3)(x))


def test_half_precision_stays_half():
    layer = ConditionalBatchNorm2d(3, classes=2)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(2, 3, 4, 4).bfloat16(), torch.tensor([0, 1])).dtype == torch.bfloat16


@pytest.mark.parametrize("given", [{}, {"classes": 2, "vector": 3}])
def test_either_classes_or_a_vector_is_given(given):
    with pytest.raises(ValueError, match="give one of them"):
        ConditionalBatchNorm2d(3, **given)
