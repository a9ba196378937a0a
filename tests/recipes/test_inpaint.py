"""Inpainting: the paper's counts and closed forms, that only holes change, and that it learns what it is shown."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.recipes.conftest import game, sides
from zerosum import recipes
from zerosum.data.batch import Images
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.kinds import open_as
from zerosum.networks.context_encoder import ChannelwiseLinear
from zerosum.recipes.inpaint import Config, Inpaint
from zerosum.runtime import rng
from zerosum.runtime.weightless import without_weights
from zerosum.training.preview import draw_preview


def small(shape: tuple[int, ...] = (3, 16, 16), **settings: object) -> Inpaint:
    torch.manual_seed(0)
    return Inpaint(Config.read({"width": 4, "bottleneck": 8, **settings}), Spec(shape=shape))


def images(recipe: Inpaint, n: int = 3) -> torch.Tensor:
    return torch.rand(n, *recipe.spec.shape).mul(2).sub(1)


class Constant(torch.nn.Module):
    """A network that answers the same to everything."""

    def __init__(self, answer: torch.Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.answer.expand(len(image), *self.answer.shape[1:])


ENCODER = 4 * 64 * 16 + 64 + 16 * (64 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 2 * (64 + 128 + 256 + 512)
DECODER = 16 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 64) + 2 * (256 + 128 + 64 + 64) + 64 * 3 * 16 + 3
BOTTLENECK = 2 * (16 * 512 * 4000) + 4000 + 2 * 512
CHANNELWISE = 512 * (4 * 4) ** 2 + 512 * 512 + 2 * 512


@pytest.mark.parametrize(("bottleneck", "middle"), [(4000, BOTTLENECK), (0, CHANNELWISE)])
def test_at_128_pixels_the_generator_has_the_papers_layers(bottleneck, middle):
    with without_weights():
        recipe = Inpaint(Config(bottleneck=bottleneck), Spec(shape=(3, 128, 128)))
    assert sum(p.numel() for p in recipe.generator.parameters()) == ENCODER + middle + DECODER
    assert recipe.rim == 7
    with without_weights():
        assert Inpaint(Config(), Spec(shape=(3, 64, 128))).rim == 4, "of the shorter side"


def test_the_bottleneck_is_a_vector():
    recipe = small((1, 28, 28))
    seen = []
    for module in recipe.generator.modules():
        module.register_forward_hook(lambda _module, _given, made: seen.append(tuple(made.shape)))
    recipe.complete(images(recipe, 2), torch.ones(1, 1, 28, 28))
    assert (2, 8, 1, 1) in seen


def test_a_channelwise_layer_connects_all_places_of_a_channel_and_no_channels():
    layer, maps = ChannelwiseLinear(3, 4), torch.zeros(1, 3, 2, 2)
    maps[0, 1, 0, 1] = 1
    made = layer(maps)
    assert torch.equal(made[0, 1].flatten(), layer.weight[1, 1])
    assert made[0, [0, 2]].abs().max() == 0


@pytest.mark.parametrize("bottleneck", [8, 0])
def test_only_holes_change_and_what_was_in_them_makes_no_difference(bottleneck):
    recipe = small(bottleneck=bottleneck).eval()
    given, mask = images(recipe), recipe.holes(3)
    made = recipe.complete(given, mask)
    assert torch.equal(made * (1 - mask), given * (1 - mask))
    assert torch.equal(recipe.complete(torch.where(mask > 0, torch.rand_like(given), given), mask), made)
    assert ((made != given) == (mask > 0)).float().mean() > 0.99


def test_a_completed_image_does_not_depend_on_what_else_is_completed():
    recipe = small().eval()
    given, mask = images(recipe), recipe.holes(3)
    torch.testing.assert_close(
        recipe.complete(given, mask)[1:2], recipe.complete(given[1:2], mask[1:2]), rtol=1e-4, atol=1e-5
    )


def test_the_distance_weighs_the_rim_ten_times_and_ignores_what_is_beyond():
    recipe = small(overlap=1 / 16)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:8, 4:8] = 1  # 16 pixels, and 20 around them
    image, made = torch.zeros(2, 1, 3, 16, 16)
    made[..., 4:8, 4:8] = 0.5
    made[..., 3, 3:9] = 2
    made[..., 12, 12] = 9
    expected = (16 * 0.25 + 10 * 6 * 4) / (16 + 10 * 20)
    assert recipe.distance(made, image, mask).item() == pytest.approx(expected, rel=1e-6)
    assert small(overlap=0).distance(made, image, mask).item() == pytest.approx(0.25, rel=1e-6)


def test_the_terms_weigh_999_to_1():
    recipe = small()
    batch = Images(image=torch.zeros(2, 3, 16, 16))
    recipe.generator = Constant(torch.full((1, 3, 16, 16), 0.5))
    recipe.discriminator.forward = lambda image: torch.zeros(len(image))
    loss = recipe.generator_loss(batch)
    assert loss["reconstruction"].item() == pytest.approx(0.999 / 4, rel=1e-6)
    assert loss["adversarial"].item() == pytest.approx(0.001 * math.log(2), rel=1e-6)
    assert loss.log["l1"].tolist() == pytest.approx([0.5, 0.5])
    assert recipe.discriminator_loss(batch, completed=batch.image).total().item() == pytest.approx(2 * math.log(2))


def test_the_discriminator_sees_completed_images_without_the_mask():
    playing = game("inpaint", (3, 16, 16))
    seen = []
    playing.recipe.discriminator.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    playing.recipe.round(playing)
    by_generator, real, fake = seen
    assert real.shape == fake.shape == (8, 3, 16, 16)
    assert torch.equal(by_generator, fake)
    known = (fake == real).all(1).flatten(1).float().mean(1)
    assert (known > 0.5).all()
    assert (known < 1).all()


def test_shares_of_a_batch_have_the_holes_of_the_whole():
    recipe = small()
    torch.manual_seed(1)
    whole = recipe.holes(6)
    for start in (0, 2, 4):
        torch.manual_seed(1)
        with rng.share(start, start + 2, 6):
            assert torch.equal(recipe.holes(2), whole[start : start + 2])


def test_a_preview_shows_holes_what_fills_them_and_the_image_and_measures_it():
    recipe = small().eval()
    batch = sides("inpaint", (3, 16, 16)).batch(np.arange(2)).to(torch.device("cpu"))
    holed, completed, image = recipe.preview_columns(batch)
    assert torch.equal(image, batch.image)
    hole = (completed != image).any(1, keepdim=True).expand_as(image)
    assert holed[hole].abs().max() == 0
    with torch.no_grad():
        _, found = draw_preview(recipe, batch, rounds=0)
    assert set(found) == {"l1", "psnr_rgb", "psnr_y", "ssim_rgb", "ssim_y"}


@pytest.mark.parametrize("shape", [(3, 30, 30), (1, 34, 50)])
def test_a_size_that_cannot_be_halved_is_refused_with_one_that_fits(shape):
    with pytest.raises(InputError, match=r"--size \d+x\d+ would fit"):
        small(shape)


def test_points_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="ring8 is made of points, and this recipe trains on images"):
        open_as(recipes.find("inpaint").data, "ring8")


@pytest.mark.slow
def test_a_handful_of_images_is_learned_by_heart():
    slopes = np.linspace(0, 255, 16)
    shades = [np.roll(np.add.outer(slopes, slopes * step) / (1 + step), 3 * step, 0) for step in range(8)]
    samples = np.stack(shades)[..., None].astype(np.uint8)
    recipe = small((1, 16, 16), width=16, bottleneck=0, batch=16)
    playing = Game(recipe, Stream(replace(sides("inpaint", (1, 16, 16), 8), samples=samples), seed=0))

    def distance() -> float:
        with torch.no_grad():
            return float(recipe.generator_loss(playing.draw()).log["l1"].mean())

    before = distance()
    for _ in range(200):
        recipe.round(playing)
        playing.end_round()
    after = distance()
    playing.source.close()
    assert after < 0.1 < before
