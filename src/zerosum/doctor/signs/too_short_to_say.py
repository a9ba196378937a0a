"""A history that is too short to say anything."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding
from zerosum.doctor.signs import Sign, remedies, windows

FEWEST, EPOCHS = 500, 5
"""Rounds, or epochs, before which games of healthy and of failing runs look the same."""


def find(evidence: Evidence) -> Finding | None:
    """Return that fewer rounds were played than a diagnosis needs; nothing where none was."""
    epochs = windows.of_epochs(evidence) and evidence.facts.epochs is not None
    least = EPOCHS if epochs else FEWEST
    played = evidence.last_round
    rows = len(evidence.history)
    if not rows or (played >= least and rows >= EPOCHS) or (windows.of_epochs(evidence) and rows >= EPOCHS):
        return None
    short = evidence.facts.rounds is None or evidence.facts.rounds < least
    longer = remedies.change(evidence, "rounds", 4 * least, "plays long enough for both players to have learned")
    return SIGN.finding(
        severity="note",
        confidence="certain",
        since=int(evidence.history[0]["round"]),
        measure="epochs played" if epochs else "rounds played",
        value=played,
        threshold=least,
        meaning="Failing and healthy games look alike at first, because the generator still outputs noise. That "
        "nothing else was found says little yet.",
        remedies=remedies.those((longer if short else None,)),
    )


SIGN = Sign(
    name="too-short-to-say",
    title="The run is too short to say more",
    find=find,
    source="Threshold by our own choice",
)
