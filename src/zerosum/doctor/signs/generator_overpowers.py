"""The generator overpowers the discriminator, which takes every sample for real."""

from __future__ import annotations

import numpy as np

from zerosum.doctor.evidence import FAKE, REAL, Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

NEVER, SELDOM = 0.01, 0.2
"""Accuracy on generated samples below which the discriminator takes all of them for real, or nearly all."""
NOTHING = 0.01
"""Generator's loss, in a cross-entropy, of samples that are all taken for real."""
GUESSING = 1.386
"""2 ln 2, the loss of a discriminator that guesses."""


def find(evidence: Evidence) -> Finding | None:
    """Return that generated samples are taken for real, by the accuracies or else by the losses."""
    return _fooled(evidence) or _frozen(evidence)


def _fooled(evidence: Evidence) -> Finding | None:
    if evidence.facts.objective == "wasserstein":
        return None
    pairs = evidence.facts.objective == "relativistic"
    for player in evidence.discriminators:
        rounds, real, fake = windows.accuracies(evidence, player)
        for bound, over, severity in ((NEVER, 1, "critical"), (SELDOM, windows.WINDOW, "warning")):
            fooled = fake if pairs else np.where(real > 1 - bound, fake, 1.0)
            found = windows.crossing(evidence, rounds, fooled, below=bound, span=over, lasting=50)
            if found and not windows.hesitates(evidence, player, "fake"):
                return SIGN.finding(
                    title="The discriminator takes every sample for real",
                    severity=severity,
                    confidence="certain" if severity == "critical" else "likely",
                    since=found.since,
                    measure="accuracy of the discriminator on generated samples",
                    value=found.value,
                    threshold=bound,
                    keys=(f"{player}/{REAL}", f"{player}/{FAKE}"),
                    meaning="The discriminator no longer tells generated from real samples, so the generator is not "
                    "asked to improve; its low loss says nothing about the samples.",
                    remedies=_remedies(evidence),
                )
    return None


def _frozen(evidence: Evidence) -> Finding | None:
    """Read it off the losses of a cross-entropy where no accuracy was logged."""
    if evidence.facts.objective not in (None, "logistic"):
        return None
    for player in evidence.discriminators:
        if len(windows.accuracy(evidence, player)[0]):
            continue
        losing = windows.crossing(evidence, *evidence.series(f"{player}/loss"), above=GUESSING, span=50, lasting=50)
        for generator in evidence.generators:
            key = f"{generator}/loss"
            found = windows.crossing(evidence, *evidence.series(key), above=0, below=NOTHING, span=50, lasting=50)
            if found and losing:
                return SIGN.finding(
                    severity="critical",
                    confidence="likely",
                    since=max(found.since, losing.since),
                    measure="generator's loss",
                    value=found.value,
                    threshold=NOTHING,
                    keys=(f"{player}/loss", key),
                    meaning="The generator pays nothing while the discriminator pays more than for guessing: all "
                    "samples are taken for real, and neither learns.",
                    remedies=_remedies(evidence),
                )
    return None


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    slower = "lets the discriminator follow what the generator does"
    return remedies.those(
        (
            remedies.rate(evidence, "generator", slower, shared=False),
            remedies.moves(evidence, 1, "gives the discriminator more of the moves"),
            remedies.both_rates(evidence, "keeps both players from leaping past each other"),
            remedies.scale(evidence, "batch", 2, "gives both players steadier gradients"),
            remedies.penalty(evidence),
        )
    )


SIGN = Sign(
    name="generator-overpowers",
    title="The generator overpowers the discriminator",
    find=find,
    source="ganhacks, number 10 (https://github.com/soumith/ganhacks); accuracy: our calibration on a DCGAN log of 100 "
    "epochs",
)
