"""Pathak et al. 2016, "Context encoders", equations 1 to 3 and section 3.2; M is 1 where pixels are missing."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.reference.common import (
    Move,
    Player,
    Weights,
    batch_norm,
    conv,
    conv_up,
    cross_entropy,
    leaky,
    relu,
    softplus,
    told,
)


def overlap(m: Tensor, n: int) -> Tensor:
    """Return 1 at known pixels with a missing one at most n rows and n columns away (section 5.1's overlap)."""
    height, width = m.shape[2:]
    near = torch.zeros_like(m)
    for i in range(height):
        for j in range(width):
            window = m[:, :, max(0, i - n) : i + n + 1, max(0, j - n) : j + n + 1]
            near[:, :, i, j] = window.amax((2, 3))
    return near * (1 - m)


def reconstruction(
    x: Tensor, made: Tensor, m: Tensor, *, rim: int = 0, rim_weight: float = 10.0, each: bool = False
) -> Tensor:
    """Return equation 1, ||M (x - F((1 - M) x))||_2^2, normalised by the weight of the values it is over.

    With a rim, known pixels as near to the hole are made too, at their own weight (section 5.1). each normalises
    every picture by its own hole and takes the mean, where the paper's holes are all of one size.
    """
    weight = (m + rim_weight * overlap(m, rim)).expand_as(x)
    squared = weight * (x - made) ** 2
    if each:
        return (squared.flatten(1).sum(1) / weight.flatten(1).sum(1)).mean()
    return squared.sum() / weight.sum()


def play(
    f: Player,
    d: Player,
    x: Tensor,
    m: Tensor,
    *,
    rec: float = 0.999,
    adv: float = 0.001,
    rim: int = 0,
    rim_weight: float = 10.0,
    each: bool = False,
    tell_mask: bool = False,
    order: Sequence[str] = ("discriminator", "generator"),
) -> list[Move]:
    """Play one round; the picture is made once for both moves, and D sees it with the known pixels as they are.

    tell_mask shows the generator the mask as a further channel, which the paper does not.
    """
    holed = (1 - m) * x
    made = f(torch.cat([holed, m], 1) if tell_mask else holed)
    completed = (1 - m) * x + m * made
    moves = []
    for name in order:
        if name == "discriminator":
            r, f_out = d(x), d(completed.detach())
            real_part, fake_part = cross_entropy(r, 1.0), cross_entropy(f_out, 0.0)
            loss = real_part + fake_part
            moves.append(d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part, **told(r, f_out)}))
        else:
            l_rec = reconstruction(x, made, m, rim=rim, rim_weight=rim_weight, each=each)
            l_adv = softplus(-d(completed)).mean()
            loss = rec * l_rec + adv * l_adv
            off = ((m * (x - made)).abs().flatten(1).sum(1) / m.expand_as(x).flatten(1).sum(1)).mean()
            moves.append(f.move(loss, {"loss": loss, "reconstruction": l_rec, "adversarial": l_adv, "l1": off}))
    return moves


def encoder_decoder(weights, x: Tensor, *, downs: int, fully: bool = True) -> Tensor:
    """Context encoder of figure 9: k4 s2 with leaky ReLU .2 down, a middle, transposed k4 s2 with ReLU up, tanh.

    fully: the middle is a vector (no norm on it, leaky ReLU), brought back by a transposed convolution with BN and
    ReLU; otherwise each channel is connected within itself and a 1x1 convolution with BN and ReLU follows (3.1).
    """
    w, h = Weights(weights), x
    for i in range(downs):
        h = conv(h, w.take(), w.take() if i == 0 else None, stride=2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take())
        h = leaky(h, 0.2)
    if fully:
        h = leaky(conv(h, w.take(), w.take()), 0.2)
        h = relu(batch_norm(conv_up(h, w.take()), w.take(), w.take()))
    else:
        mixed = torch.einsum("ncp,cpq->ncq", h.flatten(2), w.take()).view_as(h)
        h = relu(batch_norm(conv(mixed, w.take()), w.take(), w.take()))
    for _ in range(downs - 1):
        h = relu(batch_norm(conv_up(h, w.take(), stride=2, padding=1), w.take(), w.take()))
    h = conv_up(h, w.take(), w.take(), stride=2, padding=1)
    w.done()
    return h.tanh()
