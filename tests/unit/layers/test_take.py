"""Values taken by index are those of torch's gather, forwards and through two derivatives."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.layers.take import take
from zerosum.networks.wavegan import PhaseShuffle
from zerosum.runtime import device

INDEX = torch.tensor([[1, 0, 1, 2], [3, 3, 2, 1]])


def differentiated(x: Tensor, *, torchs: bool) -> list[Tensor]:
    """Return what is taken, a slope of it, and the slope of that one's square."""
    x = x.clone().requires_grad_()
    taken = x.gather(1, INDEX) if torchs else take(x, 1, INDEX)
    (slope,) = torch.autograd.grad((taken**3).sum(), x, create_graph=True)
    return [taken, slope, *torch.autograd.grad((slope**2).sum(), x)]


def test_it_is_gather_through_two_derivatives() -> None:
    x = torch.randn(2, 4, dtype=torch.float64)
    for one, other in zip(*(differentiated(x, torchs=torchs) for torchs in (False, True)), strict=True):
        torch.testing.assert_close(one, other)


def test_no_place_is_shuffled_to_more_than_two() -> None:
    """What `take` asks for: a third summand would make the order count."""
    for seed in range(20):
        torch.manual_seed(seed)
        x = torch.ones(8, 1, 16, requires_grad=True)
        (times,) = torch.autograd.grad(PhaseShuffle(3)(x).sum(), x)
        assert times.max() <= 2


def test_the_order_of_sums_is_free_for_a_gpu_only_meanwhile() -> None:
    gpu = torch.device("cuda")
    with device.deterministic(gpu):
        with device.order_of_sums_free(gpu):
            assert not torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    with device.order_of_sums_free(gpu):
        assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()
