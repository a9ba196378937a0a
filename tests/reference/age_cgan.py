"""Antipov et al. 2017, section 2.1: the class beside z, and behind the discriminator's first convolution."""

import torch
from torch import Tensor

from tests.reference.cgan import beside
from tests.reference.common import Move, Player, Weights, batch_norm, conv, conv_up, cross_entropy, leaky, relu, told


def generator(weights, z: Tensor, y: Tensor, *, classes: int, ups: int) -> Tensor:
    """Dense layer with batch norm and ReLU to the smallest map, transposed convolutions with biases, tanh."""
    w = Weights(weights)
    h = beside(z, y, classes=classes) @ w.take().T + w.take()
    h = relu(batch_norm(h, w.take(), w.take()))
    first = True
    for i in range(ups):
        weight, bias = w.take(), w.take()
        if first:
            side = round((h.shape[1] // weight.shape[0]) ** 0.5)
            h, first = h.view(len(h), weight.shape[0], side, side), False
        h = conv_up(h, weight, bias, stride=2, padding=1)
        if i < ups - 1:
            h = relu(batch_norm(h, w.take(), w.take()))
    w.done()
    return h.tanh()


def discriminator(weights, x: Tensor, y: Tensor, *, classes: int, downs: int) -> Tensor:
    """Convolutions with biases and leaky ReLU (.2), batch norm from the second on, a dense layer."""
    w = Weights(weights)
    h = leaky(conv(x, w.take(), w.take(), stride=2, padding=1), 0.2)
    h = beside(h, y, classes=classes)
    for _ in range(downs - 1):
        h = conv(h, w.take(), w.take(), stride=2, padding=1)
        h = leaky(batch_norm(h, w.take(), w.take()), 0.2)
    h = h.flatten(1) @ w.take().T + w.take()
    w.done()
    return h.flatten()


def play(
    g: Player, d: Player, x: Tensor, y: Tensor, z: Tensor, z_g: Tensor, y_g: Tensor, *, classes: int
) -> list[Move]:
    """Play one round: real labels of 0.9, samples of the batch's classes; then samples of classes at random."""
    with torch.no_grad():
        fake = g(z, y, classes=classes)
    r, f = d(x, y, classes=classes), d(fake, y, classes=classes)
    loss = cross_entropy(r, 0.9) + cross_entropy(f, 0.0)
    moves = [d.move(loss, {"loss": loss, **told(r, f)})]
    loss = cross_entropy(d(g(z_g, y_g, classes=classes), y_g, classes=classes), 1.0)
    return [*moves, g.move(loss, {"loss": loss})]
