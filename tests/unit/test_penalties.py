"""Penalties in closed form, and the gradients they send."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from zerosum.networks.mlp import Dense
from zerosum.penalties import clip_weights_, gradient_penalty, logits_and_slopes, path_lengths, r1, r2


def slope(x: torch.Tensor) -> torch.Tensor:
    """The linear critic 3 x1 + 4 x2, whose slope is 5 everywhere."""
    return x @ torch.tensor([3.0, 4.0])


def test_a_linear_critic_pays_for_its_slope():
    real, fake = torch.randn(6, 2), torch.randn(6, 2)
    assert gradient_penalty(slope, real, fake).item() == pytest.approx(16.0, rel=1e-5)
    assert gradient_penalty(slope, real, fake, target=0.0).item() == pytest.approx(25.0, rel=1e-5)
    assert (10 * r1(slope, real)).item() == pytest.approx(125.0, rel=1e-5)
    assert (10 * r2(slope, fake)).item() == pytest.approx(125.0, rel=1e-5)


def test_one_pass_gives_the_logits_and_the_slopes():
    x = torch.randn(6, 2)
    logits, slopes = logits_and_slopes(slope, x)
    torch.testing.assert_close(logits, slope(x))
    torch.testing.assert_close(slopes, torch.full((6,), 25.0))


def test_the_path_length_of_a_linear_generator_is_that_of_its_transpose(monkeypatch):
    weight, direction = torch.randn(2 * 4 * 3, 5), torch.randn(6, 2, 4, 3)
    monkeypatch.setattr("zerosum.penalties.rng.normal", lambda *shape, device: direction)
    styles = torch.randn(6, 1, 5, requires_grad=True)
    lengths = path_lengths((styles[:, 0] @ weight.T).view(6, 2, 4, 3), styles)
    expected = (direction.flatten(1) / 12**0.5) @ weight
    torch.testing.assert_close(lengths, expected.norm(dim=1))


def test_a_flat_critic_has_a_finite_gradient():
    critic = Dense(2, (4,))
    nn.init.zeros_(critic.layers[-1].weight)
    gradient_penalty(critic, torch.randn(3, 2), torch.randn(3, 2)).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())


def test_penalties_move_the_critic_and_not_the_samples():
    critic = Dense(2, (8,), activation="tanh")
    real, fake = torch.randn(3, 2, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    (gradient_penalty(critic, real, fake) + r1(critic, real) + r2(critic, fake)).backward()
    assert real.grad is None
    assert fake.grad is None
    assert critic.layers[0].weight.grad.abs().sum() > 0


def test_samples_are_mixed_one_by_one():
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x.sum(1)

    gradient_penalty(critic, torch.ones(64, 2), torch.zeros(64, 2))
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])
    assert len(seen[0][:, 0].unique()) > 60
    assert 0 <= seen[0].min() < 0.1 < 0.9 < seen[0].max() <= 1


def test_the_penalty_agrees_with_finite_differences():
    critic = Dense(2, (5,), activation="tanh").double()
    real = torch.randn(4, 2, dtype=torch.float64)
    weight = critic.layers[0].weight

    def value() -> torch.Tensor:
        x = real.clone().requires_grad_()
        (grad,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        return grad.square().sum(1).mean() / 2

    (exact,) = torch.autograd.grad(value(), weight)
    step = torch.zeros_like(weight)
    step[2, 1] = 1e-6
    with torch.no_grad():
        weight += step
    above = value().item()
    with torch.no_grad():
        weight -= 2 * step
    below = value().item()
    assert exact[2, 1].item() == pytest.approx((above - below) / 2e-6, rel=1e-5)


def test_clipping_bounds_every_weight():
    network = Dense(2, (8,))
    clip_weights_(network, 0.01)
    assert max(p.abs().max().item() for p in network.parameters()) <= 0.01 + 1e-9


def test_the_share_of_the_real_sample_is_the_number_drawn():
    seen = []

    def critic(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x.sum(1)

    torch.manual_seed(5)
    gradient_penalty(critic, torch.ones(4, 2), torch.zeros(4, 2))
    torch.manual_seed(5)
    torch.testing.assert_close(seen[0][:, :1].detach(), torch.rand(4, 1))


def test_norms_run_over_every_axis_and_means_over_samples():
    x = torch.randn(3, 2, 4, 4)

    def critic(images: torch.Tensor) -> torch.Tensor:
        return images.square().sum((1, 2, 3)) / 2

    norms = x.flatten(1).norm(dim=1)
    assert gradient_penalty(critic, x, x).item() == pytest.approx(((norms - 1) ** 2).mean().item(), rel=1e-5)
    assert r1(critic, x).item() == pytest.approx((norms**2).mean().item() / 2, rel=1e-5)
    assert r2(critic, x).item() == pytest.approx((norms**2).mean().item() / 2, rel=1e-5)


def test_clipping_leaves_small_weights_and_takes_both_signs():
    network = nn.Linear(1, 3)
    with torch.no_grad():
        network.weight.copy_(torch.tensor([[-3.0], [0.5], [2.0]]))
    clip_weights_(network, 1.0)
    assert network.weight.flatten().tolist() == [-1.0, 0.5, 1.0]


def test_samples_that_are_no_pairs_are_not_mixed():
    with pytest.raises(ValueError, match=r"\(6, 2\) and \(1, 2\) are no pairs"):
        gradient_penalty(slope, torch.randn(6, 2), torch.randn(1, 2))
