"""Isola et al. 2017, sections 3.1 to 3.3 and appendix 6.1."""

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
    dropout,
    instance_norm,
    leaky,
    mean_absolute,
    relu,
    softplus,
    told,
)


def play(
    g: Player,
    d: Player,
    a: Tensor,
    b: Tensor,
    *,
    weight: float = 100.0,
    order: Sequence[str] = ("discriminator", "generator"),
) -> list[Move]:
    """Play one round; the picture is made once for both moves, as in the authors' code, which moves D first."""
    fake = g(a)
    moves = []
    for name in order:
        if name == "discriminator":
            r, f = d(a, b), d(a, fake.detach())
            real_part, fake_part = cross_entropy(r, 1.0), cross_entropy(f, 0.0)
            loss = 0.5 * (real_part + fake_part)
            moves.append(d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part, **told(r, f)}))
        else:
            adversarial = softplus(-d(a, fake)).mean()
            pixel = mean_absolute(b, fake)
            loss = adversarial + weight * pixel
            moves.append(g.move(loss, {"loss": loss, "adversarial": adversarial, "pixel": pixel}))
    return moves


def normed(h: Tensor, w: Weights, norm: str) -> Tensor:
    """Apply "batch" norm, "image": the same with each image's own statistics, or "instance": those, nothing learned."""
    if norm == "batch":
        return batch_norm(h, w.take(), w.take())
    h = instance_norm(h)
    return h if norm == "instance" else h * w.take().view(1, -1, 1, 1) + w.take().view(1, -1, 1, 1)


def unet(
    encoder: Sequence[Tensor],
    decoder: Sequence[Tensor],
    a: Tensor,
    *,
    levels: int,
    drop: Sequence[float],
    masks=None,
    norm: str = "batch",
) -> Tensor:
    """U-Net: Ck = conv k4 s2, BN, LReLU .2; CDk = convT k4 s2, BN, dropout, ReLU; skips i to n - i; tanh.

    The first and the innermost encoder layer have no norm. What a skip hands on has passed the leaky ReLU of its level
    or not: relu(lrelu(x)) = relu(x), so the decoder's ReLU makes the two equal there. drop holds the dropout rate of
    each decoder layer, innermost first (the last, that makes the picture, has none).
    """
    w = Weights(encoder)
    h, skips = a, []
    for i in range(levels):
        h = conv(h if i == 0 else leaky(h, 0.2), w.take(), stride=2, padding=1)
        if 0 < i < levels - 1:
            h = normed(h, w, norm)
        skips.append(h)
    w.done()
    w = Weights(decoder)
    for i in range(levels):
        h = relu(h)
        last = i == levels - 1
        h = conv_up(h, w.take(), w.take() if last else None, stride=2, padding=1)
        if not last:
            h = normed(h, w, norm)
            h = torch.cat([dropout(h, masks, drop[i]), skips[levels - 2 - i]], 1)
    w.done()
    return h.tanh()


def patch(
    weights,
    x: Tensor,
    *,
    layers: int,
    norm: str = "batch",
    bias: bool = False,
) -> Tensor:
    """PatchGAN: `layers` convolutions k4 s2 (no norm on the first), one k4 s1 with norm, one k4 s1 to a logit map.

    The first and the last convolution have a bias, those before a norm only where bias says so.
    """
    w = Weights(weights)
    h = leaky(conv(x, w.take(), w.take(), stride=2, padding=1), 0.2)
    for i in range(1, layers + 1):
        h = conv(h, w.take(), w.take() if bias else None, stride=2 if i < layers else 1, padding=1)
        h = normed(h, w, norm)
        h = leaky(h, 0.2)
    h = conv(h, w.take(), w.take(), padding=1)
    w.done()
    return h


def pixel(weights, x: Tensor) -> Tensor:
    """PixelGAN: 1x1 convolutions C64-C128 and one to a logit (6.1.2), biases in the first alone, norm "image"."""
    w = Weights(weights)
    h = leaky(conv(x, w.take(), w.take()), 0.2)
    h = leaky(normed(conv(h, w.take()), w, "image"), 0.2)
    h = conv(h, w.take())
    w.done()
    return h
