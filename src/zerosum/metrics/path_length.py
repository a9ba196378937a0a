"""Perceptual path length: the perceptual distance that a sample moves for a small step between two latents.

Source: Karras et al. 2019, section 4.1 (https://arxiv.org/abs/1812.04948); step, endpoints and percentiles as in the
code of StyleGAN2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.latent import Between, slerp
from zerosum.metrics.bootstrap import Interval, bootstrap
from zerosum.runtime import rng
from zerosum.runtime.device import without_tf32

Distance = Callable[[Tensor, Tensor], Tensor]
"""Distance of samples (N, *shape) from as many others: (N,). One that grows as the square of a small difference."""

STEP = 1e-4
CPU = torch.device("cpu")
MEANING = (
    "Lower is smoother: the mean squared speed at which samples change along a path between latents; it says nothing "
    "of their quality, and a generator that ignores its latents has 0."
)


@dataclass(frozen=True, kw_only=True)
class PathLength:
    """Mean squared speed of samples along paths between latents."""

    name: str
    """Which distance, which latents, which part of the paths: other names do not compare."""

    value: float
    """Mean of the pairs kept."""

    interval: Interval
    """By resampling the pairs; the percentiles are taken again each time."""

    pairs: int
    """Pairs of latents drawn."""

    kept: int
    """Pairs between the 1st and the 99th percentile."""

    meaning: str
    """What the number says, in a sentence."""


def path_length(
    generate: Callable[[Tensor], Tensor],
    prior: Callable[[int], Tensor],
    distance: Distance,
    *,
    distance_name: str,
    between: Between = slerp,
    part: Literal["full", "start"] = "full",
    pairs: int = 5000,
    batch: int = 50,
    device: torch.device = CPU,
    seed: int = 0,
    level: float = 0.95,
) -> PathLength:
    """Measure E[d(G(z_t), G(z_(t+e))) / e^2], e = 1e-4, over pairs of latents, without the tails of 1 % on each side.

    All is computed in the latents' precision, never under autocast or in TF32, which would round a step of 1e-4 away.

    Args:
        generate: (N, Z) latents to (N, *shape) samples, for instance `lambda z: recipe.sample(len(z), latent=z)`.
        prior: draws (N, Z) latents: `recipe.prior`.
        distance: of samples; LPIPS with VGG16 in the papers.
        distance_name: its name, such as "lpips-vgg".
        between: how to go from a latent to another: `recipe.between`; spherical for normal latents.
        part: t uniform in [0, 1], or 0 for the start of each path.
        pairs: to draw; 50,000 in the papers.
        batch: pairs at a time.
        device: where the latents are.
        seed: of the latents and places, and of the interval.
        level: share of intervals that should hold the truth.

    Raises:
        InputError: Fewer than 100 pairs, half precision, or distances that are not finite.
    """
    if pairs < 100 or batch < 1:
        raise InputError(f"{pairs} pairs in batches of {batch} were asked for; give 100 pairs or more.")
    with rng.fork(device, seed=seed), torch.no_grad(), _unrounded(device):
        sizes = [min(batch, pairs - start) for start in range(0, pairs, batch)]
        found = torch.cat([_speeds(generate, prior, distance, between, part, n).cpu() for n in sizes]).double()
    if not bool(found.isfinite().all()):
        raise InputError("Some distances along the paths are not finite numbers; look at the samples themselves.")
    value, kept = _trimmed(found)
    return PathLength(
        name=f"path length ({distance_name}; {between.__name__}, {part})",
        value=value,
        interval=bootstrap(lambda rows: _trimmed(found[rows])[0], pairs, seed=seed, level=level),
        pairs=pairs,
        kept=kept,
        meaning=MEANING,
    )


@contextmanager
def _unrounded(device: torch.device) -> Iterator[None]:
    """Compute in the precision of what is given: no autocast, and no TF32."""
    with torch.autocast(device.type, enabled=False), without_tf32():
        yield


def _speeds(
    generate: Callable[[Tensor], Tensor],
    prior: Callable[[int], Tensor],
    distance: Distance,
    between: Between,
    part: Literal["full", "start"],
    n: int,
) -> Tensor:
    """Draw n pairs of latents and measure a step between each: (n,)."""
    start, end = prior(n), prior(n)
    # In float64: near 1 a float32 has but three digits of a step.
    place = torch.rand(n, 1, dtype=torch.float64, device=start.device) * (part == "full")
    # Both ends of a step go through the generator in one batch, so that they meet the same rounding.
    latents = torch.cat([between(start, end, at) for at in (place, place + STEP)]).to(start.dtype)
    samples = generate(latents)
    if min(torch.finfo(values.dtype).bits for values in (latents, samples)) < 32:
        raise InputError(
            f"Latents of {latents.dtype} made samples of {samples.dtype}, in which a step of {STEP} is lost; load the "
            "model in float32."
        )
    return distance(*samples.chunk(2)) / STEP**2


def _trimmed(values: Tensor) -> tuple[float, int]:
    """Mean of what lies from the 1st to the 99th percentile, and how many do."""
    low = values.quantile(0.01, interpolation="lower")
    high = values.quantile(0.99, interpolation="higher")
    inner = values[(values >= low) & (values <= high)]
    return float(inner.mean()), len(inner)
