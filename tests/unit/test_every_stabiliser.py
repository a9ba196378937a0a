"""What all stabilisers have in common: exact resuming, pieces of a batch, and one sentence where they do not apply."""

from __future__ import annotations

import contextlib
import copy
import re
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game, shape_of
from zerosum import recipes, stabilisers
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.run.config import RunConfig
from zerosum.run.load import build_recipe, rebuild

IMAGES = (1, 16, 16)
LONG = ("age_cgan", "biggan", "dvdgan", "gan3d", "stackgan", "stylegan2", "wavegan")
"""Recipes whose rounds take long: with each stabiliser in the slow suite alone."""
HOME: dict[str, str] = {}
"""The recipe that a stabiliser is tested with, where it is not the plain `gan`."""
STATE: dict[str, dict[str, Any]] = {"ada": {"p": 0.5}}
"""What a stabiliser has reached, where at the start it does nothing."""
TOLERANCE = {"spectral-norm": 5e-3}
"""Of weights after three rounds in pieces; a power iteration goes one step further with each piece."""


def played(name: str, recipe: str | None = None, shape: tuple[int, ...] = IMAGES, **options: Any) -> Any:
    one = game(recipe or HOME.get(name, "gan"), shape, stabilise=name, **options)
    vars(one.recipe.stabilisers[0]).update(STATE.get(name, {}))
    return one


def play(game: Any, rounds: int) -> None:
    for _ in range(rounds):
        game.recipe.round(game)
        game.end_round()


def played_or_refused(name: str, recipe: str, shape: tuple[int, ...], **options: Any) -> Any:
    """A game of any recipe, or None where it is refused in one sentence."""
    try:
        return played(name, recipe, shape, **options)
    except InputError as error:
        refusal = str(error)
    assert re.fullmatch(rf"--stabilise {name} [^\n]+: [^\n.]+\.", refusal)
    return None


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


@pytest.mark.parametrize("name", stabilisers.names())
def test_a_game_resumes_to_the_last_bit(name: str) -> None:
    straight = played(name, rounds=12)
    play(straight, 12)
    first = played(name, rounds=12)
    play(first, 5)
    weights, state = copy.deepcopy((first.recipe.state_dict(), first.state_dict()))
    second = played(name, rounds=12)
    second.recipe.load_state_dict(weights)
    second.load_state_dict(state)
    play(second, 7)
    assert same(second.recipe.state_dict(), straight.recipe.state_dict())
    assert same(second.state_dict(), straight.state_dict())


@pytest.mark.parametrize("name", stabilisers.names())
def test_it_changes_the_game(name: str) -> None:
    plain = game(HOME.get(name, "gan"), IMAGES, rounds=12)
    play(plain, 8)
    other = played(name, rounds=12)
    play(other, 8)
    assert not same(plain.recipe.generator.state_dict(), other.recipe.generator.state_dict())


@pytest.mark.parametrize("name", stabilisers.names())
def test_pieces_of_a_batch_give_its_gradient(name: str) -> None:
    states = []
    for pieces in (1, 2):
        one = played(name, micro_batches=pieces)
        if not one.recipe.divisible:
            return
        play(one, 3)
        states.append(dict(one.recipe.named_parameters()))
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], rtol=1e-3, atol=TOLERANCE.get(name, 1e-4))


@pytest.mark.parametrize(
    "recipe", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in recipes.names()]
)
@pytest.mark.parametrize("name", stabilisers.names())
def test_every_recipe_plays_a_round_or_refuses_in_a_sentence(name: str, recipe: str) -> None:
    one = played_or_refused(name, recipe, shape_of(recipe, IMAGES), rounds=16, precision=torch.bfloat16)
    if one is None:
        return
    phase = one.recipe.phases()[-1]
    one.begin_phase(len(one.recipe.phases()) - 1, phase)
    phase.play(one)
    one.end_round()
    one.check_weights()


@pytest.mark.parametrize("name", stabilisers.names())
def test_points_are_played_with_or_refused_in_a_sentence(name: str) -> None:
    one = played_or_refused(name, HOME.get(name, "gan"), (2,))
    if one is not None:
        play(one, 2)
        one.check_weights()


@pytest.mark.parametrize("name", stabilisers.names())
def test_copies_and_rebuilt_recipes_have_stabilisers_of_their_own(name: str) -> None:
    recipe = played(name).recipe
    for other in (copy.deepcopy(recipe), rebuild(recipe)):
        assert other.stabilisers[0] is not recipe.stabilisers[0]
        assert other.state_dict().keys() == recipe.state_dict().keys()
        assert other.stabilisers[0].value == recipe.stabilisers[0].value


@pytest.mark.parametrize("name", stabilisers.names())
@pytest.mark.parametrize("recipe", ["gan", "dcgan", "sngan"])
def test_every_stabiliser_is_explained_without_memory_for_its_weights(name: str, recipe: str) -> None:
    plan = RunConfig.read("photos", recipe, {"stabilise": name})
    with torch.device("meta"), contextlib.suppress(InputError):
        assert build_recipe(plan, Spec(shape=IMAGES)).stabilisers
