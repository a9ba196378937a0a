"""Radford et al. 2015: networks of section 3, non-saturating cross-entropy of Goodfellow et al. 2014."""

from collections.abc import Sequence

from torch import Tensor

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


def play(
    g: Player,
    d: Player,
    x: Tensor,
    z: Tensor,
    z_g: Tensor | None = None,
    *,
    real_label: float | Tensor = 1.0,
    fake_label: float | Tensor = 0.0,
    order: Sequence[str] = ("discriminator", "generator"),
) -> list[Move]:
    """Play one round, in the paper with fresh noise z_g for the generator and labels of 1 and 0.

    Without z_g both moves share the pictures made of z before either. order says who moves first.
    """
    moves, shared = [], g(z)
    for name in order:
        if name == "discriminator":
            r, f = d(x), d(shared.detach())
            real_part, fake_part = cross_entropy(r, real_label), cross_entropy(f, fake_label)
            loss = real_part + fake_part
            moves.append(d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part, **told(r, f)}))
        else:
            loss = cross_entropy(d(shared if z_g is None else g(z_g)), 1.0)
            moves.append(g.move(loss, {"loss": loss}))
    return moves


def generator(weights, z: Tensor, *, ups: int) -> Tensor:
    """Map z to 4x4 by a transposed convolution, double `ups` times; batch norm and ReLU on all but the last; tanh."""
    w = Weights(weights)
    h = conv_up(z.flatten(1)[:, :, None, None], w.take())
    for _ in range(ups):
        h = relu(batch_norm(h, w.take(), w.take()))
        h = conv_up(h, w.take(), stride=2, padding=1)
    w.done()
    return h.tanh()


def upsampling_generator(weights, z: Tensor, *, ups: int, side: int = 4) -> Tensor:
    """FC to a map, then `ups` times: batch norm, nearest doubling, k3 convolution, ReLU; tanh at the end (sheet, B).

    The norm that begins a block follows the ReLU that ends the one before it.
    """
    w = Weights(weights)
    h = (z @ w.take().T + w.take()).view(len(z), -1, side, side)
    for i in range(ups):
        h = batch_norm(h, w.take(), w.take())
        h = h.repeat_interleave(2, 2).repeat_interleave(2, 3)
        h = conv(h, w.take(), w.take(), padding=1)
        if i < ups - 1:
            h = relu(h)
    w.done()
    return h.tanh()


def critic(weights, x: Tensor, *, downs: int) -> Tensor:
    """Return the same as `discriminator` without norm and with biases (the sheets' scaled-down critic)."""
    w, h = Weights(weights), x
    for _ in range(downs):
        h = leaky(conv(h, w.take(), w.take(), stride=2, padding=1), 0.2)
    h = conv(h, w.take(), w.take())
    w.done()
    return h.flatten()


def discriminator(weights, x: Tensor, *, downs: int, masks=None, rate: float = 0.0) -> Tensor:
    """Halve `downs` times (batch norm on all but the first), leaky ReLU, dropout, one logit from the 4x4 map."""
    w = Weights(weights)
    h = x
    for i in range(downs):
        h = conv(h, w.take(), stride=2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take())
        h = dropout(leaky(h, 0.2), masks, rate)
    h = conv(h, w.take())
    w.done()
    return h.flatten()
