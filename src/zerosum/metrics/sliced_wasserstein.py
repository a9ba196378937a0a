"""Sliced Wasserstein distance of local patches at each scale of a Laplacian pyramid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from zerosum.errors import InputError

_SMALLEST = 16  # pixels a side of the coarsest level, as in the paper
_PATCH = 7


@dataclass(frozen=True)
class SlicedWasserstein:
    """Distances by scale, times 1,000 as papers print them."""

    levels: dict[int, float]
    """Pixels a side of a pyramid's level -> distance of its patches; the largest shows the finest detail."""

    @property
    def value(self) -> float:
        """Mean over levels."""
        return sum(self.levels.values()) / len(self.levels)


def sliced_wasserstein(
    real: Tensor | Iterable[Tensor],
    fake: Tensor | Iterable[Tensor],
    *,
    seed: int,
    patches: int = 128,
    directions: int = 512,
) -> SlicedWasserstein:
    """Compare 7x7 patches of the Laplacian pyramids of two sets of images along random directions.

    Patches of each set and level are normalised to mean 0 and deviation 1 a channel. Published figures use 16,384
    images a side; fewer raise the floor.

    Args:
        real: (N, C, H, W), or chunks of it; H = W, 16 times a power of two. Any range: patches are normalised.
        fake: as many images of the same size.
        seed: of the places and the directions. Both sets are cut at the same places.
        patches: of each image, at each level.
        directions: to project on.

    Raises:
        InputError: Sizes that differ or make no pyramid, or different counts.

    Source: Karras et al. 2018, section 5 (https://arxiv.org/abs/1710.10196); Rabin et al. 2011.
    """
    sides = [_descriptors(images, patches, torch.Generator().manual_seed(seed)) for images in (real, fake)]
    sizes = [{level: tuple(found.shape) for level, found in side.items()} for side in sides]
    if sizes[0] != sizes[1]:
        raise InputError(
            f"Patches {sizes[0]} of real images were compared with {sizes[1]} of generated ones; give as many images "
            "of the same size on both sides."
        )
    generator = torch.Generator().manual_seed(seed)
    levels = {}
    for level in sides[0]:
        a, b = (_normalised(side[level]) for side in sides)
        axes = torch.randn(a.shape[1], directions, generator=generator).to(a.device)
        levels[level] = 1e3 * _distance(a, b, axes / axes.norm(dim=0))
    return SlicedWasserstein(levels)


def laplacian_pyramid(images: Tensor) -> list[Tensor]:
    """Split images into bands of detail: (N, C, H, H) -> H, H/2, ... 16 pixels a side, finest first, rest last.

    Source: Burt & Adelson 1983, with the binomial filter 1 4 6 4 1.

    >>> [band.shape[-1] for band in laplacian_pyramid(torch.zeros(1, 1, 64, 64))]
    [64, 32, 16]
    """
    bands = []
    while images.shape[-1] > _SMALLEST:
        coarse = _filtered(images, 1.0)[:, :, ::2, ::2]
        raised = torch.zeros_like(images)
        raised[:, :, ::2, ::2] = coarse
        bands.append(images - _filtered(raised, 2.0))
        images = coarse
    return [*bands, images]


def _filtered(images: Tensor, gain: float) -> Tensor:
    """Blur rows and columns, mirrored at the border; a gain of 2 a side makes up for zeros put between pixels."""
    N, C, H, W = images.shape
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=images.dtype, device=images.device) * (gain / 16)
    planes = functional.pad(images.reshape(N * C, 1, H, W), (2, 2, 2, 2), mode="reflect")
    planes = functional.conv2d(functional.conv2d(planes, taps.view(1, 1, 5, 1)), taps.view(1, 1, 1, 5))
    return planes.view(N, C, H, W)


def _descriptors(images: Tensor | Iterable[Tensor], patches: int, generator: torch.Generator) -> dict[int, Tensor]:
    """Cut patches at random places: side -> (patches * N, C, 7, 7)."""
    found: dict[int, list[Tensor]] = {}
    for chunk in (images,) if isinstance(images, Tensor) else images:
        _check(chunk, patches)
        for part in chunk.split(64):
            for band in laplacian_pyramid(part.float()):
                found.setdefault(band.shape[-1], []).append(_cut(band, patches, generator))
    if not found:
        raise InputError("The sliced Wasserstein distance was asked for of no images; give at least one on each side.")
    return {side: torch.cat(parts) for side, parts in found.items()}


def _cut(band: Tensor, patches: int, generator: torch.Generator) -> Tensor:
    N, _, H, W = band.shape
    reach = torch.arange(_PATCH)
    rows, columns = (torch.randint(side - _PATCH + 1, (N, patches), generator=generator) for side in (H, W))
    i = torch.arange(N).view(N, 1, 1, 1)
    y = (rows[:, :, None, None] + reach[:, None]).expand(N, patches, _PATCH, _PATCH)
    x = (columns[:, :, None, None] + reach).expand(N, patches, _PATCH, _PATCH)
    return band[i, :, y, x].permute(0, 1, 4, 2, 3).flatten(0, 1)


def _normalised(patches: Tensor) -> Tensor:
    """Bring each channel to mean 0 and deviation 1: (P, C, 7, 7) -> (P, C * 49). A constant channel becomes 0."""
    centred = patches - patches.mean((0, 2, 3), keepdim=True)
    return (centred / centred.square().mean((0, 2, 3), keepdim=True).sqrt().clamp_min(1e-12)).flatten(1)


def _distance(a: Tensor, b: Tensor, axes: Tensor) -> float:
    """Mean distance of sorted projections on axes (D, A): (P, D) twice -> a number."""
    parts = [(_ranked(a @ some) - _ranked(b @ some)).abs().mean(1) for some in axes.split(32, dim=1)]
    return float(torch.cat(parts).mean())


def _ranked(projections: Tensor) -> Tensor:
    """Sort projections along each direction: (P, A) -> (A, P). numpy does it many times faster than torch on a CPU."""
    columns = projections.T.contiguous()
    if columns.device.type != "cpu":
        return columns.sort(dim=1).values
    return torch.from_numpy(np.sort(columns.numpy(force=True), axis=1))


def _check(chunk: Tensor, patches: int) -> None:
    side = chunk.shape[-1]
    halvings = side / _SMALLEST
    if (
        chunk.ndim != 4
        or chunk.shape[2] != side
        or side < _SMALLEST
        or halvings != 2 ** (int(halvings).bit_length() - 1)
    ):
        raise InputError(
            f"Images of shape {tuple(chunk.shape)} make no pyramid; give (N, C, H, H) with H 16, 32, 64, 128, ..."
        )
    if patches < 1:
        raise InputError(f"{patches} patches an image were asked for; give 1 or more, such as 128.")
