"""Surfaces of volumes, by marching cubes, and their files."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from zerosum.data.volumes.cells import KEY, as_text
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing

ENDINGS = (".glb", ".obj", ".stl")
"""Of files that hold surfaces."""

UPRIGHT = (".glb", ".obj")
"""Endings of files whose y axis points upwards; of .stl it is z."""

LEVEL = 0.5
"""Value of a volume at its surface."""

APART = 1.2
"""Distance of surfaces in one file, in sides of a volume."""


def surface(volume: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the surface at 0.5 of a volume (X, Y, Z) in [0, 1]; None where no cell exceeds that.

    Returns:
        Vertices (V, 3) in [-0.5, 0.5] of the longest side, and triangles (F, 3), counterclockwise as looked at from
        outside. The surface is closed, also where the volume reaches its own ends.

    Raises:
        InputError: The extra `volumes` is not installed.

    Source: Lewiner et al. 2003, "Efficient implementation of marching cubes' cases with topological guarantees".
    """
    measure = _extra("skimage.measure")
    if not float(volume.max()) > LEVEL:
        return None
    vertices, faces, _, _ = measure.marching_cubes(np.pad(volume, 1), LEVEL, gradient_direction="ascent")
    return (vertices - 1 + 0.5 - np.array(volume.shape) / 2) / max(volume.shape), faces


def write_all(volumes: Tensor, out: Path, metadata: Mapping[str, str]) -> Path:
    """Write the surfaces of (N, X, Y, Z) volumes in [0, 1] into one .glb, .obj or .stl, side by side.

    Raises:
        InputError: No volume has a surface, or the extra `volumes` is missing.
        StorageError: The disk refuses.
    """
    found = {number: shape for number, shape in _surfaces(volumes).items() if shape is not None}
    _require_some(found)
    columns = math.ceil(math.sqrt(len(found)))
    places = {number: np.array([index % columns, -(index // columns), 0.0]) for index, number in enumerate(found)}
    shapes = {number: (vertices + APART * places[number], faces) for number, (vertices, faces) in found.items()}
    _write(shapes, out, metadata)
    return out


def write_each(volumes: Tensor, folder: Path, metadata: Mapping[str, str]) -> list[Path]:
    """Write the surface of each of (N, X, Y, Z) volumes in [0, 1] as a .glb into a folder, but for empty volumes.

    Its cells lie beside it, in the extras, so that `zerosum.kinds.volumes` reads the same volume again.

    Raises:
        InputError: No volume has a surface, or the extra `volumes` is missing.
        StorageError: The disk refuses.
    """
    found = {number: shape for number, shape in _surfaces(volumes).items() if shape is not None}
    _require_some(found)
    paths = []
    for number, shape in found.items():
        paths.append(folder / f"sample-{number:04d}.glb")
        cells = volumes[number].detach().float().cpu().numpy() > LEVEL
        _write({number: shape}, paths[-1], {**metadata, KEY: as_text(cells)})
    return paths


def available() -> bool:
    """Whether the extra `volumes` is installed."""
    try:
        for name in ("skimage.measure", "trimesh"):
            _extra(name)
    except InputError:
        return False
    return True


def _surfaces(volumes: Tensor) -> dict[int, tuple[np.ndarray, np.ndarray] | None]:
    return {number: surface(volume) for number, volume in enumerate(volumes.detach().float().cpu().numpy())}


def _require_some(found: Mapping[int, Any]) -> None:
    if not found:
        raise InputError(
            "Every volume is empty at 0.5, so there is no surface to write: train longer, or give a lower --threshold."
        )


def _write(shapes: Mapping[int, tuple[np.ndarray, np.ndarray]], out: Path, metadata: Mapping[str, str]) -> None:
    trimesh = _extra("trimesh")
    scene = trimesh.Scene(metadata=dict(metadata))
    ending = out.suffix.lower()
    for number, (vertices, faces) in shapes.items():
        turned = vertices[:, [0, 2, 1]] * [1, 1, -1] if ending in UPRIGHT else vertices
        name = f"sample-{number:04d}"
        scene.add_geometry(trimesh.Trimesh(turned, faces, process=False), geom_name=name, node_name=name)
    content = scene.export(file_type=ending.removeprefix("."))
    with replacing(out) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def _extra(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            "Surfaces of volumes need the volumes extra: type `pip install zerosum[volumes]`, or give a name that ends "
            "in .npy or .png."
        ) from error
