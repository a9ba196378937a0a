"""Volumes: grids of empty and occupied cells, which are shapes in space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.batch import Batch
from zerosum.data.dataset import SampleDataset, gather, random_labels
from zerosum.data.jitter import Draw
from zerosum.data.options import DataConfig
from zerosum.data.packing.cache import MADE_AGAIN, digest, discard, key_of, reopen
from zerosum.data.packing.identity import content_of, digests
from zerosum.data.sources.find import built_in, name_of, shadowed
from zerosum.data.sources.label_table import label_key
from zerosum.data.spec import Spec
from zerosum.data.volumes import grids, shapes3d
from zerosum.data.volumes.grids import THRESHOLD
from zerosum.data.volumes.pack import pack_volumes
from zerosum.data.volumes.source import VolumeSource, find_volumes, is_volumes, sized_by
from zerosum.errors import InputError
from zerosum.kinds.base import Kind
from zerosum.media import meshes, turntable
from zerosum.media.image_arrays import write_array
from zerosum.media.image_grid import is_picture, write_png
from zerosum.runtime.thread_pool import ProgressCallback
from zerosum.text import shown

READING = 2
"""Goes up whenever files are read in another way, so that no older pack is taken from the cache."""


@dataclass(frozen=True, kw_only=True)
class Volumes(Batch):
    """Volumes, and their labels where the data have them."""

    volume: Tensor
    """(N, 1, X, Y, Z): float, 0 for empty and 1 for occupied, once on the device; uint8 on the way there."""

    label: Tensor | None = None
    """(N,), int64 in [0, K), or None."""

    @property
    def real(self) -> Tensor:
        """The samples themselves: (N, 1, X, Y, Z)."""
        return self.volume

    def to(self, device: torch.device, memory_format: torch.memory_format = torch.contiguous_format) -> Self:
        """Copy to `device`; cells become float there, and volumes take `memory_format`."""
        moved = super().to(device)
        if moved.volume.dtype != torch.uint8:
            return moved
        return replace(moved, volume=moved.volume.float().contiguous(memory_format=memory_format))


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeDataset(SampleDataset):
    """M volumes as bits, (M, V / 8) uint8."""

    def batch(self, *rows: np.ndarray, draw: Draw | None = None) -> Volumes:
        """Gather volumes at (N,) rows: (N, 1, X, Y, Z) uint8."""
        (chosen,) = rows
        return Volumes(volume=self.real(chosen), label=self.labels_at(chosen))

    def real(self, rows: np.ndarray) -> Tensor:
        """Gather the volumes at (N,) rows, without labels: (N, 1, X, Y, Z) uint8 of 0 and 1."""
        return torch.from_numpy(grids.unpacked(gather(self.samples, rows), self.spec.shape[-1])).unsqueeze(1)


def open_volumes(
    source: str | Path, *, options: DataConfig = DataConfig(), progress: ProgressCallback | None = None
) -> VolumeDataset:
    """Open volumes by a path or by the name shapes3d.

    Args:
        source: A folder or .zip of .binvox, .npy, .npz, .off, .obj, .stl and .glb files, a volume each, in class
            folders or not; a .npy or .npz of many volumes; or shapes3d.
        options: Size, labels, split, cache, and what to do about volumes that cannot be used.
        progress: Told of the stage "pack".

    Raises:
        InputError: There are no such data, or they cannot be used; the sentence says why and how to go on.
        StorageError: The cache cannot be written to.
    """
    if options.channels not in (None, 1):
        raise InputError(f"--channels is {options.channels}, and volumes have one channel: leave it out.")
    if built_in(source) == shapes3d.NAME:
        return _shapes(source, options)
    found = find_volumes(source, options)
    cache, key = options.cache_folder(), _key(found, options, progress)
    packed, remarks = reopen(cache, key), ()
    if packed is None:
        remarks = (MADE_AGAIN,) * discard(cache, key)
        pack_volumes(cache, key, found, options, progress)
        packed = reopen(cache, key)
    if packed is None:
        raise InputError(f"The packed form of {source} was deleted while it was being opened: try again.")
    return VolumeDataset(
        samples=packed.samples,
        labels=packed.labels,
        spec=replace(packed.spec, kind="volumes"),
        source=name_of(source),
        fingerprint=packed.fingerprint,
        notes=tuple(map(shown, (*packed.notes, *remarks))),
    )


def _key(found: VolumeSource, options: DataConfig, progress: ProgressCallback | None) -> str:
    """Return the name of the pack: it changes with the content of every file, option and label."""
    asked = {name: value for name, value in asdict(options).items() if name in ("size", "labels", "split", "corrupt")}
    cache = options.cache_folder()
    if found.files is None:
        return key_of("volumes", found.paths[0].suffix, digests(found.paths, cache, progress), asked)
    table = label_key(found.files, options)
    return key_of("volumes", READING, content_of(found.files, cache, progress), found.files.prefix, asked, table)


def _shapes(source: str | Path, options: DataConfig) -> VolumeDataset:
    """Build the procedural shapes: too quickly to be worth a file."""
    side = grids.side_of(options.size) or 32
    if options.labels not in (None, "none"):
        raise InputError(f"{shapes3d.NAME} brings its own labels: leave out --labels {options.labels}.")
    volumes, numbers = shapes3d.shapes(options.split, side)
    labels = None if options.labels == "none" else numbers
    classes = () if labels is None else shapes3d.CLASSES
    samples = grids.packed(volumes)
    spec = Spec(shape=(1, side, side, side), kind="volumes", classes=classes)
    note = f"{len(samples):,} procedural shapes of {side}x{side}x{side} cells, {volumes.mean():.1%} of them occupied."
    return VolumeDataset(
        samples=samples,
        labels=labels,
        spec=spec,
        source=shapes3d.NAME,
        fingerprint=digest(samples, labels, spec),
        notes=(note, *shadowed(source)),
    )


def draw(samples: Tensor, real: Tensor | None = None) -> Image.Image:
    """Draw (N, 1, X, Y, Z) volumes in [0, 1], shaded: two to four of them from four sides, others from one."""
    return turntable.sheet(samples[:, 0])


def save(samples: Tensor, out: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write (N, 1, X, Y, Z) volumes in [0, 1]: a .glb each into a folder, or all into one file.

    A .glb, .obj or .stl gets their surfaces, a .npy (N, X, Y, Z) bool, a .png a picture.

    Raises:
        InputError: The name ends in something else, there is nothing to write, or the extra `volumes` is missing.
        StorageError: The disk refuses.
    """
    ending = "" if out.is_dir() else out.suffix.lower()
    if ending == ".npy":
        return [write_array((samples[:, 0].float().cpu() > THRESHOLD).numpy(), out)]
    if is_picture(out):
        write_png(draw(samples), out, metadata)
        return [out]
    if ending in meshes.ENDINGS:
        return [meshes.write_all(samples[:, 0], out, metadata)]
    if ending in (".tif", ".tiff"):
        raise InputError(
            f"Volumes are not written as {out.name}: give a name that ends in {', '.join(meshes.ENDINGS)}, .npy or "
            ".png, or a folder."
        )
    return meshes.write_each(samples[:, 0], out, metadata)


def finished(samples: Tensor, spec: Spec) -> Tensor:
    """Bring volumes (N, 1, X, Y, Z) in [0, 1] to uint8 of 0 and 1."""
    return (samples > THRESHOLD).to(torch.uint8)


def play(samples: Tensor, path: Path, spec: Spec) -> list[Path]:
    """Write the first four of (N, 1, X, Y, Z) volumes as a turning .gif, and their surfaces as a .glb.

    The surfaces are left out where the extra `volumes` is missing or all are empty.
    """
    shown, film = samples[:4, 0], path.with_suffix(".gif")
    turntable.film(shown, film)
    if not meshes.available() or not bool((shown > THRESHOLD).any()):
        return [film]
    return [film, meshes.write_all(shown, path.with_suffix(".glb"), {})]


def example(spec: Spec, count: int) -> VolumeDataset:
    """Make random blobs of a spec, with labels where it has classes."""
    volumes = np.random.default_rng(0).random((count, *spec.shape[1:])) < 0.1
    return VolumeDataset(
        samples=grids.packed(volumes),
        labels=random_labels(spec, count),
        spec=spec,
        source="random",
        fingerprint="random",
        notes=(),
    )


KIND = Kind(
    name="volumes",
    unit="volumes",
    batch=Volumes,
    recipe=lambda spec, options: "gan3d",
    open=open_volumes,
    accepts=is_volumes,
    unused=("target", "degrade", "direction", "fit", "range", "depth"),
    draw=draw,
    endings=meshes.ENDINGS,
    save=save,
    example=example,
    memory_format=torch.channels_last_3d,
    pictures=False,
    features="volumes",
    finished=finished,
    like=lambda spec, options: replace(options, size=str(spec.shape[-1])),
    sized_by=sized_by,
    play=play,
    jitters=False,
)
