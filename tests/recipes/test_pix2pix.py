"""pix2pix: the paper's counts and closed forms, its noise, its sizes, and that it learns what it is shown by heart."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.recipes.conftest import game, sides
from zerosum.data.batch import Pairs
from zerosum.data.options import DataConfig
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.kinds import open_as
from zerosum.kinds.pairs import PairDataset
from zerosum.networks.unet import UNet, unet_depth
from zerosum.player import Clock
from zerosum.recipes.pix2pix import Config, Pix2Pix
from zerosum.runtime.weightless import without_weights

FACADES = Path(os.environ.get("ZEROSUM_DATA", "data")) / "facades" / "facades_256.zip"


def small(shape: tuple[int, ...] = (3, 32, 32), **settings: object) -> Pix2Pix:
    torch.manual_seed(0)
    return Pix2Pix(Config.read({"width": 4, "layers": 2, **settings}), Spec(shape=shape, source_shape=shape))


def pair(recipe: Pix2Pix, n: int = 2) -> Pairs:
    source, target = torch.rand(2, n, *recipe.spec.shape).mul(2).sub(1)
    return Pairs(source=source, target=target)


class Constant(torch.nn.Module):
    """A network that answers the same to everything."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer
        self.multiple = 1

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.answer.expand(len(image), *self.answer.shape[1:])


@pytest.mark.parametrize(
    ("given", "made", "width", "depth", "count"),
    [(3, 3, 64, 8, 54_413_955), (3, 3, 64, 7, 41_828_995), (1, 3, 16, 5, 1_043_107)],
)
def test_the_unet_has_the_papers_parameters(given, made, width, depth, count):
    with without_weights():
        network = UNet(given, made, width=width, depth=depth)
    assert sum(p.numel() for p in network.parameters()) == count


def test_at_256_pixels_the_networks_are_the_papers():
    with without_weights():
        recipe = Pix2Pix(Config(), Spec(shape=(3, 256, 256), source_shape=(3, 256, 256)))
    assert sum(p.numel() for p in recipe.generator.parameters()) == 54_413_955
    assert sum(p.numel() for p in recipe.discriminator.parameters()) == 2_768_705
    assert recipe.size_multiple == 256


def test_the_discriminators_loss_is_halved_and_the_l1_term_weighs_a_hundred():
    recipe = small()
    batch = pair(recipe)
    recipe.discriminator = Constant(torch.zeros(1, 1, 6, 6))
    recipe.translate = lambda source: batch.target + 0.1
    torch.testing.assert_close(
        recipe.discriminator_loss(batch, made=batch.target).total().item(), math.log(2), rtol=1e-5, atol=0
    )
    loss = recipe.generator_loss(batch)
    torch.testing.assert_close(loss.total().item(), math.log(2) + 10, rtol=1e-5, atol=0)
    torch.testing.assert_close(loss.log["l1"].item(), 0.1, rtol=1e-5, atol=0)


def test_the_discriminator_sees_source_and_image():
    recipe = small()
    seen = []
    recipe.discriminator.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    batch = pair(recipe)
    recipe.discriminator_loss(batch, made=-batch.target)
    assert torch.equal(seen[0], torch.cat([batch.source, batch.target], 1))
    assert torch.equal(seen[1], torch.cat([batch.source, -batch.target], 1))


def test_dropout_is_the_noise_in_use_as_in_training():
    recipe, image = small().eval(), torch.randn(1, 3, 32, 32)
    assert not torch.equal(recipe.translate(image), recipe.translate(image))
    quiet = small(dropout=0).eval()
    assert torch.equal(quiet.translate(image), quiet.translate(image))
    assert torch.equal(quiet.train().translate(image), quiet.eval().translate(image))


def test_a_translation_does_not_depend_on_what_else_is_translated():
    recipe, images = small(dropout=0).eval(), torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(recipe.translate(images)[1:2], recipe.translate(images[1:2]), rtol=1e-4, atol=1e-5)


def test_the_innermost_layer_is_not_zeroed_by_a_norm():
    recipe = small(dropout=0)
    inner = []
    recipe.generator.down[-1].register_forward_hook(lambda module, given, made: inner.append(made))
    recipe.translate(torch.randn(1, 3, 32, 32))
    assert inner[0].shape[2:] == (1, 1)
    assert inner[0].abs().min() > 0


def test_the_encoders_maps_come_through_the_shortcuts_before_their_activation():
    network = UNet(3, 3, width=4, depth=3, dropout=0)
    maps = {}
    network.down[0].register_forward_hook(lambda module, given, made: maps.update(first=made))
    network.out.register_forward_pre_hook(lambda module, given: maps.update(last=given[0]))
    network(torch.randn(1, 3, 16, 16))
    assert maps["first"].min() < 0
    assert torch.equal(maps["last"][:, 4:], maps["first"].relu())


@pytest.mark.parametrize("shape", [(3, 30, 30), (3, 34, 64), (1, 31, 31)])
def test_a_size_that_cannot_be_halved_twice_is_refused_with_one_that_fits(shape):
    with pytest.raises(InputError, match=r"--size (\d+)x(\d+) would fit") as refusal:
        unet_depth(shape)
    height, width = map(int, str(refusal.value).split("--size ")[1].split(" ")[0].split("x"))
    assert unet_depth((3, height, width)) >= 2


def test_an_image_that_the_trained_unet_cannot_halve_is_refused():
    with pytest.raises(InputError, match="32x64 would fit"):
        small().translate(torch.zeros(1, 3, 40, 64))


def test_small_sources_are_enlarged_to_their_targets():
    recipe = Pix2Pix(Config(width=4, layers=2), Spec(shape=(3, 32, 32), source_shape=(3, 8, 8)))
    assert recipe.translate(torch.randn(2, 3, 8, 8)).shape == (2, 3, 32, 32)
    assert recipe.size_multiple == 8
    with pytest.raises(InputError, match="whole factor"):
        Pix2Pix(Config(width=4, layers=2), Spec(shape=(3, 32, 32), source_shape=(3, 12, 12)))


def test_gray_becomes_colour_by_the_data_alone():
    recipe = Pix2Pix(Config(width=4, layers=2), Spec(shape=(3, 32, 32), source_shape=(1, 32, 32)))
    assert recipe.translate(torch.randn(2, 1, 32, 32)).shape == (2, 3, 32, 32)


@pytest.mark.parametrize(("hold", "rate"), [(1.0, 2e-4), (0.5, 1e-4)])
def test_the_rate_is_held_or_falls_in_a_line(hold, rate):
    playing = game("pix2pix", (3, 16, 16))
    recipe = playing.recipe
    recipe.config = replace(recipe.config, lr_hold=hold)
    player = recipe.players()["generator"]
    player.parameters[0].grad = torch.zeros_like(player.parameters[0])
    player.step(Clock(phase_round=150, phase_rounds=200))
    assert player.optimizer.param_groups[0]["lr"] == pytest.approx(rate)


def test_a_preview_shows_source_translation_and_target():
    recipe = game("pix2pix", (3, 16, 16)).recipe
    batch = sides("pix2pix", (3, 16, 16)).batch(np.arange(2)).to(torch.device("cpu"))
    source, made, target = recipe.preview_columns(batch)
    assert torch.equal(source, batch.source)
    assert torch.equal(target, batch.target)
    assert made.shape == target.shape


def learned(data: PairDataset, rounds: int, **settings: object) -> tuple[float, float]:
    """Play on a handful of pairs; return the mean absolute difference from the targets, before and after."""
    torch.manual_seed(0)
    recipe = Pix2Pix(Config.read({"enlarge": 1, "mirror": 0, "lr": 1e-3, **settings}), data.spec)
    source = Stream(data, seed=0)
    playing = Game(recipe, source)
    whole = data.batch(np.arange(len(data))).to(torch.device("cpu"))

    def distance() -> float:
        with torch.no_grad():
            return float((recipe.translate(whole.source) - whole.target).abs().mean())

    before = distance()
    for _ in range(rounds):
        recipe.round(playing)
        playing.end_round()
    source.close()
    return before, distance()


@pytest.mark.slow
def test_one_pair_is_learned_by_heart():
    data = sides("pix2pix", (3, 32, 32))
    smooth = np.stack([np.add.outer(np.arange(32), np.arange(32)) * 4] * 3, -1).astype(np.uint8)[None]
    data = replace(data, samples=smooth, sources=data.sources[:1])
    before, after = learned(data, 200, width=16, layers=2)
    assert after < 0.05 < before


@pytest.mark.slow
@pytest.mark.skipif(not FACADES.exists(), reason="the facades are not under $ZEROSUM_DATA")
def test_eight_facades_are_learned_by_heart(tmp_path):
    data = open_as((Pairs,), FACADES, options=DataConfig(size="64", direction="BtoA", cache=str(tmp_path)))
    data = replace(data, samples=data.samples[:8], sources=data.sources[:8])
    before, after = learned(data, 450, width=32, batch=4)
    print(f"mean absolute difference {before:.3f} before, {after:.3f} after 450 rounds")
    assert after < 0.05 < before
