"""Clark et al. 2019, section 3: a recurrent generator against a discriminator of frames and one of motion."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from tests.reference.common import Move, Player, batch_norm, conv, relu, told
from tests.reference.residual import Spectral, doubled, halved


def play(
    g: Player,
    d: Player,
    x: Sequence[Tensor],
    y: Sequence[Tensor | None],
    z: Sequence[Tensor],
    drawn: Sequence[Tensor | None],
    frames: Sequence[Tensor],
) -> list[Move]:
    """Play one round: a move of D for each batch x of labels y, then one of G; a hinge for each discriminator.

    z, drawn, the labels of samples, and frames, those that D_S takes, have one entry more than x: G's.
    """
    moves = []
    for x_i, y_i, z_i, c_i, s_i in zip(x, y, z[:-1], drawn[:-1], frames[:-1], strict=True):
        both = torch.cat([x_i, g(z_i, c_i).detach()])
        labels = None if y_i is None or c_i is None else torch.cat([y_i, c_i])
        (r_s, f_s), (r_t, f_t) = (logits.split(len(x_i)) for logits in d(both, labels, s_i))
        spatial, temporal = (relu(1 - r).mean() + relu(1 + f).mean() for r, f in ((r_s, f_s), (r_t, f_t)))
        losses = {"spatial": spatial, "temporal": temporal, **told(r_s + r_t, f_s + f_t)}
        moves.append(d.move(spatial + temporal, losses))
    spatial, temporal = (-logits.mean() for logits in d(g(z[-1], drawn[-1]), drawn[-1], frames[-1]))
    moves.append(g.move(spatial + temporal, {"spatial": spatial, "temporal": temporal}))
    return moves


class Layers:
    """The weights of a network in the order of its layers, those of convolutions and dense layers divided."""

    def __init__(self, weights: Iterator[Tensor], spectral: Spectral) -> None:
        self.left, self.spectral, self.numbers = weights, spectral, spectral.network()

    def plain(self) -> Tensor:
        """Return the next tensor as it is."""
        return next(self.left)

    def weight(self) -> Tensor:
        """Return the next weight, divided by its largest singular value."""
        return self.spectral.divided(next(self.left), next(self.numbers))

    def conv(self, x: Tensor, padding: int) -> Tensor:
        """Convolve with the next weight and bias, over two axes or three."""
        convolve = functional.conv3d if x.ndim == 5 else functional.conv2d
        return convolve(x, self.weight(), self.plain(), padding=padding)


def generator(
    weights: Sequence[Tensor], z: Tensor, labels: Tensor | None = None, *, frames: int, ups: int, spectral: Spectral
) -> Tensor:
    """Return clips (B, T, C, H, W) of side 4 * 2^ups."""
    left = iter(weights)
    w = Layers(left, spectral)
    v = z if labels is None else torch.cat([z, w.plain()[labels]], 1)
    condition = v.repeat_interleave(frames, 0)

    def norm(h: Tensor) -> Tensor:
        scale, shift = 1 + condition @ w.weight().T, condition @ w.weight().T
        ones = torch.ones(h.shape[1])
        return batch_norm(h, ones, 0 * ones) * scale[:, :, None, None] + shift[:, :, None, None]

    first = (v @ w.weight().T + w.plain()).view(len(z), -1, 4, 4)
    x = first[:, None].repeat(1, frames, 1, 1, 1)
    for _ in range(ups):
        h = recurrent(x, w).flatten(0, 1)
        inside = w.conv(relu(norm(h)), 1)
        h = h + w.conv(relu(norm(inside)), 1)
        inside = w.conv(doubled(relu(norm(h))), 1)
        inside = w.conv(relu(norm(inside)), 1)
        x = (inside + w.conv(doubled(h), 0)).unflatten(0, (len(z), frames))
    h = relu(batch_norm(x.flatten(0, 1), w.plain(), w.plain()))
    clips = torch.tanh(w.conv(h, 1)).unflatten(0, (len(z), frames))
    assert next(left, None) is None
    return clips


def recurrent(x: Tensor, w: Layers) -> Tensor:
    """Run a convolutional GRU over the frames of (B, T, C, H, W) from h = 0."""
    (of_gates, b_gates), (of_new, b_new) = ((w.weight(), w.plain()) for _ in range(2))
    h, states = torch.zeros_like(x[:, 0]), []
    for x_t in x.unbind(1):
        u, r = torch.sigmoid(conv(torch.cat([h, x_t], 1), of_gates, b_gates, padding=1)).chunk(2, 1)
        c = relu(conv(torch.cat([r * h, x_t], 1), of_new, b_new, padding=1))
        h = u * h + (1 - u) * c
        states.append(h)
    return torch.stack(states, 1)


def discriminators(
    weights: Sequence[Tensor],
    x: Tensor,
    labels: Tensor | None,
    frames: Tensor,
    *,
    downs: int,
    spectral: tuple[Spectral, Spectral],
) -> tuple[Tensor, Tensor]:
    """Return the logits of D_S on the frames of given numbers (B, k), summed over them, and of D_T on the clips."""
    left = iter(weights)
    w = Layers(left, spectral[0])
    h = torch.stack([clip[chosen] for clip, chosen in zip(x, frames, strict=True)]).flatten(0, 1)
    for index in range(downs):
        inside = w.conv(relu(w.conv(h if index == 0 else relu(h), 1)), 1)
        h = halved(inside) + halved(w.conv(h, 0))
    each = None if labels is None else labels.repeat_interleave(frames.shape[1])
    of_frames = projected(relu(h).sum([2, 3]), each, w).view(frames.shape).sum(1)
    w = Layers(left, spectral[1])
    n, t = x.shape[:2]
    h = halved(x.flatten(0, 1)).unflatten(0, (n, t)).transpose(1, 2)
    for index in range(2):
        inside = w.conv(relu(w.conv(h if index == 0 else relu(h), 1)), 1)
        beside = w.conv(h, 0)
        side = 2 if index < downs - 1 else 1
        h = pooled(inside, side) + pooled(beside, side)
    t = h.shape[2]
    h = h.transpose(1, 2).flatten(0, 1)
    for index in range(2, downs):
        inside = w.conv(relu(w.conv(relu(h), 1)), 1)
        h = inside + w.conv(h, 0)
        h = halved(h) if index < downs - 1 else h
    of_motion = projected(relu(h).sum([2, 3]).view(n, t, -1).sum(1), labels, w)
    assert next(left, None) is None
    return of_frames, of_motion


def pooled(x: Tensor, side: int) -> Tensor:
    """Average over two frames where there are two, and over side x side pixels."""
    n, c, t, h, w = x.shape
    step = min(2, t)
    return x.reshape(n, c, t // step, step, h // side, side, w // side, side).mean([3, 5, 7])


def projected(features: Tensor, labels: Tensor | None, w: Layers) -> Tensor:
    """Return a dense layer's value and, with labels, the inner product with the class's embedding."""
    logit = (features @ w.weight().T + w.plain()).flatten()
    return logit if labels is None else logit + (w.weight()[labels] * features).sum(1)
