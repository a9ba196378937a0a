"""3D-GAN: when the discriminator rests, what samples are, which settings a machine gets."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.loss import Loss

SHAPE = (1, 16, 16, 16)


def built(side: int, **settings: Any) -> Any:
    torch.manual_seed(0)
    kind = recipes.find("gan3d")
    small = {"generator_width": 2, "discriminator_width": 2, "latent_dim": 6, **settings}
    return kind(kind.Config.read(small), Spec(shape=(1, side, side, side), kind="volumes"))


@pytest.mark.parametrize(("accuracy", "moves"), [(0.85, False), (0.80, True), (0.0, True)])
def test_the_discriminator_rests_after_a_batch_that_it_classified_too_well(accuracy, moves):
    playing = game("gan3d", SHAPE)
    playing.recipe.accuracy.fill_(accuracy)
    before = [p.clone() for p in playing.recipe.discriminator.parameters()]
    playing.recipe.round(playing)
    after = list(playing.recipe.discriminator.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True)) is not moves
    assert playing.collect()["discriminator/moves"] == float(moves)


def test_the_accuracy_is_that_of_the_last_batch_real_and_generated():
    playing, logged = game("gan3d", SHAPE), []
    gradient = playing.gradient

    def spied(player: str, *given: Any, **inputs: Any) -> Loss:
        logged.append(gradient(player, *given, **inputs))
        return logged[-1]

    playing.gradient = spied
    playing.recipe.round(playing)
    right = [logged[-1].log[name].mean() for name in ("real_accuracy", "fake_accuracy")]
    assert playing.recipe.accuracy == pytest.approx(float(sum(right)) / 2)
    assert "accuracy" in playing.recipe.state_dict(), "a resumed run goes on with it"


@pytest.mark.parametrize("side", [8, 16, 24, 32])
def test_samples_are_probabilities_or_cells(side):
    recipe = built(side)
    samples = recipe.sample(3)
    assert samples.shape == (3, 1, side, side, side)
    assert 0 < samples.min() < samples.max() < 1
    latent = recipe.prior(3)
    assert 0 <= latent.min() < latent.max() <= 1
    with recipe.evaluating():
        inside = recipe.sample(3, latent=latent, threshold=0.1)
        assert torch.equal(inside, (recipe.sample(3, latent=latent) > 0.1).float())


@pytest.mark.parametrize("threshold", [2.0, 1.0, -0.1, math.nan])
def test_a_threshold_that_is_no_probability_is_refused(threshold):
    with pytest.raises(InputError, match=f"The threshold is {threshold}, and cells have probabilities"):
        built(16).sample(1, threshold=threshold)


def test_a_generator_that_has_not_learnt_is_as_good_as_a_coin():
    playing = game("gan3d", SHAPE, batch=32)
    loss = playing.recipe.generator_loss(playing.draw())
    assert float(loss.total().detach()) == pytest.approx(math.log(2), abs=0.3)


def test_a_faint_volume_is_not_taken_for_a_strong_one():
    recipe = built(16)
    volumes = (torch.rand(8, *SHAPE) < 0.2).float()
    torch.testing.assert_close(recipe.discriminator(volumes), recipe.discriminator(volumes.clone()))
    assert not torch.allclose(recipe.discriminator(volumes), recipe.discriminator(0.1 * volumes), atol=1e-3)


@pytest.mark.parametrize(
    ("device", "side", "preset"),
    [("cpu", 32, "small"), ("cpu", 64, "small"), ("cuda", 32, "medium"), ("cuda", 64, "paper")],
)
def test_presets_go_by_size_and_device(device, side, preset):
    config = recipes.find("gan3d").Config
    assert config.preset_for(Spec(shape=(1, side, side, side), kind="volumes"), device) == preset


@pytest.mark.parametrize("side", [9, 72])
def test_a_size_that_cannot_be_halved_to_a_small_cube_is_refused(side):
    with pytest.raises(InputError, match="--size 32 or 64 would fit"):
        built(side)
