"""The norms that a network may choose: in closed form, over which axes, and virtual batch norm's reference."""

from __future__ import annotations

import copy
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from zerosum.layers.dropout import Dropout
from zerosum.layers.norms import Norm, has_shift, norm_layers
from zerosum.layers.virtual_batch_norm import (
    REFERENCE,
    VirtualBatchNorm2d,
    add_reference,
    copy_reference,
    has_reference,
    set_reference,
)
from zerosum.networks.dcgan import ConvolutionalDiscriminator, ConvolutionalGenerator
from zerosum.runtime import rng

KINDS = get_args(Norm)
AXES = {"batch": (0, 2, 3), "instance": (2, 3), "layer": (1, 2, 3)}
"""Of (N, C, H, W), over which mean and variance are taken."""


def random_affine(layer: nn.Module) -> tuple[Tensor | float, Tensor | float]:
    """Draw the learned scale and shift of a norm, and return them as they meet (N, C, H, W)."""
    parameters: Any = dict(layer.named_parameters())
    if not parameters:
        return 1.0, 0.0
    for parameter in parameters.values():
        nn.init.normal_(parameter)
    return parameters["weight"][:, None, None], parameters["bias"][:, None, None]


def virtual(body: nn.Module, reference: Tensor) -> nn.Module:
    add_reference(body, tuple(reference.shape[1:]))
    set_reference(body.to(reference.dtype), reference)
    return body


@pytest.mark.parametrize("kind", AXES)
def test_each_norm_has_mean_0_and_variance_1_over_its_axes(kind: Norm) -> None:
    (layer,) = norm_layers(kind, 5)
    layer.double()
    scale, shift = random_affine(layer)
    maps = 3 + 2 * torch.randn(4, 5, 3, 6, dtype=torch.float64)
    variance, mean = torch.var_mean(maps, AXES[kind], correction=0, keepdim=True)
    torch.testing.assert_close(layer(maps), (maps - mean) / (variance + 1e-5).sqrt() * scale + shift)


def test_pixel_norm_has_a_mean_square_of_1_over_channels_and_none_is_nothing() -> None:
    (layer,) = norm_layers("pixel", 5)
    maps = torch.randn(4, 5, 3, 6, dtype=torch.float64)
    torch.testing.assert_close(layer(maps), maps / maps.square().mean(1, keepdim=True).sqrt())
    assert norm_layers("none", 5) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_shift_is_learned_where_it_is_said(kind: Norm) -> None:
    names = {name for layer in norm_layers(kind, 5) for name, _ in layer.named_parameters()}
    assert names == ({"weight", "bias"} if has_shift(kind) else set())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["transposed", "upsample"])
def test_networks_have_a_bias_where_their_norm_has_no_shift(kind: Norm, form: Any) -> None:
    generator = ConvolutionalGenerator(3, (1, 16, 16), 2, form, norm=kind)
    discriminator = ConvolutionalDiscriminator((1, 16, 16), 2, norm=kind)
    expected = not has_shift(kind)
    assert (discriminator.layers[0].bias is not None) == expected
    if form == "transposed":
        hidden: Any = [layer for layer in generator.modules() if isinstance(layer, nn.ConvTranspose2d)][:-1]
        assert [layer.bias is not None for layer in hidden] == [expected] * len(hidden)
    assert [has_reference(network) for network in (generator, discriminator)] == [kind == "virtual-batch"] * 2


def test_virtual_batch_norm_pools_a_sample_with_the_reference() -> None:
    """The statistics of a sample are those of 65 samples, in torch's own batch norm."""
    reference, maps = (2 + torch.randn(n, 5, 3, 6, dtype=torch.float64) for n in (REFERENCE, 4))
    layer = virtual(nn.Sequential(VirtualBatchNorm2d(5)), reference)
    scale, shift = random_affine(layer[0])  # type: ignore[index]
    for found, sample in zip(layer(maps), maps, strict=True):
        pooled = torch.cat([reference, sample[None]])
        expected = nn.functional.batch_norm(pooled, None, None, training=True)[-1] * scale + shift
        torch.testing.assert_close(found, expected)


def test_the_reference_is_normalised_by_its_own_statistics_alone() -> None:
    """After two layers a sample is pooled with what batch norm makes of the reference."""
    reference, sample = (torch.randn(n, 3, 4, 4, dtype=torch.float64) for n in (REFERENCE, 1))
    body = virtual(nn.Sequential(VirtualBatchNorm2d(3), nn.Tanh(), VirtualBatchNorm2d(3)), reference).eval()
    for norm in (body[0], body[2]):  # type: ignore[index]
        nn.init.ones_(norm.weight)

    def normed(maps: Tensor) -> Tensor:
        return nn.functional.batch_norm(maps, None, None, training=True)

    first = normed(torch.cat([reference, sample]))[-1:].tanh()
    torch.testing.assert_close(body(sample), normed(torch.cat([normed(reference).tanh(), first]))[-1:])


def test_a_sample_does_not_depend_on_the_others_nor_on_the_mode() -> None:
    body = virtual(nn.Sequential(nn.Conv2d(2, 5, 3), VirtualBatchNorm2d(5)), torch.randn(REFERENCE, 2, 6, 6))
    maps = torch.randn(3, 2, 6, 6)
    together = body(maps)
    torch.testing.assert_close(together, torch.cat([body(sample) for sample in maps.split(1)]))
    assert torch.equal(body.eval()(maps), together)
    assert all(norm.reference is None for norm in body.modules() if isinstance(norm, VirtualBatchNorm2d))


def test_gradients_run_through_the_reference_too() -> None:
    """Of the loss of a sample, by the weight before the norm, as finite differences find it."""
    torch.manual_seed(0)
    body = virtual(
        nn.Sequential(nn.Conv2d(1, 2, 1), VirtualBatchNorm2d(2)), torch.randn(REFERENCE, 1, 2, 2).double()
    ).double()
    sample = torch.randn(1, 1, 2, 2, dtype=torch.float64)
    weight: Any = body[0].weight  # type: ignore[index]

    def loss(w: Tensor) -> Tensor:
        return torch.func.functional_call(body, {"0.weight": w}, (sample,)).square().sum()

    assert torch.autograd.gradcheck(loss, weight)
    assert torch.autograd.gradgradcheck(loss, weight)


def test_half_precision_comes_back_and_statistics_are_float32s() -> None:
    body = virtual(nn.Sequential(VirtualBatchNorm2d(2)), 100 + torch.randn(REFERENCE, 2, 4, 4))
    maps = (100 + torch.randn(3, 2, 4, 4)).bfloat16()
    found = body(maps)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), body(maps.float()), atol=0.02, rtol=0.01)


def test_the_reference_is_in_the_state_and_not_finite_before_it_is_set() -> None:
    first, second = (ConvolutionalDiscriminator((1, 16, 16), 2, norm="virtual-batch") for _ in range(2))
    assert "layers.reference" in first.state_dict()
    images = torch.randn(4, 1, 16, 16)
    assert first(images).isnan().all()
    set_reference(first, torch.randn(REFERENCE, 1, 16, 16))
    second.load_state_dict(first.state_dict())
    assert first(images).isfinite().all()
    assert torch.equal(copy.deepcopy(first)(images), first(images))
    assert torch.equal(second(images), first(images))
    third = ConvolutionalDiscriminator((1, 16, 16), 2, norm="virtual-batch")
    copy_reference(first, third)
    assert torch.equal(third.state_dict()["layers.reference"], first.state_dict()["layers.reference"])


def test_dropout_of_the_reference_does_not_depend_on_how_a_batch_is_cut() -> None:
    body = virtual(nn.Sequential(Dropout(0.5), VirtualBatchNorm2d(2)), torch.randn(REFERENCE, 2, 4, 4))
    maps = torch.randn(6, 2, 4, 4)
    torch.manual_seed(0)
    whole = body(maps)
    for start in (0, 3):
        torch.manual_seed(0)
        with rng.share(start, start + 3, 6):
            torch.testing.assert_close(body(maps[start : start + 3]), whole[start : start + 3])
