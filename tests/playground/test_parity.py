"""The page's game beside zerosum's own, from the same weights, real samples and latents: the same curves."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from tests.playground.conftest import Node
from zerosum import recipes
from zerosum.data.batch import Points
from zerosum.data.sources import toys
from zerosum.data.spec import Spec
from zerosum.game import Game
from zerosum.playground.recipe import Playground
from zerosum.runtime import rng

ROUNDS, BATCH = 50, 16
TOLERANCE = 1e-4
PLAY = """
const { settings, weights, draws, rounds } = given;
const take = (name) => () => Float64Array.from(draws[name].shift());
const game = new Game({ ...defaults(), ...settings }, { real: take("real"), latent: take("latent"), mix: take("mix") });
for (const [name, values] of Object.entries(weights)) {
  game[name].parameters.forEach((parameter, i) => parameter.data.set(values[i]));
}
const rows = [];
for (let i = 0; i < rounds; i++) { game.play(); rows.push(game.collect()); }
const left = Object.values(draws).reduce((count, queue) => count + queue.length, 0);
const final = ["generator", "discriminator"].map((name) => game[name].parameters.map((p) => p.data));
answer({ rows, left, final });
"""

HIDDEN = {"generator_hidden": (8, 8), "discriminator_hidden": (8, 8)}
RATES = {"generator_lr": 0.002, "discriminator_lr": 0.005}
SAME = {"layers": 2, "width": 8, "latent": 3, "batch": BATCH}
GAMES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    # recipe, its settings, the page's
    "gan": ("gan", HIDDEN | RATES | {"activation": "relu", "dropout": 0.0, "n_discriminator": 2, "ema_decay": 0.0},
            RATES | {"loss": "non-saturating", "n_discriminator": 2}),
    "wgan_gp": ("wgan_gp", {"points_hidden": (8, 8), "penalty": 0.1, "lr": 0.002, "betas": (0.5, 0.9), "n_critic": 3},
                {"loss": "wasserstein", "penalty": 0.1, "generator_lr": 0.002, "discriminator_lr": 0.002,
                 "beta1": 0.5, "beta2": 0.9, "n_discriminator": 3}),
    "r3gan": ("r3gan", {"points_hidden": (8, 8), "gamma": (0.1, 0.1), "lr": (0.002, 0.002), "beta2": (0.99, 0.99)},
              {"loss": "relativistic", "gamma": 0.1, "generator_lr": 0.002, "discriminator_lr": 0.002,
               "beta1": 0, "beta2": 0.99}),
    "unrolled": ("unrolled", HIDDEN | RATES | {"steps": 3, "activation": "tanh"},
                 RATES | {"loss": "non-saturating", "unrolled": 3, "activation": "tanh"}),
    **{
        f"playground {loss}": (Playground, HIDDEN | RATES | {"loss": loss, "activation": activation},
                               RATES | {"loss": loss, "activation": activation})
        for loss, activation in (("minimax", "tanh"), ("least-squares", "relu"), ("hinge", "leaky_relu"),
                                 ("wasserstein", "tanh"), ("relativistic", "tanh"))
    },
    "playground unrolled": (Playground, HIDDEN | RATES | {"loss": "hinge", "unrolled": 2, "activation": "tanh"},
                            RATES | {"loss": "hinge", "unrolled": 2, "activation": "tanh"}),
}  # fmt: skip


class Recorded:
    """Real samples, latents and places of penalties in float64, each kept as it is drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.draws: dict[str, list[list[float]]] = {"real": [], "latent": [], "mix": []}
        self.position = 0
        self._rng = torch.Generator().manual_seed(0)
        self._centres = torch.from_numpy(toys.modes("ring8")[0])
        monkeypatch.setattr(rng, "normal", lambda n, *shape, **_: self._keep("latent", self._normal(n, *shape)))
        monkeypatch.setattr(
            rng,
            "uniform",
            lambda n, *shape, **_: self._keep("mix", torch.rand(n, *shape, generator=self._rng).double()),
        )

    def draw(self, batch: int) -> Points:
        modes = self._centres[torch.randint(len(self._centres), (batch,), generator=self._rng)]
        return Points(point=self._keep("real", modes + 0.01 * self._normal(batch, 2)))

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._rng, dtype=torch.float64)

    def _keep(self, name: str, value: Tensor) -> Tensor:
        self.draws[name].append(value.flatten().tolist())
        return value


def played(
    name: str, monkeypatch: pytest.MonkeyPatch, rounds: int
) -> tuple[dict[str, Any], list[dict[str, float]], Any]:
    """Play a game of zerosum; return what the page needs to play it, the curves, and the networks at the end."""
    recipe, settings, page = GAMES[name]
    kind = recipe if isinstance(recipe, type) else recipes.find(recipe)
    monkeypatch.setattr(Points, "to", lambda self, *_: self)
    source = Recorded(monkeypatch)
    made = kind(kind.Config(latent_dim=3, batch=BATCH, rounds=rounds, **settings), Spec(shape=(2,), kind="points"))
    networks = {"generator": made.double().generator, "discriminator": made.discriminators()[0]}
    weights = {role: [p.flatten().tolist() for p in network.parameters()] for role, network in networks.items()}
    game = Game(made, source)  # type: ignore[arg-type]
    rows = []
    for _ in range(rounds):
        made.round(game)
        game.end_round()
        rows.append({key.replace("critic/", "discriminator/"): value for key, value in game.collect().items()})
    given = {"settings": SAME | page, "weights": weights, "draws": source.draws, "rounds": rounds}
    return given, rows, networks


@pytest.mark.parametrize("name", [
    "gan", *(pytest.param(name, marks=pytest.mark.slow) for name in GAMES if name != "gan")
])  # fmt: skip
def test_the_page_plays_the_game_of_the_recipe(name, node: Node, monkeypatch):
    given, rows, networks = played(name, monkeypatch, ROUNDS)
    found = node(PLAY, given)
    assert found["left"] == 0, "the page draws less than the recipe"
    for row, other in zip(rows, found["rows"], strict=True):
        shared = {key: value for key, value in other.items() if key.startswith(("discriminator", "generator"))}
        assert shared == pytest.approx({key: row[key] for key in shared}, abs=TOLERANCE)
    assert {"discriminator/loss", "generator/loss", "generator/gradient_norm", "discriminator/real"} <= set(shared)
    for network, parameters in zip(networks.values(), found["final"], strict=True):
        for parameter, values in zip(network.parameters(), parameters, strict=True):
            torch.testing.assert_close(torch.tensor(values).double(), parameter.detach().flatten(), atol=1e-4, rtol=0)


@pytest.mark.slow
def test_a_wrong_loss_would_be_noticed(node: Node, monkeypatch):
    given, rows, _ = played("gan", monkeypatch, 2)
    given["settings"]["loss"] = "minimax"
    found = node(PLAY, given)["rows"]
    assert abs(found[0]["generator/loss"] - rows[0]["generator/loss"]) > 100 * TOLERANCE
