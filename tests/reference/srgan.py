"""Ledig et al. 2017, section 2 and figure 4: SRResNet by mean squared error, then SRGAN."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import (
    Move,
    Player,
    Weights,
    batch_norm,
    conv,
    cross_entropy,
    leaky,
    mean_squared,
    softplus,
    told,
)


def play_first_phase(g: Player, low: Tensor, high: Tensor) -> list[Move]:
    """Play one round of SRResNet: the mean squared error of the picture."""
    loss = mean_squared(g(low), high)
    return [g.move(loss, {"loss": loss, "pixel": loss})]


def play(
    g: Player,
    d: Player,
    low: Tensor,
    high: Tensor,
    features: Callable[[Tensor], Tensor],
    *,
    content: float = 1.0,
    adversarial: float = 1e-3,
    order: Sequence[str] = ("discriminator", "generator"),
) -> list[Move]:
    """Play one round of SRGAN: l = content MSE of features + adversarial E -log D(G(x)); D by cross-entropy.

    The paper's loss is a sum over the batch and here a mean. The picture is made once for both moves.
    """
    made = g(low)
    moves = []
    for name in order:
        if name == "discriminator":
            r, f_out = d(high), d(made.detach())
            real_part, fake_part = cross_entropy(r, 1.0), cross_entropy(f_out, 0.0)
            loss = real_part + fake_part
            moves.append(d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part, **told(r, f_out)}))
        else:
            l_x = mean_squared(features(made), features(high))
            l_gen = softplus(-d(made)).mean()
            loss = content * l_x + adversarial * l_gen
            parts = {"content": l_x, "pixel": mean_squared(made, high), "adversarial": l_gen}
            moves.append(g.move(loss, {"loss": loss, **parts}))
    return moves


VGG19 = (2, 2, 4, 4, 4)
"""Convolutions between two max-pools (Simonyan & Zisserman 2015, table 1, E)."""


def vgg_features(weights: Sequence[Tensor], x: Tensor, *, scale: float = 1 / 12.75) -> Tensor:
    """Return phi_5,4 of pictures in [-1, 1]: after the ReLU of the last convolution, before the last max-pool."""
    w, h = Weights(weights), (x + 1) / 2
    if h.shape[1] == 1:
        h = h.expand(-1, 3, -1, -1)
    h = (h - h.new_tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / h.new_tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    for i, count in enumerate(VGG19):
        if i:
            h = functional.max_pool2d(h, 2)
        for _ in range(count):
            h = torch.where((h := conv(h, w.take(), w.take(), padding=1)) > 0, h, torch.zeros_like(h))
    w.done()
    return scale * h


def shuffle(x: Tensor) -> Tensor:
    """Return (n, 4c, h, w) as (n, c, 2h, 2w): channel 4c + 2i + j goes to row offset i and column offset j."""
    n, c, h, w = x.shape
    return x.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """Return x where positive, else slope x, the slope learned: one number for all channels (sheet srgan.md)."""
    return torch.where(x > 0, x, slope.view(()) * x)


def srresnet(weights, low: Tensor, *, blocks: int, ups: int = 2, bias: bool = True, tanh: bool = True) -> Tensor:
    """k9 PReLU head; residual blocks; k3 BN plus the head's output; k3, shuffle, PReLU twice; k9 tail (figure 4)."""
    w = Weights(weights)

    def take_bias():
        return w.take() if bias else None

    head = prelu(conv(low, w.take(), w.take(), padding=4), w.take())
    h = head
    for _ in range(blocks):
        inner = batch_norm(conv(h, w.take(), take_bias(), padding=1), w.take(), w.take())
        inner = prelu(inner, w.take())
        h = h + batch_norm(conv(inner, w.take(), take_bias(), padding=1), w.take(), w.take())
    h = head + batch_norm(conv(h, w.take(), take_bias(), padding=1), w.take(), w.take())
    for _ in range(ups):
        h = prelu(shuffle(conv(h, w.take(), w.take(), padding=1)), w.take())
    h = conv(h, w.take(), w.take(), padding=4)
    w.done()
    return h.tanh() if tanh else h


def discriminator_features(weights, x: Tensor, *, stages: int = 4) -> Tensor:
    """Pairs of k3 s1 and k3 s2 with bias, BN on all but the first, leaky ReLU .2 (figure 4)."""
    w, h = Weights(weights), x
    for i in range(2 * stages):
        h = conv(h, w.take(), w.take(), stride=1 + i % 2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take())
        h = leaky(h, 0.2)
    w.done()
    return h


def discriminator(weights, x: Tensor, *, stages: int = 4, pool: int | None = None) -> Tensor:
    """Convolutions, FC, leaky ReLU, FC to one logit (figure 4); pool: side that maps are pooled to before the FC."""
    h = discriminator_features(weights[:-4], x, stages=stages)
    w = Weights(weights[-4:])
    if pool is not None:
        h = functional.adaptive_avg_pool2d(h, pool)
    h = leaky(h.flatten(1) @ w.take().T + w.take(), 0.2)
    h = h @ w.take().T + w.take()
    w.done()
    return h.flatten()
