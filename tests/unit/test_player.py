"""Players: averages, schedules, clipping, forgetting."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.errors import InputError
from zerosum.player import Clock, Player, only_player_of, players_of


def one_weight() -> nn.Linear:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    return network


def push(player: Player, gradient: float) -> None:
    for parameter in player.parameters:
        parameter.grad = torch.full_like(parameter, gradient)
    player.step(Clock())


def test_the_running_average_follows_its_definition():
    network = one_weight()
    player = Player([network], torch.optim.SGD(network.parameters(), lr=0.0), ema_decay=0.9)
    nn.init.ones_(network.weight)
    expected = 0.0
    for step in range(1, 11):
        push(player, 0.0)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay)
    with torch.no_grad(), player.averaged():
        assert network.weight.item() == pytest.approx(expected, rel=1e-5)
    assert network.weight.item() == 1.0


def test_the_average_of_batch_norm_statistics_is_kept_and_its_counter_copied():
    network = nn.BatchNorm1d(2)
    player = Player.adam(network, lr=0.0, betas=(0.0, 0.9), ema_decay=0.5)
    network(torch.randn(8, 2) + 3)
    push(player, 0.0)
    average = player.average
    assert 0 < average["0.running_mean"][0] < network.running_mean[0]
    assert average["0.num_batches_tracked"].item() == 1


def test_the_average_finds_a_tensor_that_was_put_in_a_buffers_place():
    network = nn.BatchNorm1d(2)
    player = Player.adam(network, lr=0.0, betas=(0.0, 0.9), ema_decay=0.5)
    push(player, 0.0)
    network.num_batches_tracked, network.running_mean = torch.tensor(7), torch.full((2,), 11.0)
    push(player, 0.0)
    assert player.average["0.num_batches_tracked"].item() == 7
    assert player.average["0.running_mean"].tolist() == pytest.approx([8.25, 8.25])  # the decay is 3 / 12 so early


def test_tied_weights_have_one_average_under_all_of_their_names():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
    network[1].weight = network[0].weight
    player = Player.adam(network, lr=0.1, betas=(0.0, 0.9), ema_decay=0.5)
    for _ in range(3):
        push(player, 1.0)
    average = player.average
    assert not torch.equal(average["0.0.weight"], network[0].weight)
    assert torch.equal(average["0.0.weight"], average["0.1.weight"])
    assert player.averages(nn.ModuleDict({"a": network})).keys() == nn.ModuleDict({"a": network}).state_dict().keys()
    expected = average["0.0.weight"].clone()
    with torch.no_grad(), player.averaged():
        assert torch.equal(network[0].weight, expected)


def test_a_buffer_that_no_checkpoint_keeps_has_no_average():
    network = nn.Linear(1, 1)
    network.register_buffer("grid", torch.ones(2), persistent=False)
    player = Player.adam(network, lr=0.1, betas=(0.0, 0.9), ema_decay=0.5)
    push(player, 1.0)
    assert player.average.keys() == {"0.weight", "0.bias"}


def test_dropped_gradients_are_gone():
    network = one_weight()
    player = Player.adam(network, lr=1.0, betas=(0.0, 0.9))
    network(torch.ones(1, 1)).sum().backward()
    player.drop_gradients()
    assert network.weight.grad is None
    assert player.step(Clock()).item() == 0.0


def test_a_schedule_sets_the_optimizer_by_the_clock():
    network = one_weight()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    player = Player([network], optimizer, schedule=lambda clock: {"lr": 1.0 - clock.progress})
    player.step(Clock(phase_round=3, phase_rounds=4))
    assert optimizer.param_groups[0]["lr"] == 0.25


def test_a_large_gradient_is_scaled_down_to_the_clip():
    network = one_weight()
    player = Player([network], torch.optim.SGD(network.parameters(), lr=1.0), clip=0.5)
    push(player, -100.0)
    assert network.weight.item() == pytest.approx(0.5, rel=1e-4)


def test_a_forgetful_player_starts_its_moments_anew():
    network = one_weight()
    player = Player.adam(network, lr=0.1, betas=(0.9, 0.9))
    push(player, 1.0)
    assert player.optimizer.state
    player.reset_optimizer()
    assert not player.optimizer.state


def test_rmsprop_divides_by_the_root_of_the_mean_square_and_goes_on_from_a_state():
    straight, stopped = one_weight(), one_weight()
    one, other = Player.rmsprop(straight, lr=0.1), Player.rmsprop(stopped, lr=0.1)
    mean, weight = 0.0, 0.0
    for gradient in (1.0, -2.0, 3.0):
        mean = 0.99 * mean + 0.01 * gradient**2
        weight -= 0.1 * gradient / (mean**0.5 + 1e-8)
        push(one, gradient)
        push(other, gradient)
        assert straight.weight.item() == pytest.approx(weight, rel=1e-5)
        state, other = other.state_dict(), Player.rmsprop(stopped, lr=0.1)
        other.load_state_dict(state)
    assert torch.equal(straight.weight, stopped.weight)


def test_options_of_the_optimizer_are_those_of_the_settings_and_not_of_the_state():
    network = one_weight()
    saved = Player.adam(network, lr=0.1, betas=(0.5, 0.9)).state_dict()
    player = Player.adam(network, lr=0.02, betas=(0.0, 0.99))
    player.load_state_dict(saved)
    assert player.optimizer.param_groups[0]["lr"] == 0.02
    assert player.optimizer.param_groups[0]["betas"] == (0.0, 0.99)


def test_whole_numbered_betas_are_taken():
    network = one_weight()
    push(Player.adam(network, lr=0.1, betas=(0, 0.9)), 1.0)
    assert network.weight.item() == pytest.approx(-0.1, rel=1e-4)


def test_averages_are_named_as_in_the_whole_model():
    model = nn.ModuleDict({"generator": one_weight(), "critic": one_weight()})
    player = Player.adam(model["generator"], lr=0.1, betas=(0.0, 0.9), ema_decay=0.9)
    assert list(player.averages(model)) == ["generator.weight"]


@pytest.mark.parametrize("clip", [None, 2.0])
def test_a_step_returns_the_norm_of_the_gradient_before_it_is_clipped(clip):
    network = nn.Linear(2, 2, bias=True)
    player = Player([network], torch.optim.SGD(network.parameters(), lr=1.0), clip=clip)
    before = network.bias.detach().clone()
    network.weight.grad, network.bias.grad = torch.full((2, 2), 3.0), torch.full((2,), 4.0)
    norm = player.step(Clock())
    assert norm.item() == pytest.approx((4 * 9 + 2 * 16) ** 0.5)
    assert norm.dtype == torch.float32
    moved = (before - network.bias.detach())[0].item()
    assert moved == pytest.approx(4.0 if clip is None else 4.0 * clip / norm.item(), rel=1e-5)


def test_players_are_found_by_role():
    players = {"critic": small("discriminator"), "maker": small("generator"), "third": small(None)}
    assert only_player_of(players, "discriminator") == "critic"
    assert list(players_of(players, "generator")) == ["maker"]
    with pytest.raises(InputError, match="one player of the role generator, and of the players critic, third none has"):
        only_player_of({n: players[n] for n in ("critic", "third")}, "generator")


def small(role):
    network = nn.Linear(1, 1)
    return Player([network], torch.optim.SGD(network.parameters(), lr=1.0), role=role)
