"""Adam on weights of any memory format."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.optim.adam import Adam

FORMATS = (torch.contiguous_format, torch.channels_last)


def steps(optimizer_class: type[torch.optim.Adam], weight: nn.Parameter, gradients: torch.memory_format) -> None:
    optimizer = optimizer_class([weight], lr=0.1, betas=(0.5, 0.9), fused=True)
    for number in range(3):
        torch.manual_seed(number)
        weight.grad = torch.randn(weight.shape).to(memory_format=gradients)
        optimizer.step()


@pytest.mark.parametrize("gradients", FORMATS)
@pytest.mark.parametrize("weights", FORMATS)
def test_steps_are_torchs_whatever_the_memory_formats(weights, gradients):
    start = torch.linspace(-1, 1, 8 * 4 * 3 * 3).view(8, 4, 3, 3)
    expected, found = nn.Parameter(start.clone()), nn.Parameter(start.clone().to(memory_format=weights))
    steps(torch.optim.Adam, expected, torch.contiguous_format)
    steps(Adam, found, gradients)
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous(memory_format=weights)


def test_moments_of_another_memory_format_are_taken_up():
    torch.manual_seed(0)
    start, gradient = torch.randn(8, 4, 3, 3), torch.randn(8, 4, 3, 3)
    first, second = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    optimizers = [Adam([weight], lr=0.1, fused=True) for weight in (first, second)]
    for weight, optimizer in zip((first, second), optimizers, strict=True):
        weight.grad = gradient
        optimizer.step()
    moved = nn.Parameter(second.detach().to(memory_format=torch.channels_last))
    resumed = Adam([moved], lr=0.1, fused=True)
    resumed.load_state_dict(optimizers[1].state_dict())
    for weight, optimizer in ((first, optimizers[0]), (moved, resumed)):
        weight.grad = torch.empty_like(weight).copy_(gradient.flip(0))
        optimizer.step()
    torch.testing.assert_close(moved, first)


def test_gradients_that_lie_channels_last_are_not_copied():
    weight = nn.Parameter(torch.randn(8, 4, 3, 3).to(memory_format=torch.channels_last))
    weight.grad = torch.randn_like(weight)
    optimizer = Adam([weight], lr=0.1, fused=True)
    optimizer.step()
    with torch.profiler.profile() as profile:
        optimizer.step()
    assert not [event for event in profile.events() if event.name == "aten::clone"]
