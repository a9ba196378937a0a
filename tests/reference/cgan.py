"""Mirza and Osindero 2014, equation 2: y stands beside z in the generator and beside x in the discriminator."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tests.reference import wgan_gp
from tests.reference.common import Move, Player, Weights, batch_norm, conv, conv_up, cross_entropy, dropout, leaky, told


def beside(x: Tensor, y: Tensor, *, classes: int) -> Tensor:
    """Append to each sample one plane (or value) per class: 1 for its own, 0 for the others."""
    planes = torch.zeros(len(x), classes, *x.shape[2:])
    for row, label in enumerate(y.tolist()):
        planes[row, label] = 1
    return torch.cat([x, planes], 1)


def play(
    g: Player,
    d: Player,
    x: Sequence[Tensor],
    y: Sequence[Tensor],
    z: Sequence[Tensor],
    z_g: Tensor,
    *,
    classes: int,
    eps: Sequence[Tensor] | None = None,
    weight: float = 10.0,
    floor: float = 0.0,
    renew: Callable[[], None] = lambda: None,
) -> list[Move]:
    """Play one round; y of the data serve the samples too. With eps the loss is Wasserstein's with gradient penalty.

    renew is called before each move (for dropout's masks).
    """

    def make(noise: Tensor, labels: Tensor) -> Tensor:
        return g(beside(noise, labels, classes=classes))

    def judge(samples: Tensor, labels: Tensor) -> Tensor:
        return d(beside(samples, labels, classes=classes))

    moves = []
    for i, (x_i, y_i, z_i) in enumerate(zip(x, y, z, strict=True)):
        renew()
        fake = make(z_i, y_i).detach()
        r, f = judge(x_i, y_i), judge(fake, y_i)
        if eps is None:
            loss = cross_entropy(r, 1.0) + cross_entropy(f, 0.0)
            moves.append(d.move(loss, {"loss": loss, **told(r, f)}))
            continue
        term = wgan_gp.penalty(lambda v, y_i=y_i: judge(v, y_i), x_i, fake, eps[i], floor=floor)
        loss = f.mean() - r.mean() + weight * term
        values = {"adversarial": f.mean() - r.mean(), "penalty": weight * term, "estimate": r.mean() - f.mean()}
        moves.append(d.move(loss, {**values, **told(r, f)}))
    renew()
    f = judge(make(z_g, y[-1]), y[-1])
    loss = cross_entropy(f, 1.0) if eps is None else -f.mean()
    return [*moves, g.move(loss, {"loss": loss})]


def even_generator(weights, z: Tensor, *, ups: int) -> Tensor:
    """Transposed convolutions, batch norm and leaky ReLU (.2); the last has a bias, and tanh (sheet cgan.md, A)."""
    w = Weights(weights)
    h = conv_up(z[:, :, None, None], w.take())
    for i in range(ups):
        h = leaky(batch_norm(h, w.take(), w.take()), 0.2)
        h = conv_up(h, w.take(), w.take() if i == ups - 1 else None, stride=2, padding=1)
    w.done()
    return h.tanh()


def even_critic(weights, x: Tensor, *, downs: int, masks, rate: float) -> Tensor:
    """Convolutions with biases, leaky ReLU (.2), dropout after all but the first (sheet cgan.md, A)."""
    w, h = Weights(weights), x
    for i in range(downs):
        h = leaky(conv(h, w.take(), w.take(), stride=2, padding=1), 0.2)
        h = dropout(h, masks, rate) if i else h
    h = conv(h, w.take(), w.take())
    w.done()
    return h.flatten()
