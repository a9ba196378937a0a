"""Metz et al. 2016, section 2: the generator descends through k steps of the discriminator's optimiser."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.reference.common import Move, Player, Weights, leaky, relu, softplus, told


def discriminator_loss(d: Player, parameters: Sequence[Tensor], x: Tensor, fake: Tensor) -> Tensor:
    """Return -f: -E log D(x) - E log(1 - D(G(z)))."""
    return softplus(-d.forward(parameters, x)).mean() + softplus(d.forward(parameters, fake)).mean()


def surrogate(d: Player, x: Tensor, fake: Tensor, *, k: int, saturating: bool, eps_inside: bool) -> Tensor:
    """Return the generator's loss at theta_D^k; the same batch serves every step of the unrolling."""
    adam, theta = d.adam.copy(), list(d.parameters)
    adam.eps_inside = eps_inside
    for _ in range(k):
        gradients = torch.autograd.grad(discriminator_loss(d, theta, x, fake), theta, create_graph=True)
        theta = adam.moved(theta, gradients)
    f = d.forward(theta, fake)
    return -softplus(f).mean() if saturating else softplus(-f).mean()


def play(
    g: Player,
    d: Player,
    x: Tensor,
    z: Tensor,
    z_d: Tensor,
    *,
    k: int,
    saturating: bool = True,
    eps_inside: bool = False,
    order: Sequence[str] = ("generator", "discriminator"),
) -> list[Move]:
    """Play one round; z_d is the discriminator's own noise.

    The paper writes both updates at the same weights, and the generator's with f_K itself (saturating); here one
    update follows the other, in the given order.
    """
    moves = []
    for name in order:
        if name == "generator":
            loss = surrogate(d, x, g(z), k=k, saturating=saturating, eps_inside=eps_inside)
            moves.append(g.move(loss, {"loss": loss}))
        else:
            fake = g(z_d).detach()
            loss = discriminator_loss(d, d.parameters, x, fake)
            moves.append(d.move(loss, {"loss": loss, **told(d(x), d(fake))}))
    return moves


def generator(weights, z: Tensor, *, hidden: int = 2, tanh: bool = False) -> Tensor:
    """Linear layers with ReLU (or tanh) after each hidden one, linear at the end (sheet unrolled.md)."""
    w, h = Weights(weights), z
    for _ in range(hidden):
        h = h @ w.take().T + w.take()
        h = h.tanh() if tanh else relu(h)
    h = h @ w.take().T + w.take()
    w.done()
    return h


def discriminator(weights, x: Tensor, *, hidden: int = 1, tanh: bool = False, slope: float = 0.0) -> Tensor:
    """Linear layers with ReLU (a slope, or tanh) after each hidden one, one logit."""
    w, h = Weights(weights), x.flatten(1)
    for _ in range(hidden):
        h = h @ w.take().T + w.take()
        h = h.tanh() if tanh else leaky(h, slope)
    h = h @ w.take().T + w.take()
    w.done()
    return h.flatten()
