"""Volumes as pictures: an orthographic camera that goes around them, and one light beside it."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, avg_pool3d, grid_sample, interpolate, max_pool2d, normalize

from zerosum.media import image_grid
from zerosum.media.video import animate

LEVEL = 0.5
"""Value of a volume at its surface."""

TILE, SMALL_TILE = 96, 64
"""Pixels a side of a volume's picture: of one, and of one among many or in motion."""

ELEVATION = 25.0
"""Degrees by which the camera looks down."""

FRONT = -55.0
"""Degrees of the camera around the vertical axis: in front of what stands with its back at the far end of y."""

FINER = 2
"""Rays a pixel, each way."""

FRAME = 1.4
"""Half the height of the picture, where a volume reaches from -1 to 1."""

COLOUR = (0.93, 0.52, 0.33)

MANY = 16
FEW = 4
"""Volumes of which each is drawn from four sides."""


def sheet(volumes: Tensor) -> Image.Image:
    """Draw (N, X, Y, Z) volumes in [0, 1] in a grid; two to four of them in a row each, from four sides.

    Raises:
        InputError: There are none, or a value is not finite.
    """
    image_grid.require_finite(volumes)
    if not 1 < len(volumes) <= FEW:
        return image_grid.grid(render(volumes, pixels=TILE if len(volumes) <= MANY else SMALL_TILE))
    views = [render(volumes, FRONT + turn) for turn in (0, 90, 180, 270)]
    return image_grid.grid(torch.stack(views, dim=1).flatten(0, 1), columns=4)


def film(volumes: Tensor, path: Path, *, frames: int = 12, seconds: float = 4.0) -> None:
    """Write a film (.gif or .mp4) in which (N, X, Y, Z) volumes in [0, 1] turn once.

    Raises:
        InputError: .mp4 without the `video` extra.
        StorageError: The disk refuses.
    """
    columns = len(volumes) if len(volumes) <= FEW else None
    turns = (FRONT + 360 * frame / frames for frame in range(frames))
    animate(
        [image_grid.grid(render(volumes, turn, pixels=SMALL_TILE), columns=columns) for turn in turns],
        path,
        seconds_per_frame=seconds / frames,
    )


def render(volumes: Tensor, azimuth: float = FRONT, *, pixels: int = TILE) -> Tensor:
    """Render (N, X, Y, Z) volumes in [0, 1] on white: (N, 3, pixels, pixels) in [-1, 1].

    Each ray is followed to where the interpolated volume first exceeds 0.5. There Lambert's shading is computed with
    the gradient of a blurred volume as the normal, and darkened where much of the neighbourhood is occupied.
    """
    volumes = volumes.detach().float().cpu()
    return torch.cat([_render(volume[None, None], azimuth, pixels * FINER) for volume in volumes])


def _render(volume: Tensor, azimuth: float, rays: int) -> Tensor:
    """Render one volume, (1, 1, X, Y, Z), with rays x rays rays."""
    camera, right, up = _axes(azimuth)
    side = max(volume.shape[2:])
    colour = torch.ones(3, rays, rays)
    centres = (volume[0, 0] > LEVEL).nonzero() * (2 / side) + 1 / side - 1
    if len(centres) == 0:
        return avg_pool2d(colour[None], FINER) * 2 - 1
    taken = _near(centres, right, up, rays)
    across = (torch.arange(rays) + 0.5) / rays * 2 * FRAME - FRAME
    plane = (across[None, :, None] * right - across[:, None, None] * up)[taken]  # (rays that may hit, 3)
    far, near = (centres @ camera).aminmax()
    depth = torch.linspace(float(near) + 4 / side, float(far) - 4 / side, int(0.6 * side * float(near - far)) + 8)
    values = _at(volume, plane + depth[:, None, None] * camera)[0]  # (steps, rays that may hit)
    inside = values > LEVEL
    hit, first = inside.any(0), inside.float().argmax(0, keepdim=True)
    before = (first - 1).clamp(min=0)
    here, there = values.gather(0, first)[0], values.gather(0, before)[0]
    share = ((here - LEVEL) / (here - there).clamp(min=1e-6)).clamp(0, 1) * (first[0] > 0)
    surface = plane + (depth[first[0]] + share * (depth[0] - depth[1]))[:, None] * camera
    taken[taken.clone()] = hit
    colour[:, taken] = _shade(volume, surface[hit], camera, right, up, side)
    return avg_pool2d(colour[None], FINER) * 2 - 1


def _near(centres: Tensor, right: Tensor, up: Tensor, rays: int) -> Tensor:
    """Return which of rays x rays rays pass near the centres (P, 3) of occupied cells, bool."""
    blocks = rays // 8
    column, row = (((centres @ axis) / FRAME + 1) / 2 * blocks for axis in (right, -up))
    near = torch.zeros(1, 1, blocks, blocks)
    near[0, 0, row.long().clamp(0, blocks - 1), column.long().clamp(0, blocks - 1)] = 1
    near = max_pool2d(near, 3, stride=1, padding=1)
    return interpolate(near, size=(rays, rays))[0, 0] > 0


def _shade(volume: Tensor, points: Tensor, camera: Tensor, right: Tensor, up: Tensor, side: int) -> Tensor:
    """Return the colours of points (P, 3) of the surface: (3, P) in [0, 1]."""
    blurred = avg_pool3d(volume, 3, stride=1, padding=1)
    cell = 2 / side
    steps = torch.eye(3) * cell
    slopes = [_at(blurred, points - step)[0] - _at(blurred, points + step)[0] for step in steps]
    normal = normalize(torch.stack(slopes, dim=-1), dim=-1)
    light = normalize(camera + 0.9 * up - 0.7 * right, dim=0)
    wide = avg_pool3d(volume, 7, stride=1, padding=3)
    open_sky = 1 - _at(wide, points + 2.5 * cell * normal)[0].clamp(0, 0.7)
    brightness = (0.34 + 0.66 * (normal @ light).clamp(min=0)) * open_sky
    gloss = 0.12 * (normal @ light).clamp(min=0) ** 12
    return (torch.tensor(COLOUR)[:, None] * brightness + gloss).clamp(0, 1)


def _at(volume: Tensor, points: Tensor) -> Tensor:
    """Interpolate a volume (1, 1, X, Y, Z) at points (..., 3) in [-1, 1]: (1, ...)."""
    grid = points.flip(-1).reshape(1, 1, 1, -1, 3)  # grid_sample counts axes from the last
    return grid_sample(volume, grid, align_corners=False).reshape(1, *points.shape[:-1])


def _axes(azimuth: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return the directions to the camera, to the right and upwards in the picture."""
    turn, tilt = math.radians(azimuth), math.radians(ELEVATION)
    camera = torch.tensor([math.cos(tilt) * math.cos(turn), math.cos(tilt) * math.sin(turn), math.sin(tilt)])
    right = torch.tensor([-math.sin(turn), math.cos(turn), 0.0])
    return camera, right, torch.linalg.cross(camera, right)
