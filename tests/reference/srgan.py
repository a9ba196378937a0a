"""Ledig et al. 2017, section 2 and figure 4: SRResNet by mean squared error, then SRGAN."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Move, Player, Weights, batch_norm, conv, cross_entropy, leaky, mean_squared, softplus


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
    pixel: float = 0.0,
    adversarial: float = 1e-3,
    real_label: float = 1.0,
    generator_first: bool = False,
) -> list[Move]:
    """Play one round of SRGAN: l = content MSE of features + adversarial 10^-3 E -log D(G(x)); D by cross-entropy."""

    def discriminator_moves() -> Move:
        real_part, fake_part = cross_entropy(d(high), real_label), cross_entropy(d(g(low).detach()), 0.0)
        loss = real_part + fake_part
        return d.move(loss, {"loss": loss, "real": real_part, "fake": fake_part})

    def generator_moves() -> Move:
        made = g(low)
        l_x = mean_squared(features(made), features(high))
        l_mse = mean_squared(made, high)
        l_gen = softplus(-d(made)).mean()
        loss = content * l_x + pixel * l_mse + adversarial * l_gen
        return g.move(loss, {"loss": loss, "content": l_x, "pixel": l_mse, "adversarial": l_gen})

    if generator_first:
        return [generator_moves(), discriminator_moves()]
    return [discriminator_moves(), generator_moves()]


def shuffle(x: Tensor) -> Tensor:
    """Return (n, 4c, h, w) as (n, c, 2h, 2w): channel 4c + 2i + j goes to row offset i and column offset j."""
    n, c, h, w = x.shape
    return x.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)


def prelu(x: Tensor, slope: Tensor) -> Tensor:
    """Return x where positive, else slope x, the slope learned (one number or one per channel)."""
    return torch.where(x > 0, x, slope.view(1, -1, 1, 1) * x)


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


def discriminator(weights, x: Tensor, *, stages: int = 4, pool: int | None = None, bias: bool = True) -> Tensor:
    """Pairs of k3 s1 and k3 s2, BN on all but the first, leaky ReLU .2, FC, leaky ReLU, FC to one logit (figure 4)."""
    w, h = Weights(weights), x
    for i in range(2 * stages):
        h = conv(h, w.take(), w.take() if bias or i == 0 else None, stride=1 + i % 2, padding=1)
        if i:
            h = batch_norm(h, w.take(), w.take())
        h = leaky(h, 0.2)
    if pool is not None:
        h = functional.adaptive_avg_pool2d(h, pool)
    h = leaky(h.flatten(1) @ w.take().T + w.take(), 0.2)
    h = h @ w.take().T + w.take()
    w.done()
    return h.flatten()
