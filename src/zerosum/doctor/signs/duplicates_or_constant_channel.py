"""Data with repeated samples, or with a channel that says nothing."""

from __future__ import annotations

import hashlib
import re

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies

REPEATED = 0.05
"""Share of the samples."""
SAID = re.compile(r"Exact repeats of another sample: ([\d,]+)")
NARROW = re.compile(r"Few levels are filled")


def find(evidence: Evidence) -> Finding | None:
    """Return the first of: a constant channel, repeats, few levels of gray; by the samples or by what was said."""
    given = evidence.samples if evidence.real is None else evidence.real  # a folder alone may be data
    real = given if given is not None and len(given) > 1 else None
    found = None if real is None else _constant(real) or _repeats(real)
    return found or _said(evidence)


def _constant(real: np.ndarray) -> Finding | None:
    if real.ndim != 4 or real.shape[1] < 2:
        return None
    for channel in range(real.shape[1]):
        values = real[:, channel]
        if values.max() == values.min():
            fewer = 3 if real.shape[1] == 4 else 1
            return SIGN.finding(
                title=f"Channel {channel + 1} of the images is constant",
                severity="warning",
                confidence="certain",
                since=0,
                measure="range of the channel's values",
                value=0.0,
                threshold=1.0,
                meaning="The channel has one value everywhere, which the networks spend weights on and learn nothing "
                "from. Often it is opacity, or a file read in the wrong order.",
                remedies=(
                    Remedy(flags=f"--channels {fewer}", why="leaves the channel out", settings={"channels": fewer}),
                ),
            )
    equal = real.shape[1] == 3 and bool(
        np.array_equal(real[:, 0], real[:, 1]) and np.array_equal(real[:, 1], real[:, 2])
    )
    if not equal:
        return None
    return SIGN.finding(
        title="The images are gray, in three equal channels",
        severity="note",
        confidence="certain",
        since=0,
        measure="difference between the channels",
        value=0.0,
        threshold=1.0,
        meaning="Three equal channels cost more and make samples that are slightly tinted.",
        remedies=(Remedy(flags="--channels 1", why="takes one of them", settings={"channels": 1}),),
    )


def _repeats(real: np.ndarray) -> Finding | None:
    digests = {hashlib.blake2b(np.ascontiguousarray(sample).tobytes(), digest_size=16).digest() for sample in real}
    share = 1 - len(digests) / len(real)
    return _repeated(share) if share >= REPEATED else None


def _said(evidence: Evidence) -> Finding | None:
    for note in evidence.facts.notes:
        if (match := SAID.search(note)) and evidence.facts.images:
            share = int(match[1].replace(",", "")) / evidence.facts.images
            if share >= REPEATED:
                return _repeated(share)
        if NARROW.search(note):
            return SIGN.finding(
                title="The images fill few levels of gray",
                severity="warning",
                confidence="likely",
                since=0,
                measure="notes on the data that say so",
                value=1.0,
                threshold=1.0,
                meaning="Nearly all values lie in a small part of the range, so that images are nearly black, white or "
                "of one gray, and the networks have little contrast to learn from.",
                remedies=remedies.those(
                    (Remedy(flags="--range LOW,HIGH", why="spreads the values that matter over the whole range"),)
                ),
            )
    return None


def _repeated(share: float) -> Finding:
    return SIGN.finding(
        title="Samples of the data repeat each other",
        severity="warning",
        confidence="certain",
        since=0,
        measure="share of the data that repeats another sample exactly",
        value=share,
        threshold=REPEATED,
        meaning="What is repeated is generated more often, and counts as variety in no measure. Splits that were made "
        "of such data may share samples.",
        remedies=(
            Remedy(flags="zerosum data check DATA", why="lists the groups, of which all but one can be deleted"),
        ),
    )


SIGN = Sign(
    name="duplicates-or-constant-channel",
    title="The data have repeats or a channel that says nothing",
    find=find,
    source="Threshold by our own choice",
)
