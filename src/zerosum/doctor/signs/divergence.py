"""Losses, gradients or weights that are not finite, or grow without bound."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.signs import Sign, remedies, windows

STEEP = 100.0
"""Norm of a gradient ("things are screwing up", ganhacks number 10)."""
GROWTH = 10.0
"""Times the median of the first half, from which on a steep gradient is not just the scale of this game."""
HUGE = 100.0
"""Times the median absolute loss of the first half."""


def find(evidence: Evidence) -> Finding | None:
    """Return the worst of: a value that is no number, exploding gradients, an exploding loss, steep gradients."""
    return _not_finite(evidence) or _steep(evidence) or _huge(evidence) or _always_steep(evidence)


def _not_finite(evidence: Evidence) -> Finding | None:
    for round_, key, value in evidence.not_finite:
        player, _, term = key.rpartition("/")
        if not player or player.startswith(("watch", "evaluation")):
            continue
        name = f"{player}'s {term.replace('_', ' ')}"
        return SIGN.finding(
            title=f"The {name} is not a finite number",
            severity="critical",
            confidence="certain",
            since=round_,
            measure=f"the {name}",
            value=value,
            threshold=math.inf,
            keys=(key,),
            meaning=f"The run has diverged, and the {player} is where it shows first. Weights that are no numbers do "
            "not recover: go back to a checkpoint from before.",
            remedies=_remedies(evidence),
        )
    return None


def _steep(evidence: Evidence) -> Finding | None:
    for player in [*evidence.discriminators, *evidence.generators]:
        key = f"{player}/gradient_norm"
        rounds, norms = evidence.series(key)
        found = windows.crossing(evidence, rounds, norms, above=STEEP, span=20, lasting=20, checks=3, after=0)
        if found is None:
            continue
        before = norms[: max(1, len(norms) // 2)]
        if found.value < GROWTH * np.median(before):
            continue
        return _finding(evidence, player, found, f"norm of the {player}'s gradient", STEEP, key)
    return None


def _huge(evidence: Evidence) -> Finding | None:
    if evidence.facts.objective == "wasserstein":
        return None
    for player in [*evidence.discriminators, *evidence.generators]:
        key = f"{player}/loss"
        rounds, losses = evidence.series(key)
        if not len(losses):
            continue
        bound = HUGE * max(1.0, float(np.median(np.abs(losses[: max(1, len(losses) // 2)]))))
        found = windows.crossing(evidence, rounds, np.abs(losses), above=bound, span=20, lasting=20, checks=3, after=0)
        if found:
            return _finding(evidence, player, found, f"absolute loss of the {player}", bound, key)
    return None


def _always_steep(evidence: Evidence) -> Finding | None:
    """Find gradients that are steep without growing, in games whose loss has one scale in all papers."""
    if evidence.facts.objective not in ("logistic", "least-squares", "hinge", "relativistic"):
        return None
    for player in [*evidence.discriminators, *evidence.generators]:
        key = f"{player}/gradient_norm"
        found = windows.crossing(evidence, *evidence.series(key), above=STEEP, lasting=windows.WINDOW)
        if found:
            return replace(
                _finding(evidence, player, found, f"norm of the {player}'s gradient", STEEP, key),
                title=f"The {player}'s gradient is steep",
                severity="warning",
                confidence="possible",
                meaning=f"The {player}'s loss changes by far more with its weights than in games that go well. Often "
                "the discriminator's slope at its input is the cause.",
            )
    return None


def _finding(
    evidence: Evidence, player: str, found: windows.Crossing, measure: str, threshold: float, key: str
) -> Finding:
    return SIGN.finding(
        title=f"The {player} diverges",
        severity="critical",
        confidence="likely",
        since=found.since,
        measure=measure,
        value=found.value,
        threshold=threshold,
        keys=(key,),
        meaning=f"The steps of the {player} undo each other and grow, many times beyond what they were in the first "
        "half of the run. Numbers that are not finite come next.",
        remedies=_remedies(evidence),
    )


def _remedies(evidence: Evidence) -> tuple[Remedy, ...]:
    exact = None
    if evidence.facts.training.get("precision", "float32") != "float32":
        exact = remedies.change(evidence, "precision", "float32", "computes with more digits and a larger range")
    return remedies.those(
        (
            remedies.both_rates(evidence, "takes smaller steps, which cannot leap out of the valley", factor=0.25),
            exact,
            remedies.stabilise(evidence, "spectral-norm", None, "bounds what the discriminator makes of its input"),
            remedies.penalty(evidence),
        )
    )


SIGN = Sign(
    name="divergence",
    title="The run diverges",
    find=find,
    source="ganhacks, number 10 (https://github.com/soumith/ganhacks); growth by our own choice",
)
