"""The dense GAN on PacGAN's networks: a round at once is the published one, to the last step of both players."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch.nn.functional import batch_norm, linear, softplus

from tests.recipes.conftest import sides
from zerosum import recipes
from zerosum.data.batch import Points
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game

PACGAN: dict[str, Any] = {
    "architecture": "pacgan", "simultaneous": True, "latent_dim": 2, "batch": 8, "ema_decay": 0.0,
    "betas": (0.8, 0.999), "generator_hidden": (16, 16), "discriminator_hidden": (16, 16),
}  # fmt: skip


def game(**settings: Any) -> Game[Any]:
    kind, points = recipes.find("gan"), sides("gan", (2,))
    recipe = kind(kind.Config.read(PACGAN | settings), points.spec).double()
    return Game(recipe, Stream(points, seed=0))


def plain_generator(weights: dict[str, torch.Tensor], z: torch.Tensor) -> torch.Tensor:
    """Two hidden layers with batch norm, written out."""
    for layer in (0, 3):
        z = linear(z, weights[f"layers.{layer}.weight"])
        scale, shift = weights[f"layers.{layer + 1}.weight"], weights[f"layers.{layer + 1}.bias"]
        z = batch_norm(z, None, None, scale, shift, training=True, eps=1e-4).relu()
    return linear(z, weights["layers.6.weight"], weights["layers.6.bias"])


def plain_discriminator(weights: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Two hidden layers of maxout, written out."""
    for layer in (0, 1):
        pieces = linear(x, weights[f"hidden.{layer}.weight"], weights[f"hidden.{layer}.bias"])
        x = pieces.view(len(x), -1, 5).max(2).values
    return linear(x, weights["last.weight"], weights["last.bias"])[:, 0]


def test_a_round_at_once_moves_both_from_one_state_and_one_batch() -> None:
    playing = game()
    latent = torch.randn(8, 2).double()
    real = torch.randn(8, 2).double()
    batch = Points(point=real)
    playing.draw = lambda: batch  # type: ignore[method-assign]
    playing.recipe.prior = lambda n: latent  # type: ignore[method-assign]
    start = copy.deepcopy(playing.recipe).requires_grad_(True)
    g, d = dict(start.generator.named_parameters()), dict(start.discriminator.named_parameters())

    fake = plain_generator(g, latent)
    loss_g = softplus(-plain_discriminator(d, fake)).mean()
    loss_d = softplus(-plain_discriminator(d, real)).mean() + softplus(plain_discriminator(d, fake.detach())).mean()
    expected = {
        f"{player}.{name}": parameter - playing.recipe.config.generator_lr * gradient / (gradient.abs() + 1e-8)
        for player, loss, weights in (("generator", loss_g, g), ("discriminator", loss_d, d))
        for (name, parameter), gradient in zip(
            weights.items(), torch.autograd.grad(loss, list(weights.values())), strict=True
        )
    }

    playing.recipe.round(playing)
    for name, parameter in playing.recipe.named_parameters():
        torch.testing.assert_close(parameter, expected[name], rtol=0, atol=1e-9)
    statistics = playing.recipe.generator.layers[1]
    assert int(statistics.num_batches_tracked) == 1, "one batch of samples serves both players"


def test_what_cannot_be_played_at_once_is_refused() -> None:
    with pytest.raises(InputError, match="leave out one of the two"):
        game(n_discriminator=2)


@pytest.mark.parametrize(("shape", "kind", "bounded"), [((1, 8, 8), "images", True), ((2,), "points", False)])
def test_images_of_pacgans_generator_are_bounded_and_points_are_not(shape, kind, bounded):
    gan = recipes.find("gan")
    recipe = gan(gan.Config.read(PACGAN), Spec(shape=shape, kind=kind))
    with torch.no_grad():
        for parameter in list(recipe.generator.parameters())[-2:]:
            parameter.fill_(10.0)
        samples = recipe.sample(4)
    assert (samples.abs().max() <= 1) == bounded
