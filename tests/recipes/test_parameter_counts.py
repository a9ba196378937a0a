"""Networks have exactly the parameters that their papers' and tutorials' tables give."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from tests.recipes.conftest import kind_for
from zerosum import recipes
from zerosum.benchmarks.mode_collapse import protocols
from zerosum.data.spec import Spec
from zerosum.recipe import Recipe
from zerosum.runtime.weightless import without_weights


def build(name: str, shape: tuple[int, ...], *, classes: int = 0, **settings: Any) -> Recipe:
    kind, sample = recipes.find(name), kind_for(name, shape) or "images"
    with without_weights():
        spec = Spec(shape=shape, kind=sample, classes=tuple(map(str, range(classes))))
        return kind(kind.Config.for_kind("", settings), spec)


def trainable(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def with_statistics(network: nn.Module) -> int:
    """Count as Keras does: batch norm's moving mean and variance too."""
    return trainable(network) + sum(b.numel() for name, b in network.named_buffers() if name.endswith(("mean", "var")))


def test_the_dense_gan_has_the_introductions_counts():
    recipe = build("gan", (1, 28, 28))
    assert trainable(recipe.generator) == 693_784
    assert trainable(recipe.discriminator) == 643_501


def test_the_networks_of_pacgans_protocol_have_its_codes_counts():
    config = protocols.find("pacgan", "ring").config("gan", {})
    recipe = recipes.find("gan")(config, Spec(shape=(2,)))
    assert trainable(recipe.generator) == 2 * 400 + 3 * 400**2 + 4 * 2 * 400 + 400 * 2 + 2
    assert trainable(recipe.discriminator) == 3 * 1000 + 2 * 201 * 1000 + 201
    drawn = [weight for name, weight in recipe.named_parameters() if weight.ndim == 2]
    assert all(weight.std().item() == pytest.approx(0.02, rel=0.1) for weight in drawn)


@pytest.mark.parametrize(
    ("length", "width", "generator", "critic"),
    [
        (
            16_384,
            64,
            101 * 16_384 + 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64) + 512 + 256 + 128 + 64 + 1,
            25 * (64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 64 + 128 + 256 + 512 + 1024 + 16_385,
        ),
        (16_384, 64, 19_065_345, 17_427_969),
        (4_096, 64, 101 * 8_192 + 25 * (512 * 256 + 256 * 128 + 128 * 64 + 64) + 256 + 128 + 64 + 1, 4_311_553),
        (65_536, 64, 101 * 32_768 + 25 * 2048 * 1024 + 1024 + 19_065_345 - 101 * 16_384, 69_875_201),
    ],
)
def test_wavegan_has_the_counts_of_the_papers_layers(length: int, width: int, generator: int, critic: int) -> None:
    recipe = build("wavegan", (1, length), width=width)
    assert trainable(recipe.generator) == generator
    assert trainable(recipe.critic) == critic


def test_dcgan_has_the_tutorials_counts():
    recipe = build("dcgan", (1, 64, 64))
    assert with_statistics(recipe.generator) == 3_576_576
    assert with_statistics(recipe.discriminator) == 2_765_312
    assert trainable(recipe.generator) == 3_574_656
    assert trainable(recipe.discriminator) == 2_763_520


def test_dcgan_in_colour_has_the_authors_codes_counts():
    recipe = build("dcgan", (3, 64, 64))
    assert trainable(recipe.generator) == 3_576_704
    assert trainable(recipe.discriminator) == 2_765_568


@pytest.mark.parametrize(("channels", "count"), [(3, 2_379_779), (1, 2_378_625)])
def test_the_upsampling_form_has_the_overviews_counts(channels, count):
    assert trainable(build("dcgan", (channels, 64, 64), upsampling="upsample").generator) == count


def test_dcgan_maps_latents_through_the_tabled_shapes():
    recipe = recipes.find("dcgan")(recipes.find("dcgan").Config(), Spec(shape=(1, 64, 64)))
    shapes = []
    for module in recipe.generator.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.register_forward_hook(lambda _module, _input, output: shapes.append(tuple(output.shape)))
    recipe.generator(torch.randn(2, 100))
    assert shapes == [(2, 512, 4, 4), (2, 256, 8, 8), (2, 128, 16, 16), (2, 64, 32, 32), (2, 1, 64, 64)]


def test_dcgan_starts_from_weights_of_the_papers_spread():
    recipe = recipes.find("dcgan")(recipes.find("dcgan").Config(), Spec(shape=(1, 64, 64)))
    weight = recipe.generator.layers[0].weight
    assert weight.shape == (512, 256, 4, 4)
    assert weight.std().item() == pytest.approx(0.02, abs=2e-4)


@pytest.mark.parametrize(("channels", "generator", "discriminator"), [(1, 295_872, 166_784), (3, 296_896, 167_808)])
def test_lsgan_has_the_sheets_small_counts(channels, generator, discriminator):
    recipe = build("lsgan", (channels, 32, 32))
    assert trainable(recipe.generator) == generator
    assert trainable(recipe.discriminator) == discriminator


def test_lsgan_with_the_preset_dcgan_has_its_counts():
    recipe = build("lsgan", (3, 64, 64), preset="dcgan")
    assert trainable(recipe.generator) == 3_576_704
    assert trainable(recipe.discriminator) == 2_765_568


def test_wgan_has_the_sheets_counts():
    small, dcgan = build("wgan", (1, 32, 32), critic_norm="none"), build("wgan", (3, 64, 64), preset="dcgan")
    assert (trainable(small.generator), trainable(small.critic)) == (295_872, 166_625)
    assert (trainable(dcgan.generator), trainable(dcgan.critic)) == (3_576_704, 2_765_568)


def test_the_conditional_gan_has_the_sheets_small_counts():
    recipe = build("cgan", (1, 32, 32), classes=10)
    assert trainable(recipe.generator) == 316_352
    assert trainable(recipe.discriminator) == 171_904


def test_the_conditional_critic_has_the_introductions_counts():
    recipe = build("cgan", (3, 64, 64), classes=2, preset="wasserstein")
    assert trainable(recipe.discriminator) == 662_977
    assert trainable(recipe.generator) == 728_963
    assert with_statistics(recipe.generator) == 729_859


def test_acgan_has_the_sheets_small_counts():
    recipe = build("acgan", (1, 32, 32), classes=10)
    assert trainable(recipe.generator) == 316_352
    assert trainable(recipe.discriminator) == 187_499


def test_acgan_with_the_preset_paper_has_the_counts_of_the_table():
    recipe = build("acgan", (3, 32, 32), classes=10, preset="paper")
    assert trainable(recipe.generator) == 2_994_051
    assert trainable(recipe.discriminator) == 1_664_875


def test_infogan_has_the_authors_codes_counts():
    recipe = build("infogan", (1, 28, 28))
    assert trainable(recipe.generator) == 6_652_481
    assert trainable(recipe.trunk) == 6_558_144
    assert trainable(recipe.discriminator) == 1_025
    assert trainable(recipe.recogniser) == 131_456 + 1_548


def test_the_wasserstein_toy_networks_have_the_authors_codes_counts():
    recipe = build("wgan_gp", (2,), latent_dim=2)
    assert trainable(recipe.generator) == 527_874
    assert trainable(recipe.critic) == 527_361


def test_the_unrolled_toy_networks_have_the_papers_counts():
    recipe = build("unrolled", (2,), discriminator_hidden=(128,))
    assert trainable(recipe.generator) == 49_666
    assert trainable(recipe.discriminator) == 513
    assert trainable(build("unrolled", (2,)).discriminator) == 17_025


def test_super_resolution_has_the_papers_counts():
    recipe = build("srgan", (3, 96, 96))
    assert trainable(recipe.generator) == 1_549_462
    assert trainable(recipe.discriminator) == 23_565_505


def residual_counts(width_g: int, width_d: int, latent: int) -> tuple[int, int]:
    """Add up table 4 of Miyato et al. 2018 at 32x32x3, layer by layer; shortcuts are 1x1 where size or width change."""

    def conv(side: int, fan_in: int, fan_out: int) -> int:
        return side * side * fan_in * fan_out + fan_out

    g, d = width_g, width_d
    up = 2 * conv(3, g, g) + conv(1, g, g) + 4 * g
    generator = (latent + 1) * 16 * g + 3 * up + 2 * g + conv(3, g, 3)
    first, second = conv(3, 3, d) + conv(3, d, d) + conv(1, 3, d), 2 * conv(3, d, d) + conv(1, d, d)
    return generator, first + second + 2 * 2 * conv(3, d, d) + d + 1


def test_the_residual_sngan_has_the_counts_of_the_papers_table():
    recipe = build("sngan", (3, 32, 32), preset="cifar10")
    assert (trainable(recipe.generator), trainable(recipe.discriminator)) == (4_276_739, 1_053_825)
    assert residual_counts(256, 128, 128) == (4_276_739, 1_053_825)
    small = build("sngan", (3, 32, 32))
    assert (trainable(small.generator), trainable(small.discriminator)) == residual_counts(32, 32, 64)


def test_the_convolutional_sngan_has_the_counts_of_the_papers_table():
    recipe = build("sngan", (3, 32, 32), form="dcgan", latent_dim=128, generator_width=64, discriminator_width=64)
    ups = [(512, 256), (256, 128), (128, 64)]
    generator = 129 * 16 * 512 + sum(16 * a * b + 3 * b for a, b in ups) + 9 * 64 * 3 + 3
    stacks = [(3, 3, 64), (4, 64, 64), (3, 64, 128), (4, 128, 128), (3, 128, 256), (4, 256, 256), (3, 256, 512)]
    discriminator = sum(k * k * a * b + b for k, a, b in stacks) + 16 * 512 + 1
    assert (trainable(recipe.generator), trainable(recipe.discriminator)) == (generator, discriminator)


def test_projection_adds_an_embedding_of_classes_and_their_norms():
    plain, classes = build("sngan", (3, 32, 32)), build("projection", (3, 32, 32), classes=10)
    assert trainable(classes.generator) - trainable(plain.generator) == 3 * 4 * 32 * (10 - 1)
    assert trainable(classes.discriminator) - trainable(plain.discriminator) == 10 * 32


@pytest.mark.parametrize(
    ("side", "classes", "settings", "generator", "discriminator"),
    [
        (128, 1000, {"preset": "imagenet"}, 70_433_988, 87_982_370),
        (128, 1000, {"preset": "large"}, 31_978_628, 39_448_258),
        (64, 1000, {"preset": "large"}, 31_969_540, 20_571_842),
        (32, 10, {"preset": "cifar10"}, 4_304_387, 4_207_361),
        (32, 10, {"preset": "cifar10", "width": 32}, 1_218_307, 1_055_105),
        (32, 10, {"width": 16}, 310_147, 265_409),
        (32, 10, {}, 96_707, 67_169),
        (32, 10, {"shared": 64}, 118_083, 67_169),
    ],
)
def test_biggan_has_the_papers_and_the_authors_codes_counts(side, classes, settings, generator, discriminator):
    recipe = build("biggan", (3, side, side), classes=classes, **settings)
    assert (trainable(recipe.generator), trainable(recipe.discriminator)) == (generator, discriminator)


@pytest.mark.parametrize(
    ("preset", "side", "classes", "generator", "discriminator"),
    [
        ("cifar10", 32, 10, 20_781_952, 21_280_512),
        ("stacked-mnist", 32, 0, 20_732_160, 20_683_776),
        ("ffhq64", 64, 0, 22_429_824, 22_381_440),
        ("ffhq256", 256, 0, 23_057_952, 23_009_568),
        ("imagenet32", 32, 1000, 82_914_304, 86_548_992),
        ("imagenet64", 64, 1000, 103_570_432, 107_205_120),
        ("small", 16, 0, 48_304, 45_280),
        ("small", 32, 0, 87_728, 83_696),
        ("medium", 32, 0, 145_600, 141_568),
        ("large", 32, 0, 267_552, 261_504),
    ],
)
def test_r3gan_has_the_papers_counts(preset, side, classes, generator, discriminator):
    """Table 9 for the paper's presets."""
    recipe = build("r3gan", (3, side, side), classes=classes, preset=preset)
    assert trainable(recipe.generator) == generator
    assert trainable(recipe.discriminator) == discriminator
    for module in recipe.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            assert module.in_channels // module.groups == recipe.config.group


@pytest.mark.parametrize(
    ("settings", "shape", "classes", "generator", "discriminator"),
    [
        ({"preset": "stylegan2"}, (3, 1024, 1024), 0, 30_370_060, 29_012_513),
        ({"preset": "paper1024"}, (3, 512, 512), 0, 30_276_583, 28_982_849),
        ({"preset": "stylegan2"}, (3, 256, 256), 0, 30_034_338, 28_864_129),
        ({"preset": "paper256"}, (3, 256, 256), 0, 24_767_458, 24_001_089),
        ({"preset": "auto256"}, (3, 256, 256), 0, 23_191_522, 24_001_089),
        ({"preset": "paper256"}, (3, 64, 64), 0, 23_819_544, 23_407_361),
        ({"preset": "cifar"}, (3, 32, 32), 0, 19_947_539, 20_720_641),
        ({"preset": "cifar"}, (3, 32, 32), 10, 20_215_315, 23_089_664),
        ({"preset": "small"}, (1, 32, 32), 0, 263_531, 288_929),
        ({"base": 2048}, (1, 32, 32), 0, 313_867, 337_153),
    ],
)
def test_stylegan2_has_the_papers_counts(settings, shape, classes, generator, discriminator):
    recipe = build("stylegan2", shape, classes=classes, **settings)
    assert trainable(recipe.generator) == generator
    assert trainable(recipe.discriminator) == discriminator


@pytest.mark.parametrize(("side", "layers"), [(1024, 18), (256, 14), (32, 8)])
def test_stylegan2_takes_two_styles_a_resolution(side, layers):
    recipe = build("stylegan2", (3, side, side), preset="stylegan2")
    assert recipe.generator.synthesis.layers == layers
    if side == 1024:
        assert trainable(recipe.generator.mapping) == 2_101_248
        assert trainable(recipe.generator.synthesis) == 28_268_812


@pytest.mark.parametrize(
    ("preset", "side", "counts"),
    [
        ("paper", 64, (17_569_664, 11_048_704)),
        ("medium", 32, (1_182_144, 665_984)),
        ("small", 32, (427_232, 169_152)),
    ],
)
def test_3d_gan_has_the_papers_counts_and_smaller_ones(preset, side, counts):
    recipe = build("gan3d", (1, side, side, side), preset=preset)
    assert (trainable(recipe.generator), trainable(recipe.discriminator)) == counts


@pytest.mark.parametrize(
    ("preset", "shape", "counts"),
    [
        ("paper", (3, 64, 64), (34_852_099, 1_567_873, 18_278_180)),
        ("small", (1, 32, 32), (314_145, 173_153, 798_912)),
    ],
)
def test_age_cgan_has_the_introductions_counts_and_its_own(
    preset: str, shape: tuple[int, ...], counts: tuple[int, ...]
) -> None:
    recipe: Any = build("age_cgan", shape, classes=6, preset=preset)
    networks = (recipe.generator, recipe.discriminator, recipe.encoder)
    assert tuple(trainable(network) for network in networks) == counts
