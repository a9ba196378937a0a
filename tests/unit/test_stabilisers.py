"""Stabilisers: what they add to a game, when they refuse, and that a run that has them resumes to the last bit."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.cli.conftest import assert_same_checkpoint, measured
from tests.pair import Pair, playing
from tests.recipes.conftest import SMALL, game, plays_on_points, shape_of
from zerosum import api, recipes, stabilisers
from zerosum.errors import InputError
from zerosum.loss import Loss
from zerosum.optim.unroll import descent, unrolled
from zerosum.runtime import rng
from zerosum.runtime.progress import Silent, Status
from zerosum.stabilisers.base import Stabiliser
from zerosum.stabilisers.feature_matching import FeatureMatching, squared_distance
from zerosum.stabilisers.instance_noise import InstanceNoise

IMAGES, POINTS = (1, 16, 16), (2,)
NAMES = recipes.names()
PAGE = (Path(__file__).parents[2] / "docs" / "stabilisers.md").read_text(encoding="utf-8")


def stabilised(name: str, shape: tuple[int, ...], text: str, **options: Any) -> Any:
    """A small game of a recipe with stabilisers."""
    return game(name, shape, stabilise=text, **options)


# ---- instance noise


def test_instance_noise_has_its_standard_deviation_and_falls_in_a_line_to_zero() -> None:
    pair, noise = Pair(), InstanceNoise(0.5, share=0.5)
    stabilisers.apply(pair, noise)
    seen: list[Tensor] = []
    pair.discriminator.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    played, sigmas = playing(pair), []
    for _ in range(10):
        pair.round(played)
        played.end_round()
        sigmas.append(noise.sigma)
    assert sigmas == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1, 0, 0, 0, 0, 0])
    noise.sigma = 0.5
    pair.discriminator(torch.zeros(20_000, 2))
    assert seen[-1].mean().item() == pytest.approx(0, abs=0.02)
    assert seen[-1].std().item() == pytest.approx(0.5, rel=0.02)
    pair.eval()
    pair.discriminator(torch.zeros(3, 2))
    assert not seen[-1].any(), "in use there is no noise"


def test_the_noise_of_a_piece_of_a_concatenated_batch_is_that_of_its_rows() -> None:
    pair, noise = Pair(), InstanceNoise(0.5)
    stabilisers.apply(pair, noise)
    seen: list[Tensor] = []
    pair.discriminator.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    torch.manual_seed(1)
    pair.discriminator(torch.zeros(8, 2))  # four real rows and four generated ones
    torch.manual_seed(1)
    with rng.share(2, 4, 4):
        pair.discriminator(torch.zeros(4, 2))
    assert torch.equal(seen[1], seen[0][[2, 3, 6, 7]])


def test_noise_reaches_a_discriminator_looked_ahead_to() -> None:
    pair = Pair()
    stabilisers.apply(pair, InstanceNoise(0.5))
    x = torch.zeros(5, 2)
    future = unrolled(pair.discriminator, lambda d: d(x).square().mean(), steps=2, rule=descent(0.1))
    assert len(set(future(x).flatten().tolist())) == 5, "equal rows would have equal logits without noise"


# ---- feature matching


def test_feature_matching_adds_the_squared_distance_of_the_mean_features() -> None:
    pair = Pair()
    stabilisers.apply(pair, FeatureMatching(2.0))
    played = playing(pair)
    batch = played.draw()
    expected = 2 * (batch.real.mean(0) - pair.made(1)[0]).square().sum()  # the features are the samples themselves
    found = played.gradient("generator", pair.generator_loss, batch)
    assert found["feature_matching"].item() == pytest.approx(expected.item(), rel=1e-5)
    bias = pair.generator.bias.grad
    by_hand = 4 * (pair.made(1)[0] - batch.real.mean(0)) - pair.discriminator.weight[0]
    torch.testing.assert_close(bias, by_hand)
    assert pair.discriminator.weight.grad is None
    played.step("generator")
    assert "feature_matching" not in played.gradient("discriminator", pair.discriminator_loss, batch)


def test_feature_matching_takes_the_last_hidden_layer_and_the_real_samples_as_the_recipe_shows_them() -> None:
    played = stabilised("pix2pix", IMAGES, "feature-matching:3", batch=2)
    recipe, batch = played.recipe, played.draw()
    torch.manual_seed(4)
    found = played.gradient("generator", recipe.generator_loss, batch)
    torch.manual_seed(4)
    made = recipe.translate(batch.source)
    hidden = recipe.discriminator.layers[:-1]
    features = [hidden(torch.cat([batch.source, image], 1)) for image in (batch.target, made)]
    assert found["feature_matching"].item() == pytest.approx(3 * squared_distance(*features).item(), rel=1e-4)


def test_feature_matching_looks_ahead_with_an_unrolled_game() -> None:
    played = stabilised("unrolled", POINTS, "feature-matching")
    before = played.recipe.discriminator.layers[0].weight.clone()
    weights = []
    hook = played.recipe.discriminator.layers[-1].register_forward_pre_hook(
        lambda layer, inputs: weights.append(played.recipe.discriminator.layers[0].weight.detach().clone())
    )
    played.recipe.round(played)
    hook.remove()
    calls_before_the_discriminators_move = weights[:-2]
    assert torch.equal(calls_before_the_discriminators_move[-1], calls_before_the_discriminators_move[-2])
    assert not torch.equal(calls_before_the_discriminators_move[-1], before)
    assert played.collect()["generator/feature_matching"] > 0


# ---- every recipe


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_plays_with_every_stabiliser(name: str, precision: torch.dtype) -> None:
    shape = shape_of(name, IMAGES)
    text = "instance-noise:0.2,feature-matching:0.5"
    played = stabilised(name, shape, text, rounds=16, precision=precision)
    for index, phase in enumerate(played.recipe.phases()):
        played.begin_phase(index, phase)
        phase.play(played)
        played.end_round()
    played.check_weights()
    assert played.collect()[f"{generator_of(played)}/feature_matching"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_discriminators_belong_to_the_players_of_that_role(name: str) -> None:
    played = game(name, shape_of(name, IMAGES))
    owned = {id(network) for p in played.players.values() if p.role == "discriminator" for network in p.networks}
    networks = played.recipe.discriminators()
    assert networks
    assert {id(network) for network in networks} <= owned
    assert len(played.recipe.real_inputs(played.draw())) == len(networks)


@pytest.mark.parametrize("name", [n for n in NAMES if plays_on_points(n) and recipes.find(n).divisible])
def test_micro_batches_give_the_gradient_of_the_whole_batch_with_noise(name: str) -> None:
    states = []
    for pieces in (1, 2):
        played = stabilised(name, POINTS, "instance-noise:0.3", micro_batches=pieces)
        for _ in range(2):
            played.recipe.round(played)
        states.append(played.recipe.state_dict())
    for key in states[0]:
        torch.testing.assert_close(states[0][key], states[1][key], rtol=1e-4, atol=2e-5)


def test_a_copy_of_a_recipe_has_stabilisers_of_its_own() -> None:
    played = stabilised("gan", POINTS, "instance-noise:0.3")
    other = copy.deepcopy(played.recipe)
    (hook,) = other.discriminator._forward_pre_hooks.values()
    assert hook.__self__ is other.stabilisers[0] is not played.recipe.stabilisers[0]


# ---- asking for them


def test_names_are_those_of_the_classes() -> None:
    assert {"feature-matching", "instance-noise"} <= set(stabilisers.names())
    assert all(stabilisers.find(name)().name == name for name in stabilisers.names())


def test_a_text_is_read_by_commas_and_colons() -> None:
    noise, matching = stabilisers.parse("instance-noise:0.25, feature-matching")
    assert (noise.name, noise.value, matching.name, matching.value) == ("instance-noise", 0.25, "feature-matching", 1.0)
    assert stabilisers.parse(None) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("none,r1", "--stabilise is none,r1, and none stands alone: leave it out, or give --stabilise none."),
        ("r1, None", "and none stands alone"),
        ("instant-noise:1", "There is no stabiliser 'instant-noise'; did you mean 'instance-noise'?"),
        ("", f"There is no stabiliser ''; known are {', '.join(stabilisers.names())}."),
        ("instance-noise:x", "--stabilise instance-noise has the value 'x': give a number, as instance-noise:1.0."),
        ("instance-noise:-1", "The stabiliser instance-noise got the strength -1.0: give a number above 0."),
        ("instance-noise:nan", "The stabiliser instance-noise got the strength nan: give a number above 0."),
        ("instance-noise,instance-noise:2", "--stabilise names instance-noise twice: give it once."),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence_before_anything_is_written(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        api.train("ring8", recipe="gan", run="run", progress=Silent(), stabilise=text)
    assert not Path("run").exists()


@pytest.mark.parametrize("kind", [InstanceNoise, FeatureMatching])
def test_a_recipe_without_discriminators_is_refused(kind: type[Stabiliser]) -> None:
    with pytest.raises(InputError, match="needs a discriminator, and Pair names none: leave it out"):
        stabilisers.apply(Pair(networks=False), kind())


def test_feature_matching_does_not_divide_a_batch() -> None:
    with pytest.raises(InputError, match="but --stabilise feature-matching needs each batch whole: give 1"):
        api.train("ring8", recipe="gan", progress=Silent(), micro_batches=2, stabilise="feature-matching")


# ---- runs


class Killed(Silent):
    def update(self, status: Status) -> None:
        if status.round == 5:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("data", "recipe", "text"),
    [
        ("ring8", "gan", "instance-noise:0.4,feature-matching:0.5"),
        ("digits", "dcgan", "instance-noise:0.4,feature-matching:0.5"),
        ("digits", "gan", "ada:0.01,historical-averaging,lecam,spectral-norm,minibatch-discrimination:5"),
    ],
)
def test_a_run_resumes_to_the_last_bit_in_the_middle_of_the_annealing(data: str, recipe: str, text: str) -> None:
    settings = {"batch": 8, "rounds": 12, "save_every": 2, "log_every": 1, **SMALL[recipe], "stabilise": text}
    straight = api.train(data, recipe=recipe, run="straight", progress=Silent(), **settings)
    with pytest.raises(KeyboardInterrupt):
        api.train(data, recipe=recipe, run="stopped", progress=Killed(), **settings)
    stopped = api.resume("stopped", progress=Silent())
    assert_same_checkpoint(stopped.checkpoint(12), straight.checkpoint(12))
    assert measured(stopped.path) == measured(straight.path)
    assert json.loads((straight.path / "run.json").read_text())["training"]["stabilise"] == settings["stabilise"]
    assert api.load(straight.path).sample(3).isfinite().all()
    with pytest.raises(InputError, match=re.escape(f"--stabilise is {text} in the run")):
        api.resume("stopped", progress=Silent(), stabilise="instance-noise:0.4")


def test_a_run_without_stabilisers_keeps_nothing_of_them() -> None:
    assert "stabilisers" not in game("gan", POINTS).state_dict()


# ---- the page


def test_the_example_of_the_page_is_a_stabiliser_and_its_state_is_kept() -> None:
    (source,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, Any] = {}
    exec(source, found)
    (kind,) = (v for v in found.values() if isinstance(v, type) and issubclass(v, Stabiliser) and v is not Stabiliser)

    averaging, loaded = kind(3.0), kind(3.0)
    pair, other = Pair(), Pair()
    stabilisers.apply(pair, averaging)
    stabilisers.apply(other, loaded)
    played, resumed = playing(pair), playing(other)
    batch = played.draw()
    assert "historical_averaging" not in played.move("generator", pair.generator_loss, batch)
    averaging.steps, averaging.means = {}, {}
    for value in (1.0, 2.0, 3.0):
        for weight in pair.generator.parameters():
            weight.data.fill_(value)
        averaging.after("generator", Loss(), played)
    other.load_state_dict(pair.state_dict())
    resumed.load_state_dict(played.state_dict())
    for one in (played, resumed):
        loss = one.gradient("generator", one.recipe.generator_loss, batch)
        assert loss["historical_averaging"].item() == pytest.approx(3 * 4 * (3 - 2) ** 2), "four weights, of mean 2"


@pytest.mark.parametrize("name", stabilisers.names())
def test_the_page_explains_every_stabiliser(name: str) -> None:
    assert f"`{name}" in PAGE


def generator_of(played: Any) -> str:
    (name,) = (name for name, player in played.players.items() if player.role == "generator")
    return name
