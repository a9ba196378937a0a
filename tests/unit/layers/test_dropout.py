"""Dropout must keep means, drop its share, and be the same for whole and split batches."""

from __future__ import annotations

import pytest
import torch

from zerosum.errors import InputError
from zerosum.layers.dropout import Dropout
from zerosum.runtime import rng


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last], ids=str)
def test_the_share_is_dropped_and_the_rest_scaled_so_that_the_mean_stays(memory_format: torch.memory_format) -> None:
    torch.manual_seed(0)
    x = torch.ones(64, 16, 16, 16).contiguous(memory_format=memory_format)
    y = Dropout(0.3)(x)
    kept = 179 / 256
    assert y.unique().tolist() == pytest.approx([0.0, 1 / kept])
    assert (y == 0).float().mean().item() == pytest.approx(1 - kept, abs=0.003)
    assert y.mean().item() == pytest.approx(1, abs=0.005)
    assert y.is_contiguous(memory_format=memory_format)


def test_every_channel_and_sample_drops_on_its_own() -> None:
    torch.manual_seed(0)
    dropped = Dropout(0.5)(torch.ones(8, 8, 16, 16)) == 0
    assert (dropped.float().mean((2, 3)) - 0.5).abs().max() < 0.15
    assert not torch.equal(dropped[0], dropped[1])
    assert not torch.equal(dropped[:, 0], dropped[:, 1])


def test_gradients_pass_where_values_did_and_with_the_same_scale() -> None:
    torch.manual_seed(0)
    x = torch.ones(4, 100, requires_grad=True)
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert torch.equal(x.grad, y.detach())


def test_evaluation_returns_its_input() -> None:
    x = torch.randn(4, 10)
    assert Dropout(0.5).eval()(x) is x


def test_a_share_of_zero_returns_its_input_and_draws_nothing() -> None:
    before = torch.get_rng_state()
    x = torch.randn(0, 10)
    assert Dropout(0.0)(x) is x
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(8, 5), (8, 3, 4, 4), (8, 7, 3, 5), (8,)], ids=str)
def test_equal_seeds_drop_equal_values_and_a_second_call_others(shape: tuple[int, ...]) -> None:
    layer, x = Dropout(0.5), torch.ones(32, *shape[1:])
    torch.manual_seed(1)
    first, second = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(second, first)


def test_bfloat16_stays_bfloat16() -> None:
    assert Dropout(0.5)(torch.ones(4, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_the_halves_of_a_batch_drop_what_the_whole_batch_drops() -> None:
    layer, x = Dropout(0.3), torch.randn(6, 3, 4, 4)
    torch.manual_seed(2)
    whole = layer(x)
    halves = []
    for start in (0, 3):
        torch.manual_seed(2)
        with rng.share(start, start + 3, 6):
            halves.append(layer(x[start : start + 3]))
    assert torch.equal(torch.cat(halves), whole)


@pytest.mark.parametrize("share", [-0.1, 1.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused_in_a_sentence(share: float) -> None:
    with pytest.raises(InputError, match=r"dropout of .* from 0 to below 1"):
        Dropout(share)
