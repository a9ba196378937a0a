"""Wu et al. 2016, section 3: cross-entropy, and a discriminator that rests where it is too good."""

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Move, Player, Weights, batch_norm, cross_entropy, leaky, relu, told


class Gate:
    """The share of the last batch that the discriminator classified correctly; it moves while that is at most 0.8."""

    def __init__(self, most: float) -> None:
        self.most, self.last = most, 0.0


def play(g: Player, d: Player, gate: Gate, x: Tensor, z: Tensor) -> list[Move]:
    """Play one round: the generator moves, then the discriminator on the same samples, if it may."""
    shared = g(z)
    loss = cross_entropy(d(shared), 1.0)
    moves = [g.move(loss, {"loss": loss})]
    r, f = d(x), d(shared.detach())
    loss = cross_entropy(r, 1.0) + cross_entropy(f, 0.0)
    verdict, open_ = told(r, f), gate.last <= gate.most
    losses = {"loss": loss, "moves": float(open_), **verdict}
    if open_:
        moves.append(d.move(loss, losses))
    else:
        moves.append(
            Move(d.name, {name: float(torch.as_tensor(value).detach()) for name, value in losses.items()}, [], [])
        )
    gate.last = (float(verdict["right_real"]) + float(verdict["right_fake"])) / 2
    return moves


def generator(weights, z: Tensor, *, ups: int) -> Tensor:
    """Map z to 4x4x4 by a transposed convolution of 2z - 1, double `ups` times; norms, ReLU; sigmoid."""
    w = Weights(weights)
    h = functional.conv_transpose3d((2 * z - 1)[:, :, None, None, None], w.take())
    for _ in range(ups):
        h = relu(batch_norm(h, w.take(), w.take()))
        h = functional.conv_transpose3d(h, w.take(), stride=2, padding=1)
    w.done()
    return h.sigmoid()


def discriminator(weights, x: Tensor, *, downs: int) -> Tensor:
    """Halve `downs` times (batch norm on all but the first), leaky ReLU of 0.2, one logit from the 4x4x4 map."""
    w, h = Weights(weights), 2 * x - 1
    for index in range(downs):
        h = functional.conv3d(h, w.take(), stride=2, padding=1)
        if index:
            h = batch_norm(h, w.take(), w.take())
        h = leaky(h, 0.2)
    h = functional.conv3d(h, w.take())
    w.done()
    return h.flatten()
