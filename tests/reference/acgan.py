"""Odena et al. 2017, section 3: log-likelihoods of source and class, of data and of samples."""

from collections.abc import Callable

import torch
from torch import Tensor

from tests.reference.cgan import beside
from tests.reference.common import (
    Move,
    Player,
    Weights,
    batch_norm,
    conv,
    conv_up,
    cross_entropy,
    dropout,
    leaky,
    relu,
    told,
)

Heads = tuple[Tensor, Tensor]


def class_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Return -E log P(C = y | x) from the logits of a softmax."""
    return -(logits - torch.logsumexp(logits, 1, keepdim=True)).gather(1, y.view(-1, 1)).mean()


def play(
    g: Player,
    d: Player,
    x: Tensor,
    y: Tensor,
    z: Tensor,
    *,
    classes: int,
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0),
    renew: Callable[[], None] = lambda: None,
) -> list[Move]:
    """Play one round, the generator first; y of the data serve the samples too, and both moves share the samples.

    weights are of the class of data and of samples in the discriminator's loss, and of samples in the generator's.
    renew is called before each move (for dropout's masks).
    """
    of_real, of_fake, of_generator = weights
    renew()
    fake = g(beside(z, y, classes=classes))
    f, c = d(fake)
    source, kind = cross_entropy(f, 1.0), of_generator * class_loss(c, y)
    moves = [g.move(source + kind, {"source": source, "class_fake": kind})]
    renew()
    (r, c_r), (f, c_f) = d(x), d(fake.detach())
    source = cross_entropy(r, 1.0) + cross_entropy(f, 0.0)
    real_kind, fake_kind = of_real * class_loss(c_r, y), of_fake * class_loss(c_f, y)
    values = {"source": source, "class_real": real_kind, "class_fake": fake_kind}
    return [*moves, d.move(source + real_kind + fake_kind, {**values, **told(r, f)})]


def heads(w: Weights, h: Tensor) -> Heads:
    """Return the logit of the source and the logits of the classes."""
    h = h.flatten(1)
    f, c = h @ w.take().T + w.take(), h @ w.take().T + w.take()
    w.done()
    return f.flatten(), c


def discriminator(weights, x: Tensor, *, downs: int, masks, rate: float) -> Heads:
    """Convolutions k4 s2 with biases, batch norm except first, leaky ReLU, dropout, two heads (scaled-down default)."""
    w, h = Weights(weights), x
    for i in range(downs):
        h = conv(h, w.take(), w.take(), stride=2, padding=1)
        h = batch_norm(h, w.take(), w.take()) if i else h
        h = dropout(leaky(h, 0.2), masks, rate)
    return heads(w, h)


def table_discriminator(weights, x: Tensor, *, downs: int, masks, rate: float) -> Heads:
    """The same with k3 and strides of 2 and 1 in turn (appendix A)."""
    w, h = Weights(weights), x
    for i in range(2 * downs):
        h = conv(h, w.take(), w.take(), stride=1 if i % 2 else 2, padding=1)
        h = batch_norm(h, w.take(), w.take()) if i else h
        h = dropout(leaky(h, 0.2), masks, rate)
    return heads(w, h)


def table_generator(weights, z: Tensor, *, ups: int, side: int) -> Tensor:
    """FC and ReLU to a map, transposed convolutions k5 s2 with batch norm and ReLU, the last with tanh (appendix A)."""
    w = Weights(weights)
    h = relu(z @ w.take().T + w.take()).view(len(z), -1, side, side)
    for i in range(ups):
        h = conv_up(h, w.take(), w.take(), stride=2, padding=2, extra=1)
        h = relu(batch_norm(h, w.take(), w.take())) if i < ups - 1 else h
    w.done()
    return h.tanh()


def plain_discriminator(weights, x: Tensor) -> Heads:
    """Two dense layers with leaky ReLU and two heads."""
    w, h = Weights(weights), x
    for _ in range(2):
        h = leaky(h @ w.take().T + w.take(), 0.2)
    return heads(w, h)
