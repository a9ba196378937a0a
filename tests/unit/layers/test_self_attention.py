"""Self-attention is softmax(Q K^T) V, added with a gain that starts at 0."""

from __future__ import annotations

import torch

from zerosum.layers.self_attention import SelfAttention


def test_with_a_gain_of_zero_it_is_the_identity_whose_gain_has_a_gradient():
    torch.manual_seed(0)
    layer, maps = SelfAttention(16), torch.randn(2, 16, 4, 6)
    result = layer(maps)
    assert torch.equal(result, maps)
    result.square().sum().backward()
    assert layer.gain.grad.abs() > 0


def test_each_place_gets_the_mean_of_pooled_values_weighed_by_its_likeness_to_their_keys():
    torch.manual_seed(0)
    layer, maps = SelfAttention(16).double(), torch.randn(1, 16, 4, 4, dtype=torch.float64)
    layer.gain.data.fill_(0.5)
    query, key, value = (
        torch.einsum("kc,chw->khw", a.weight[:, :, 0, 0], maps[0]) for a in (layer.query, layer.key, layer.value)
    )
    pooled_key = key.unflatten(1, (2, 2)).unflatten(3, (2, 2)).amax((2, 4)).flatten(1)
    pooled_value = value.unflatten(1, (2, 2)).unflatten(3, (2, 2)).amax((2, 4)).flatten(1)
    expected = maps.clone()
    for y in range(4):
        for x in range(4):
            weights = (query[:, y, x] @ pooled_key).exp()
            mixed = (pooled_value * weights / weights.sum()).sum(1)
            expected[0, :, y, x] += 0.5 * layer.out.weight[:, :, 0, 0] @ mixed
    torch.testing.assert_close(layer(maps), expected)
