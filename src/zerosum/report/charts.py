"""Line charts as inline SVG: a smoothed line over its raw values, axes with round ticks, colours of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from markupsafe import Markup

from zerosum import text
from zerosum.report.render import render

COLOURS = 6
"""Colours of lines that the page's style defines."""


@dataclass(frozen=True)
class Line:
    """One curve."""

    name: str
    rounds: Sequence[float]
    """Ascending."""

    values: Sequence[float]
    """Finite, as many as rounds, at least one."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of a legend."""

    name: str
    value: str
    colour: int


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line as a chart draws it."""

    colour: int
    raw: str
    """Path of the values, drawn faintly."""

    smooth: str
    """Path of the smoothed values."""

    end: tuple[float, float]
    """Where the smoothed path ends: a dot."""


@dataclass(frozen=True)
class Frame:
    """Size of a chart and of the margins around its plot, in SVG units."""

    width: int
    height: int
    left: int = 46
    right: int = 14
    top: int = 12
    bottom: int = 36


WIDE, HALF, SMALL = Frame(820, 280), Frame(400, 230), Frame(262, 150, bottom=22)


@dataclass(frozen=True)
class Scale:
    """Brings values between `low` and `high` to positions between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the position of a value, to a tenth of a unit."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def chart(
    lines: Sequence[Line],
    frame: Frame,
    *,
    title: str,
    limits: tuple[float, float] | None = None,
    reference: float | None = None,
    marks: Sequence[tuple[float, str]] = (),
    say: Callable[[float], str] = text.compact,
) -> Markup:
    """Draw curves over rounds.

    Args:
        lines: One curve or more; the colours follow their order.
        frame: Size.
        title: What is drawn, as text for screen readers; unlike that of any other chart on the page.
        limits: Range of the vertical axis; chosen so that rare spikes do not flatten the rest where None.
        reference: A value worth comparing with, drawn as a dashed line.
        marks: Rounds at which something changed, with its name.
        say: How a tick of the vertical axis is written.
    """
    first, last = min(line.rounds[0] for line in lines), max(line.rounds[-1] for line in lines)
    low, high = limits or limits_of([value for line in lines for value in line.values])
    across = Scale(first, max(last, first + 1), frame.left, frame.width - frame.right)
    up = Scale(low, high, frame.height - frame.bottom, frame.top)
    rounds = ticks(across.low, across.high, most=max(3, frame.width // 90))
    levels = ticks(up.low, up.high, most=6 if frame.height > 160 else 4)
    return render(
        "chart.svg",
        title=title,
        clip="clip-" + "".join(letter if letter.isalnum() else "-" for letter in title),
        frame=frame,
        across=across,
        up=up,
        rounds=[(across(value), text.compact(value)) for value in rounds],
        levels=[(up(value), say(value)) for value in levels],
        reference=None if reference is None else up(reference),
        marks=[(across(at), name) for at, name in marks],
        curves=[_curve(line, colour, across, up) for colour, line in enumerate(lines)],
    )


def legend(lines: Sequence[Line], *, say: Callable[[float], str] = text.number) -> list[Entry]:
    """Name each line in its colour, with the smoothed value it ended at."""
    return [
        Entry(name=line.name, value=say(smooth(line.values)[-1]), colour=place % COLOURS)
        for place, line in enumerate(lines)
    ]


def ticks(low: float, high: float, *, most: int) -> list[float]:
    """Return at most `most` round numbers, evenly spaced, between two values.

    >>> ticks(0, 1, most=6), ticks(0, 20_000, most=5), ticks(-0.3, 1.4, most=5)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 5000.0, 10000.0, 15000.0, 20000.0], [0.0, 0.5, 1.0])
    """
    for exponent in range(math.floor(math.log10((high - low) / most)), 400):
        for step in (1, 2, 2.5, 5):
            spacing = step * 10.0**exponent
            first, last = math.ceil(low / spacing - 1e-9), math.floor(high / spacing + 1e-9)
            if last - first + 1 <= most:
                return [round(place * spacing, 12) for place in range(first, last + 1)]
    return []


def limits_of(values: Sequence[float]) -> tuple[float, float]:
    """Return a range that shows all values but the rarest hundredth, with a little air.

    >>> limits_of([1.0] * 500 + [9000.0])
    (0.9, 1.1)
    """
    ranked = sorted(values)
    low = ranked[int(0.005 * (len(ranked) - 1))]
    high = ranked[math.ceil(0.995 * (len(ranked) - 1))]
    air = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - air, high + air


def smooth(values: Sequence[float]) -> list[float]:
    """Average each value with its neighbours, a fortieth of the curve in all and fewer at its ends.

    >>> smooth([1.0, 5.0, 3.0])
    [1.0, 5.0, 3.0]
    """
    reach = len(values) // 80
    sums = list(accumulate(values, initial=0.0))
    spans = ((max(0, place - reach), min(len(values), place + reach + 1)) for place in range(len(values)))
    return [(sums[end] - sums[start]) / (end - start) for start, end in spans]


def _curve(line: Line, place: int, across: Scale, up: Scale) -> Curve:
    """Compute the paths of a line on a chart."""
    # A spike beyond the frame counts as on its edge: it should not bend the line for a fortieth of the run.
    smoothed = smooth([min(max(value, up.low), up.high) for value in line.values])
    stride = max(1, len(smoothed) // 400)
    kept = sorted({*range(0, len(smoothed), stride), len(smoothed) - 1})
    return Curve(
        colour=place % COLOURS,
        raw=_path(*_thinned(line, most=400), across, up),
        smooth=_path([line.rounds[i] for i in kept], [smoothed[i] for i in kept], across, up),
        end=(across(line.rounds[-1]), up(smoothed[-1])),
    )


def _thinned(line: Line, *, most: int) -> tuple[list[float], list[float]]:
    """Keep the lowest and the highest value of each of `most` stretches, in order: spikes survive."""
    stretch = max(1, len(line.values) // most)
    kept: list[int] = []
    for start in range(0, len(line.values), stretch):
        places = range(start, min(start + stretch, len(line.values)))
        kept += sorted({min(places, key=line.values.__getitem__), max(places, key=line.values.__getitem__)})
    return [line.rounds[i] for i in kept], [line.values[i] for i in kept]


def _path(rounds: Sequence[float], values: Sequence[float], across: Scale, up: Scale) -> str:
    return "M" + "L".join(f"{across(x):g} {up(y):g}" for x, y in zip(rounds, values, strict=True))
