"""PatchGAN: what a verdict looks at, measured by gradient, and the sizes it takes."""

from __future__ import annotations

import pytest
import torch

from zerosum.errors import InputError
from zerosum.networks.patchgan import PatchDiscriminator, receptive_field
from zerosum.runtime.weightless import without_weights

FIELDS = {0: 1, 1: 16, 2: 34, 3: 70, 4: 142, 5: 286}


@pytest.mark.parametrize(("layers", "field"), FIELDS.items())
def test_a_verdict_looks_at_a_patch_of_the_papers_size(layers, field):
    assert receptive_field(layers) == field
    side = 2 * field + 32
    network = PatchDiscriminator((1, side, side), 1, layers=layers, affine=False)
    # the statistics of instance norm reach over the whole image; what the convolutions see is asked for
    for index, layer in enumerate(network.layers):
        if type(layer).__name__ == "InstanceNorm2d":
            network.layers[index] = torch.nn.Identity()
    for parameter in network.parameters():
        torch.nn.init.uniform_(parameter, 0.1, 1.0)  # positive weights: no contribution cancels another
    image = torch.ones(1, 1, side, side, requires_grad=True)
    verdicts = network(image)
    middle = verdicts.shape[2] // 2
    verdicts[0, 0, middle, middle].backward()
    rows = image.grad[0, 0].abs().sum(1).nonzero().flatten()
    columns = image.grad[0, 0].abs().sum(0).nonzero().flatten()
    assert len(rows) == len(columns) == field
    assert rows[-1] - rows[0] + 1 == field


@pytest.mark.parametrize(
    ("shape", "layers", "cells"),
    [((6, 256, 256), 3, 30), ((3, 32, 32), 1, 14), ((3, 32, 32), 2, 6), ((3, 24, 24), 3, 1), ((1, 28, 28), 3, 1)],
)
def test_the_map_of_verdicts_has_the_papers_size(shape, layers, cells):
    network = PatchDiscriminator(shape, 2, layers=layers, affine=True)
    verdicts = network(torch.randn(2, *shape))
    assert verdicts.shape == (2, 1, cells, cells)
    assert verdicts.std() > 0 or cells == 1


@pytest.mark.parametrize(
    ("channels", "width", "layers", "affine", "count"),
    [
        (6, 64, 3, True, 2_768_705),
        (2, 64, 3, True, 2_764_609),
        (3, 64, 3, False, 2_764_737),
        (3, 64, 3, True, 2_765_633),
        (1, 64, 3, False, 2_762_689),
        (4, 16, 2, True, 43_217),
        (3, 16, 2, False, 42_865),
    ],
)
def test_it_has_the_papers_parameters(channels, width, layers, affine, count):
    with without_weights():
        network = PatchDiscriminator((channels, 256, 256), width, layers=layers, affine=affine)
    assert sum(p.numel() for p in network.parameters()) == count


@pytest.mark.parametrize(("side", "layers", "fitting"), [(16, 3, 2), (23, 3, 2), (8, 3, 1), (5, 1, 0)])
def test_images_that_are_too_small_are_refused_with_what_would_fit(side, layers, fitting):
    with pytest.raises(InputError, match=f"give --layers {fitting} or a larger --size"):
        PatchDiscriminator((3, side, side), 4, layers=layers, affine=True)
    assert PatchDiscriminator((3, side, side), 4, layers=fitting, affine=True)(torch.randn(1, 3, side, side)).numel()
