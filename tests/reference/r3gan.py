"""Huang et al. 2024: equations 1 and 2, sections 2.3 and 3, appendix D; networks on explicit weights."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Move, Player, Weights, conv, leaky, relu, softplus, told


def scheduled(first: float, last: float, images: float, burn_in: float) -> float:
    """Return a value that falls from first to last along half a cosine, and stays there."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(images / burn_in, 1.0)))


def binomial(x: Tensor) -> Tensor:
    """Return [1, 3, 3, 1] x [1, 3, 3, 1] / 64 for every channel."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
    return (taps[:, None] * taps[None, :])[None, None].repeat(x.shape[1], 1, 1, 1)


def up(x: Tensor) -> Tensor:
    """Put zeros between the pixels, then filter, times 4."""
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, 2 * h, 2 * w)
    spread[:, :, ::2, ::2] = x
    padded = functional.pad(spread, (2, 1, 2, 1))
    return 4 * functional.conv2d(padded, binomial(x), groups=c)


def down(x: Tensor) -> Tensor:
    """Filter, then keep every second pixel."""
    padded = functional.pad(x, (1, 1, 1, 1))
    return functional.conv2d(padded, binomial(x), groups=x.shape[1])[:, :, ::2, ::2]


def block(w: Weights, x: Tensor, *, group: int) -> Tensor:
    """Return x + conv1(act(grouped conv3(act(conv1 x))))."""
    h = leaky(conv(x, w.take(), w.take()), 0.2)
    weight, bias = w.take(), w.take()
    size = min(group, h.shape[1])
    parts = [
        conv(h[:, at : at + size], weight[at : at + size], bias[at : at + size], padding=1)
        for at in range(0, h.shape[1], size)
    ]
    h = leaky(torch.cat(parts, 1), 0.2)
    return x + conv(h, w.take())


def chain(
    w: Weights, x: Tensor, widths: Sequence[int], changes: Sequence[Tensor], *, blocks: int, group: int, sample: str
) -> Tensor:
    """Blocks of each stage, and between stages a resampling with a 1x1 convolution where the width changes."""
    change = iter(changes)
    for at, width in enumerate(widths):
        if at:
            x = down(x) if sample == "down" else x
            x = conv(x, next(change)) if width != widths[at - 1] else x
            x = up(x) if sample == "up" else x
        for _ in range(blocks):
            x = block(w, x, group=group)
    return x


def generator(
    weights: Sequence[Tensor],
    z: Tensor,
    label: Tensor | None = None,
    *,
    widths: Sequence[int],
    blocks: int,
    group: int,
) -> Tensor:
    """Weights: basis, [class embedding,] linear, blocks, 1x1 convolutions between stages, 1x1 to the image."""
    w = Weights(weights)
    basis = w.take()
    if label is not None:
        z = torch.cat([z, w.take()[label]], 1)
    x = (z @ w.take().T)[:, :, None, None] * basis
    count = sum(a != b for a, b in pairwise(widths))
    changes = list(weights[len(weights) - 1 - count : len(weights) - 1])
    x = chain(w, x, widths, changes, blocks=blocks, group=group, sample="up")
    w.at += count
    x = conv(x, w.take())
    w.done()
    return x


def discriminator(
    weights: Sequence[Tensor],
    x: Tensor,
    label: Tensor | None = None,
    *,
    widths: Sequence[int],
    blocks: int,
    group: int,
) -> Tensor:
    """Weights: map of the last sum, 1x1 from the image, blocks, 1x1 between stages, linear [, class embedding]."""
    w = Weights(weights)
    last = w.take()
    count = sum(a != b for a, b in pairwise(widths))
    end = len(weights) - (1 if label is None else 2)
    x = conv(x, w.take())
    x = chain(w, x, widths, weights[end - count : end], blocks=blocks, group=group, sample="down")
    w.at += count
    out = (x * last).sum([2, 3]) @ w.take().T
    out = out.flatten() if label is None else (out * w.take()[label]).sum(1)
    w.done()
    return out


def dense(weights: Sequence[Tensor], x: Tensor, *, hidden: int) -> Tensor:
    """Linear layers with a rectifier after each hidden one; a single output is one number a sample."""
    w = Weights(weights)
    for _ in range(hidden):
        x = relu(x @ w.take().T + w.take())
    x = x @ w.take().T + w.take()
    w.done()
    return x.flatten() if x.shape[1] == 1 else x


def slope(d: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the mean squared norm of the gradient at samples."""
    x = x.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(d(x).sum(), x, create_graph=True)
    return (g.flatten(1) ** 2).sum(1).mean()


def play(
    g: Player,
    d: Player,
    x: Tensor,
    label: Tensor | None,
    z_d: Tensor,
    z_g: Tensor,
    *,
    gamma: float,
    alpha: float,
    beta2: float,
) -> list[Move]:
    """Move D on softplus(-(D(x) - D(G(z)))) + gamma/2 (R1 + R2), then G on softplus(-(D(G(z)) - D(x)))."""
    given = () if label is None else (label,)
    for p in (g, d):
        p.adam.alpha, p.adam.beta2 = alpha, beta2
    fake = g(z_d, *given).detach()
    r, f = d(x, *given), d(fake, *given)
    main = softplus(-(r - f)).mean()
    r1 = gamma / 2 * slope(lambda y: d(y, *given), x)
    r2 = gamma / 2 * slope(lambda y: d(y, *given), fake)
    right = (r > f).to(r.dtype).mean()
    seen = {**told(r, f), "right_real": right, "right_fake": right}
    moves = [d.move(main + r1 + r2, {"loss": main + r1 + r2, "main": main, "r1": r1, "r2": r2, **seen})]
    loss = softplus(-(d(g(z_g, *given), *given) - d(x, *given))).mean()
    return [*moves, g.move(loss, {"loss": loss})]
