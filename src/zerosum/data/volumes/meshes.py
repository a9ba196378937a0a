"""Meshes as occupancy grids: the cells that the surface passes through, and those that it encloses."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

import numpy as np

from zerosum.data.packing.open_image import Unusable
from zerosum.errors import InputError

ENDINGS = (".off", ".obj", ".stl", ".glb")
UPRIGHT = (".obj", ".glb")
"""Endings of files whose y axis points upwards; of the others it is z."""

MARGIN = 1
"""Empty cells on each side of the longest side of a mesh."""

MOST_POINTS = 1 << 22
"""Points of a surface that are placed at once."""


def load_mesh(file: BinaryIO, ending: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Read a mesh: vertices (V, 3) float64, z upwards; triangles (F, 3) int64; and whether it is watertight.

    Raises:
        InputError: The extra `volumes` is not installed.
        Unusable: There is no mesh in the file.
    """
    try:
        import trimesh
    except ImportError as error:
        raise InputError("Reading meshes needs the volumes extra: type `pip install zerosum[volumes]`.") from error
    # Of a file that was opened by a descriptor trimesh would take the number for the name.
    mesh = trimesh.load_mesh(BytesIO(file.read()), file_type=ending.removeprefix("."))
    if isinstance(mesh, trimesh.Scene):
        mesh = mesh.to_mesh()
    vertices, faces = np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
    if len(vertices) == 0 or len(faces) == 0:
        raise Unusable("holds no triangles")
    if not np.isfinite(vertices).all():
        raise Unusable("has a vertex that is not finite (NaN or infinity)")
    if not float(np.ptp(vertices[faces].reshape(-1, 3), axis=0).max()) > 0:
        raise Unusable("has no size: all its corners lie at one point")
    if ending in UPRIGHT:
        vertices = vertices[:, [0, 2, 1]] * [1, -1, 1]
    return vertices, faces, bool(mesh.is_watertight)


def voxelise(vertices: np.ndarray, faces: np.ndarray, side: int) -> np.ndarray:
    """Bring a mesh to a grid (side, side, side), bool, centred, its longest side one cell short of the grid's ends.

    Cells that the surface passes through are occupied, and cells that cannot be reached from outside. A hole in the
    surface that is wider than a cell leaves the inside empty.
    """
    corners = vertices[faces]
    low, high = corners.min((0, 1)), corners.max((0, 1))
    scale = (side - 2 * MARGIN - 1) / float((high - low).max())
    corners = (corners - (low + high) / 2) * scale + side / 2
    grid = np.zeros((side,) * 3, bool)
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    steps = np.ceil(2 * edges).astype(np.int64).clip(1)  # two points a cell along the longest edge
    for count in np.unique(steps):
        weights = _weights(int(count))
        chosen = corners[steps == count]
        size = max(1, MOST_POINTS // len(weights))
        for start in range(0, len(chosen), size):
            points = np.einsum("wc,fcx->fwx", weights, chosen[start : start + size]).reshape(-1, 3)
            x, y, z = np.floor(points).astype(np.int64).clip(0, side - 1).T
            grid[x, y, z] = True
    from scipy import ndimage  # a second and 30 MB, which few commands need

    return np.asarray(ndimage.binary_fill_holes(grid))


def _weights(count: int) -> np.ndarray:
    """Barycentric weights of the points of a triangle whose edges are cut into `count` pieces: (P, 3)."""
    first, second = np.meshgrid(np.arange(count + 1), np.arange(count + 1), indexing="ij")
    inside = first + second <= count
    a, b = first[inside] / count, second[inside] / count
    return np.stack([a, b, 1 - a - b], axis=1)
