"""Building modules for their shapes alone."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from zerosum.runtime.weightless import without_weights


def build() -> nn.Module:
    layers = nn.Sequential(spectral_norm(nn.Conv2d(3, 4, 3)), nn.BatchNorm2d(4), nn.Linear(5, 6))
    nn.init.xavier_uniform_(layers[-1].weight)
    layers.register_buffer("drawn", torch.randn(2, 7, dtype=torch.float64, generator=torch.default_generator))
    return layers


def test_shapes_and_types_are_those_of_the_module_that_is_trained() -> None:
    with without_weights():
        weightless = build()
    state = build().state_dict()
    assert {key: (value.shape, value.dtype) for key, value in weightless.state_dict().items()} == {
        key: (value.shape, value.dtype) for key, value in state.items()
    }
    assert {value.device.type for value in weightless.state_dict().values()} == {"meta"}


def test_outside_weights_are_drawn_as_ever() -> None:
    torch.default_generator.manual_seed(3)
    expected = build().state_dict()
    torch.default_generator.manual_seed(3)
    with without_weights():
        build()
    assert all(bool((value == expected[key]).all()) for key, value in build().state_dict().items())
