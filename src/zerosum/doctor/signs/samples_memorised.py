"""Samples that are copies of training samples."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.measures import NEAREST
from zerosum.doctor.signs import Sign, remedies, windows

NEAR, COPIES = 0.5, 0.2
"""Median distance to the nearest training sample, as a share of that from one training sample to the next."""
PERCENTILE = 5
"""Of the distances from one real sample to the next, which half of the samples must not lie below."""
LOOKED_AT, SEARCHED, VALUES, FEWEST = 256, 4_096, 1_024, 20


def find(evidence: Evidence) -> Finding | None:
    """Return that samples lie nearer to training samples than those do to each other."""
    return _of_samples(evidence) or _of_history(evidence)


def _of_history(evidence: Evidence) -> Finding | None:
    for bound, severity in ((COPIES, "critical"), (NEAR, "warning")):
        found = windows.crossing(evidence, *evidence.series(NEAREST), below=bound, span=1, checks=windows.CHECKS)
        if found:
            return _finding(evidence, found.since, found.value, bound, severity, "likely")
    return None


def _of_samples(evidence: Evidence) -> Finding | None:
    if evidence.samples is None or evidence.real is None or min(len(evidence.samples), len(evidence.real)) < FEWEST:
        return None
    if evidence.samples.shape[1:] != evidence.real.shape[1:]:
        return None
    samples, real = _rows(evidence.samples[:LOOKED_AT]), _rows(_distinct(evidence.real[:SEARCHED]))
    if len(real) < FEWEST:
        return None
    step = max(1, len(real) // LOOKED_AT)
    usual = _nearest(real[::step], real, apart=step)
    bound, value = float(np.percentile(usual, PERCENTILE)), float(np.median(_nearest(samples, real)))
    scale = float(np.median(usual))
    if scale == 0 or value >= bound:
        return None
    return _finding(evidence, evidence.last_round, value / scale, bound / scale, "warning", "likely")


def _distinct(samples: np.ndarray) -> np.ndarray:
    """Return each of the (N, *shape) samples once, in their order: a repeated one has no neighbour at distance 0."""
    first = {np.ascontiguousarray(sample).tobytes(): place for place, sample in reversed(list(enumerate(samples)))}
    return samples[sorted(first.values())]


def _rows(samples: np.ndarray) -> np.ndarray:
    """Return (N, D) float32 rows of at most about a thousand values each."""
    rows = samples.reshape(len(samples), -1)
    return rows[:, :: max(1, rows.shape[1] // VALUES)].astype(np.float32)


def _nearest(rows: np.ndarray, others: np.ndarray, *, apart: int | None = None) -> np.ndarray:
    """Return the mean absolute difference of each row (N, D) from the nearest of others (M, D).

    Args:
        rows: to find the nearest of.
        others: to search.
        apart: where `rows` are every so many-th of `others`: each is not compared with itself.
    """
    found = np.empty(len(rows), np.float32)
    for place, row in enumerate(rows):
        distances = np.abs(others - row).mean(1)
        if apart is not None:
            distances[place * apart] = np.inf
        found[place] = distances.min()
    return found


def _finding(evidence: Evidence, since: int, value: float, threshold: float, severity: str, confidence: str) -> Finding:
    return SIGN.finding(
        severity=severity,
        confidence=confidence,
        since=since,
        measure="distance to the nearest training sample, where training samples among themselves have 1",
        value=value,
        threshold=threshold,
        keys=(NEAREST,),
        meaning="Half of the samples lie nearer to a training sample than training samples lie to each other: the "
        "generator repeats what it was trained on. `zerosum evaluate` shows the pairs.",
        remedies=_remedies(evidence),
    )


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    return remedies.those(
        (
            remedies.stabilise(evidence, "diff-augment", 1.0, "takes single images away from the discriminator"),
            remedies.stabilise(evidence, "ada", 0.6, "augments as much as the discriminator overfits"),
            remedies.change(evidence, "mirror", 0.5, "doubles the data, where left and right are alike"),
            remedies.scale(evidence, "rounds", 0.5, "stops before single images are learned"),
        )
    )


SIGN = Sign(
    name="samples-memorised",
    title="The samples copy training samples",
    find=find,
    source="Meehan et al. 2020, section 2 (https://arxiv.org/abs/2004.05675); percentile and shares by our own choice",
)
