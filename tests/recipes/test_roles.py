"""What each player of each recipe does in the adversarial game: stabilisers and probes find players by it."""

from __future__ import annotations

import pytest
import torch

from tests.recipes.conftest import game, plays_on_points, shape_of
from zerosum import recipes
from zerosum.layers.dropout import Dropout
from zerosum.recipe import Recipe

NAMES = {"wavegan": "critic", "wgan": "critic", "wgan_gp": "critic", "progan": "critic", "cyclegan": "discriminators"}


@pytest.mark.parametrize("name", recipes.names())
def test_the_players_of_a_recipe_have_their_roles(name: str) -> None:
    playing = game(name, (2,) if plays_on_points(name) else shape_of(name, (1, 32, 32)))
    roles = {player: its.role for player, its in playing.players.items() if its.role is not None}
    generator = "generators" if name == "cyclegan" else "generator"
    assert roles == {NAMES.get(name, "discriminator"): "discriminator", generator: "generator"}


@pytest.mark.parametrize("shape", [(2,), (1, 16, 16)])
def test_dcgans_discriminator_drops_what_it_is_told(shape: tuple[int, ...]) -> None:
    playing = game("dcgan", shape)
    kind: type[Recipe] = type(playing.recipe)
    torch.manual_seed(0)
    recipe = kind(kind.Config.read({"width": 4, "dropout": 0.25}), playing.recipe.spec)
    drops = [module for module in recipe.modules() if isinstance(module, Dropout)]
    assert drops
    assert not any(isinstance(module, Dropout) for module in playing.recipe.generator.modules())
