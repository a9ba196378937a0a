"""The network k steps from now: values in closed form, gradients by finite differences, and the present left alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from zerosum.networks.mlp import Dense
from zerosum.objectives import logistic_discriminator, non_saturating_generator
from zerosum.optim.unroll import descent, rule_of, unrolled


class Bilinear(nn.Module):
    """D(x) = psi x."""

    def __init__(self, psi: float) -> None:
        super().__init__()
        self.psi = nn.Parameter(torch.tensor(psi, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return self.psi * x


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_the_bilinear_game_unrolls_in_closed_form(steps):
    psi, theta, eta = 0.7, torch.tensor(1.3, dtype=torch.float64, requires_grad=True), 0.1
    network = Bilinear(psi)
    future = unrolled(network, lambda d: -d(theta), steps=steps, rule=descent(eta))
    value = future(theta)
    (slope,) = torch.autograd.grad(value, theta)
    assert value.item() == pytest.approx(theta.item() * psi + steps * eta * theta.item() ** 2)
    assert slope.item() == pytest.approx(psi + 2 * steps * eta * theta.item())
    assert network.psi.item() == psi
    assert network.psi.grad is None


def _game(seed: int) -> tuple[Dense, Tensor, Tensor]:
    torch.manual_seed(seed)
    network = Dense(2, (6,), activation="tanh").double()
    return network, torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 2, dtype=torch.float64)


def _surrogate(network: Dense, real: Tensor, fake: Tensor, rule) -> Tensor:
    future = unrolled(network, lambda d: logistic_discriminator(d(real), d(fake)), steps=4, rule=rule)
    return non_saturating_generator(future(fake))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_gradient_through_the_steps_agrees_with_finite_differences(optimizer):
    network, real, fake = _game(1)
    if optimizer == "sgd":
        rule = descent(0.5)
    else:
        adam = torch.optim.Adam(network.parameters(), lr=0.05, betas=(0.5, 0.9))
        for _ in range(3):  # so that its moments are not zero
            adam.zero_grad()
            logistic_discriminator(network(real), network(fake)).backward()
            adam.step()
        rule = rule_of(adam, network)
    fake.requires_grad_()
    (exact,) = torch.autograd.grad(_surrogate(network, real, fake, rule), fake)
    step = torch.zeros_like(fake)
    step[3, 1] = 1e-6
    with torch.no_grad():
        slope = (_surrogate(network, real, fake + step, rule) - _surrogate(network, real, fake - step, rule)) / 2e-6
    assert exact[3, 1].item() == pytest.approx(slope.item(), rel=1e-5)


def test_looking_no_step_ahead_is_the_ordinary_gradient():
    network, _, fake = _game(2)
    fake.requires_grad_()
    future = unrolled(network, lambda d: d(fake).sum(), steps=0, rule=descent(0.1))
    (ahead,) = torch.autograd.grad(non_saturating_generator(future(fake)), fake)
    (plain,) = torch.autograd.grad(non_saturating_generator(network(fake)), fake)
    torch.testing.assert_close(ahead, plain)


def test_looking_ahead_changes_the_gradient_by_more_than_the_moved_weights():
    network, real, fake = _game(3)
    fake.requires_grad_()
    (full,) = torch.autograd.grad(_surrogate(network, real, fake, descent(0.5)), fake)
    frozen = unrolled(network, lambda d: logistic_discriminator(d(real), d(fake.detach())), steps=4, rule=descent(0.5))
    (first_order,) = torch.autograd.grad(non_saturating_generator(frozen(fake)), fake)
    assert (full - first_order).abs().max() > 1e-4


def test_the_steps_ahead_are_those_that_adam_takes():
    network, real, fake = _game(4)
    network = network.float()
    real, fake = real.float(), fake.float()
    adam = torch.optim.Adam(network.parameters(), lr=0.01, betas=(0.5, 0.9))

    def cost(d) -> Tensor:
        return logistic_discriminator(d(real), d(fake))

    for _ in range(2):
        adam.zero_grad()
        cost(network).backward()
        adam.step()
    future = unrolled(network, cost, steps=3, rule=rule_of(adam, network))(fake)
    for _ in range(3):
        adam.zero_grad()
        cost(network).backward()
        adam.step()
    torch.testing.assert_close(future, network(fake), rtol=1e-4, atol=1e-5)


def test_an_optimizer_that_cannot_be_unrolled_is_named():
    network = Dense(2, (4,))
    with pytest.raises(NotImplementedError, match="plain SGD or Adam"):
        rule_of(torch.optim.RMSprop(network.parameters()), network)
