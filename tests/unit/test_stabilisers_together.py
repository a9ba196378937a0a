"""What stabilisers are given: real samples before generated ones, the layer of the logit, and the round's own moves."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.recipes.conftest import game, shape_of, sides
from zerosum import recipes, stabilisers
from zerosum.data.spec import Spec
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.game import Game
from zerosum.layers.minibatch_discrimination import WithCloseness
from zerosum.stabilisers.ada import boundary
from zerosum.stabilisers.penalty import Entry, Penalty
from zerosum.stabilisers.requirements import first_output, logit_layer, outputs_logits
from zerosum.tasks import ConditionalRecipe

IMAGE = (1, 16, 16)
FEATURES = ("infogan", "stackgan")
"""Recipes whose discriminators end in features, which other layers take."""
NEVER_WITHOUT = ("acgan", "age_cgan", "cgan", "wavegan", "dvdgan", "gan3d")
"""Conditional recipes that need labels, or samples other than images."""
JUDGED = [name for name in recipes.names() if game(name, shape_of(name, IMAGE)).recipe.discriminators()]


def play(playing: Game[Any], rounds: int = 1) -> None:
    for _ in range(rounds):
        playing.recipe.round(playing)
        playing.end_round()


def play_phases(playing: Game[Any]) -> None:
    """Play two rounds of every phase."""
    for index, phase in enumerate(playing.recipe.phases()):
        playing.begin_phase(index, phase)
        for _ in range(2):
            phase.play(playing)
            playing.end_round()


def unlabelled(name: str) -> Game[Any]:
    """A game on images without classes."""
    playing = game(name, IMAGE, rounds=16)
    data = replace(sides("dcgan", IMAGE), labels=None)
    recipe = type(playing.recipe)(playing.recipe.config, Spec(shape=IMAGE))
    return Game(recipe, Stream(data, seed=0))


# ---- what enters a discriminator


@pytest.mark.parametrize("name", JUDGED)
def test_real_samples_enter_before_generated_ones(name: str) -> None:
    playing = game(name, shape_of(name, IMAGE), rounds=16)
    recipe, seen = playing.recipe, {}
    drawn: list[Any] = []
    draw = playing.draw
    playing.draw = lambda: drawn.append(draw()) or drawn[-1]  # type: ignore[method-assign]
    moves: list[str] = []
    gradient = playing.gradient

    def heard(mover: str, *given: Any, **more: Any) -> Any:
        moves.append(mover)
        seen.clear()
        result = gradient(mover, *given, **more)
        if playing.players[mover].role == "discriminator":
            assert seen
            for network, real in zip(recipe.discriminators(), recipe.real_inputs(drawn[-1]), strict=True):
                if network in seen:  # of several stages, one is played
                    torch.testing.assert_close(torch.cat(seen[network])[: len(real)], real)
        return result

    playing.gradient = heard  # type: ignore[method-assign]
    for network in recipe.discriminators():
        network.register_forward_pre_hook(
            lambda module, inputs: seen.setdefault(module, []).append(inputs[0].detach().clone())
        )
    play_phases(playing)
    assert any(playing.players[mover].role == "discriminator" for mover in moves)


class Keeps(Penalty):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[Tensor, Tensor]] = []

    def penalty(self, real: Entry, fake: Entry) -> Tensor:
        self.given.append((real.samples.detach().clone(), fake.samples.detach().clone()))
        real.logits(real.samples)  # as penalties do
        return real.samples.new_zeros(())


@pytest.mark.parametrize("pieces", [1, 2])
def test_several_penalties_are_of_the_samples_of_their_own_move(pieces: int) -> None:
    playing = game("sngan", IMAGE, settings={"n_critic": 3}, micro_batches=pieces)
    penalties = Keeps(), Keeps(), Keeps()
    stabilisers.apply(playing.recipe, *penalties)
    drawn: list[Tensor] = []
    draw = playing.draw

    def noted() -> Any:
        batch = draw()
        drawn.extend(batch.real.chunk(pieces))
        return batch

    playing.draw = noted  # type: ignore[method-assign]
    play(playing, 2)
    for one in penalties:
        assert len(one.given) == 3 * 2 * pieces
        for real, (given, fake) in zip(drawn, one.given, strict=True):
            assert torch.equal(real, given)
            assert not torch.equal(real, fake)


def test_two_penalties_in_pieces_have_the_gradient_of_the_whole() -> None:
    slopes = []
    for pieces in (1, 2):
        playing = game("gan", IMAGE, stabilise="r1:1,r2:1", settings={"dropout": 0.0}, micro_batches=pieces)
        batch = playing.draw()
        playing.gradient("discriminator", playing.recipe.discriminator_loss, batch)
        slopes.append(torch.cat([p.grad.flatten() for p in playing.players["discriminator"].parameters]))
    assert (slopes[0] - slopes[1]).norm() < 1e-5 * slopes[0].norm()


# ---- the layer of the logit


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("name", JUDGED)
def test_the_layer_of_the_logit_is_passed_by_samples_and_moves_it(name: str, labels: bool) -> None:
    if labels:
        playing = game(name, shape_of(name, IMAGE), rounds=16)
    elif name in NEVER_WITHOUT or not issubclass(recipes.find(name), ConditionalRecipe):
        return
    else:
        playing = unlabelled(name)
    seen = {network: [] for network in playing.recipe.discriminators() if outputs_logits(network)}
    if not seen:
        assert name in FEATURES, "a discriminator that outputs logits is told apart from one of features"
    for network, its in seen.items():
        entered: list[Tensor] = []
        layer = network.get_submodule(logit_layer(network) or "")
        layer.register_forward_pre_hook(lambda module, inputs, entered=entered: entered.append(inputs[0]))

        def leave(module: nn.Module, inputs: Any, output: Any, entered: Any = entered, its: Any = its) -> None:
            logits, features = first_output(output), entered.pop()
            if logits.requires_grad and features.requires_grad:
                (slope,) = torch.autograd.grad(logits.sum(), features, retain_graph=True, allow_unused=True)
                its.append((slope is not None and bool(slope.any()), not torch.equal(features[0], features[1])))

        network.register_forward_hook(leave)
    play_phases(playing)
    for its in seen.values():
        assert any(moved for moved, _ in its), "the logit is not of this layer"
        assert any(varied for _, varied in its), "all samples give this layer the same"


def test_closeness_reaches_the_logit_of_two_heads() -> None:
    heads = game("acgan", IMAGE, stabilise="minibatch-discrimination:5").recipe.discriminator
    assert isinstance(heads.source, WithCloseness)
    assert not isinstance(heads.classes, WithCloseness)


@pytest.mark.parametrize("name", ["acgan", "r3gan", "stylegan2"])
def test_discriminators_of_labels_output_logits(name: str) -> None:
    play(game(name, IMAGE, stabilise="top-k" if name == "acgan" else "r1:1"))


def test_packs_of_samples_are_not_compared_with_each_other() -> None:
    for both in ("pac:2,minibatch-discrimination:5", "minibatch-discrimination:5,pac:2"):
        with pytest.raises(InputError, match=r"--stabilise [^\n]+: leave [^\n]+\."):
            game("gan", IMAGE, stabilise=both)


def test_features_that_are_matched_do_not_depend_on_the_order_of_stabilisers() -> None:
    terms = []
    for both in ("minibatch-discrimination:5,feature-matching", "feature-matching,minibatch-discrimination:5"):
        playing = game("gan", IMAGE, stabilise=both, settings={"dropout": 0.0})
        torch.manual_seed(1)
        terms.append(playing.gradient("generator", playing.recipe.generator_loss, playing.draw())["feature_matching"])
    assert terms[0] > 0
    torch.testing.assert_close(terms[0], terms[1])


# ---- moves that regularise alone


def test_stabilisers_leave_a_lazy_move_alone() -> None:
    playing = game("stylegan2", IMAGE, stabilise="label-flips,lecam,r2:1,historical-averaging")
    for _ in range(2):
        playing.draw()
    result = playing.move("discriminator", playing.recipe.r1_loss, playing.draw())
    assert set(result) == {"penalty"}
    assert set(playing.move("discriminator", playing.recipe.discriminator_loss, playing.draw())) > {"adversarial"}


@pytest.mark.parametrize("every", [1, 4])
def test_the_running_average_goes_by_rounds(every: int) -> None:
    playing = game("stylegan2", IMAGE, settings={"path_every": every})
    play(playing, 8)
    assert playing.players["generator"].state_dict()["steps"] == 8
    before = copy.deepcopy(playing.players["generator"].average)
    playing.move("generator", playing.recipe.path_loss, playing.draw())
    after = playing.players["generator"].average
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_ada_counts_the_images_of_rounds() -> None:
    playing = game("stylegan2", (3, 16, 16), stabilise="ada", settings={"r1_every": 1})
    ada = playing.recipe.stabilisers[0]
    changes, last = 0, ada.p
    for _ in range(8):
        ada.value = -1.0  # every sign is above it: p rises at each decision
        play(playing)
        changes, last = changes + (ada.p != last), ada.p
    assert changes == 2
    assert ada.p == pytest.approx(8 * 8 / ada.images)


@pytest.mark.parametrize(("targets", "centre"), [((0.0, 1.0, 1.0), 0.5), ((-1.0, 1.0, 0.0), 0.0)])
def test_ada_asks_on_which_side_of_the_targets_a_logit_is(targets: Any, centre: float) -> None:
    assert boundary(game("lsgan", IMAGE, settings={"targets": targets}).recipe) == centre
    assert boundary(game("gan", IMAGE).recipe) == 0.0


# ---- every weight of a discriminator


def test_infogans_logit_layer_is_clipped_and_normalised() -> None:
    playing = game("infogan", IMAGE, stabilise="weight-clipping:0.01")
    play(playing)
    for network in (playing.recipe.trunk, playing.recipe.discriminator):
        assert max(weight.abs().max().item() for weight in network.parameters()) <= 0.01 + 1e-7
    assert max(weight.abs().max().item() for weight in playing.recipe.recogniser.parameters()) > 0.01
    normed = game("infogan", IMAGE, stabilise="spectral-norm").recipe
    assert any("u" in name.rpartition(".")[2] for name, _ in normed.discriminator.named_buffers())
