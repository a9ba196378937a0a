"""Images that come as one array: how its axes and numbers are read, and how it becomes packed rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zerosum.data.options import SMALLEST_SIDE, DataConfig
from zerosum.data.packing.bit_depth import Scale, float_scale, integer_scale, read_range, written
from zerosum.data.packing.decode import PixelFormat, fit, with_channels
from zerosum.data.packing.depth import bits_for
from zerosum.data.packing.making import new_pack
from zerosum.data.packing.rows import fit_wide
from zerosum.data.packing.wide import doubled, with_wide_channels
from zerosum.data.side_choice import choose_sides
from zerosum.data.sources.array_axes import channels_last
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.runtime.thread_pool import ProgressCallback, on_all_cores
from zerosum.text import counted

CHUNK_BYTES = 1 << 25


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageArray:
    """M images of one size, not yet brought to the size that was asked for."""

    samples: np.ndarray
    """(M, H, W, C), of any number type; possibly a view of a memory map."""

    labels: np.ndarray | None = None
    """(M,) int64 in [0, K), or None."""

    classes: tuple[str, ...] = ()
    scale: Scale | None = None
    """How the numbers become 0..255; None where they are uint8 already."""

    range: str | None = None
    """The range that was asked for, as `read_range` reads it."""

    notes: tuple[str, ...] = ()


def table_of(images: np.ndarray, name: str) -> ImageArray:
    """Read an array as images.

    Args:
        images: (M, H, W), (M, H, W, C) or (M, C, H, W); bool, integers or floating point. The channels are the axis of
            at most 4, or else the one that is shorter than both others.
        name: What to call the array in an error.

    Raises:
        InputError: The array is empty, has another shape or ambiguous axes, or holds what is no finite number.
    """
    if images.dtype.kind not in "buif":
        raise InputError(f"{name} holds {images.dtype} values: expected numbers.")
    samples = channels_last(images, name)
    count, height, width, _ = samples.shape
    if count == 0:
        raise InputError(f"{name} is empty, of shape {images.shape}: expected at least one image.")
    if min(height, width) < SMALLEST_SIDE:
        raise InputError(
            f"{name} has the shape {images.shape}, images of {height}x{width} pixels: expected (M, H, W), (M, H, W, C) "
            f"or (M, C, H, W) with at least {SMALLEST_SIDE} pixels a side."
        )
    if samples.dtype == np.uint8:
        return ImageArray(samples=samples)
    low, high = float(samples.min()), float(samples.max())
    if not np.isfinite(low + high):
        raise InputError(f"{name} holds numbers that are not finite (NaN or infinity): replace or remove them first.")
    if samples.dtype == np.bool_:
        scale = Scale(low=0, high=1, sentence="False and true become 0 and {top}.")
    else:
        scale = float_scale(low, high) if samples.dtype.kind == "f" else integer_scale(low, high)
    return ImageArray(samples=samples, scale=scale)


def with_labels(
    table: ImageArray, labels: np.ndarray, classes: tuple[str, ...], name: str, others: Sequence[np.ndarray] = ()
) -> ImageArray:
    """Add labels to a table.

    Args:
        table: M images.
        labels: (M,) or (M, 1) integers.
        classes: Names of the classes; if empty, the values of the labels become their names.
        name: What to call the labels in an error.
        others: Labels of the other splits, whose values count among the classes where these are not named.

    Raises:
        InputError: The labels are no integers, not one for each image, or outside the named classes.
    """
    flat = labels.reshape(-1) if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if flat.shape != (len(table.samples),) or flat.dtype.kind not in "ui":
        raise InputError(
            f"{name} has the shape {labels.shape} and holds {labels.dtype}: expected {len(table.samples):,} integers, "
            "one class number for each image."
        )
    values = np.unique(flat)
    if classes and (values[0] < 0 or values[-1] >= len(classes)):
        raise InputError(
            f"{name} holds class {values[0] if values[0] < 0 else values[-1]}, but {len(classes)} are named."
        )
    if not classes:
        values = np.unique(np.concatenate([values, *others]))
        classes, flat = tuple(str(value) for value in values), np.searchsorted(values, flat)
    return replace(table, labels=flat.astype(np.int64), classes=classes)


def settle(table: ImageArray, options: DataConfig) -> tuple[PixelFormat, ImageArray]:
    """Decide the shape that all images get, and what to do about labels.

    Returns:
        The plan, and the table with sentences on all of it, and without labels if none are wanted.

    Raises:
        InputError: Labels are asked from a place that an array does not have, or tiles of its images.
    """
    if options.fit == "tiles":
        raise InputError("--fit tiles is for image files, and these are images of one size in an array: leave it out.")
    _, height, width, channels = table.samples.shape
    tall, wide = choose_sides({(height, width)}, options)
    table = _in_range(table, options)
    bits = bits_for(options.depth, wide_scales(table), lambda: _levels(table))
    plan = PixelFormat(height=tall, width=wide, channels=options.channels or channels, scales={}, bits=bits)
    plan = replace(plan, padded=options.fit == "pad")
    notes = [*([] if table.scale is None else [table.scale.note(bits)]), *table.notes]
    if (tall, wide) == (height, width):
        notes.append(f"All images are {height}x{width} and keep their size.")
    else:
        way, done = ("lie within", "padded with their reflection") if plan.padded else ("cover", "cut to the centre")
        cut = f" and {done}" if height * wide != width * tall else ""
        notes.append(f"Images are scaled from {height}x{width} to {way} {tall}x{wide} (height x width, Lanczos){cut}.")
    if plan.channels != channels > 4:
        raise InputError(
            f"--channels {plan.channels} cannot be made of {channels} channels: leave it out to keep them."
        )
    if plan.channels != channels:
        white = "; the last channel is alpha, and is composited on white" if channels in (2, 4) else ""
        luma = "; gray is ITU-R BT.601 luma" if plan.channels <= 2 < channels else ""
        notes.append(f"Channels change from {channels} to {plan.channels}{white if plan.channels % 2 else ''}{luma}.")
    if options.labels not in (None, "none"):
        raise InputError(f"--labels {options.labels} needs a folder or zip of images; an array brings its own labels.")
    if options.ages is not None:
        raise InputError(f"--ages {options.ages} needs a folder or zip of images; an array brings its own labels.")
    if options.labels == "none" and table.labels is not None:
        return plan, replace(table, labels=None, classes=(), notes=(*notes, "No labels were taken, as asked."))
    origin = (
        "The data have no labels."
        if table.labels is None
        else f"Labels of {counted(len(table.classes), 'class')} came along."
    )
    return plan, replace(table, notes=(*notes, origin))


def _in_range(table: ImageArray, options: DataConfig) -> ImageArray:
    """Give the numbers of a table the range that was asked for, or that the training data have."""
    scales = read_range(options.range)
    table = replace(table, range=written(scales))
    return replace(table, scale=scales.get(kind_of(table.samples.dtype), table.scale))


def kind_of(dtype: np.dtype[Any]) -> str:
    """The kind of number that a range names: "byte", "integer" or "float"; "bool" has none."""
    return "byte" if dtype == np.uint8 else {"f": "float", "b": "bool"}.get(dtype.kind, "integer")


def _levels(table: ImageArray) -> Iterator[np.ndarray]:
    """Yield the distinct 16-bit levels of the numbers of a table, piece by piece."""
    size = max(1, CHUNK_BYTES // int(np.prod(table.samples.shape[1:])))
    for start in range(0, len(table.samples), size):
        piece = table.samples[start : start + size]
        yield np.unique(piece if table.scale is None else table.scale.apply(piece, 16))


def chunks(table: ImageArray, plan: PixelFormat) -> Iterator[np.ndarray]:
    """Bring a table to the plan's shape, piece by piece: (n, H, W, C), uint8 or uint16 as its bits say."""
    samples, row_shape = table.samples, (plan.height, plan.width, plan.channels)
    alone = replace(plan, channels=1)
    size = max(1, CHUNK_BYTES // max(int(np.prod(samples.shape[1:])), int(np.prod(row_shape))))

    def one(image: np.ndarray) -> np.ndarray:
        if plan.channels > 4 and plan.bits == 16:
            return fit_wide(image, plan, alpha=False)
        if plan.channels > 4:  # no picture: each channel is scaled for itself
            return np.concatenate([fit(Image.fromarray(band), alone) for band in np.moveaxis(image, -1, 0)], axis=-1)
        if plan.bits == 16:
            return fit_wide(with_wide_channels(image, plan.channels), plan, alpha=plan.channels in (2, 4))
        plain = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
        return fit(with_channels(plain, plan.channels), plan)

    for start in range(0, len(samples), size):
        piece = np.ascontiguousarray(samples[start : start + size])
        if table.scale is not None:
            piece = table.scale.apply(piece, plan.bits)
        elif plan.bits == 16:
            piece = doubled(piece)
        yield piece if samples.shape[1:] == row_shape else np.stack(list(on_all_cores(one, piece, window=256)))


def spec_of(table: ImageArray, plan: PixelFormat) -> Spec:
    """What a recipe needs to know about a table once it has the plan's shape."""
    own = written({kind_of(table.samples.dtype): scale for scale in wide_scales(table)})
    shape = (plan.channels, plan.height, plan.width)
    return Spec(shape=shape, classes=table.classes, bits=plan.bits, range=table.range or own)


def wide_scales(table: ImageArray) -> list[Scale]:
    """The scale of a table's numbers, if they have one: bytes and truth values have none."""
    return [] if table.scale is None or kind_of(table.samples.dtype) == "bool" else [table.scale]


def pack_table(
    cache: Path, key: str, table: ImageArray, options: DataConfig, progress: ProgressCallback | None = None
) -> None:
    """Bring a table to the size and channels asked for, into a pack of the cache.

    Raises:
        InputError: Labels are asked from a place that an array does not have.
        StorageError: The cache cannot be written to.
    """
    plan, settled = settle(table, options)
    with new_pack(cache, key, (plan.height, plan.width, plan.channels), plan.bits) as packing:
        for rows in chunks(settled, plan):
            packing.append(rows)
            if progress is not None:
                progress("pack", packing.count, len(settled.samples))
        packing.finish(
            labels=settled.labels,
            spec=spec_of(settled, plan),
            notes=(*settled.notes, *packing.levels.warnings(wide_scales(settled))),
        )
