"""TensorBoard's event files, read as rows of numbers by the names of their tags."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zerosum.doctor.log_files import MOST_ROWS, Row, require_size
from zerosum.errors import InputError

MARK = "tfevents"
MOST_TAGS = 1_000


def event_files(place: Path) -> list[Path]:
    """Return the event files that a path names: itself, or those in the folder."""
    found = [place] if place.is_file() else sorted(place.iterdir()) if place.is_dir() else []
    return [path for path in found if MARK in path.name and path.is_file()]


def read_events(place: Path) -> tuple[list[str], list[Row], list[str]]:
    """Read the scalars of an event file, or of all that lie in a folder.

    Returns:
        Tags, rows with a "step" each, and remarks, a sentence each.

    Raises:
        InputError: it is empty or too large, or holds no scalars.
    """
    files = event_files(place)
    require_size(place, sum(path.stat().st_size for path in files))
    try:
        series = dict(_series(place))
    except Exception as error:  # of a file that anyone may have written, in a parser that is not ours
        raise InputError(f"{place} cannot be read as TensorBoard's events ({type(error).__name__}).") from None
    if not series:
        raise InputError(f"{place} holds no scalars: give an event file in which losses were logged.")
    rows: dict[int, Row] = {}
    for tag, points in series.items():
        for step, value in points:
            rows.setdefault(step, {"step": float(step)})[tag] = value
    return ["step", *series], [rows[step] for step in sorted(rows)], []


def _series(place: Path) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    from tensorboard.backend.event_processing import event_accumulator as events

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    kept = {events.SCALARS: MOST_ROWS, events.TENSORS: MOST_ROWS}
    others = (events.IMAGES, events.AUDIO, events.HISTOGRAMS, events.COMPRESSED_HISTOGRAMS)
    accumulator = events.EventAccumulator(str(place), size_guidance=kept | dict.fromkeys(others, 1))
    accumulator.Reload()
    tags = accumulator.Tags()
    for tag in tags["scalars"][:MOST_TAGS]:
        yield tag, [(event.step, float(event.value)) for event in accumulator.Scalars(tag)]
    for tag in tags["tensors"][:MOST_TAGS]:
        points = [(event.step, _scalar(event.tensor_proto)) for event in accumulator.Tensors(tag)]
        if measured := [(step, value) for step, value in points if value is not None]:
            yield tag, measured


def _scalar(tensor: Any) -> float | None:
    """Return the value of a tensor of one number, and None for any other, however large it claims to be."""
    from tensorboard.util import tensor_util

    if any(dim.size != 1 for dim in tensor.tensor_shape.dim):
        return None
    array = tensor_util.make_ndarray(tensor)
    return float(array.reshape(-1)[0]) if array.dtype.kind in "fiu" and array.size == 1 else None
