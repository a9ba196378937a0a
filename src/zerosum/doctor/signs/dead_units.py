"""Rectified units that output 0 whatever comes in."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding
from zerosum.doctor.measures import DEAD_UNITS
from zerosum.doctor.signs import Sign, remedies, windows

MANY, NEARLY_ALL = 0.5, 0.9
"""Share of a layer's units that are 0."""


def find(evidence: Evidence) -> Finding | None:
    """Return that half of a layer's units are dead, or nearly all of them."""
    for bound, severity in ((NEARLY_ALL, "critical"), (MANY, "warning")):
        rounds, shares = evidence.series(DEAD_UNITS)
        found = windows.crossing(evidence, rounds, shares, above=bound, span=1, checks=windows.CHECKS)
        if found:
            return SIGN.finding(
                severity=severity,
                confidence="likely",
                since=found.since,
                measure="share of a layer's units that are 0 for all samples",
                value=found.value,
                threshold=bound,
                keys=(DEAD_UNITS,),
                meaning="Units that are 0 for every sample get no gradient and stay so: the network works with a part "
                "of its width.",
                remedies=remedies.those(
                    (
                        remedies.both_rates(evidence, "takes no steps that throw units out of reach"),
                        remedies.change(evidence, "activation", "leaky_relu", "passes a gradient below 0, too"),
                        remedies.change(evidence, "generator_norm", "batch", "keeps what units take near 0"),
                    )
                ),
            )
    return None


SIGN = Sign(
    name="dead-units",
    title="Units of a layer are dead",
    find=find,
    source="Maas et al. 2013, section 2 (https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf); "
    "thresholds by our own choice",
)
