"""CycleGAN: the paper's counts and closed forms, its schedule, its pools."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.recipes.conftest import game
from zerosum.data.batch import Domains
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.networks.resnet_generator import ResidualGenerator
from zerosum.player import Clock
from zerosum.recipes.cyclegan import Config, CycleGAN
from zerosum.runtime.weightless import without_weights


def small(**settings: object) -> CycleGAN:
    torch.manual_seed(0)
    config = Config.read({"width": 4, "blocks": 1, "layers": 1, "pool": 3, **settings})
    return CycleGAN(config, Spec(shape=(3, 16, 16), source_shape=(3, 16, 16)))


def domains(n: int = 2) -> Domains:
    a, b = torch.rand(2, n, 3, 16, 16).mul(2).sub(1)
    return Domains(a=a, b=b)


class Times(nn.Module):
    """A network that multiplies by a number."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, image: Tensor) -> Tensor:
        return self.factor * image


class Half(nn.Module):
    """A discriminator that cannot decide."""

    def forward(self, image: Tensor) -> Tensor:
        return torch.full((len(image), 1, 5, 5), 0.5)


def with_networks(recipe: CycleGAN, factor: float) -> CycleGAN:
    recipe.a_to_b = recipe.b_to_a = Times(factor)
    recipe.discriminator_a = recipe.discriminator_b = Half()
    return recipe


@pytest.mark.parametrize(
    ("shape", "width", "blocks", "count"),
    [((3, 256, 256), 64, 9, 11_378_179), ((3, 128, 128), 64, 6, 7_837_699), ((3, 32, 32), 16, 3, 272_515)],
)
def test_the_generators_have_the_papers_parameters(shape, width, blocks, count):
    with without_weights():
        network = ResidualGenerator(shape, 3, width=width, blocks=blocks)
    assert sum(p.numel() for p in network.parameters()) == count


@pytest.mark.parametrize(("side", "count"), [(256, 11_378_179), (128, 7_837_699)])
def test_the_networks_are_the_papers_at_its_sizes(side, count):
    with without_weights():
        recipe = CycleGAN(Config(), Spec(shape=(3, side, side)))
    for network in (recipe.a_to_b, recipe.b_to_a):
        assert sum(p.numel() for p in network.parameters()) == count
    for network in (recipe.discriminator_a, recipe.discriminator_b):
        assert sum(p.numel() for p in network.parameters()) == 2_764_737


def test_undecided_discriminators_cost_a_quarter_each():
    recipe, batch = with_networks(small(), 1), domains()
    loss = recipe.discriminators_loss(batch, fake_a=batch.a, fake_b=batch.b)
    assert loss["a"].item() == loss["b"].item() == 0.25
    assert recipe.generators_loss(batch)["adversarial"].item() == 0.5  # a quarter for each of the two generators


def test_the_identity_costs_nothing():
    loss = with_networks(small(), 1).generators_loss(domains())
    assert loss["cycle"].item() == loss["identity"].item() == 0


def test_negatives_come_back_but_are_not_left_alone():
    batch = domains()
    loss = with_networks(small(), -1).generators_loss(batch)
    assert loss["cycle"].item() == 0
    sizes = batch.a.abs().mean() + batch.b.abs().mean()
    torch.testing.assert_close(loss["identity"], 2 * sizes * 10 * 0.5)


def test_distances_are_means_over_all_values():
    batch = Domains(a=torch.full((1, 3, 16, 16), 0.5), b=torch.full((1, 3, 16, 16), -0.25))
    loss = with_networks(small(), 0).generators_loss(batch)
    torch.testing.assert_close(loss["cycle"].item(), 10 * 0.75)
    torch.testing.assert_close(loss.log["cycle_l1"].item(), 0.375)


def test_without_its_weight_there_is_no_identity_term():
    assert "identity" not in small(identity=0).generators_loss(domains())


def test_the_rate_is_half_at_three_quarters_of_the_rounds_for_both_players():
    playing = game("cyclegan", (3, 16, 16))
    for player in playing.players.values():
        for parameter in player.parameters:
            parameter.grad = torch.zeros_like(parameter)
        for rounds, rate in ((0, 2e-4), (100, 2e-4), (150, 1e-4), (199, 2e-6)):
            player.step(Clock(phase_round=rounds, phase_rounds=200))
            assert player.optimizer.param_groups[0]["lr"] == pytest.approx(rate)


def test_each_player_has_two_networks_and_the_pools_belong_to_none():
    playing = game("cyclegan", (3, 16, 16))
    assert {name: len(player.networks) for name, player in playing.players.items()} == {
        "generators": 2,
        "discriminators": 2,
    }
    assert {"pool_a.images", "pool_b.images", "pool_a.count"} <= set(playing.recipe.state_dict())


def test_the_pools_fill_as_rounds_are_played():
    playing = game("cyclegan", (3, 16, 16), batch=2)
    for expected in (2, 4, 4):  # tested small, a pool holds four
        playing.recipe.round(playing)
        assert int(playing.recipe.pool_a.count) == int(playing.recipe.pool_b.count) == expected


def test_the_direction_chooses_the_generator():
    recipe, image = small().eval(), torch.randn(1, 3, 16, 16)
    assert torch.equal(recipe.translate(image), recipe.a_to_b(image))
    assert torch.equal(recipe.translate(image, direction="BtoA"), recipe.b_to_a(image))


def test_a_preview_shows_each_image_there_and_back():
    recipe, batch = small().eval(), domains()
    a, there, back, b, here, forth = recipe.preview_columns(batch)
    assert torch.equal(a, batch.a)
    assert torch.equal(b, batch.b)
    assert torch.equal(back, recipe.b_to_a(there))
    assert torch.equal(forth, recipe.a_to_b(here))


@pytest.mark.parametrize("side", [30, 18, 4])
def test_a_size_that_cannot_be_quartered_is_refused_with_one_that_fits(side):
    with pytest.raises(InputError, match=r"--size (\d+)x\1 would fit") as refusal:
        ResidualGenerator((3, side, side), 3, width=2, blocks=1)
    fitting = int(str(refusal.value).split("--size ")[1].split("x")[0])
    made = ResidualGenerator((3, fitting, fitting), 3, width=2, blocks=1)(torch.randn(1, 3, fitting, fitting))
    assert made.shape == (1, 3, fitting, fitting)
