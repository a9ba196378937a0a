"""Metz et al. 2016, section 2: the generator descends through k steps of the discriminator's optimiser."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.reference.common import Move, Player, Weights, leaky, relu, softplus, told


def discriminator_loss(d: Player, parameters: Sequence[Tensor], x: Tensor, fake: Tensor) -> Tensor:
    """Return -f: -E log D(x) - E log(1 - D(G(z)))."""
    return softplus(-d.forward(parameters, x)).mean() + softplus(d.forward(parameters, fake)).mean()


def surrogate(
    d: Player,
    x: Tensor,
    fake: Tensor,
    *,
    k: int,
    first_order: bool = False,
    saturating: bool = False,
    eps_inside: bool = False,
) -> Tensor:
    """Return the generator's loss at theta_D^k; the same batch serves every step of the unrolling."""
    adam, theta = d.adam.copy(), list(d.parameters)
    adam.eps_inside = eps_inside
    for _ in range(k):
        seen = fake.detach() if first_order else fake
        gradients = torch.autograd.grad(discriminator_loss(d, theta, x, seen), theta, create_graph=True)
        theta = adam.moved(theta, gradients)
        if first_order:
            theta = [t.detach().requires_grad_() for t in theta]
            adam.m, adam.v = [m.detach() for m in adam.m], [v.detach() for v in adam.v]
    f = d.forward(theta, fake)
    return -softplus(f).mean() if saturating else softplus(-f).mean()


def play(
    g: Player,
    d: Player,
    x: Tensor,
    z: Tensor,
    x_d: Tensor | None = None,
    z_d: Tensor | None = None,
    *,
    k: int,
    first_order: bool = False,
    saturating: bool = False,
    eps_inside: bool = False,
    order: Sequence[str] = ("generator", "discriminator"),
    clip: float | None = None,
) -> list[Move]:
    """Play one round; x_d and z_d, where given, are the discriminator's own batch and noise.

    The paper writes both updates at the same weights; here one follows the other, in the given order.
    """
    moves = []
    for name in order:
        if name == "generator":
            loss = surrogate(d, x, g(z), k=k, first_order=first_order, saturating=saturating, eps_inside=eps_inside)
            gradients = g.gradients(loss)
            if clip is not None:
                norm = torch.sqrt(sum((gradient**2).sum() for gradient in gradients))
                gradients = [gradient * min(1.0, clip / float(norm)) for gradient in gradients]
            moves.append(g.apply(gradients, {"loss": loss}))
        else:
            x_seen, fake = x if x_d is None else x_d, g(z if z_d is None else z_d).detach()
            loss = discriminator_loss(d, d.parameters, x_seen, fake)
            moves.append(d.move(loss, {"loss": loss, **told(d(x_seen), d(fake))}))
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


def discriminator(
    weights, x: Tensor, *, hidden: int = 1, divide: float = 1.0, tanh: bool = False, slope: float = 0.0
) -> Tensor:
    """Input divided by a constant, linear layers with ReLU (a slope, or tanh), one logit."""
    w, h = Weights(weights), x.flatten(1) / divide
    for _ in range(hidden):
        h = h @ w.take().T + w.take()
        h = h.tanh() if tanh else leaky(h, slope)
    h = h @ w.take().T + w.take()
    w.done()
    return h.flatten()
