"""Frames at one pace: repeated or left out, by their number or by their times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median

from PIL import Image

SAME_RATE = 0.02
"""Share by which the frame rates of two videos may differ and be called the same."""

UNEVEN = 0.5
"""Share of the usual time from one frame to the next by which a time may differ where frames come evenly."""


def by_number(frames: Iterator[Image.Image], own: float | None, rate: float | None) -> Iterator[Image.Image]:
    """Repeat or leave out frames that come evenly, `own` a second, so that `rate` a second come."""
    if own is None or rate is None or abs(own / rate - 1) <= SAME_RATE:
        yield from frames
        return
    due = 0
    for index, frame in enumerate(frames):
        while int(due * own / rate) == index:
            yield frame
            due += 1


def by_time(frames: Iterable[tuple[float, Image.Image]], rate: float) -> Iterator[Image.Image]:
    """Repeat or leave out frames that begin at some times, in seconds, so that `rate` a second come; the last comes."""
    start, made, held = None, 0, None
    for time, frame in frames:
        start = time if start is None else start
        due = math.ceil((time - start) * rate - 0.1)  # a tenth, because files round times
        while held is not None and made < due:
            yield held
            made += 1
        held = frame
    if held is not None:
        yield held


def is_even(times: Sequence[float]) -> bool:
    """Whether frames that begin at some times come evenly.

    >>> is_even([0, 40, 80, 120]), is_even([0, 40, 80, 480]), is_even([0])
    (True, False, True)
    """
    steps = [after - before for before, after in pairwise(times)]
    usual = median(steps) if steps else 0
    return all(abs(step - usual) <= UNEVEN * usual for step in steps)


def rate_of_animation(image: Image.Image) -> float | None:
    """Return the frames a second of an animation, by how long most of its frames last; None where it does not say.

    A frame that is held longer, such as a title or the last one, waits for a reader, and is a frame as any other here.
    """
    lasting = []
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        if image.format == "WEBP":  # which says so of a frame that is decoded
            image.load()
        lasting.append(float(image.info.get("duration") or 0))
    image.seek(0)
    usual = median(lasting)
    return 1000 / usual if usual > 0 else None
