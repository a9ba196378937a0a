"""Our PReLU is torch.nn's, with a gradient that is cheap on a CPU."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.layers.prelu import PReLU

CPU = "cpu"


def pair(slope):
    layers = nn.PReLU(), PReLU()
    for layer in layers:
        nn.init.constant_(layer.weight, slope)
    return layers


@pytest.mark.parametrize("slope", [0.25, 1.5, -0.3])
@pytest.mark.parametrize("cast", [False, True])
@pytest.mark.parametrize("shape", [(3, 8, 6, 5), (4, 7)])
def test_results_and_gradients_are_torchs(slope, cast, shape):
    torch.manual_seed(0)
    values = torch.randn(shape)
    values[0] = 0.0
    found = []
    for layer in pair(slope):
        given = values.clone().requires_grad_()
        with torch.autocast(CPU, torch.bfloat16, enabled=cast):
            made = layer(given)
        made.float().square().sum().backward()
        assert given.grad is not None
        assert layer.weight.grad is not None
        found.append((made, given.grad, layer.weight.grad))
    for theirs, ours in zip(*found, strict=True):
        assert theirs.dtype == ours.dtype
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])
    torch.testing.assert_close(found[1][2], found[0][2], rtol=0.01 if cast else 1e-5, atol=1e-5)


def test_what_trains_is_what_is_used():
    torch.manual_seed(0)
    layer, values = PReLU(), torch.randn(2, 3, 4, 4)
    with torch.no_grad():
        used = layer(values)
    assert torch.equal(layer(values), used)


def test_its_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    layer = PReLU().double()
    values = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)

    def apply(values, slope):
        return torch.func.functional_call(layer, {"weight": slope}, values)

    slope = layer.weight.detach().requires_grad_()
    assert torch.autograd.gradcheck(apply, (values, slope))
    assert torch.autograd.gradgradcheck(apply, (values, slope))


def test_its_weights_are_read_from_and_by_torchs_layer():
    theirs, ours = pair(0.4)
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
