"""Radford et al. 2015: networks of section 3, non-saturating cross-entropy of Goodfellow et al. 2014.

Two published ways to play: alternately with fresh samples (Goodfellow's algorithm), or from one forward pass with
shared samples and both networks updated together (sheet dcgan.md, A: the book's code).
"""

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
    half: bool = False,
    order: Sequence[str] = ("discriminator", "generator"),
    together: bool = False,
) -> list[Move]:
    """Play one round.

    z_g None shares z (and so the pictures where the generator has not moved in between) between the moves; half
    halves the discriminator's loss; order says who moves first; together takes both gradients before either moves.
    """
    scale = 0.5 if half else 1.0

    def loss_of_discriminator(fake: Tensor):
        r, f = d(x), d(fake.detach())
        real_part, fake_part = cross_entropy(r, real_label), cross_entropy(f, fake_label)
        loss = scale * (real_part + fake_part)
        return loss, {"loss": loss, "real": real_part, "fake": fake_part, **told(r, f)}

    def loss_of_generator(fake: Tensor):
        loss = cross_entropy(d(fake), 1.0)
        return loss, {"loss": loss}

    players = {"discriminator": d, "generator": g}
    if together:
        fake = g(z)
        made = {"discriminator": loss_of_discriminator(fake), "generator": loss_of_generator(fake)}
        gradients = {name: players[name].gradients(made[name][0]) for name in order}
        return [players[name].apply(gradients[name], made[name][1]) for name in order]
    moves, shared = [], g(z)
    for name in order:
        if name == "discriminator":
            moves.append(d.move(*loss_of_discriminator(shared)))
        else:
            moves.append(g.move(*loss_of_generator(shared if z_g is None else g(z_g))))
    return moves


def generator(weights, z: Tensor, *, ups: int, slope: float = 0.0, eps: float = 1e-5) -> Tensor:
    """Map z to 4x4 by a transposed convolution, double `ups` times; batch norm and ReLU on all but the last; tanh."""
    w = Weights(weights)
    h = conv_up(z.flatten(1)[:, :, None, None], w.take())
    for _ in range(ups):
        h = batch_norm(h, w.take(), w.take(), eps=eps)
        h = leaky(h, slope) if slope else relu(h)
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


def critic(weights, x: Tensor, *, downs: int, slope: float = 0.2) -> Tensor:
    """Return the same as `discriminator` without norm and with biases (the sheets' scaled-down critic)."""
    w, h = Weights(weights), x
    for _ in range(downs):
        h = leaky(conv(h, w.take(), w.take(), stride=2, padding=1), slope)
    h = conv(h, w.take(), w.take())
    w.done()
    return h.flatten()


def discriminator(
    weights, x: Tensor, *, downs: int, slope: float = 0.2, eps: float = 1e-5, masks=None, rate: float = 0.0
) -> Tensor:
    """Halve `downs` times (batch norm on all but the first), leaky ReLU, dropout, one logit from the 4x4 map."""
    w = Weights(weights)
    h = x
    for i in range(downs):
        h = conv(h, w.take(), stride=2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take(), eps=eps)
        h = dropout(leaky(h, slope), masks, rate)
    h = conv(h, w.take())
    w.done()
    return h.flatten()
