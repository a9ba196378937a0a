"""Latent interpolation and truncation: between two latents, along a path of them, and towards the mean of the prior."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from zerosum.errors import InputError

Between = Callable[[Tensor, Tensor, Tensor], Tensor]
"""How to go from one latent to the next: (start (N, Z), end (N, Z), fraction (N, 1)) -> (N, Z)."""


def lerp(start: Tensor, end: Tensor, fraction: float | Tensor) -> Tensor:
    """Interpolate linearly from `start` to `end`: right for a uniform prior and for mapped latents (StyleGAN's w).

    Args:
        start: (N, Z).
        end: (N, Z).
        fraction: Share of the way, 0 at `start` and 1 at `end`; a number, or (N, 1) for one share a row.

    Returns:
        (N, Z).

    >>> lerp(torch.tensor([[0.0, 2.0]]), torch.tensor([[4.0, 4.0]]), 0.25).tolist()
    [[1.0, 2.5]]
    """
    return start * (1 - fraction) + end * fraction


def slerp(start: Tensor, end: Tensor, fraction: float | Tensor) -> Tensor:
    """Interpolate spherically from `start` to `end`: right for a normal prior, which lies close to a sphere.

    A straight line between two normal latents passes nearer the origin than samples of the prior ever do. Parallel rows
    give the limit of the formula, the straight line. Opposite rows have no shortest way; they take one fixed half turn,
    their length changing evenly.

    Args:
        start: (N, Z).
        end: (N, Z).
        fraction: Share of the way, 0 at `start` and 1 at `end`; a number, or (N, 1) for one share a row.

    Returns:
        (N, Z), of `start`'s dtype.

    Source: White 2016, "Sampling Generative Networks", section 2.1, https://arxiv.org/abs/1609.04468

    >>> slerp(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), 1 / 3).mul(2).round(decimals=3).tolist()
    [[1.7319999933242798, 1.0]]
    """
    first, last = start.double(), end.double()
    along, towards = functional.normalize(first, dim=-1), functional.normalize(last, dim=-1)
    # atan2 of the two chords keeps its precision where arccos of the dot product loses it: near 0 and near pi.
    angle = 2 * torch.atan2(_length(along - towards), _length(along + towards))
    share = torch.as_tensor(fraction, dtype=torch.float64, device=start.device).expand_as(angle)
    # sin(s * angle) / sin(angle), written with sinc so that it is s, not 0 / 0, at angle 0.
    weight_first = (1 - share) * torch.sinc((1 - share) * angle / math.pi) / torch.sinc(angle / math.pi)
    weight_last = share * torch.sinc(share * angle / math.pi) / torch.sinc(angle / math.pi)
    opposite = angle > math.pi - 1e-6
    arc = weight_first * first + weight_last * last
    return torch.where(opposite, _half_turn(first, last, share), arc).to(start.dtype)


def walk(corners: Tensor, *, frames: int, between: Between = slerp) -> Tensor:
    """Interpolate through latents in order, each stretch taking equally many frames, from the first corner to the last.

    Args:
        corners: (K, Z), K >= 2.
        frames: Latents to return, at least 2.
        between: `slerp` for a normal prior, `lerp` for a uniform one.

    Returns:
        (frames, Z); the first row is the first corner, the last row is the last corner.

    Raises:
        InputError: Fewer than two corners or two frames.

    >>> walk(torch.tensor([[0.0], [2.0], [4.0]]), frames=5, between=lerp).flatten().tolist()
    [0.0, 1.0, 2.0, 3.0, 4.0]
    """
    if corners.ndim != 2 or len(corners) < 2:
        raise InputError(f"A walk got corners of shape {tuple(corners.shape)}; give two latents or more, as (K, Z).")
    if frames < 2:
        raise InputError(f"A walk got {frames} frames; give 2 or more.")
    position = torch.linspace(0, len(corners) - 1, frames, dtype=torch.float64, device=corners.device)
    leg = position.floor().long().clamp(max=len(corners) - 2)
    fraction = (position - leg).to(corners.dtype).unsqueeze(1)
    return between(corners[leg], corners[leg + 1], fraction)


def loop(corners: Tensor, *, frames: int, between: Between = slerp) -> Tensor:
    """Interpolate through latents in order and back to the first, for an animation that repeats without a seam.

    Args:
        corners: (K, Z), K >= 2.
        frames: Latents to return, at least 2; the frame after the last one would be the first.
        between: `slerp` for a normal prior, `lerp` for a uniform one.

    Returns:
        (frames, Z).

    Raises:
        InputError: Fewer than two corners or two frames.

    >>> loop(torch.tensor([[0.0], [4.0]]), frames=4, between=lerp).flatten().tolist()
    [0.0, 2.0, 4.0, 2.0]
    """
    if corners.ndim != 2 or len(corners) < 2:
        raise InputError(f"A loop got corners of shape {tuple(corners.shape)}; give two latents or more, as (K, Z).")
    if frames < 2:
        raise InputError(f"A loop got {frames} frames; give 2 or more.")
    return walk(torch.cat([corners, corners[:1]]), frames=frames + 1, between=between)[:-1]


def truncated_normal(count: int, size: int, *, limit: float) -> Tensor:
    """Draw normal latents whose components beyond `limit` are drawn again: higher fidelity, less diversity.

    One uniform draw through the inverse of the normal distribution gives the same law as drawing again and again.

    Args:
        count: N, latents to draw.
        size: Z, components of each.
        limit: Largest size of a component, in standard deviations; BigGAN's pictures use 0.5, 1 and 2.

    Returns:
        (N, Z), float32, every component in [-limit, limit].

    Raises:
        InputError: `limit` is not a positive number.

    Source: Brock et al. 2019, section 3.1 (the truncation trick), https://arxiv.org/abs/1809.11096

    >>> truncated_normal(4, 100, limit=0.5).abs().max().item() <= 0.5
    True
    """
    if not (math.isfinite(limit) and limit > 0):
        raise InputError(f"The truncation limit is {limit}; give a number above 0, for example 0.7.")
    uniform = torch.rand(count, size, dtype=torch.float64).mul_(2).sub_(1)
    inside = math.erf(limit / math.sqrt(2))
    # The clamp keeps a limit so wide that `inside` rounds to 1 from returning an infinity.
    return torch.erfinv(uniform * inside).mul_(math.sqrt(2)).clamp_(-limit, limit).float()


def _length(vectors: Tensor) -> Tensor:
    """Euclidean length of each row: (N, Z) -> (N, 1)."""
    return torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)


def _half_turn(first: Tensor, last: Tensor, share: Tensor) -> Tensor:
    """Turn opposite rows (N, Z) through a direction perpendicular to both, nearest the axis they lean on least."""
    along = functional.normalize(first, dim=-1)
    axis = functional.one_hot(along.abs().argmin(dim=-1), along.shape[-1]).to(along.dtype)
    aside = functional.normalize(axis - (axis * along).sum(-1, keepdim=True) * along, dim=-1)
    length = lerp(_length(first), _length(last), share)
    return length * (torch.cos(math.pi * share) * along + torch.sin(math.pi * share) * aside)
