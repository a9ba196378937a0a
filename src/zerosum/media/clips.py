"""Clips as pictures and films: rows of frames, grids in motion, strips."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from torch import Tensor

from zerosum.data.batch import to_uint8
from zerosum.data.sources.clip_files import STRIP
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.media import image_arrays, image_grid
from zerosum.media.video import animate

ROWS = 8
"""Clips that a picture shows, a row each."""

SECONDS_PER_FRAME = 0.1
"""How long a frame stays in films of samples."""

FILMS = (".gif", ".mp4")
"""Endings of films."""


def draw(samples: Tensor, real: Tensor | None = None) -> Image.Image:
    """Draw the first of (N, T, C, H, W) clips in [-1, 1], a row of frames each."""
    return rows_of_frames(samples[:ROWS])


def rows_of_frames(samples: Tensor) -> Image.Image:
    """Draw (N, T, C, H, W) clips in [-1, 1], a row of frames each."""
    return image_grid.grid(samples.flatten(0, 1), columns=samples.shape[1])


def film(samples: Tensor, path: Path) -> None:
    """Write (N, T, C, H, W) clips in [-1, 1] as one film, in a grid that moves.

    Raises:
        InputError: the ending is not .gif or .mp4, or the `video` extra is needed and absent.
        StorageError: the disk refuses.
    """
    frames = [image_grid.grid(frame) for frame in samples.unbind(1)]
    animate(frames, path, seconds_per_frame=SECONDS_PER_FRAME)


def save(samples: Tensor, out: Path, metadata: Mapping[str, str], spec: Spec) -> list[Path]:
    """Write (N, T, C, H, W) clips in [-1, 1].

    A folder gets a PNG each, a strip of frames that can be trained on again, or where frames are not square or fewer
    than 4, a folder of frames each; a .gif or .mp4 all clips side by side, in motion; a .png a row of frames a clip; a
    .npy (N, T, H, W, C) uint8.

    Raises:
        InputError: The name ends otherwise, or the clips cannot be shown.
        StorageError: The disk refuses.
    """
    ending = "" if out.is_dir() else out.suffix.lower()
    if ending in FILMS:
        film(samples, out)
        return [out]
    if ending == ".npy":
        image_grid.require_finite(samples)
        return [image_arrays.write_array(to_uint8(samples).cpu().permute(0, 1, 3, 4, 2).contiguous().numpy(), out)]
    if ending in image_arrays.ENDINGS:
        raise InputError(f"Clips are not written as {out.name}: give .gif, .mp4, .png or .npy, or a folder.")
    if image_grid.is_picture(out):
        image_grid.write_png(rows_of_frames(samples), out, metadata)
        return [out]
    if samples.shape[3] != samples.shape[4] or samples.shape[1] < STRIP:
        folders = [out / f"sample-{position:04d}" for position in range(len(samples))]
        return [
            path
            for clip, folder in zip(samples, folders, strict=True)
            for path in image_grid.save_images(clip, folder, prefix="frame", metadata=metadata)
        ]
    strips = samples.permute(0, 2, 3, 1, 4).flatten(3)
    return image_grid.save_images(strips, out, prefix="sample", metadata=metadata)
