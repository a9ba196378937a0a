"""The samples resemble each other: all of them, many of them, or those of one class."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.measures import CLASS_DIVERSITY, DIVERSITY
from zerosum.doctor.signs import Sign, remedies, windows

COMPLETE, PARTIAL = 0.1, 0.5
"""Variety of the samples as a share of that of real ones."""
LITTLE = 0.3
"""Least variety of a class of images: at least 0.39 in good games, at most 0.25 in one with an image a class."""
LOST, GOOD = 0.1, 0.5
"""Recall or coverage below which most of the data are left out, though the precision is good."""
GRAYS = 2.0
"""Gray levels of 256 between samples that nobody could tell apart."""
LOOKED_AT, FEWEST = 512, 8


def find(evidence: Evidence) -> Finding | None:
    """Return the worst of: all samples alike, many alike, those of one class alike."""
    return _of_samples(evidence) or _of_history(evidence) or _of_recall(evidence) or _of_a_class(evidence)


def _of_history(evidence: Evidence) -> Finding | None:
    for bound, severity in ((COMPLETE, "critical"), (PARTIAL, "warning")):
        rounds, values = evidence.series(DIVERSITY)
        found = windows.crossing(evidence, rounds, values, below=bound, span=1, checks=windows.CHECKS)
        if found is None:
            continue
        fell = bool(values[rounds < found.since].size) and values[rounds < found.since].max() > 1.5 * bound
        if not fell and windows.rising(values):
            continue
        return _finding(evidence, found.since, found.value, bound, severity, "likely" if fell else "possible")
    return None


def _of_recall(evidence: Evidence) -> Finding | None:
    """Find good samples near few of the real ones, by the evaluations."""
    precision = evidence.series("evaluation/precision")[1]
    for name in ("recall", "coverage"):
        key = f"evaluation/{name}"
        found = windows.crossing(evidence, *evidence.series(key), below=LOST, span=1, checks=windows.CHECKS)
        if found and len(precision) and precision[-1] > GOOD and not windows.rising(evidence.series(key)[1]):
            return replace(
                _finding(evidence, found.since, found.value, PARTIAL, "warning", "likely"),
                measure=f"{name} of the samples",
                threshold=LOST,
                keys=(key, "evaluation/precision"),
            )
    return None


def _of_samples(evidence: Evidence) -> Finding | None:
    if evidence.samples is None or len(evidence.samples) < FEWEST:
        return None
    if evidence.real is None:
        return _identical(evidence, variety(evidence.samples))
    if len(evidence.real) < FEWEST:
        return None
    spread = variety(evidence.real)
    if evidence.samples.shape[1:] != evidence.real.shape[1:] or spread == 0:
        return None
    ratio = variety(evidence.samples) / spread
    if ratio >= PARTIAL:
        return None
    complete = ratio < COMPLETE
    return _finding(
        evidence,
        evidence.last_round,
        ratio,
        COMPLETE if complete else PARTIAL,
        "critical" if complete else "warning",
        "certain" if complete else "likely",
    )


def _identical(evidence: Evidence, spread: float) -> Finding | None:
    """Find samples that are nearly identical, which needs no real ones."""
    if spread >= GRAYS:
        return None
    found = _finding(evidence, evidence.last_round, spread, COMPLETE, "critical", "certain")
    return replace(found, measure="difference between samples, in gray levels of 256", threshold=GRAYS)


def variety(samples: np.ndarray) -> float:
    """Return the mean L1 distance of neighbours in a shuffled order of (N, *shape) samples, in their own units."""
    order = np.random.default_rng(0).permutation(len(samples))[:LOOKED_AT]
    chosen = samples[order].astype(np.float32)
    return float(np.mean([np.abs(chosen - np.roll(chosen, shift, axis=0)).mean() for shift in (1, 2, 3)]))


def _finding(evidence: Evidence, since: int, value: float, threshold: float, severity: str, confidence: str) -> Finding:
    complete = threshold == COMPLETE
    return SIGN.finding(
        title="All samples look alike" if complete else "The samples vary little",
        severity=severity,
        confidence=confidence,
        since=since,
        measure="variety of the samples, where real ones have 1",
        value=value,
        threshold=threshold,
        keys=(DIVERSITY,),
        meaning=(
            "The generator answers every latent with nearly the same sample. It rarely recovers on its own: go back to "
            "a checkpoint from before."
            if complete
            else "The generator leaves out part of the data, or has settled on a few modes."
        ),
        remedies=_remedies(evidence),
    )


def _of_a_class(evidence: Evidence) -> Finding | None:
    rounds, values = evidence.series(CLASS_DIVERSITY)
    if windows.rising(values):
        return None
    of_images = len(evidence.facts.shape) == 3  # the variety of other samples is that of their loudness or place too
    for bound in (COMPLETE, LITTLE) if of_images else (COMPLETE,):
        found = windows.crossing(evidence, rounds, values, below=bound, span=1, checks=windows.CHECKS)
        if found is not None:
            return _finding_in_a_class(evidence, found, bound)
    return None


def _finding_in_a_class(evidence: Evidence, found: windows.Crossing, bound: float) -> Finding:
    alike = bound == COMPLETE
    return SIGN.finding(
        title="All samples of one class look alike" if alike else "The samples of one class vary little",
        severity="warning",
        confidence="likely" if alike else "possible",
        since=found.since,
        measure="least variety of a class, where real ones have 1",
        value=found.value,
        threshold=bound,
        keys=(CLASS_DIVERSITY, DIVERSITY),
        meaning=f"The generator has {'one answer' if alike else 'few answers'} to one of the labels, while other "
        "classes may still vary. Classes of few images are the first to go.",
        remedies=_remedies(evidence),
    )


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    why = "lets the discriminator compare the samples of a batch, so that equal ones give themselves away"
    return remedies.those(
        (
            remedies.penalty(evidence),
            remedies.stabilise(evidence, "minibatch-discrimination", 100, why),
            remedies.both_rates(evidence, "keeps the generator from leaping to what the discriminator likes best"),
            remedies.scale(evidence, "batch", 2, "shows the discriminator more of the data at once"),
            remedies.another_recipe(
                evidence, "r3gan", "compares pairs, a loss without minima where modes are left out"
            ),
        )
    )


SIGN = Sign(
    name="mode-collapse",
    title="The samples look alike",
    find=find,
    source="Goodfellow 2016, section 5.1.1 (https://arxiv.org/abs/1701.00160); within a class: Odena et al. 2017, "
    "section 4.2 (https://arxiv.org/abs/1610.09585)",
)
