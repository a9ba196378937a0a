"""Points of the plane: mixtures of Gaussians, on which mode collapse can be counted in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import Points
from zerosum.data.dataset import SampleDataset, gather, random_labels
from zerosum.data.jitter import Draw
from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import digest
from zerosum.data.sources import toys
from zerosum.data.sources.find import built_in, name_of, shadowed
from zerosum.data.sources.point_files import is_points, read_points
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.kinds.base import Kind
from zerosum.media import image_arrays, image_grid
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import counted


@dataclass(frozen=True, kw_only=True, eq=False)
class PointDataset(SampleDataset):
    """(M, 2) float32 points, in their own units."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Points:
        """Gather points at (N,) rows."""
        (chosen,) = rows
        return Points(point=self.real(chosen), label=self.labels_at(chosen))

    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the points at (N,) rows, without labels: (N, 2) float32."""
        return torch.from_numpy(gather(self.samples, rows))


def open_points(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> PointDataset:
    """Draw the points of a mixture, the same ones every time, with their modes as labels; or read points (M, 2).

    Args:
        source: "ring8" or "grid25", a .npy file, or a folder of one.
        options: their split and labels count.
        progress: told nothing: it takes no time.

    Raises:
        InputError: there is no such mixture, file or split, or a point is not finite.
    """
    if built_in(source) is None:
        return _read(source, options)
    name = str(built_in(source))
    samples, labels = toys.points(name, options.split)
    centres, sigma = toys.modes(name)
    kept: np.ndarray | None = None if options.labels == "none" else labels
    classes = () if kept is None else tuple(str(mode) for mode in range(len(centres)))
    spec = Spec(shape=(2,), kind="points", classes=classes)
    note = f"{toys.POINTS:,} points of {len(centres)} modes with a standard deviation of {sigma}, in their own units."
    return PointDataset(
        samples=samples,
        labels=kept,
        spec=spec,
        source=name,
        fingerprint=digest(samples, kept, spec),
        notes=(note, *shadowed(source)),
    )


def _read(source: str | Path, options: DataConfig) -> PointDataset:
    samples, spec = read_points(source, options), Spec(shape=(2,), kind="points")
    return PointDataset(
        samples=samples,
        labels=None,
        spec=spec,
        source=name_of(source),
        fingerprint=digest(samples, None, spec),
        notes=(f"{counted(len(samples), 'point')} in their own units.",),
    )


def draw(samples: Tensor, real: Tensor | None = None) -> Image.Image:
    """Draw (N, 2) points as a scatter plot, over real ones (M, 2)."""
    return image_grid.scatter(samples, reference=real)


def save(samples: Tensor, out: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write (N, 2) points: as a scatter plot into a .png, as numbers into a .npy, or as both into a folder.

    Raises:
        InputError: the name ends in .tif.
        StorageError: the disk refuses.
    """
    ending = "" if out.is_dir() else out.suffix.lower()
    if ending == ".npy":
        return [image_arrays.write_array(_numbers(samples), out)]
    if ending in image_arrays.ENDINGS:
        raise InputError(f"Points are not written as {out.name}: give a name that ends in .npy or .png, or a folder.")
    picture = image_grid.is_picture(out)
    target = out if picture else out / "samples.png"
    image_grid.write_png(image_grid.scatter(samples), target, metadata)
    return [target] if picture else [target, image_arrays.write_array(_numbers(samples), target.with_suffix(".npy"))]


def _numbers(samples: Tensor) -> np.ndarray:
    return samples.detach().float().cpu().numpy()


def example(spec: Spec, count: int) -> PointDataset:
    """Make random points of a spec, with labels where it has classes."""
    samples = np.random.default_rng(0).normal(size=(count, *spec.shape)).astype(np.float32)
    labels = random_labels(spec, count)
    return PointDataset(samples=samples, labels=labels, spec=spec, source="random", fingerprint="random", notes=())


KIND = Kind(
    name="points",
    unit="points",
    batch=Points,
    recipe=lambda spec, options: "gan",
    open=open_points,
    accepts=is_points,
    unused=(
        "target",
        "degrade",
        "direction",
        "size",
        "channels",
        "fit",
        "range",
        "depth",
        "labels",
    ),
    draw=draw,
    save=save,
    example=example,
    precision="float32",
    prefetch=False,
    jitters=False,
    pictures=False,
    features="raw",
    finished=lambda samples, spec: samples,
)
