"""Rounds that wait for data."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.measures import DATA_WAIT
from zerosum.doctor.signs import Sign, remedies, windows

WAITING = 0.3
"""Share of the time."""


def find(evidence: Evidence) -> Finding | None:
    """Return that a third of the time goes by in waiting for real samples."""
    rounds, shares = evidence.series(DATA_WAIT)
    found = windows.crossing(evidence, rounds, shares, above=WAITING, checks=5)
    if found is None:
        return None
    return SIGN.finding(
        severity="warning",
        confidence="certain",
        since=found.since,
        measure="share of the time that rounds wait for data",
        value=found.value,
        threshold=WAITING,
        keys=(DATA_WAIT, "images_per_second"),
        meaning="The networks stand still while real samples are read and varied. The samples are none the worse for "
        "it, but training takes longer than it has to.",
        remedies=remedies.those(
            (
                remedies.change(evidence, "enlarge", 1.0, "leaves out the resizing of every image that is drawn")
                if evidence.facts.config.get("enlarge", 1.0) != 1.0
                else None,
                Remedy(flags="--cache FOLDER", why="keeps the packed data on a faster disk"),
            )
        ),
    )


SIGN = Sign(
    name="data-starves-trainer",
    title="Training waits for data",
    find=find,
    source="Threshold by our own choice",
)
