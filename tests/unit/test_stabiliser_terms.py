"""What each stabiliser adds, against its definition."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.pair import Pair, playing
from tests.recipes.conftest import game
from zerosum import objectives, stabilisers
from zerosum.errors import InputError
from zerosum.layers.augmentation import translation
from zerosum.layers.minibatch_discrimination import MinibatchDiscrimination, WithCloseness
from zerosum.loss import Loss
from zerosum.penalties import approximate_r1, r1
from zerosum.runtime import rng
from zerosum.stabilisers.penalty import Watch

IMAGES = (1, 16, 16)


def with_pair(text: str) -> tuple[Any, Pair, Any]:
    pair = Pair()
    (stabiliser, *_) = found = stabilisers.parse(text)
    stabilisers.apply(pair, *found)
    return stabiliser, pair, playing(pair)


def moved(text: str, player: str = "discriminator") -> tuple[Loss, Pair, Any]:
    _, pair, played = with_pair(text)
    return played.gradient(player, getattr(pair, f"{player}_loss"), played.draw()), pair, played


# ---- penalties


@pytest.mark.parametrize("name", ["r1", "r2"])
@pytest.mark.parametrize("more", ["", ",instance-noise:0.5"])
def test_zero_centred_penalties_of_a_linear_map(name: str, more: str) -> None:
    loss, pair, _ = moved(f"{name}:3{more}")
    weight = pair.discriminator.weight
    assert loss[name].item() == pytest.approx(1.5 * weight.square().sum().item(), rel=1e-5)
    assert pair.generator.weight.grad is None


def test_the_gradient_of_a_penalty_is_the_discriminators() -> None:
    _, pair, played = with_pair("r1:3")
    batch = played.draw()
    played.gradient("discriminator", pair.discriminator_loss, batch)
    by_hand = pair.made(1)[0] - batch.real.mean(0) + 3 * pair.discriminator.weight[0]
    torch.testing.assert_close(pair.discriminator.weight.grad[0], by_hand.detach())


def test_the_gradient_penalty_of_a_linear_map() -> None:
    loss, pair, _ = moved("gradient-penalty:10")
    assert loss["gradient_penalty"].item() == pytest.approx(10 * (pair.discriminator.weight.norm().item() - 1) ** 2)


def test_penalties_are_not_in_the_generators_loss() -> None:
    assert set(moved("r1,r2,gradient-penalty,approximate-r1,lecam,weight-penalty", "generator")[0]) == {"value"}


def test_the_approximation_has_the_mean_and_the_deviation_of_its_docstring() -> None:
    weight = torch.tensor([3.0, -1.0, 2.0])
    x = torch.randn(20_000, 3)

    def critic(x: Tensor) -> Tensor:
        return x @ weight

    exact = r1(critic, x).item()
    assert exact == pytest.approx(7.0)
    assert approximate_r1(critic, x).item() == pytest.approx(exact, rel=0.04)
    each = torch.tensor([approximate_r1(critic, x[:64]).item() for _ in range(400)])
    assert each.std().item() / exact == pytest.approx(math.sqrt(2 / 64), rel=0.15)


def test_the_approximation_compares_equal_draws_in_float32() -> None:
    weight = torch.randn(3, 1)

    def critic(x: Tensor) -> Tensor:
        return (x * rng.uniform(len(x), 3, device=x.device)) @ weight

    x = torch.randn(64, 3)
    values = []
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            values.append(approximate_r1(critic, x).item())
    assert values[0] == values[1]
    assert values[0] < 10 * weight.square().sum()


def test_power_iteration_does_not_come_between_the_values_that_are_compared() -> None:
    found = {}
    for name in ("r1", "approximate-r1"):
        played = game("wgan_gp", (2,), stabilise=f"spectral-norm,{name}:2", batch=512)
        found[name] = played.gradient("critic", played.recipe.critic_loss, played.draw())[name.replace("-", "_")].item()
    assert found["approximate-r1"] == pytest.approx(found["r1"], rel=0.3)


class Labelled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, labels: Tensor, scale: float = 1.0) -> tuple[Tensor, Tensor]:
        self.taken.append((x, labels))
        return scale * x.sum(1) * labels, labels  # logits, and what else it infers


def test_penalties_go_with_the_labels_of_their_samples() -> None:
    network, watch = Labelled(), Watch()
    watch.prepare([network])
    network.register_forward_pre_hook(lambda module, inputs: (inputs[0] + 100, *inputs[1:]))
    x, labels = torch.randn(6, 2), torch.arange(6.0)
    watch.begin(True)
    network(x, labels, scale=2.0)
    network(torch.zeros(3, 2), labels[:3])
    network.taken.clear()
    with watch.taken(3) as entries:
        ((real, fake),) = entries
        assert torch.equal(real.samples, x[:3]), "as they were before the hook"
        assert torch.equal(fake.samples, x[3:])
        for entry, its in ((real, labels[:3]), (fake, labels[3:])):
            assert torch.equal(entry.logits(torch.ones(3, 2)), 2 * 202 * its)
            assert torch.equal(entry.at_rest()(torch.ones(3, 2)), 2 * 202 * its)
    with watch.taken(3) as entries:
        assert entries == []
    network(x, labels, scale=2.0)
    with watch.taken(3) as entries:
        assert len(entries) == 1, "the next piece of a batch is kept too"
    network(x, labels, scale=2.0)
    watch.begin(True)
    with watch.taken(3) as entries:
        assert entries == [], "what a move left is not of the next one"


def test_consistency_is_the_squared_change_under_a_shift() -> None:
    played = game("gan", IMAGES, stabilise="consistency:2")
    recipe = played.recipe
    recipe.discriminator.eval()  # no dropout
    batch = played.draw()
    loss = recipe.discriminator_loss(batch)
    played.recipe.stabilisers[0].before("discriminator", played)
    recipe.discriminator_loss(batch)
    torch.manual_seed(5)
    found = recipe.stabilisers[0].terms("discriminator", batch, loss, played)["consistency"]
    torch.manual_seed(5)
    shifted = translation(batch.real)
    expected = 2 * (recipe.discriminator(batch.real) - recipe.discriminator(shifted)).square().mean()
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    assert found > 0


def test_lecam_is_the_distance_from_the_other_sides_mean() -> None:
    lecam, _, played = with_pair("lecam:2")
    first = Loss(log={"real": torch.tensor([1.0, 3.0]), "fake": torch.tensor([-1.0, -1.0])})
    assert lecam.terms("discriminator", None, first, played) == {}
    lecam.after("discriminator", first, played)
    found = lecam.terms("discriminator", None, first, played)
    assert found["lecam"].item() == 2 * ((2**2 + 4**2) / 2 + 3**2)
    lecam.after("discriminator", Loss(log={"real": torch.zeros(2), "fake": torch.ones(2)}), played)
    assert lecam.state_dict()["means"].tolist() == pytest.approx([1.98, -0.98])


# ---- labels


def test_one_sided_smoothing_has_its_optimum_where_the_target_is() -> None:
    smoothing, _, played = with_pair("label-smoothing:0.1")
    logit = torch.full((4,), math.log(9.0), requires_grad=True)
    term = smoothing.terms("discriminator", None, Loss(log={"real": logit}), played)["label_smoothing"]
    loss = nn.functional.softplus(-logit).mean() + term
    assert loss.item() == pytest.approx(0.325083, abs=1e-6)
    assert torch.autograd.grad(loss, logit)[0].abs().max() < 1e-7


@pytest.mark.parametrize("name", ["label-smoothing", "two-sided-label-smoothing", "label-noise", "label-flips"])
def test_labels_are_those_of_cross_entropy(name: str) -> None:
    stabiliser, _, played = with_pair(f"{name}:0.2")
    real, fake = torch.randn(50), torch.randn(50)
    torch.manual_seed(1)
    (term,) = stabiliser.terms("discriminator", None, Loss(log={"real": real, "fake": fake}), played).values()
    torch.manual_seed(1)
    draws = [rng.uniform(50, device=real.device) for _ in range(2)]
    moved = {
        "label-smoothing": (torch.full((50,), 0.2), torch.zeros(50)),
        "two-sided-label-smoothing": (torch.full((50,), 0.2),) * 2,
        "label-noise": (0.2 * draws[0], 0.2 * draws[1]),
        "label-flips": ((draws[0] < 0.2).float(), (draws[1] < 0.2).float()),
    }[name]
    expected = objectives.labelled_discriminator(real, fake, real_label=1 - moved[0], fake_label=moved[1])
    torch.testing.assert_close(objectives.logistic_discriminator(real, fake) + term, expected)
    assert stabiliser.terms("generator", None, Loss(), played) == {}


# ---- weights


def test_weights_are_penalised_and_clipped() -> None:
    loss, pair, _ = moved("weight-penalty:4")
    squares = sum(weight.square().sum().item() for weight in pair.discriminator.parameters())
    assert loss["weight_penalty"].item() == pytest.approx(2 * squares)
    _, pair, played = with_pair("weight-clipping:0.05")
    pair.round(played)
    assert max(weight.abs().max().item() for weight in pair.discriminator.parameters()) == pytest.approx(0.05)
    assert max(weight.abs().max().item() for weight in pair.generator.parameters()) > 0.05


def test_historical_averaging_of_three_steps() -> None:
    averaging, pair, played = with_pair("historical-averaging:1")
    (weight, bias) = pair.generator.parameters()
    for value in (1.0, 2.0, 3.0):
        weight.data[:] = bias.data[:] = 0
        weight.data[0, 0] = value
        averaging.after("generator", Loss(), played)
    assert averaging.means["generator"][0][0, 0].item() == pytest.approx(2)
    assert averaging.terms("generator", None, Loss(), played)["historical_averaging"].item() == pytest.approx(1)
    assert averaging.terms("discriminator", None, Loss(), played) == {}


def test_spectral_norm_brings_a_layer_to_1() -> None:
    _, pair, _ = with_pair("spectral-norm")
    pair.discriminator.weight.data = torch.tensor([[3.0, 4.0]])
    pair.discriminator.bias.data.zero_()
    assert pair.discriminator(torch.tensor([[3.0, 4.0]])).item() == pytest.approx(5.0)


# ---- top-k


def test_the_generator_learns_from_its_best_samples() -> None:
    played = game("gan", (2,), stabilise="top-k:0.25", rounds=8)
    (top,) = played.recipe.stabilisers
    kept = []
    for _ in range(8):
        played.recipe.round(played)
        played.end_round()
        kept.append(top.kept)
    assert kept == pytest.approx([1, 0.8125, 0.625, 0.4375, 0.25, 0.25, 0.25, 0.25])
    top._logits = torch.tensor([0.0, 1.0, 2.0, 3.0])
    best = nn.functional.softplus(torch.tensor(-3.0)) - nn.functional.softplus(-top._logits).mean()
    assert top.terms("generator", None, Loss(), played)["top_k"].item() == pytest.approx(best.item())
    assert top.terms("generator", None, Loss(), played) == {}


# ---- networks


def test_closeness_counts_the_others_of_a_batch() -> None:
    layer = MinibatchDiscrimination(3, kernels=4)
    x = torch.randn(1, 3).expand(6, 3)
    torch.testing.assert_close(layer(x, 6), torch.full((6, 4), 5.0))
    torch.testing.assert_close(layer(x, 3), torch.full((6, 4), 2.0))
    assert layer(1e4 * torch.randn(6, 3), 6).max() < 1e-3
    assert layer(x[:5], 3).max().item() == pytest.approx(4), "no multiple of the group: all"


def test_a_network_starts_as_it_would_without_closeness() -> None:
    dense, conv = nn.Linear(3, 2), nn.Conv2d(3, 2, 3)
    for layer, x in ((dense, torch.randn(4, 3)), (conv, torch.randn(4, 3, 5, 5))):
        wrapped = WithCloseness(layer, 6)
        assert torch.equal(wrapped(x), layer(x))
        nn.init.ones_(wrapped.head.weight)
        added = wrapped(x) - layer(x)
        assert added.flatten(2).std(-1).max() < 1e-5 if x.ndim > 2 else added.min() > 0


def test_real_and_generated_samples_are_compared_apart() -> None:
    played = game("progan", IMAGES, stabilise="minibatch-discrimination:7")
    played.recipe.round(played)
    layer = played.recipe.critic.value
    assert (layer.group, layer.closeness.weight.shape[1:]) == (played.batch, (7, 5))


def test_a_pack_has_one_logit() -> None:
    played = game("gan", (2,), stabilise="pac:4")
    recipe = played.recipe
    assert (recipe.minibatch_group, recipe.discriminator.layers[0].in_features) == (4, 8)
    recipe.discriminator.eval()
    logits = recipe.discriminator(torch.randn(8, 2))
    assert logits.shape == (8,)
    assert len(set(logits.tolist())) == 2
    x = torch.randn(8, 2)
    other = x.clone()
    other[5] += 1
    assert (recipe.discriminator(x) != recipe.discriminator(other)).tolist() == [False] * 4 + [True] * 4
    with pytest.raises(InputError, match=r"A batch of 6 samples has no whole packs of 4: change --batch\."):
        recipe.discriminator(x[:6])


def test_a_packs_first_layer_keeps_the_deviation_of_its_output() -> None:
    wide = game("dcgan", IMAGES, stabilise="pac:3", batch=6).recipe.discriminator.layers[0]
    assert wide.in_channels == 3
    assert wide.weight.std().item() == pytest.approx(0.02 / math.sqrt(3), rel=0.25)


def test_dropout_thins_what_enters_hidden_layers() -> None:
    recipe = game("wgan_gp", (2,), stabilise="dropout:0.25").recipe
    entered: dict[int, Tensor] = {}
    linear = [layer for layer in recipe.critic.modules() if isinstance(layer, nn.Linear)]
    for index, layer in enumerate(linear):
        layer.register_forward_hook(lambda layer, inputs, output, index=index: entered.update({index: inputs[0]}))
    recipe.critic(torch.rand(4000, 2) + 1)
    assert (entered[0] > 0).all()
    alive = entered[1][:, (entered[1] != 0).any(0)]
    assert (alive == 0).float().mean(0).min().item() == pytest.approx(0.25, abs=0.03)
    recipe.eval()
    x = torch.rand(10, 2)
    assert torch.equal(recipe.critic(x), recipe.critic(x)), "in use nothing is dropped"


# ---- what is refused


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("diff-augment:1.5", "got the strength 1.5: give a number above 0 and up to 1."),
        ("label-smoothing:0.5", "got 0.5: give a number above 0 and below 0.5."),
        ("label-noise:1", "got 1.0: give a number above 0 and below 1.0."),
        ("top-k:1", "got the share 1.0: give a number above 0 and below 1."),
        ("dropout:1", "got the share 1.0: give a number above 0 and below 1."),
        ("pac:1", "got packs of 1.0: give a whole number from 2, such as 2."),
        ("pac:2.5", "got packs of 2.5: give a whole number from 2, such as 2."),
        ("minibatch-discrimination:1.5", "got 1.5 kernels: give a whole number, such as 100."),
        ("spectral-norm:2", "has no strength, and got 2.0: give its name alone."),
    ],
)
def test_strengths_out_of_range_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"The stabiliser {text.split(':')[0]} {sentence}")):
        stabilisers.parse(text)


@pytest.mark.parametrize(
    ("name", "recipe", "sentence"),
    [
        ("ada", "wgan_gp", "needs a game of the logistic, least-squares or hinge loss, and WGANGP plays by the wass"),
        ("label-flips", "pix2pix", "needs a game of the logistic loss, and Pix2Pix plays by a loss of its own: leave"),
        ("label-noise", "dcgan", "changes the labels of the loss, and DCGAN has settings for them: give --real-label"),
        (
            "r1",
            "dcgan",
            "needs each logit to be of one sample, and the discriminator of DCGAN has batch norm: give --d",
        ),
        (
            "r2",
            "wgan",
            "needs each logit to be of one sample, and the discriminator of WGAN has batch norm: give --cri",
        ),
        ("top-k", "infogan", "needs a discriminator that outputs logits, and that of InfoGAN outputs features: leave"),
        ("pac", "progan", "gives a pack one logit, and ProGAN needs the slope of each sample's: leave it out."),
        ("spectral-norm", "progan", "is undone by the equalised learning rate of the discriminator of ProGAN: leave"),
    ],
)
def test_recipes_that_cannot_be_stabilised_so(name: str, recipe: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"--stabilise {name} {sentence}")):
        game(recipe, IMAGES, stabilise=name)


@pytest.mark.parametrize("name", ["diff-augment", "ada", "consistency"])
def test_points_are_not_augmented(name: str) -> None:
    with pytest.raises(InputError, match=rf"--stabilise {name} varies images, and these data are points: leave it out"):
        game("gan", (2,), stabilise=name)


@pytest.mark.parametrize(("recipe", "options"), [("acgan", {}), ("sngan", {"lr_hold": 0.5}), ("r3gan", {})])
def test_two_time_scales_are_a_factor_of_the_recipes_rate_wherever_it_is(recipe: str, options: dict[str, Any]) -> None:
    rates: list[dict[str, list[float]]] = []
    for text in (None, "two-time-scales:4"):
        played = game(recipe, IMAGES, stabilise=text, rounds=4, settings=options)
        seen: dict[str, list[float]] = {"discriminator": [], "generator": []}
        for _ in range(4):
            played.recipe.round(played)
            played.end_round()
            for name, player in played.players.items():
                seen[name].append(player.optimizer.param_groups[0]["lr"])
        rates.append(seen)
    plain, scaled = rates
    assert scaled["generator"] == plain["generator"]
    assert scaled["discriminator"] == pytest.approx([4 * rate for rate in plain["discriminator"]])


def test_packs_are_taken_where_no_slope_of_a_sample_is_penalised() -> None:
    played = game("wgan", IMAGES, stabilise="pac:2", settings={"critic_norm": "none", "clip": 0.01})
    played.recipe.round(played)
    assert float(max(weight.abs().max() for weight in played.recipe.critic.parameters())) < 0.02, "it is clipped too"


def test_packs_and_labels_do_not_go_together() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pair, "takes_labels", True)
        with pytest.raises(InputError, match="packs samples of any class, and these have labels: leave it out"):
            stabilisers.apply(Pair(), *stabilisers.parse("pac"))


def test_channels_that_ada_cannot_recolour() -> None:
    with pytest.raises(InputError, match=r"recolours images of 1 or 3 channels, and these have 2: take diff-augment\."):
        game("gan", (2, 16, 16), stabilise="ada")


@pytest.mark.parametrize("name", ["pac", "minibatch-discrimination", "dropout"])
def test_a_discriminator_of_one_layer_has_no_hidden_one(name: str) -> None:
    with pytest.raises(InputError, match=rf"--stabilise {name} (found no hidden|cannot widen)"):
        stabilisers.apply(Pair(), *stabilisers.parse(name))


def test_packs_come_before_what_hooks_into_layers() -> None:
    with pytest.raises(InputError, match="cannot widen the first layer of the discriminator of GAN: leave it out, or"):
        game("gan", (2,), stabilise="spectral-norm,pac")
    game("gan", (2,), stabilise="pac,spectral-norm,dropout,feature-matching")
