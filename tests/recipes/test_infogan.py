"""InfoGAN's codes: their prior, their information in closed form, and how a user sets them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from tests.recipes.conftest import game
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.errors import InputError

IMAGE = (1, 16, 16)


def test_the_prior_draws_noise_one_of_k_and_codes():
    recipe = game("infogan", IMAGE).recipe
    latent = recipe.prior(500)
    assert latent.shape == (500, 6 + 3 + 2)
    assert latent.min() >= -1
    assert latent.max() <= 1
    category = latent[:, 6:9]
    assert torch.equal(category.sum(1), torch.ones(500))
    assert set(category.unique().tolist()) == {0.0, 1.0}
    assert (category.mean(0) - 1 / 3).abs().max() < 0.1


def test_a_recogniser_that_reads_nothing_has_no_information():
    playing = game("infogan", IMAGE)
    recipe = playing.recipe
    nn.init.zeros_(recipe.recogniser[-1].weight)
    nn.init.zeros_(recipe.recogniser[-1].bias)

    def information() -> dict[str, torch.Tensor]:
        return recipe.generator_loss(playing.draw())

    assert information()["categorical"].item() == pytest.approx(0.0, abs=1e-6)
    torch.manual_seed(1)
    losses = torch.stack([information()["continuous"] for _ in range(200)])
    expected = 2 * (0.918939 + 1 / 6 - math.log(2))  # two codes, each N(0, 1) to the recogniser, in truth U(-1, 1)
    assert losses.mean().item() == pytest.approx(expected, abs=0.02)


def test_codes_are_set_by_the_user():
    recipe = game("infogan", IMAGE).recipe.eval()
    seen = []
    recipe.generator.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    recipe.sample(4, category=2, codes=(0.5, -1.0))
    assert torch.equal(seen[0][:, 6:], torch.tensor([[0.0, 0.0, 1.0, 0.5, -1.0]]).expand(4, -1))


@pytest.mark.parametrize("wrong", [{"category": 3}, {"category": -1}, {"codes": (0.1,)}])
def test_codes_that_the_model_lacks_are_refused(wrong):
    with pytest.raises(InputError, match="this model"):
        game("infogan", IMAGE).recipe.sample(1, **wrong)


def test_a_model_without_codes_is_refused():
    kind = recipes.find("infogan")
    with pytest.raises(InputError, match="raise one"):
        kind(kind.Config(categories=0, codes=0), Spec(shape=IMAGE))
