"""The metrics there are, by name. One more group is one more entry here."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from zerosum.errors import InputError
from zerosum.evaluation.measures import (
    captions,
    classifier,
    clips,
    discriminator,
    duplicates,
    features,
    labels,
    memorisation,
    modes,
    neighbours,
    perceptual,
    pixels,
    volumes,
    waveforms,
)
from zerosum.evaluation.measures.base import MetricGroup
from zerosum.evaluation.result import Better
from zerosum.evaluation.samples import Comparison


def groups() -> tuple[MetricGroup, ...]:
    """Return all groups of metrics, in the order of the table."""
    return (
        *captions.groups(),
        *modes.groups(),
        *features.groups(),
        *neighbours.groups(),
        *classifier.groups(),
        *pixels.groups(),
        *perceptual.groups(),
        *clips.groups(),
        *duplicates.groups(),
        *memorisation.groups(),
        *discriminator.groups(),
        *labels.groups(),
        *volumes.groups(),
        *waveforms.groups(),
    )


def blind_spots(metrics: Sequence[str]) -> list[str]:
    """Return what some metrics do not react to, or react to the wrong way: a clause a group of metrics."""
    return [group.blind for group in groups() if group.blind and not group.names.keys().isdisjoint(metrics)]


def better() -> dict[str, Better]:
    """Return all metrics by name, and which way each is better."""
    return {name: way for group in groups() for name, way in group.names.items()}


def parse_names(asked: str) -> tuple[str, ...]:
    """Read the names of metrics from "a,b".

    Raises:
        InputError: There is no such metric, or none was named.

    >>> parse_names("fid, precision")
    ('fid', 'precision')
    """
    names = tuple(name.strip().lower() for name in asked.split(",") if name.strip())
    known = list(better())
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}."
            raise InputError(f"There is no metric {name!r}: {hint}")
    if not names:
        raise InputError(f"No metric was named: give some of {', '.join(known)}, with commas between.")
    return names


def chosen(comparison: Comparison, names: Sequence[str]) -> list[MetricGroup]:
    """Return the groups of some metrics.

    Raises:
        InputError: One is unavailable for this comparison.
    """
    found = [group for group in groups() if not group.names.keys().isdisjoint(names)]
    for group in found:
        reason = group.unavailable(comparison)
        if reason is not None:
            said = ", ".join(name for name in group.names if name in names)
            raise InputError(f"{said} is unavailable here: {reason}.")
    return found
