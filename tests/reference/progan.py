"""Karras et al. 2018: sections 2 to 4, appendix A, and loss.py, train.py of the authors' code."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tests.reference.common import Move, Player, average, conv, leaky
from tests.reference.wgan_gp import penalty


def level_of_detail(kimg: float, *, highest: int, stabilise: float, fade: float) -> float:
    """Return lod of train.py: log2(highest) - 2 at the start, falling by 1 in the fade of each phase, never below 0."""
    phase = math.floor(kimg / (stabilise + fade))
    inside = kimg - phase * (stabilise + fade)
    return max(math.log2(highest) - 2 - phase - max(inside - stabilise, 0.0) / fade, 0.0)


def pixel_norm(x: Tensor) -> Tensor:
    """Divide by the root of the mean square over the channels."""
    return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-8)


def doubled(x: Tensor) -> Tensor:
    """Repeat each pixel twice in both directions."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def halved(x: Tensor) -> Tensor:
    """Average squares of 2x2 pixels."""
    n, c, h, w = x.shape
    return x.view(n, c, h // 2, 2, w // 2, 2).mean([3, 5])


def lerp(a: Tensor, b: Tensor, alpha: float) -> Tensor:
    """Return a at 0 and b at 1."""
    return (1 - alpha) * a + alpha * b


def faded(x: Tensor, alpha: float | None) -> Tensor:
    """Return the real pictures of a fading phase: between the block means (alpha 0) and themselves (alpha 1)."""
    return x if alpha is None else lerp(doubled(halved(x)), x, alpha)


def scaled(weight: Tensor, gain: float) -> Tensor:
    """Return w gain / sqrt(fan_in), fan_in counted per output."""
    return weight * (gain / math.sqrt(weight[0].numel()))


def conv3(x: Tensor, layer: tuple[Tensor, Tensor]) -> Tensor:
    """Equalised k3 convolution, gain root 2."""
    return conv(x, scaled(layer[0], math.sqrt(2)), layer[1], padding=1)


def conv1(x: Tensor, layer: tuple[Tensor, Tensor], gain: float) -> Tensor:
    """Equalised k1 convolution."""
    return conv(x, scaled(layer[0], gain), layer[1])


Layer = tuple[Tensor, Tensor]


def generator(weights: Mapping[str, Layer | list[Layer]], z: Tensor, *, level: int, alpha: float | None) -> Tensor:
    """Return the picture of side 4 * 2^level; alpha None is a phase of stabilising.

    weights: "dense" (weight (c * 16, z), bias one per map), "first" (the k3 of 4x4), "block{i}" two k3 layers of level
    i = 1.., "to_rgb{i}" the k1 of level i = 0...
    """
    dense, bias = weights["dense"]
    h = pixel_norm(z) @ scaled(dense, math.sqrt(2) / 4).T
    h = h.view(len(z), -1, 4, 4)
    h = h + (bias.view(1, -1, 1, 1) if bias.numel() == h.shape[1] else bias.view(1, -1, 4, 4))
    h = pixel_norm(leaky(h, 0.2))
    h = pixel_norm(leaky(conv3(h, weights["first"]), 0.2))
    before = None
    for i in range(1, level + 1):
        before = h
        h = doubled(h)
        for layer in weights[f"block{i}"]:
            h = pixel_norm(leaky(conv3(h, layer), 0.2))
    new = conv1(h, weights[f"to_rgb{level}"], 1.0)
    if alpha is None or level == 0:
        return new
    return lerp(doubled(conv1(before, weights[f"to_rgb{level - 1}"], 1.0)), new, alpha)


def minibatch_stddev(x: Tensor, *, group: int, neighbours: bool = False) -> Tensor:
    """Append one channel: the deviation within a group, averaged over all features.

    A group is sample i with i + n/group, i + 2n/group, ... in the authors' code; or samples that follow each other.
    """
    n = len(x)
    step = n // group
    members = [
        [i * group + k for k in range(group)] if neighbours else [i + k * step for k in range(group)]
        for i in range(step)
    ]
    channel = [x.new_zeros(())] * n
    for rows in members:
        y = x[rows]
        deviation = torch.sqrt(((y - y.mean(0)) ** 2).mean(0) + 1e-8).mean()
        for row in rows:
            channel[row] = deviation
    return torch.cat([x, torch.stack(channel).view(n, 1, 1, 1).expand(n, 1, *x.shape[2:])], 1)


def discriminator(
    weights: Mapping[str, Layer | list[Layer]],
    x: Tensor,
    *,
    level: int,
    alpha: float | None,
    group: int,
    neighbours: bool = False,
) -> Tensor:
    """Mirror of the generator: "from_rgb{i}", "block{i}" (k3, k3, then halved), "last", "dense", "out".

    The second layer of a block averages over 2x2 pixels before its activation, as the authors' code does.
    """

    def read(x: Tensor, i: int) -> Tensor:
        return leaky(conv1(x, weights[f"from_rgb{i}"], math.sqrt(2)), 0.2)

    h = read(x, level)
    for i in range(level, 0, -1):
        one, other = weights[f"block{i}"]
        h = leaky(conv3(h, one), 0.2)
        h = leaky(halved(conv3(h, other)), 0.2)
        if i == level and alpha is not None:
            h = lerp(read(halved(x), level - 1), h, alpha)
    h = minibatch_stddev(h, group=group, neighbours=neighbours)
    h = leaky(conv3(h, weights["last"]), 0.2)
    dense, bias = weights["dense"]
    h = leaky(h.flatten(1) @ scaled(dense, math.sqrt(2)).flatten(1).T + bias, 0.2)
    out, bias = weights["out"]
    return (h @ scaled(out, 1.0).T + bias).flatten()


def play(
    g: Player,
    d: Player,
    x: Sequence[Tensor],
    z: Sequence[Tensor],
    eps: Sequence[Tensor],
    z_g: Tensor,
    mean: Sequence[Tensor],
    *,
    weight: float = 10.0,
    drift: float = 1e-3,
    beta: float = 0.999,
    gamma: float = 1.0,
    floor: float = 0.0,
    average_after: str = "discriminator",
) -> tuple[list[Move], list[Tensor]]:
    """Play one round (D_repeats moves of D, one of G) and return the moves and the averaged generator.

    The authors' code updates the average once per step of D, before G moves; average_after "generator" updates it
    once, after G's move. gamma is the slope of appendix A.1 (750 for CIFAR-10).
    """
    moves = []
    for x_i, z_i, eps_i in zip(x, z, eps, strict=True):
        fake = g(z_i).detach()
        r, f = d(x_i), d(fake)
        term = penalty(d, x_i, fake, eps_i, target=gamma, floor=floor) / gamma**2
        off = (r**2).mean()
        loss = f.mean() - r.mean() + weight * term + drift * off
        parts = {"real": r.mean(), "fake": f.mean(), "estimate": r.mean() - f.mean(), "penalty": term, "drift": off}
        moves.append(d.move(loss, {"loss": loss, **parts}))
        if average_after == "discriminator":
            mean = average(mean, g.parameters, beta=beta)
    loss = -d(g(z_g)).mean()
    moves.append(g.move(loss, {"loss": loss}))
    if average_after == "generator":
        mean = average(mean, g.parameters, beta=beta)
    return moves, list(mean)
