"""The duality gap of games whose equilibria are known."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
from torch import nn

from tests.recipes.conftest import game, sides
from zerosum import recipes
from zerosum.data.dataset import Dataset
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.evaluation.probes.duality_gap import duality_gap
from zerosum.game import Game
from zerosum.kinds import open_data
from zerosum.loss import Loss
from zerosum.player import Player, Role
from zerosum.recipe import Recipe, RecipeConfig


class Scalar(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))


class Saddle(Recipe):
    """V(x, y) = x y + a (x^2 - y^2) / 2, x being the generator: the equilibrium is (0, 0)."""

    def __init__(self, x: float, y: float, *, curvature: float, rate: float) -> None:
        super().__init__(RecipeConfig(batch=4), Spec(shape=(2,), kind="points"))
        self.generator, self.discriminator = Scalar(x), Scalar(y)
        self.curvature, self.rate = curvature, rate

    def players(self) -> dict[str, Player]:
        sides: dict[Role, Scalar] = {"discriminator": self.discriminator, "generator": self.generator}
        return {n: Player([s], torch.optim.SGD(s.parameters(), lr=self.rate), role=n) for n, s in sides.items()}

    def round(self, game) -> None:
        batch = game.draw()
        game.move("discriminator", lambda _: Loss(value=-self.objective()), batch)
        game.move("generator", lambda _: Loss(value=self.objective()), batch)

    def objective(self) -> torch.Tensor:
        x, y = self.generator.value, self.discriminator.value
        return x * y + self.curvature * (x.square() - y.square()) / 2


@pytest.fixture
def points() -> Dataset:
    return sides("gan", (2,))


def test_in_a_bilinear_game_the_gap_is_the_steps_times_the_squared_distance_from_the_equilibrium(points):
    found = duality_gap(Saddle(0.3, -0.4, curvature=0.0, rate=0.01), points, steps=50)
    assert found.objective == pytest.approx(-0.12)
    assert found.discriminator_gain == pytest.approx(50 * 0.01 * 0.3**2)
    assert found.generator_gain == pytest.approx(50 * 0.01 * 0.4**2)
    assert found.value == pytest.approx(50 * 0.01 * (0.3**2 + 0.4**2))
    assert found.minimax == pytest.approx(-0.12 + 50 * 0.01 * 0.3**2)
    assert found.interval.high == pytest.approx(found.interval.low)


def test_in_a_quadratic_game_enough_steps_find_the_whole_gap(points):
    # max over y: x^2 / 2a + a x^2 / 2; min over x: -(y^2 / 2a + a y^2 / 2).
    found = duality_gap(Saddle(0.3, -0.4, curvature=2.0, rate=0.1), points, steps=100)
    assert found.value == pytest.approx((0.3**2 + 0.4**2) * (1 / 4 + 1), rel=1e-6)
    assert "0 in an equilibrium" in found.meaning


def test_at_the_equilibrium_the_gap_is_zero(points):
    assert duality_gap(Saddle(0.0, 0.0, curvature=1.0, rate=0.1), points).value == 0.0


def test_steps_that_overshoot_are_not_trusted(points):
    assert "not to be trusted" in duality_gap(Saddle(0.3, -0.4, curvature=1.0, rate=2.1), points, steps=20).meaning


@pytest.mark.parametrize(
    ("name", "shape"),
    [("gan", (2,)), ("unrolled", (2,)), ("wgan_gp", (2,)), ("dcgan", (1, 16, 16)),
     ("progan", (1, 16, 16))],
)  # fmt: skip
def test_the_gap_of_any_recipe_is_found_without_touching_it(name, shape):
    played = game(name, shape)
    played.recipe.eval().requires_grad_(False)  # as a loaded model is
    before = {key: value.clone() for key, value in played.recipe.state_dict().items()}
    random = torch.get_rng_state()
    found = duality_gap(played.recipe, played.source.dataset, steps=3, batches=20)
    assert found.value == pytest.approx(found.discriminator_gain + found.generator_gain)
    assert found.discriminator_gain > 0
    assert found.interval.low <= found.value <= found.interval.high
    for key, value in played.recipe.state_dict().items():
        assert torch.equal(value, before[key])
    assert torch.equal(torch.get_rng_state(), random)
    json.dumps(asdict(found))


def test_the_gap_repeats_with_its_seed():
    played = game("gan", (2,))
    first, again, other = (
        duality_gap(played.recipe, played.source.dataset, steps=1, batches=20, seed=s) for s in (0, 0, 1)
    )
    assert first == again
    assert first.value != other.value


def test_training_on_the_ring_narrows_the_gap():
    ring, kind = open_data("ring8"), recipes.find("gan")
    torch.manual_seed(0)
    hidden = {"latent_dim": 16, "generator_hidden": (64, 64), "discriminator_hidden": (64, 64), "activation": "tanh"}
    rates = {"dropout": 0.0, "generator_lr": 1e-3, "discriminator_lr": 1e-3}
    recipe = kind(kind.Config.read({"batch": 128, **hidden, **rates}), ring.spec)
    before = duality_gap(recipe, ring, steps=50, batches=20)
    played = Game(recipe, Stream(ring, seed=0))
    for _ in range(250):
        recipe.round(played)
        played.end_round()
    after = duality_gap(recipe, ring, steps=50, batches=20)
    played.source.close()
    assert after.interval.high < before.interval.low / 2


def test_a_game_without_such_players_is_refused(points):
    recipe = Saddle(0.3, -0.4, curvature=1.0, rate=0.1)
    with pytest.raises(InputError, match="20 batches"):
        duality_gap(recipe, points, batches=5)
    sides = {n: Player([s], torch.optim.SGD(s.parameters(), lr=0.1)) for n, s in recipe.named_children()}
    recipe.players = lambda: {"left": sides["generator"], "right": sides["discriminator"]}
    with pytest.raises(InputError, match="left, right"):
        duality_gap(recipe, points)
