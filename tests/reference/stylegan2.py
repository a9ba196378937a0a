"""Karras et al. 2020: sections 2 and 3, appendix B; labels as in Karras et al. 2020 (StyleGAN2-ADA)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Adam, Move, Player, leaky, softplus, told
from tests.reference.progan import minibatch_stddev
from tests.reference.r3gan import binomial, down, up

Named = Mapping[str, Tensor]
"""Weights by the names of our layers."""


class Lazy(Player):
    """A player whose Adam passes over the parameters that a move does not reach: each has moments of its own."""

    def __init__(self, name: str, parameters: Sequence[Tensor], *, alpha: float, beta2: float) -> None:
        super().__init__(name, lambda *_: None, parameters, alpha=alpha, beta1=0.0, beta2=beta2)
        self.adams = [Adam([p], alpha=alpha, beta1=0.0, beta2=beta2, eps=1e-8) for p in parameters]
        self.reached = [True] * len(parameters)

    def apply(self, gradients: list[Tensor], losses: Mapping[str, Tensor | float]) -> Move:
        """Take one step with the parameters that were reached."""
        with torch.no_grad():
            for p, g, adam, reached in zip(self.parameters, gradients, self.adams, self.reached, strict=True):
                if reached:
                    p.copy_(adam.moved([p], [g])[0])
                else:
                    assert not g.any()
        after = [p.detach().clone() for p in self.parameters]
        return Move(self.name, {k: float(torch.as_tensor(v).detach()) for k, v in losses.items()}, gradients, after)


def act(x: Tensor) -> Tensor:
    """Return root 2 times the leaky rectifier of 0.2."""
    return math.sqrt(2) * leaky(x, 0.2)


def unit(x: Tensor) -> Tensor:
    """Divide each row by the root of its mean square."""
    return x / torch.sqrt((x**2).mean(1, keepdim=True) + 1e-8)


def dense(w: Named, name: str, x: Tensor, *, rate: float = 1.0) -> Tensor:
    """Return x (w rate / sqrt(fan_in))^T + b rate."""
    weight = w[f"{name}.weight"]
    return x @ (weight * rate / math.sqrt(weight.shape[1])).T + w[f"{name}.bias"] * rate


def mapping(w: Named, name: str, z: Tensor | None, label: Tensor | None, *, layers: int, classes: int) -> Tensor:
    """Return the style of each row."""
    parts = [] if z is None else [unit(z)]
    if label is not None:
        hot = torch.eye(classes, dtype=w[f"{name}.embed.weight"].dtype)[label]
        parts.append(unit(dense(w, f"{name}.embed", hot)))
    x = torch.cat(parts, 1)
    for layer in range(layers):
        x = act(dense(w, f"{name}.layers.{layer}", x, rate=0.01))
    return x


def modulated(
    w: Named, name: str, x: Tensor, style: Tensor, *, demodulate: bool = True, double: bool = False
) -> Tensor:
    """Convolve each sample with weights of its own, which its style scales and demodulation brings to norm 1."""
    weight = w[f"{name}.weight"]
    weight = weight / math.sqrt(weight[0].numel())
    scales = dense(w, f"{name}.affine", style)
    rows = []
    for row, s in zip(x, scales, strict=True):
        own = weight * s[None, :, None, None]
        if demodulate:
            own = own / torch.sqrt((own**2).sum([1, 2, 3], keepdim=True) + 1e-8)
        rows.append(
            upsampled(row[None], own) if double else functional.conv2d(row[None], own, padding=own.shape[2] // 2)
        )
    return torch.cat(rows)


def upsampled(x: Tensor, weight: Tensor) -> Tensor:
    """Put zeros between the pixels, convolve over all that overlaps, then filter times 4: twice the size."""
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, 2 * h - 1, 2 * w - 1)
    spread[:, :, ::2, ::2] = x
    large = functional.conv2d(functional.pad(spread, (2, 2, 2, 2)), weight)
    padded = functional.pad(large, (1, 1, 1, 1))
    return 4 * functional.conv2d(padded, binomial(large), groups=large.shape[1])


def synthesis(w: Named, styles: Tensor, noises: Sequence[Tensor], *, levels: int) -> Tensor:
    """Return the picture of styles (N, L, S): one 3x3 at the smallest size, then two a size; pictures are summed."""
    noise = list(noises)

    def styled(name: str, x: Tensor, style: Tensor, double: bool = False) -> Tensor:
        x = modulated(w, f"{name}.conv", x, style, double=double) + noise.pop(0) * w[f"{name}.strength"]
        return act(x + w[f"{name}.bias"][:, None, None])

    def picture(x: Tensor, level: int, style: Tensor) -> Tensor:
        colours = modulated(w, f"synthesis.to_image.{level}", x, style, demodulate=False)
        return colours + w[f"synthesis.colour_bias.{level}"][:, None, None]

    x = w["synthesis.constant"][None].repeat(len(styles), 1, 1, 1)
    x = styled("synthesis.first", x, styles[:, 0])
    total = picture(x, 0, styles[:, 1])
    for level in range(1, levels):
        name = f"synthesis.blocks.{level - 1}"
        x = styled(f"{name}.0", x, styles[:, 2 * level - 1], double=True)
        x = styled(f"{name}.1", x, styles[:, 2 * level])
        total = up(total) + picture(x, level, styles[:, 2 * level + 1])
    assert not noise
    return total


def conv(w: Named, name: str, x: Tensor, *, halve: bool = False) -> Tensor:
    """Equalised convolution; a halving one of 3x3 filters first, and takes every second cell."""
    weight = w[f"{name}.weight"]
    weight, side = weight / math.sqrt(weight[0].numel()), weight.shape[2]
    if halve and side == 3:
        x = functional.conv2d(functional.pad(x, (2, 2, 2, 2)), binomial(x), groups=x.shape[1])
        x = functional.conv2d(x, weight)[:, :, ::2, ::2]
    else:
        x = functional.conv2d(down(x) if halve else x, weight, padding=side // 2)
    return x + w[f"{name}.bias"][:, None, None] if f"{name}.bias" in w else x


def discriminator(
    w: Named, x: Tensor, label: Tensor | None, *, levels: int, group: int, residual: bool, classes: int
) -> Tensor:
    """Return one logit a picture."""
    x = act(conv(w, "from_image", x))
    for block in range(levels - 1):
        before = x
        x = act(conv(w, f"blocks.{block}.convs.0", x))
        x = act(conv(w, f"blocks.{block}.convs.1", x, halve=True))
        if residual:
            x = (x + conv(w, f"blocks.{block}.skip", before, halve=True)) / math.sqrt(2)
    x = minibatch_stddev(x, group=group, neighbours=True)
    x = act(conv(w, "last", x))
    out = dense(w, "head", act(dense(w, "dense", x.flatten(1))))
    if label is None:
        return out.flatten()
    towards = mapping(w, "mapping", None, label, layers=8, classes=classes)
    return (out * towards).sum(1) / math.sqrt(out.shape[1])


def d_move(d: Player, judge: Callable[[Tensor], Tensor], x: Tensor, fake: Tensor) -> Move:
    """Move D up log D(x) + log(1 - D(G(z)))."""
    r, f = judge(x), judge(fake)
    loss = softplus(-r).mean() + softplus(f).mean()
    return d.move(loss, {"loss": loss, **told(r, f)})


def g_move(g: Player, judge: Callable[[Tensor], Tensor], fake: Tensor) -> Move:
    """Move G up log D(G(z))."""
    loss = softplus(-judge(fake)).mean()
    return g.move(loss, {"loss": loss})


def path_move(
    g: Player, fake: Tensor, styles: Tensor, y: Tensor, a: float, *, weight: float, every: int
) -> tuple[Move, float]:
    """Move G towards path lengths of a; return the move and the mean length."""
    y = y / math.sqrt(fake.shape[2] * fake.shape[3])
    (slope,) = torch.autograd.grad((fake * y).sum(), styles, create_graph=True)
    lengths = torch.sqrt((slope**2).sum(2).mean(1))
    loss = every * weight * ((lengths - a) ** 2).mean()
    move = g.move(loss, {"loss": loss, "length": lengths.mean()})
    return replace(move, averaged=False), float(lengths.detach().mean())


def r1_move(d: Player, judge: Callable[[Tensor], Tensor], x: Tensor, fake: Tensor, *, gamma: float, every: int) -> Move:
    """Move D down every gamma / 2 |grad D(x)|^2."""
    x = x.clone().requires_grad_()
    r = judge(x)
    (slope,) = torch.autograd.grad(r.sum(), x, create_graph=True)
    r1 = gamma / 2 * (slope**2).sum([1, 2, 3]).mean()
    return d.move(every * r1, {"loss": every * r1, "r1": r1, **told(r, judge(fake))})
