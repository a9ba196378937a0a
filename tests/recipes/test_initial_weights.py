"""Weights before the first move, which the reference rounds take as given."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from zerosum import recipes
from zerosum.data.spec import Spec


def built(name: str, shape: tuple[int, ...], *, classes: tuple[str, ...] = ("a", "b"), **settings: Any) -> Any:
    torch.manual_seed(0)
    spec = Spec(shape=shape, kind="images" if len(shape) == 3 else "points", classes=classes)
    return recipes.find(name)(recipes.find(name).Config.read(settings), spec)


def assert_normal(values: Tensor, mean: float, deviation: float) -> None:
    """See that values may be drawn from N(mean, deviation^2): both within 5 standard errors."""
    n = values.numel()
    assert abs(values.mean().item() - mean) < 5 * deviation / math.sqrt(n)
    assert abs(values.std(correction=0).item() / deviation - 1) < 5 / math.sqrt(2 * n)


def test_wgan_gps_weights_on_points_are_those_of_the_authors_toys() -> None:
    """Uniform, of variance 2 / inputs before a ReLU, of 2 / (inputs + outputs) at the end; biases 0 (gan_toy.py)."""
    recipe = built("wgan_gp", (2,), points_hidden=(512, 512))
    for network in (recipe.generator, recipe.critic):
        *hidden, last = [module for module in network.modules() if isinstance(module, nn.Linear)]
        variances = [2 / layer.in_features for layer in hidden] + [2 / (last.in_features + last.out_features)]
        for layer, variance in zip((*hidden, last), variances, strict=True):
            assert not layer.bias.any()
            assert layer.weight.abs().max() <= math.sqrt(3 * variance)
            assert layer.weight.var().item() == pytest.approx(variance, rel=0.2)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dcgan", {"width": 8}),
        ("dcgan", {"width": 8, "upsampling": "upsample"}),
        ("lsgan", {"width": 8}),
        ("cgan", {"width": 8}),
        ("acgan", {"width": 8}),
        ("acgan", {"architecture": "paper"}),
        ("wgan", {"width": 8}),
        ("wgan_gp", {"width": 8}),
        ("unrolled", {"width": 8}),
        ("infogan", {"width": 4}),
        ("pix2pix", {"width": 8}),
        ("cyclegan", {"width": 8, "blocks": 1}),
        ("inpaint", {"width": 8, "bottleneck": 20}),
    ],
)
def test_weights_are_drawn_as_dcgans(name: str, settings: dict[str, Any]) -> None:
    """N(0, 0.02), scales of norms N(1, 0.02), biases 0 (Radford et al. 2016, section 4, and the authors' code)."""
    recipe = built(name, (3, 32, 32), **settings)
    scales = []
    for module in recipe.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if bias is not None:
            assert not bias.any()
        if weight is None or isinstance(module, nn.BatchNorm1d):
            continue
        if weight.ndim == 1:
            scales.append(weight)
        elif weight.numel() > 100:
            assert_normal(weight, 0.0, 0.02)
    if scales:
        assert_normal(torch.cat(scales), 1.0, 0.02)


def test_unrolled_on_points_starts_orthogonal_with_the_demos_gain() -> None:
    recipe = built("unrolled", (2,), latent_dim=16)
    layers = [module for module in recipe.modules() if isinstance(module, nn.Linear)]
    assert len(layers) == 6
    for layer in layers:
        weight = layer.weight if layer.weight.shape[0] <= layer.weight.shape[1] else layer.weight.T
        torch.testing.assert_close(weight @ weight.T, 1.4**2 * torch.eye(len(weight)), atol=1e-5, rtol=0)
        assert not layer.bias.any()


def test_progan_starts_from_unit_weights_and_no_bias() -> None:
    recipe = built("progan", (1, 16, 16))
    weights = [p for name, p in recipe.named_parameters() if name.endswith("weight")]
    assert_normal(torch.cat([weight.flatten() for weight in weights]), 0.0, 1.0)
    assert not any(p.any() for name, p in recipe.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize(("name", "classes"), [("sngan", ()), ("projection", ("a", "b"))])
def test_residual_networks_start_as_glorot_says_with_more_gain_within_blocks(
    name: str, classes: tuple[str, ...]
) -> None:
    """Uniform in +-g sqrt(6 / (inputs + outputs)), g = sqrt(2) for 3x3 in blocks, else 1 (authors' code)."""
    torch.manual_seed(0)
    kind = recipes.find(name)
    recipe: Any = kind(kind.Config(), Spec(shape=(3, 32, 32), classes=classes))
    for key, layer in recipe.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            taps = math.prod(layer.weight.shape[2:])
            bound = math.sqrt(6 / (taps * sum(layer.weight.shape[:2])))
            bound *= math.sqrt(2) if "blocks" in key and taps == 9 else 1
            assert 0.8 * bound < layer.weight.abs().max() <= bound
            assert not layer.bias.any()
        elif isinstance(layer, nn.Embedding):
            assert layer.weight.any() == ("discriminator" in key)  # gains start at 1, biases at 0


def test_biggan_starts_from_weights_of_the_authors_codes_spread() -> None:
    torch.manual_seed(0)
    kind = recipes.find("biggan")
    recipe: Any = kind(kind.Config(), Spec(shape=(3, 32, 32), classes=("a", "b")))
    drawn = [m.weight.flatten() for m in recipe.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    assert_normal(torch.cat(drawn), 0.0, 0.02)


def test_r3gan_starts_from_hes_weights_scaled_by_depth() -> None:
    """N(0, 2 / (1 + 0.2^2) / fan-in / sqrt(blocks)) within blocks, 0 at their end, N(0, 1 / fan-in) elsewhere."""
    recipe = built("r3gan", (3, 32, 32), classes=(), widths=(64, 64, 32, 32))
    for network in (recipe.generator, recipe.discriminator):
        for name, weight in network.named_parameters():
            if weight.ndim == 1 or "reduce" in name:
                assert not weight.any()
            elif "stages" in name:
                assert_normal(weight, 0.0, math.sqrt(2 / 1.04 / weight[0].numel()) * 4**-0.25)
            elif name != "basis" and name != "pool":
                assert_normal(weight, 0.0, weight[0].numel() ** -0.5)
    assert_normal(recipe.generator.basis, 0.0, 1.0)
    assert_normal(recipe.discriminator.pool, 0.0, 0.25)


def test_r3gans_classes_start_from_a_layer_of_one_input_a_class() -> None:
    """The authors embed a class by a layer on its one-hot vector: a fan-in of K, and 1 / sqrt(width) in the critic."""
    classes = tuple(map(str, range(50)))
    recipe = built("r3gan", (3, 32, 32), classes=classes, widths=(64, 64, 32, 32))
    assert_normal(recipe.generator.embed.weight, 0.0, 50**-0.5)
    assert_normal(recipe.discriminator.embed.weight, 0.0, (50 * 64) ** -0.5)


def test_stylegan2_starts_from_unit_weights_and_styles_of_one() -> None:
    recipe = built("stylegan2", (3, 32, 32), classes=())
    for name, parameter in recipe.named_parameters():
        if name.endswith("weight"):
            assert_normal(parameter, 0.0, 100.0 if ".mapping." in name else 1.0)
        elif name.endswith("affine.bias"):
            assert (parameter == 1).all()
        elif "constant" in name:
            assert_normal(parameter, 0.0, 1.0)
        else:
            assert not parameter.any(), name
