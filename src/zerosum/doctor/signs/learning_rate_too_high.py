"""Steps that are large beside the weights that they change."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding, Remedy
from zerosum.doctor.measures import UPDATE
from zerosum.doctor.signs import Sign, remedies, windows

LARGE = 0.05
"""Norm of a step as a share of the weights'; about 0.001 is usual."""
RATE = 0.01
"""Learning rate that Adam is hardly ever run with: fifty times DCGAN's."""


def find(evidence: Evidence) -> Finding | None:
    """Return that a player's steps are large, or where they were not measured that its learning rate is."""
    players = [*evidence.discriminators, *evidence.generators]
    measured = [player for player in players if len(evidence.series(UPDATE.format(player=player))[0])]
    for player in measured:
        key = UPDATE.format(player=player)
        found = windows.crossing(evidence, *evidence.series(key), above=LARGE, checks=windows.CHECKS, after=0)
        if found:
            return SIGN.finding(
                title=f"The {player}'s learning rate is too high",
                severity="warning",
                confidence="likely",
                since=found.since,
                measure=f"norm of a step of the {player}, as a share of that of its weights",
                value=found.value,
                threshold=LARGE,
                keys=(key,),
                meaning=f"Every step changes the {player} by a large part of what it has learned, so the other player "
                "meets another opponent each round.",
                remedies=_remedies(evidence, player),
            )
    return None if measured else _set(evidence)


def _set(evidence: Evidence) -> Finding | None:
    for name in ("discriminator_lr", "generator_lr", "lr"):
        value = evidence.facts.config.get(name)
        number = max(value) if isinstance(value, tuple | list) and value else value
        if isinstance(number, int | float) and number >= RATE and len(evidence.history):
            return SIGN.finding(
                severity="warning",
                confidence="possible",
                since=int(evidence.history[0]["round"]),
                measure="learning rate",
                value=float(number),
                threshold=RATE,
                meaning="Adam moves each weight by up to the learning rate in every step, and these weights are of the "
                "order of 0.02 to 0.1.",
                remedies=remedies.those((remedies.scale(evidence, name, 0.1, "takes smaller steps"),)),
            )
    return None


def _remedies(evidence: Evidence, player: str) -> tuple[Remedy, ...]:
    role = "discriminator" if player in evidence.discriminators else "generator"
    return remedies.those(
        (
            remedies.rate(evidence, role, "takes smaller steps", factor=0.25),
            remedies.scale(evidence, "batch", 2, "makes the gradients less noisy, and their steps agree"),
        )
    )


SIGN = Sign(
    name="learning-rate-too-high",
    title="A learning rate is too high",
    find=find,
    source="Ratio of about 0.001: Stanford CS231n, notes on neural networks 3 "
    "(https://cs231n.github.io/neural-networks-3/#ratio); threshold by our own choice",
)
