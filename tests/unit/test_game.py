"""The game: gradients of pieces, what stops it, what it restores, and how its clock runs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from zerosum.errors import DivergedError
from zerosum.loss import Loss
from zerosum.player import Clock
from zerosum.recipe import Phase

Make = Callable[..., Any]


@pytest.fixture
def make() -> Make:
    from tests.recipes.conftest import game

    return game


def squares(game: Any) -> Callable[[Any], Loss]:
    """A loss whose gradient depends on the batch, and is of every weight of the discriminator."""

    def loss(batch: Any) -> Loss:
        return Loss(a=game.recipe.discriminator(batch.real).square().mean(), log={"rows": batch.real[:, 0]})

    return loss


def gradients(game: Any, name: str = "discriminator") -> list[Tensor]:
    return [parameter.grad.clone() for parameter in game.players[name].parameters]


def test_pieces_have_together_the_gradient_of_the_whole_batch(make: Make) -> None:
    found = []
    for parts in (1, 3):
        game = make("gan", (2,), micro_batches=parts, batch=8)
        game.recipe.eval()  # without dropout
        batch = game.draw()
        result = game.gradient("discriminator", squares(game), batch)
        assert torch.equal(result.log["rows"], batch.real[:, 0])
        found.append((result["a"], *gradients(game)))
    for one, three in zip(*found, strict=True):
        torch.testing.assert_close(one, three)


def test_a_move_steps_the_mover_alone_and_drops_its_old_gradient(make: Make) -> None:
    game = make("gan", (2,))
    game.recipe.eval()
    batch, before = game.draw(), {n: t.clone() for n, t in game.recipe.state_dict().items()}
    assert game.clock.seen == 8
    game.gradient("discriminator", squares(game), batch)
    first = gradients(game)
    game.gradient("discriminator", squares(game), batch)
    assert all(torch.equal(a, b) for a, b in zip(first, gradients(game), strict=True))
    game.step("discriminator")
    moved = {n.split(".")[0] for n, t in game.recipe.state_dict().items() if not torch.equal(t, before[n])}
    assert moved == {"discriminator"}
    assert all(p.grad is None and not p.requires_grad for p in game.players["generator"].parameters)
    logged = game.collect()
    assert logged["discriminator/gradient_norm"] == pytest.approx(
        math.sqrt(sum(gradient.square().sum().item() for gradient in first)), rel=1e-5
    )


def test_weights_of_nobody_and_of_others_take_no_gradient_in_any_move(make: Make) -> None:
    game = make("gan", (2,))
    game.recipe.extra = torch.nn.Parameter(torch.zeros(2))
    for name in ("discriminator", "generator", "discriminator"):
        game.gradient(name, squares(game) if name == "discriminator" else game.recipe.generator_loss, game.draw())
        its = {id(parameter) for parameter in game.players[name].parameters}
        assert {id(p) for p in game.recipe.parameters() if p.requires_grad} == its


def test_a_term_that_is_not_finite_stops_the_move_by_name_and_round(make: Make) -> None:
    for value in (math.inf, -math.inf, math.nan):
        game = make("gan", (2,))
        game.end_round()

        def loss(batch: Any, value: float = value, game: Any = game) -> Loss:
            fine = game.recipe.discriminator(batch.real).mean()
            return Loss(good=fine, bad=fine.detach() * 0 + value)

        with pytest.raises(DivergedError, match=rf"'bad' of discriminator's loss is {value} in round 2$"):
            game.move("discriminator", loss, game.draw())


def test_the_players_whose_weights_are_lost_are_named_with_the_loss(make: Make) -> None:
    game = make("gan", (2,))
    with torch.no_grad():
        next(iter(game.recipe.generator.parameters())).flatten()[0] = math.nan
    name, _ = next(iter(game.recipe.generator.named_parameters()))
    count = len(game.players["generator"].parameters)
    lost = rf"and so are weights of generator \(in 1 of {count} parameters, the first generator\.{re.escape(name)}\)$"
    with pytest.raises(DivergedError, match=lost):
        game.move(
            "discriminator", lambda batch: Loss(a=game.recipe.discriminator(batch.real).mean() + math.nan), game.draw()
        )


@pytest.mark.parametrize("where", ["weight", "average"])
def test_one_weight_or_average_that_is_not_finite_is_found(make: Make, where: str) -> None:
    game = make("gan", (2,))
    game.check_weights()
    player = game.players["generator"]
    held = player.parameters[0] if where == "weight" else list(player.average.values())[-1]
    with torch.no_grad():
        held.flatten()[-1] = math.inf
    named = r": generator \(in 1 of \d+ parameters, the first generator\..+\)$" if where == "weight" else "$"
    with pytest.raises(DivergedError, match=f"weight of generator is no longer finite after round 0{named}"):
        game.check_weights()


def test_a_term_has_no_rows(make: Make) -> None:
    game = make("gan", (2,))
    with pytest.raises(TypeError, match=r"'a' has shape \(8,\); take its mean"):
        game.move("discriminator", lambda batch: Loss(a=game.recipe.discriminator(batch.real)), game.draw())


def test_averages_stand_in_and_everything_is_put_back(make: Make) -> None:
    game = make("gan", (2,))
    generator = game.recipe.generator
    next(generator.children()).eval()  # a mode of its own, which has to come back
    modes = [module.training for module in game.recipe.modules()]
    live = {n: t.clone() for n, t in generator.state_dict().items()}
    for average in game.players["generator"].average.values():
        average.fill_(0.25)
    with game.averaged():
        assert not any(module.training for module in game.recipe.modules())
        assert not torch.is_grad_enabled()
        assert all((tensor == 0.25).all() for tensor in generator.state_dict().values())
    assert [module.training for module in game.recipe.modules()] == modes
    assert torch.is_grad_enabled()
    assert all(torch.equal(tensor, live[name]) for name, tensor in generator.state_dict().items())


def test_phases_set_the_clock_and_the_batch(make: Make) -> None:
    game = make("gan", (2,), batch=8)
    game.recipe.round(game)
    game.end_round()
    assert vars(game.clock) == vars(Clock(round=1, seen=game.clock.seen, phase_round=1))
    assert game.players["generator"].optimizer.state
    game.begin_phase(
        1, Phase(name="second", rounds=7, play=game.recipe.round, batch=3, reset_optimizers=("generator",))
    )
    assert (game.clock.phase, game.clock.phase_round, game.clock.phase_rounds) == (1, 0, 7)
    assert not game.players["generator"].optimizer.state
    assert game.players["discriminator"].optimizer.state
    assert len(game.draw().real) == 3
    game.recipe.round(game)
    game.end_round()
    game.begin_phase(1, Phase(name="second", rounds=7, play=game.recipe.round, reset_optimizers=("generator",)))
    # as a resumed run does
    assert (game.clock.round, game.clock.phase_round) == (2, 1)
    assert game.players["generator"].optimizer.state
    assert len(game.draw().real) == 8


def test_what_the_game_says_of_itself(make: Make) -> None:
    game = make("gan", (2,), micro_batches=2)
    expected = {"device": "cpu", "precision": "float32", "memory_format": "contiguous_format", "processes": 1}
    assert game.environment() == {**expected, "micro_batches": 2}
    assert game.rounds == 4
    assert game.mean(torch.tensor([1, 2, 6])) == 3.0
    assert not game.autocast()._enabled
    assert make("gan", (2,), precision=torch.bfloat16).autocast()._enabled


def test_a_state_goes_on_where_it_was_taken(make: Make) -> None:
    first, second = make("gan", (2,)), make("gan", (2,))
    for _ in range(2):
        first.recipe.round(first)
        first.end_round()
    state, weights = first.state_dict(), {n: t.clone() for n, t in first.recipe.state_dict().items()}
    drawn = torch.rand(4)
    torch.manual_seed(3)
    second.recipe.load_state_dict(weights)
    second.load_state_dict(state)
    assert torch.equal(torch.rand(4), drawn)
    assert vars(second.clock) == vars(first.clock)
    assert torch.equal(first.draw().real, second.draw().real)
