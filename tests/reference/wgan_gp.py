"""Gulrajani et al. 2017, algorithm 1."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tests.reference.common import Move, Player


def penalty(
    critic: Callable[[Tensor], Tensor],
    x: Tensor,
    x_tilde: Tensor,
    eps: Tensor,
    *,
    target: float = 1.0,
    floor: float = 0.0,
) -> Tensor:
    """Return E (||grad D(x_hat)||_2 - target)^2 at x_hat = eps x + (1 - eps) x_tilde, eps one number per sample.

    floor is added under the root, so that the norm has a slope at 0 (the papers have none; their codes do).
    """
    eps = eps.reshape(-1, *[1] * (x.ndim - 1))
    x_hat = (eps * x + (1 - eps) * x_tilde).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(x_hat).sum(), x_hat, create_graph=True)
    norm = (gradient.flatten(1) ** 2).sum(1).add(floor).sqrt()
    return ((norm - target) ** 2).mean()


def play(
    g: Player,
    d: Player,
    x: Sequence[Tensor],
    z: Sequence[Tensor],
    eps: Sequence[Tensor],
    z_g: Tensor,
    *,
    weight: float = 10.0,
    floor: float = 0.0,
) -> list[Move]:
    """Play one round: n_critic moves of the critic, each with its own data, noise and eps, then the generator's."""
    moves = []
    for x_i, z_i, eps_i in zip(x, z, eps, strict=True):
        x_tilde = g(z_i).detach()
        real, fake = d(x_i).mean(), d(x_tilde).mean()
        term = penalty(d, x_i, x_tilde, eps_i, floor=floor)
        loss = fake - real + weight * term
        moves.append(d.move(loss, {"loss": loss, "real": real, "fake": fake, "estimate": real - fake, "penalty": term}))
    loss = -d(g(z_g)).mean()
    moves.append(g.move(loss, {"loss": loss}))
    return moves
