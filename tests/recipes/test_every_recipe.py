"""Properties that every recipe has, whatever its paper: one test a property, over the whole registry."""

from __future__ import annotations

import re
import sys
from types import SimpleNamespace

import pytest
import torch

from tests.recipes.conftest import SMALL, fits, game, made, plays_on_points, shape_of
from zerosum import recipes
from zerosum.config import documentation
from zerosum.data.jitter import Jitter
from zerosum.player import players_of

GRAY, COLOUR, WIDE, POINT = (1, 16, 16), (3, 16, 16), (3, 16, 32), (2,)
WAVE, VOLUME, CLIP = (1, 256), (1, 16, 16, 16), (4, 1, 16, 16)
NAMES = recipes.names()
CASES = [(name, shape) for name in NAMES for shape in (GRAY, POINT, WAVE, VOLUME, CLIP) if fits(name, shape)]

every_recipe = pytest.mark.parametrize("name", NAMES)
every_game = pytest.mark.parametrize(("name", "shape"), CASES)


def test_every_recipe_is_tested_small():
    assert sorted(SMALL) == list(NAMES)


@every_recipe
@pytest.mark.parametrize(
    "shape", [GRAY, COLOUR, WIDE, (5, 16, 16), (1, 28, 28), (3, 48, 64), POINT, WAVE, (1, 300), VOLUME, CLIP]
)
def test_samples_have_the_promised_shape_and_range(name, shape):
    if not fits(name, shape):
        return
    recipe = game(name, shape).recipe
    for mode in (recipe.train(), recipe.eval()):
        samples = made(mode, name, shape, 3)
        assert samples.shape == (3, *recipe.spec.shape)
        assert samples.isfinite().all()
        assert len(shape) == 1 or samples.abs().max() <= 1


@every_game
def test_a_round_of_every_phase_is_finite_and_moves_every_player(name, shape):
    playing = game(name, shape, rounds=16)
    before = {key: value.clone() for key, value in playing.recipe.state_dict().items()}
    for index, phase in enumerate(playing.recipe.phases()):
        playing.begin_phase(index, phase)
        phase.play(playing)
        playing.end_round()
    phase.play(playing)  # what lies before a layer that starts at 0 moves in the second round
    playing.end_round()
    playing.check_weights()
    after = playing.recipe.state_dict()
    for name_, player in playing.players.items():
        names = {id(p) for p in player.parameters}
        own = {key: p for key, p in playing.recipe.named_parameters() if id(p) in names}
        still = [key for key, p in own.items() if torch.equal(before[key], after[key])]
        # a constant added to every value of a critic has no gradient in Wasserstein's game
        assert set(still) <= {key for key in own if key.endswith("bias")}, f"{name_} left {still} where they were"
        assert len(still) <= 1
    logged = playing.collect()
    assert {key.partition("/")[0] for key in logged} == set(playing.players)
    assert all(value == value for value in logged.values())


@every_game
def test_a_discriminators_loss_logs_its_logits_of_real_and_fake_samples(name, shape):
    playing, logged = game(name, shape), {}
    gradient = playing.gradient

    def spied(player, loss, batch, **inputs):
        result = gradient(player, loss, batch, **inputs)
        logged[player] = result.log
        return result

    playing.gradient = spied
    playing.recipe.round(playing)
    assert len(players_of(playing.players, "generator")) == 1
    assert players_of(playing.players, "discriminator")
    for player in players_of(playing.players, "discriminator"):
        for logits in (logged[player]["real"], logged[player]["fake"]):
            assert len(logits) % 8 == 0, "a row or more a sample"
            assert logits.is_floating_point()
        for kind in ("real", "fake"):
            shares = logged[player].get(f"{kind}_accuracy")
            assert shares is None or shares.shape == logged[player][kind].shape


@every_recipe
def test_images_of_every_recipe_can_be_varied(name):
    if not fits(name, GRAY):
        pytest.skip("it is not of images")
    config = recipes.find(name).Config.read({"mirror": 0.25, "enlarge": 1.5, "rotate": 0.75})
    recipe = type(game(name, GRAY).recipe)
    assert recipe.jitter.fget(SimpleNamespace(config=config)) == Jitter(mirror=0.25, enlarge=1.5, rotate=0.75)


@every_game
def test_a_move_leaves_the_other_players_alone(name, shape):
    playing = game(name, shape)
    moves = []
    original = playing.move

    def spied(player, loss, batch, **givens):
        own = {id(p) for p in playing.players[player].parameters}
        others = {k: p.clone() for k, p in playing.recipe.named_parameters() if id(p) not in own}
        result = original(player, loss, batch, **givens)
        now = dict(playing.recipe.named_parameters())
        assert all(torch.equal(value, now[key]) for key, value in others.items())
        assert all(now[key].grad is None or not now[key].requires_grad for key in others)
        moves.append(player)
        return result

    playing.move = spied
    for index, phase in enumerate(playing.recipe.phases()):
        playing.begin_phase(index, phase)
        phase.play(playing)
    assert set(moves) == set(playing.players)


@every_game
def test_what_a_round_costs_and_its_lazy_moves_say_what_moves_it_has(name, shape):
    """A trial of few rounds relies on it (`zerosum.training.budget`)."""
    playing, moves, found = game(name, shape, settings={"rounds": 40}), [], {}
    move = playing.move

    def spied(player, loss, *given, **named):
        moves.append(loss.__name__)
        return move(player, loss, *given, **named)

    playing.move = spied
    phases = playing.recipe.phases()
    playing.begin_phase(len(phases) - 1, phases[-1])
    recipe = playing.recipe
    for number in (17, 19, 20, 24, 32, 48):
        moves.clear()
        playing.clock.round = number
        phases[-1].play(playing)
        key = (recipe.cost(number), recipe.lazy_moves(number))
        assert found.setdefault(key, tuple(moves)) == tuple(moves), f"{name} says the same of different rounds"
    assert len(set(found.values())) == len(found), "what is said apart is apart"


@every_game
def test_the_same_seed_plays_the_same_game(name, shape):
    states = []
    for _ in range(2):
        playing = game(name, shape, seed=3)
        playing.recipe.round(playing)
        states.append(playing.recipe.state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


@every_recipe
def test_micro_batches_give_the_gradient_of_the_whole_batch(name):
    shape = POINT if plays_on_points(name) else shape_of(name)
    norms = torch.nn.modules.batchnorm._BatchNorm
    recipe = game(name, shape).recipe
    if not recipe.divisible or recipe.minibatch_group > 1 or any(isinstance(m, norms) for m in recipe.modules()):
        pytest.skip("it looks at the batch as a whole")
    states = []
    for pieces in (1, 4):
        playing = game(name, shape, micro_batches=pieces)
        for _ in range(2):
            playing.recipe.round(playing)
        states.append(playing.recipe.state_dict())
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], rtol=1e-4, atol=2e-5)


@every_game
def test_a_running_average_lags_behind_the_weights_and_samples(name, shape):
    playing = game(name, shape)
    for _ in range(3):
        playing.recipe.round(playing)
    (player,) = (player for player in playing.players.values() if player.average)
    networks = torch.nn.ModuleList(player.networks)
    live = {key: value.clone() for key, value in networks.state_dict().items()}
    with playing.averaged():
        inside = {key: value.clone() for key, value in networks.state_dict().items()}
        assert not playing.recipe.training
    after = networks.state_dict()
    assert all(torch.equal(live[key], after[key]) for key in live)
    assert any(not torch.equal(live[key], inside[key]) for key in live)


@every_game
def test_a_preview_compares_samples_with_real_ones(name, shape):
    playing = game(name, shape)
    batch = playing.draw()
    fake, real = playing.recipe.fake_and_real(batch)
    assert fake.shape == real.shape == (8, *playing.recipe.spec.shape)


@every_game
def test_networks_of_another_type_take_draws_and_images_as_they_are(name, shape):
    playing = game(name, shape)
    batch, recipe = playing.draw(), playing.recipe
    found = []
    with recipe.evaluating():
        for convert in (recipe.float, recipe.double):
            convert()
            torch.manual_seed(0)
            found.append(recipe.fake_and_real(batch)[0])
    if recipe.task.given == "nothing":
        assert found[1].dtype == torch.float64
    torch.testing.assert_close(found[1].float(), found[0], rtol=0, atol=0.02)


@every_recipe
def test_the_file_cites_its_paper(name):
    text = sys.modules[recipes.find(name).__module__].__doc__
    assert re.search(r"\(\w+ et al\. (19|20)\d\d\)", text)
    assert "https://arxiv.org/abs/" in text
    assert "Differs from the paper" in text


@every_recipe
def test_every_setting_is_documented(name):
    config = recipes.find(name).Config
    assert set(documentation(config)) >= set(config.names())
    assert config().checked() == config()
